#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pgbackrest_recover
short_description: A backup of a PostgreSQL database as it was just before a moment or a transaction
version_added: 0.1.0
description:
  - Recovers the cluster with pgBackRest on a server that is made for it and thrown away. Nobody else can reach that server, it archives
    nothing, and of the live one it can read the files of the repository only. The log is replayed until just before the target. That it
    stopped there is asked of the server itself, and of its log.
  - The database is then dumped from there into the catalogue, with a manifest, as M(astraldraft.ops.postgres_backup) does. Its purpose is
    C(recovered), so it is never the latest; its data is of the target's time.
  - Before, where the live server answers, one empty transaction is committed there and a segment of its log finished, so that the end of
    the log is in the archive.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._pgbackrest
  - astraldraft.ops._pgbackrest.tools
  - astraldraft.ops._pgbackrest.work
  - astraldraft.ops._backup
  - astraldraft.ops._backup.metrics
  - astraldraft.ops._backup.progress
  - astraldraft.ops._backup.tools_login
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: It is only seen whether there is a backup to begin with.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run recovers.
options:
  target_time:
    description:
      - What was committed before this moment is in it, what was committed at it or later is not. ISO 8601 with an offset, such as
        V(2026-11-24T13:05:00.250Z).
    type: str
  target_xid:
    description: The number of a transaction. What was committed before its end is in it, itself is not.
    type: int
  login_host:
    description: The host of the live server, or the folder of its socket. By default the address of the container, or V(127.0.0.1).
  login_user:
    description: The user to connect as, a superuser, in the live server and in the recovered one.
  login_db:
    description: The database that is taken from the recovered cluster.
  environment:
    description: The environment, which becomes part of the name, C(recovered_<environment>_<time in UTC>).
    type: str
    required: true
  jobs:
    description: How many tables are dumped at the same time.
    type: int
    default: 2
  compression:
    description: What C(pg_dump --compress) understands, or V(auto), as for M(astraldraft.ops.postgres_backup).
    type: str
    default: auto
  checksums:
    description: Whether the manifest also gets a checksum of every table's content.
    type: bool
    default: false
  encrypt_recipients:
    description: The public keys (age or SSH) for which the files are encrypted, as for M(astraldraft.ops.postgres_backup).
    type: list
    elements: str
    default: []
  archive_timeout:
    description: How long the end of the live server's log may take to arrive in the archive, in seconds.
    type: int
    default: 60
  replay_timeout:
    description: How long the log may be replayed, in seconds.
    type: float
    default: 14400
seealso:
  - module: astraldraft.ops.pgbackrest_info
  - module: astraldraft.ops.postgres_backup
"""

EXAMPLES = r"""
- name: Take the database as it was before somebody emptied a table
  astraldraft.ops.pgbackrest_recover:
    path: /var/lib/astraldraft/astral-draft/backups
    environment: production
    target_time: "2026-11-24T13:05:00Z"
    config_path: /var/lib/postgresql/data/pgbackrest.conf
    project: astral-draft
    service: postgres-master
    login_db: astral_draft_v4
    login_password: "{{ vault_postgres_superuser_password }}"
"""

RETURN = r"""
name:
  description: The name of the backup. In check mode one that it could have, V(null) after a failure.
  returned: always
  type: str
  sample: recovered_production_20261124_134500
folder:
  description: Its folder, V(null) after a failure.
  returned: always
  type: str
backup:
  description: What the catalogue says of it (RV(astraldraft.ops.postgres_backup_info#module:backups)). Empty in check mode and after a
    failure.
  returned: always
  type: dict
label:
  description: The backup of pgBackRest with which recovery began, or would in check mode. V(null) after a failure.
  returned: always
  type: str
reached:
  description: >-
    Where it stopped: C(stopped) in the words of the server's log, C(lsn), C(last_commit_at), C(as_of) in seconds since 1970. Empty in check
    mode and after a failure.
  returned: always
  type: dict
notes:
  description: What a person should know besides, such as that the live server could not be asked.
  returned: always
  type: list
  elements: str
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {archive_seconds: 1.2, restore_seconds: 41.0, replay_seconds: 63.5, dump_seconds: 30.2}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_metrics as metrics
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_store as store
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_take as taking
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest as words
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_archive as archive
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_place as places
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_recover as recovery
from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import Snapshot
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import server_login
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress, timed
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_LOGIN_SPEC, TOOLS_RULES, TOOLS_SPEC, apart, tools

SPEC = {
    "path": {"type": "path", "required": True},
    "environment": {"type": "str", "required": True},
    "target_time": {"type": "str"},
    "target_xid": {"type": "int"},
    "jobs": {"type": "int", "default": 2},
    "compression": {"type": "str", "default": taking.AUTO},
    "checksums": {"type": "bool", "default": False},
    "encrypt_recipients": {"type": "list", "elements": "str", "default": []},
    "archive_timeout": {"type": "int", "default": 60},
    "replay_timeout": {"type": "float", "default": 14400},
    "metrics_path": {"type": "path"},
    "progress_path": {"type": "path"},
}
RESULT = {"name": None, "folder": None, "backup": {}, "label": None, "reached": {}, "notes": [], "parts": {}}
LOCK_SECONDS = 30


def ask_live(params):
    """What the live server says of its archive, and the number of a transaction that it has just committed: recovery to a moment needs a
    later commit, to know that it got there."""
    with archive.session(load("psycopg2"), server_login(params), readonly=False) as ask:
        state = ask(archive.STATE)[0][0]
        return state, None if state["in_recovery"] else int(ask("SELECT pg_current_xact_id()::text")[0][0])


def finish_log(params, result, target, config, progress):
    """Have the live server archive the end of its log. -> its shared_preload_libraries. That it cannot be asked is no reason to stop: what
    is archived already may do."""
    progress.phase("having the end of the log archived")
    state, next_xid = {"preload": ""}, None
    try:
        state, next_xid = ask_live(params)
        if next_xid is None:
            result["notes"].append("The server that was asked is a standby: what its primary has not archived yet is not known.")
        else:
            with timed(result["parts"], "archive_seconds"), places.beside_server(params, state["major"], config) as place:
                check_archive(params, place, progress, state)
    except OpsError as error:
        result["notes"].append("The end of the live server's log may not be in the archive: {0}".format(error.message))
    if next_xid:
        recovery.refuse_unknown(target, next_xid)
    return state["preload"] or ""


def check_archive(params, place, progress, state):
    with places.PgBackRest(params, place, progress.tick, state) as pgbackrest:
        pgbackrest.run("check", "--archive-timeout={0}".format(params["archive_timeout"]))


def take(module, result, catalogue, server, target, seen, progress):
    """Dump the database from the recovered server into the catalogue. ``seen``: (the place, the socket's folder in there, the same here)"""
    params, (own, inside, outside) = module.params, seen
    login = dict(params, login_host=outside, login_port=5432, login_password=None, ssl_mode="prefer", ca_cert=None)
    psycopg2 = load("psycopg2")
    with archive.session(psycopg2, login) as ask:
        result["reached"] = server.facts(ask, target)
    server.promote(LOCK_SECONDS)
    order = taking.Order(
        params["environment"], catalogues.RECOVERED, params["jobs"], params["compression"], params["checksums"], False,
        params["encrypt_recipients"], LOCK_SECONDS,
    )  # fmt: skip
    with Snapshot(psycopg2, login, LOCK_SECONDS) as snapshot:
        # Its data is not of now.
        snapshot.taken_at = result["reached"]["as_of"]
        job = taking.Taking(order, snapshot, own, dict(login, login_host=inside), progress)
        try:
            manifest, sha256 = job.take(catalogue, catalogue.read(), module.fence)
            result["changed"] = True
        finally:
            result["parts"].update(job.parts)
    with catalogue.changing(metrics.teller(params["metrics_path"])) as entries:
        entry = catalogues.entry_of(manifest, sha256, time.time())
        entries.append(entry)
        result.update(name=entry["name"], folder=catalogue.path_of(entry), backup=entry, label=server.backup["label"])


def sets_of(found, params, target):
    """The backups to begin with. Raises OpsError when there is none."""
    places.demand_stanza(found, params)
    return words.sets_before(found["backups"], target.value.timestamp() if target.kind == recovery.TIME else None, params["stanza"])


def recover(module, result, catalogue, target):
    params, progress = module.params, Progress(module.heartbeat, module.params["progress_path"])
    config, label = places.read_config(params, running=False), store.label(catalogue.folder, "recovery")
    progress.phase("looking at what is there")
    with tools(params, 0, offline=True, writable=[]) as place:
        found = places.info(params, place)
    sets = sets_of(found, params, target)
    preload = finish_log(params, result, target, config, progress)
    with tools(params, int(found["server_version"]), offline=True, writable=[]) as place:
        store.remove_left_behind(store.left_behind(catalogue, place)[0], [], place)
        with apart(place, label) as (own, folder, inside, outside):
            recovery.refuse_without_room(own, sets[0])
            pgbackrest = places.PgBackRest(params, own, progress.tick)
            search = recovery.Recovery(pgbackrest, target, folder, inside, progress, result["parts"])
            with search.server(sets, params["replay_timeout"], preload) as server:
                take(module, result, catalogue, server, target, (own, inside, outside), progress)


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    for name in ("jobs", "archive_timeout", "replay_timeout"):
        if params[name] < 1:
            raise OpsError("{0} must be 1 or more, not {1}. Nothing was done.".format(name, params[name]))
    target = recovery.target_of(params["target_time"], params["target_xid"])
    recovery.refuse_future(target, time.time())
    name = catalogues.backup_name(params["environment"], utc_now(), catalogues.RECOVERED)
    catalogue.read()
    if module.check_mode:
        sets = sets_of(places.info(params), params, target)
        result.update(changed=True, name=name, folder=os.path.join(catalogue.folder, name), label=sets[0]["label"])
        return
    os.makedirs(catalogue.folder, mode=0o700, exist_ok=True)
    with catalogue.alone("backup"):
        try:
            recover(module, result, catalogue, target)
        except OpsError as error:
            raise OpsError(" ".join([error.message, *result["notes"]]), **error.evidence)
    for note in result["notes"]:
        module.warn(note)


RULES = {
    **TOOLS_RULES,
    "mutually_exclusive": [*TOOLS_RULES["mutually_exclusive"], ("target_time", "target_xid")],
    "required_one_of": [("target_time", "target_xid")],
}


def main():
    spec = dict(LOGIN_SPEC, **DOCKER_SPEC, **TOOLS_SPEC, **TOOLS_LOGIN_SPEC, **words.PGBACKREST_SPEC, **SPEC)
    run(work, spec, RESULT, supports_check_mode=True, **RULES)


if __name__ == "__main__":
    main()
