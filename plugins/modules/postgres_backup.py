#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_backup
short_description: Take a backup of a PostgreSQL database that can be held against what was in it
version_added: 0.1.0
description:
  - Dumps one database with PostgreSQL's own tools, several tables at a time, compressed, with the roles beside it, and writes a manifest
    made in the same snapshot. It holds versions, extensions, the number of rows of every table and the hash of every file.
  - It is written aside, read back to the last byte, and only then gets its name and its place in the catalogue. A backup that fails
    leaves nothing, and touches no older one. What a killed one left is removed by the next.
  - Until it has been restored once (M(astraldraft.ops.postgres_backup_verify)) it is not called verified.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.metrics
  - astraldraft.ops._backup.progress
  - astraldraft.ops._backup.tools
  - astraldraft.ops._backup.tools_login
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: The server and the space are looked at; the tools are not run.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run takes a backup.
options:
  login_host:
    description: The host of the server, or the folder of its socket. By default the address of the container, or V(127.0.0.1).
  login_user:
    description: The user to connect as. It must be able to read everything, as a superuser or a member of C(pg_read_all_data).
  login_db:
    description: The database to back up.
  environment:
    description: The environment, which becomes part of the backup's name, C(backup_<environment>_<time in UTC>).
    type: str
    required: true
  purpose:
    description:
      - A V(safety) backup is taken before something dangerous. It is named C(safety_<environment>_<time>), is never the latest one, and
        is kept for its own time.
    type: str
    choices: [ordinary, safety]
    default: ordinary
  jobs:
    description: How many tables are dumped and read back at the same time. Each takes a connection.
    type: int
    default: 2
  compression:
    description:
      - What C(pg_dump --compress) understands, such as V(zstd:3), V(lz4), V(gzip:6) or V(none).
      - With V(auto) it is zstd where the tools have it (version 16), else gzip.
    type: str
    default: auto
  checksums:
    description: Whether the manifest also gets a checksum of every table's content, in whatever order. That reads all of it twice.
    type: bool
    default: false
  role_passwords:
    description: Whether the roles are kept with their (hashed) passwords, which takes a superuser. Else they are to be set after a restore.
    type: bool
    default: false
  encrypt_recipients:
    description:
      - The public keys (age or SSH) for which the files are encrypted, by C(age). The manifest and the catalogue are not.
      - The dump itself is plain in O(work_dir) until the module ends.
    type: list
    elements: str
    default: []
  lock_timeout:
    description: How long to wait for a table that somebody alters, in seconds.
    type: int
    default: 30
  space_factor:
    description:
      - How much free space is demanded, as a share of the database's size, where there are no earlier backups to go by (their share and
        half as much again). V(0) demands nothing.
    type: float
    default: 0.5
  anomaly_factor:
    description: How many times smaller or larger than the median of the last five a backup may be until RV(anomaly) says so.
    type: float
    default: 2
seealso:
  - module: astraldraft.ops.postgres_backup_verify
  - module: astraldraft.ops.postgres_backup_info
  - module: astraldraft.ops.postgres_backup_prune
"""

EXAMPLES = r"""
- name: Back up the database of a Compose project
  astraldraft.ops.postgres_backup:
    path: /var/lib/astraldraft/astral-draft/backups
    environment: production
    project: astral-draft
    service: postgres-master
    login_db: astral_draft_v4
    login_password: "{{ vault_postgres_superuser_password }}"

- name: Back up a database with the tools of this host, encrypted
  astraldraft.ops.postgres_backup:
    path: /var/backups/astral
    environment: staging
    login_host: /run/postgresql
    login_db: astral_draft_v4
    tools_user: postgres
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
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {dump_seconds: 8.1, count_seconds: 2.2, verify_seconds: 1.4}
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
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_take as taking
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_manifest import anomaly, needed_bytes
from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import Snapshot, look
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import free_bytes
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import server_login, tools_login
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_LOGIN_SPEC, TOOLS_RULES, TOOLS_SPEC, tools

SPEC = {
    "path": {"type": "path", "required": True},
    "environment": {"type": "str", "required": True},
    "purpose": {"type": "str", "choices": [catalogues.ORDINARY, catalogues.SAFETY], "default": catalogues.ORDINARY},
    "jobs": {"type": "int", "default": 2},
    "compression": {"type": "str", "default": taking.AUTO},
    "checksums": {"type": "bool", "default": False},
    "role_passwords": {"type": "bool", "default": False, "no_log": False},
    "encrypt_recipients": {"type": "list", "elements": "str", "default": []},
    "lock_timeout": {"type": "int", "default": 30},
    "space_factor": {"type": "float", "default": 0.5},
    "anomaly_factor": {"type": "float", "default": 2},
    "metrics_path": {"type": "path"},
    "progress_path": {"type": "path"},
}
RESULT = {
    "name": None, "folder": None, "backup": {}, "parts": {}, "needed_bytes": None, "anomaly": None, "removed": [], "adopted": [],
}  # fmt: skip


def order_of(params):
    """Raises OpsError for what would wait for ever, or do nothing."""
    for name in ("jobs", "lock_timeout"):
        if params[name] < 1:
            raise OpsError("{0} must be 1 or more, not {1}. Nothing was done.".format(name, params[name]))
    return taking.Order(
        params["environment"], params["purpose"], params["jobs"], params["compression"], params["checksums"], params["role_passwords"],
        params["encrypt_recipients"], params["lock_timeout"],
    )  # fmt: skip


def take(module, result, catalogue, login, place, order):
    """Everything between what was left behind and the new entry in the catalogue."""
    params, progress = module.params, Progress(module.heartbeat, module.params["progress_path"])
    progress.phase("looking at what is there")
    place.demand_major("pg_dump", progress.tick)
    result["removed"] = store.clear(catalogue, place, module.fence)
    result["changed"] = bool(result["removed"])
    entries = catalogue.read()
    if params["space_factor"]:
        rooms = [(catalogue.folder, free_bytes(catalogue.folder))]
        rooms += [] if place.direct else [("{0} on {1}".format(params["work_dir"], place.name), place.free_bytes(params["work_dir"]))]
        store.refuse_without_space(result["needed_bytes"], rooms)
    with Snapshot(load("psycopg2"), login, params["lock_timeout"]) as snapshot:
        job = taking.Taking(order, snapshot, place, tools_login(params, snapshot.server), progress)
        try:
            manifest, sha256 = job.take(catalogue, entries, module.fence)
            result["changed"] = True
        finally:
            result["parts"] = job.parts
    entry, result["adopted"] = store.enlist(catalogue, manifest, sha256, metrics.teller(params["metrics_path"]))
    result.update(name=entry["name"], folder=catalogue.path_of(entry), backup=entry)


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    order, psycopg2, login = order_of(params), load("psycopg2"), server_login(params)
    catalogues.backup_name(params["environment"], utc_now())
    history = store.history(catalogue, catalogues.DATABASE, params["environment"], params["login_db"])
    server = look(psycopg2, login)
    taking.compress_option(server["major"], params["compression"])
    result["needed_bytes"] = needed_bytes(server["database_bytes"], params["space_factor"], history) if params["space_factor"] else 0
    if module.check_mode:
        catalogue.demand_free("backup")
        store.refuse_without_space(result["needed_bytes"], [(catalogue.folder, free_bytes(catalogue.folder))])
        result["changed"] = True
        result["name"] = catalogues.backup_name(params["environment"], utc_now(), params["purpose"])
        result["folder"] = os.path.join(catalogue.folder, result["name"])
        result["removed"] = [os.path.join(catalogue.folder, name) for name in catalogue.folders()[1]]
        return
    os.makedirs(catalogue.folder, mode=0o700, exist_ok=True)
    # The tools first: the snapshot holds back vacuum for as long as it is open.
    with catalogue.alone("backup"), tools(params, server["major"]) as place:
        take(module, result, catalogue, login, place, order)
    result["anomaly"] = anomaly(result["backup"]["bytes"], history, params["anomaly_factor"])
    if result["anomaly"]:
        module.warn("{0}: {1}".format(result["name"], result["anomaly"]))


def main():
    spec = dict(LOGIN_SPEC, **DOCKER_SPEC, **TOOLS_SPEC, **TOOLS_LOGIN_SPEC, **SPEC)
    run(work, spec, RESULT, supports_check_mode=True, **TOOLS_RULES)


if __name__ == "__main__":
    main()
