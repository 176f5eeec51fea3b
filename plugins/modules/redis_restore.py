#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_restore
short_description: Give a cache the keys of a backup
version_added: 0.1.0
description:
  - Verifies the backup, has a server that nobody else can reach load its snapshots one after the other, and gives the keys from there to
    whoever owns a key's slot now. A cluster may have other members and other slots than the one that was backed up, and a single server
    may be given the keys of a cluster.
  - What expires keeps its time. Keys that have expired since the backup are not given back.
  - In the end every key is looked for again. What is missing fails the module.
  - By default it gives nothing to a cache that has keys. One that was broken off is completed with O(existing=keep).
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.name
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
    details:
      - The backup is found in the catalogue and the cache is looked at; the backup is not read.
      - So it is not known which of its keys are there already, or have expired, and with O(existing=keep) it says changed in any case.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: With O(existing=keep) a second run gives nothing. With O(existing=replace) it gives all again.
options:
  name:
    description: The name of the backup. V(latest) is the newest ordinary one that is not marked bad.
    type: str
    required: true
    default:
  existing:
    description:
      - What becomes of keys that the cache has. With V(refuse) it must have none, with V(keep) those of the same names stay as they are,
        and with V(replace) they get the backup's content. Keys of other names are left alone in any case.
    type: str
    choices: [refuse, keep, replace]
    default: refuse
  identity_path:
    description: The file with the private key of an encrypted backup, for C(age).
    type: path
  timeout:
    description: The seconds that connecting may take, and every answer.
    type: float
    default: 10.0
seealso:
  - module: astraldraft.ops.redis_backup
  - module: astraldraft.ops.redis_flush
"""

EXAMPLES = r"""
- name: Give an empty cluster the keys of the latest backup
  astraldraft.ops.redis_restore:
    path: /var/lib/astraldraft/astral-draft/backups
    name: latest
    nodes: ["10.0.0.7:6379", "10.0.0.8:6379"]
    login_password: "{{ vault_redis_password }}"
    project: astral-draft
    service: redis-1
"""

RETURN = r"""
name:
  description: The name of the backup, V(null) when there is none.
  returned: always
  type: str
restored:
  description: How many keys were given; in check mode how many the backup has.
  returned: always
  type: int
kept:
  description: How many were there already and stayed as they were.
  returned: always
  type: int
expired:
  description: How many have expired since the backup.
  returned: always
  type: int
missing:
  description: How many were not there in the end. If there are any, the module fails.
  returned: always
  type: int
findings:
  description: What speaks against the backup, at most 20 sentences. If there are any, nothing was given.
  returned: always
  type: list
  elements: str
before:
  description: How many keys each primary had.
  returned: always
  type: dict
  sample: {"10.0.0.7:6379": 0}
after:
  description: The same afterwards; in check mode as before.
  returned: always
  type: dict
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {hash_seconds: 0.1, read_seconds: 0.2, give_seconds: 12.1}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_metrics as metrics
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_restore as giving
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_backup import Cache
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_backup_verify import SnapshotVerification
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_rdb import REDIS, RULES
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_SPEC, apart, tools

SPEC = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "required": True},
    "environment": {"type": "str"},
    "database": {"type": "str"},
    "existing": {"type": "str", "choices": list(giving.EXISTING), "default": giving.REFUSE},
    "identity_path": {"type": "path"},
    "timeout": {"type": "float", "default": 10.0},
    "metrics_path": {"type": "path"},
    "progress_path": {"type": "path"},
}
RESULT = {
    "name": None, "restored": 0, "kept": 0, "expired": 0, "missing": 0, "findings": [], "before": {}, "after": {}, "parts": {},
}  # fmt: skip


def note(module, catalogue, entry, check):
    """What was found of the backup, in the catalogue."""
    with catalogue.changing(metrics.teller(module.params["metrics_path"])) as entries:
        catalogues.record_check(catalogues.find(entries, entry["name"], catalogues.CACHE), catalogues.CHECKSUM, check)


def verified(module, result, catalogue, entry, verification, seen):
    """Read all of the backup. -> the folder of the snapshots as the tools see it. Raises OpsError when something is wrong with them."""
    started = time.monotonic()
    manifest = verification.files()
    folder = verification.look(manifest, seen[0], seen[1]) if manifest else None
    check = verification.conclude(started)
    result.update(findings=check["findings"], parts=check["parts"])
    note(module, catalogue, entry, check)
    if check["findings"]:
        raise OpsError("{0} is bad, and nothing was given: {1}".format(entry["name"], " ".join(check["findings"][:5])))
    return manifest, folder


def give(module, result, catalogue, entry, cache, progress):
    params, redis = module.params, load("redis")
    verification = SnapshotVerification(
        catalogue.path_of(entry), entry, catalogues.CHECKSUM, progress, time.time(), params["identity_path"]
    )  # fmt: skip
    with tools(params, None, offline=True, suite=REDIS) as place, apart(place, verification.label) as seen:
        manifest, folder = verified(module, result, catalogue, entry, verification, seen)
        target = giving.Target(redis, params, cache.topology)
        try:
            module.fence()
            giving.give_all(redis, manifest, folder, seen, target, params["existing"], progress, result)
        finally:
            target.close()


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    progress = Progress(module.heartbeat, params["progress_path"])
    entry = catalogues.find(catalogue.read(), params["name"], catalogues.CACHE, params["environment"], params["database"])
    result["name"] = entry["name"]
    if entry["bad"]:
        raise OpsError("{0} is marked bad: {1} Take another one.".format(entry["name"], entry["bad"]["reason"]))
    cache = Cache(load("redis"), params, progress.tick)
    result["before"] = result["after"] = cache.keys()
    giving.refuse_target(cache, entry, params["existing"], sum(result["before"].values()))
    if module.check_mode:
        catalogue.demand_free("verification")
        result.update(changed=entry["key_count"] > 0, restored=entry["key_count"])
        return
    with catalogue.alone("verification"):
        give(module, result, catalogue, entry, cache, progress)
    result["after"] = cache.keys()


def main():
    run(work, dict(CONNECTION_SPEC, **DOCKER_SPEC, **TOOLS_SPEC, **SPEC), dict(RESULT), supports_check_mode=True, **RULES)


if __name__ == "__main__":
    main()
