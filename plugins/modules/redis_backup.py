#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_backup
short_description: Take a backup of every key of a Redis server, a Sentinel group or a Cluster
version_added: 0.1.0
description:
  - Fetches a snapshot (RDB) of every primary, all at the same time, as a replica would, and has Redis's own C(redis-check-rdb) read each of
    them to its end. A manifest beside them holds how many keys each has, and the hash of every file.
  - It is written aside, and only then gets its name and its place in the catalogue, which is that of the database's backups. A backup that
    fails leaves nothing, and touches no older one.
  - It refuses where a key could be missing, because a primary is down, slots are served by nobody, or are moving.
  - Each server forks to write its snapshot, and takes memory for what is changed meanwhile.
  - Until it has been loaded once (M(astraldraft.ops.redis_backup_verify)) it is not called verified.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.metrics
  - astraldraft.ops._backup.progress
  - astraldraft.ops._backup.redis_tools
  - astraldraft.ops._redis
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: The servers and the space are looked at; no snapshot is fetched.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run takes a backup.
options:
  login_user:
    description: The user to log in as. It needs the commands C(psync), C(sync) and C(replconf), beside C(info) and C(cluster).
  environment:
    description: The environment, which becomes part of the backup's name, C(backup_<environment>_<time in UTC>).
    type: str
    required: true
  database:
    description: What the cache is called in the catalogue. Backups of the same name replace each other when old ones are pruned.
    type: str
    default: cache
  purpose:
    description: A V(safety) backup is taken before something dangerous. It is never the latest one, and is kept for its own time.
    type: str
    choices: [ordinary, safety]
    default: ordinary
  encrypt_recipients:
    description:
      - The public keys (age or SSH) for which the snapshots are encrypted, by C(age). The manifest and the catalogue are not.
      - They are plain in O(work_dir) until the module ends.
    type: list
    elements: str
    default: []
  timeout:
    description: The seconds that connecting may take, and every answer but the snapshot.
    type: float
    default: 5.0
  transfer_timeout:
    description: The seconds for which the snapshots may take, all together.
    type: float
    default: 3600
  space_factor:
    description:
      - How much free space is demanded, as a share of the memory that the keys take, where there are no earlier backups to go by (their
        share and half as much again). V(0) demands nothing.
    type: float
    default: 1
  anomaly_factor:
    description: How many times smaller or larger than the median of the last five a backup may be until RV(anomaly) says so.
    type: float
    default: 2
  tools_login_host:
    description:
      - The host of a single server, as seen by the tools. On the host it is O(login_host) by default, beside a container V(127.0.0.1), in
        the network of the server. The primaries of a Sentinel group and of a cluster are reached by the addresses that they announce.
    type: str
  tools_login_port:
    description: The port of a single server, as seen by the tools. In a container the server's own by default.
    type: int
seealso:
  - module: astraldraft.ops.redis_backup_verify
  - module: astraldraft.ops.redis_restore
  - module: astraldraft.ops.postgres_backup_info
  - module: astraldraft.ops.postgres_backup_prune
"""

EXAMPLES = r"""
- name: Back up the cluster of a Compose project, with the tools of its own image
  astraldraft.ops.redis_backup:
    path: /var/lib/astraldraft/astral-draft/backups
    environment: production
    nodes: ["10.0.0.7:6379", "10.0.0.8:6379"]
    login_password: "{{ vault_redis_password }}"
    project: astral-draft
    service: redis-1

- name: Back up a server with the tools of this host, encrypted
  astraldraft.ops.redis_backup:
    path: /var/backups/astral
    environment: staging
    database: sessions
    login_host: cache-1.astraldraft.internal
    encrypt_recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
"""

RETURN = r"""
name:
  description: The backup's name. In check mode one that it could have, V(null) after a failure.
  returned: always
  type: str
  sample: backup_production_20261124_020000
folder:
  description: Its folder, V(null) after a failure.
  returned: always
  type: str
backup:
  description: What the catalogue says of it (RV(astraldraft.ops.postgres_backup_info#module:backups)). Empty in check mode and after a
    failure.
  returned: always
  type: dict
primaries:
  description: The addresses of the primaries, each of which has a snapshot of its own.
  returned: always
  type: list
  elements: str
  sample: ["10.0.0.7:6379", "10.0.0.8:6379", "10.0.0.9:6379"]
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {fetch_seconds: 5.4, verify_seconds: 1.2}
needed_bytes:
  description: The free space that was demanded, V(null) when that is not known.
  returned: always
  type: int
anomaly:
  description: What is strange about its size, V(null) when nothing is.
  returned: always
  type: str
removed:
  description: What killed backups had left behind, and was removed.
  returned: always
  type: list
  elements: str
adopted:
  description: The names of whole backups that the catalogue did not list, and does now.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_metrics as metrics
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_store as store
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_manifest import anomaly, needed_bytes
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import free_bytes
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_backup import Cache, Order, Taking
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_rdb import REDIS, RULES
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_LOGIN_SPEC, TOOLS_SPEC, tools

SPEC = {
    "path": {"type": "path", "required": True},
    "environment": {"type": "str", "required": True},
    "database": {"type": "str", "default": catalogues.CACHE},
    "purpose": {"type": "str", "choices": [catalogues.ORDINARY, catalogues.SAFETY], "default": catalogues.ORDINARY},
    "encrypt_recipients": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 5.0},
    "transfer_timeout": {"type": "float", "default": 3600},
    "space_factor": {"type": "float", "default": 1},
    "anomaly_factor": {"type": "float", "default": 2},
    "metrics_path": {"type": "path"},
    "progress_path": {"type": "path"},
}
RESULT = {
    "name": None, "folder": None, "backup": {}, "primaries": [], "parts": {}, "needed_bytes": None, "anomaly": None, "removed": [],
    "adopted": [],
}  # fmt: skip


def order_of(params):
    """Raises OpsError for what would wait for ever, or not at all."""
    for name in ("timeout", "transfer_timeout"):
        if params[name] <= 0:
            raise OpsError("{0} is {1:g}; give it a number above 0. Nothing was done.".format(name, params[name]))
    return Order(
        params["environment"], params["database"], params["purpose"], params["encrypt_recipients"], params["transfer_timeout"],
        bool(params["service"] or params["container"]), params["tools_login_host"], params["tools_login_port"],
    )  # fmt: skip


def rooms(catalogue, place=None, work_dir=None):
    found = [(catalogue.folder, free_bytes(catalogue.folder))]
    return found if place is None or place.direct else [*found, ("{0} on {1}".format(work_dir, place.name), place.free_bytes(work_dir))]


def take(module, result, catalogue, cache, place, order, progress):
    """Everything between what was left behind and the new entry in the catalogue."""
    params = module.params
    result["removed"] = store.clear(catalogue, place, module.fence)
    result["changed"] = bool(result["removed"])
    store.refuse_without_space(result["needed_bytes"], rooms(catalogue, place, params["work_dir"]))
    job = Taking(order, cache, place, params, progress)
    try:
        manifest, sha256 = job.take(catalogue, catalogue.read(), module.fence)
        result["changed"] = True
    finally:
        result["parts"] = job.parts
    entry, result["adopted"] = store.enlist(catalogue, manifest, sha256, metrics.teller(params["metrics_path"]))
    result.update(name=entry["name"], folder=catalogue.path_of(entry), backup=entry)


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    order, progress = order_of(params), Progress(module.heartbeat, module.params["progress_path"])
    name = catalogues.backup_name(params["environment"], utc_now(), params["purpose"])
    history = store.history(catalogue, catalogues.CACHE, params["environment"], params["database"])
    cache = Cache(load("redis"), params, progress.tick)
    cache.look()
    result["primaries"] = [source.member.name for source in cache.sources]
    result["needed_bytes"] = needed_bytes(cache.bytes, params["space_factor"], history) if params["space_factor"] else 0
    if module.check_mode:
        catalogue.demand_free("backup")
        store.refuse_without_space(result["needed_bytes"], rooms(catalogue))
        partials = [os.path.join(catalogue.folder, partial) for partial in catalogue.folders()[1]]
        result.update(changed=True, name=name, folder=os.path.join(catalogue.folder, name), removed=partials)
        return
    os.makedirs(catalogue.folder, mode=0o700, exist_ok=True)
    with catalogue.alone("backup"), tools(params, None, suite=REDIS) as place:
        take(module, result, catalogue, cache, place, order, progress)
    result["anomaly"] = anomaly(result["backup"]["bytes"], history, params["anomaly_factor"])
    if result["anomaly"]:
        module.warn("{0}: {1}".format(result["name"], result["anomaly"]))


def main():
    run(work, dict(CONNECTION_SPEC, **DOCKER_SPEC, **TOOLS_SPEC, **TOOLS_LOGIN_SPEC, **SPEC), RESULT, supports_check_mode=True, **RULES)


if __name__ == "__main__":
    main()
