#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_restore
short_description: Restore a PostgreSQL database beside the live one, swap it in, and back
version_added: 0.1.0
description:
  - With O(state=restored) a backup is verified (every hash, every byte), restored into a new database of the same server, held against the
    manifest (rows of every table, and checksums where the manifest has them), asked the application's own questions, analyzed, and given
    the live database's owner, settings, privileges, comment and connection limit. Until then nobody notices anything.
  - Then both are renamed in one transaction. From its first moment nobody can connect, superusers neither, and every session is ended; it
    takes about a tenth of a second. At every instant the live database is wholly the old or wholly the new one. Whatever is killed
    meanwhile (the module, its machine, the server), the transaction happened or it did not, and the live database takes connections.
  - The database that was live is kept, and takes no connections, as C(<database>__before_<time in UTC>). Which one took its place and until
    when it is kept stands in its comment. With O(state=undone) it is swapped back the same way, the restored one is kept as
    C(<database>__undone_<time>), and it is said what had been written to it. With O(state=cleaned) those are dropped whose time is over.
  - It is restored into C(<database>__restoring_<six digits>), a name that is this module's own. What a dead run left there is dropped by
    the next.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.name
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
    details: The catalogue and the server are looked at. The backup is not read, so what only its content tells is not foreseen.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - A backup that the live database is already is not restored again, as long as nothing was written since, no table was altered, and
        the database it took the place of is kept. One that is O(provisional) is not either.
      - A restore that was undone is not undone again.
options:
  login_host:
    description: The host of the server, or the folder of its socket. By default the address of the container, or V(127.0.0.1).
  login_user:
    description: The user to connect as, a superuser.
  login_db:
    description:
      - The live database. It does not have to exist. The server's own (V(postgres), V(template0), V(template1)) are refused.
      - The module itself connects to V(postgres).
  database:
    description: The database that the backup is of, where that is not O(login_db).
  state:
    description:
      - V(restored) puts a backup in the place of the live database.
      - V(undone) puts back what the last restore put aside. Where it was undone already, nothing is done.
      - V(accepted) notes that what the last restore put there is meant to stay, where it was O(provisional).
      - V(cleaned) drops the databases whose time is over, and what a dead run left.
    type: str
    choices: [restored, undone, accepted, cleaned]
    default: restored
  jobs:
    description: How many tables are read, restored and analyzed at the same time.
    type: int
    default: 2
  identity_path:
    description: The file with the private key of an encrypted backup, for C(age).
    type: path
  queries:
    description:
      - SQL that the application wants to be asked in the restored database before it is swapped in, each of which must give C(true), such
        as V(SELECT count(*) > 0 FROM drafts).
    type: list
    elements: str
    default: []
  create_roles:
    description:
      - Whether roles that own what is restored, or may use it, and that the server does not have, are created as they were saved. Else they
        are named, and nothing is restored.
    type: bool
    default: false
  keep_previous_hours:
    description: How long the database that is put aside is kept.
    type: float
    default: 72
  provisional:
    description:
      - Whether what is restored has still to be accepted (O(state=accepted)). Until then the same backup is not restored again, although it
        was written to. So who was killed after the swap, and runs again, finds it done, and O(state=undone) leads to what was there before.
    type: bool
    default: false
  space_factor:
    description: How much space a second database may take, as a multiple of what the backup's took. V(0) demands nothing.
    type: float
    default: 1.2
  reserve_bytes:
    description: What is to be left free besides.
    type: int
    default: 268435456
  data_path:
    description:
      - A folder of this host in the file system of the server's data, whose free space is asked for.
      - By default the server's own folder, where it is on this host, or what the container has mounted there.
    type: path
  free_bytes:
    description: What is free there, where this host cannot ask.
    type: int
  swap_timeout:
    description: For how many seconds the swap may keep others from connecting, until it is given up and everything is as it was.
    type: float
    default: 5
  count_timeout:
    description: For how many seconds the rows of an undone restore are counted, table by table. V(0) counts none.
    type: float
    default: 60
seealso:
  - module: astraldraft.ops.postgres_backup
  - module: astraldraft.ops.postgres_backup_verify
"""

EXAMPLES = r"""
- name: Put the latest backup in the place of the database
  astraldraft.ops.postgres_restore:
    path: /var/lib/astraldraft/astral-draft/backups
    project: astral-draft
    service: postgres-master
    login_db: astral_draft_v4
    login_password: "{{ vault_postgres_superuser_password }}"
    queries: ["SELECT count(*) > 0 FROM drafts"]

- name: Put back what was there before
  astraldraft.ops.postgres_restore:
    path: /var/lib/astraldraft/astral-draft/backups
    project: astral-draft
    service: postgres-master
    login_db: astral_draft_v4
    login_password: "{{ vault_postgres_superuser_password }}"
    state: undone
"""

RETURN = r"""
verdict:
  description: V(pass), or V(fail) when something speaks against the backup. V(inconclusive) in check mode before a restore, and after a
    failure.
  returned: always
  type: str
name:
  description: The name of the backup that is restored, or was. V(null) when there is none.
  returned: always
  type: str
  sample: backup_production_20261124_020000
database:
  description: The live database, V(null) when the server could not be asked.
  returned: always
  type: str
previous:
  description: The name under which the database that was put aside is kept. V(null) when none was.
  returned: always
  type: str
  sample: astral_draft_v4__before_20261128_161500
keep_until:
  description: Until when, ISO 8601. V(null) when none was.
  returned: always
  type: str
swapped_at:
  description: When the databases were swapped, by this run or by one that was O(provisional), ISO 8601. V(null) when they were not.
  returned: always
  type: str
unavailable_seconds:
  description: For how long nobody could connect, V(null) when they were not.
  returned: always
  type: float
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {hash_seconds: 0.1, bring_seconds: 0.4, read_seconds: 1.3, create_seconds: 0.2, load_seconds: 31.0, compare_seconds: 1.9,
    query_seconds: 0.1, analyze_seconds: 1.2, swap_seconds: 0.1}
sessions_ended:
  description: How many sessions were ended, by the name of their application. In check mode those that would be now.
  returned: always
  type: dict
  sample: {web: 8, psql: 1}
rows_written_since:
  description: What was written to the restored database until it was put aside again (in check mode until now), V(null) when nothing is
    undone.
  returned: always
  type: dict
  contains:
    known:
      description: Whether the server knows. It counts anew after a crash.
      type: bool
      returned: always
    inserted:
      description: Rows, those of transactions that were rolled back among them. V(null) when it is not known.
      type: int
      returned: always
    updated:
      description: Likewise.
      type: int
      returned: always
    deleted:
      description: Likewise.
      type: int
      returned: always
    altered:
      description: Whether a table was made, dropped, truncated or altered, which no counter tells. V(null) when it is not known.
      type: bool
      returned: always
    counted:
      description: Whether the rows of all tables were counted.
      type: bool
      returned: always
    why_not_counted:
      description: Why they could not be, V(null) when they were, and in check mode.
      type: str
      returned: always
    tables:
      description: The tables that had more or fewer rows than the backup.
      type: list
      elements: dict
      returned: always
      contains:
        schema:
          description: The table's schema.
          type: str
          returned: always
        name:
          description: Its name.
          type: str
          returned: always
        rows_then:
          description: How many rows the backup has.
          type: int
          returned: always
        rows_now:
          description: How many there were.
          type: int
          returned: always
removed:
  description: The databases that were dropped, what a dead run left behind among them.
  returned: always
  type: list
  elements: str
kept:
  description: The databases that are kept, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      returned: always
    role:
      description: V(previous) of one that a restore put aside, V(undone) of one that was restored, and put aside again.
      type: str
      returned: always
    since:
      description: Since when, ISO 8601.
      type: str
      returned: always
    until:
      description: Until when, ISO 8601.
      type: str
      returned: always
    backup:
      description: The backup that took its place, or that it was restored from.
      type: str
      returned: always
    bytes:
      description: Its size.
      type: int
      returned: always
actions:
  description: What was done, or would be, one sentence each.
  returned: always
  type: list
  elements: str
findings:
  description: What speaks against the backup, at most 20 sentences.
  returned: always
  type: list
  elements: str
notices:
  description: What a person should know besides.
  returned: always
  type: list
  elements: str
needed_bytes:
  description: The free space that was demanded, V(null) when nothing was restored.
  returned: always
  type: int
free_bytes:
  description: What there was, V(null) when that could not be measured.
  returned: always
  type: int
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import LATEST
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_restore_run import RESULT, Run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_restore_swap import Admin
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import server_login
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_LOGIN_SPEC, TOOLS_RULES, TOOLS_SPEC

SPEC = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "default": LATEST},
    "environment": {"type": "str"},
    "database": {"type": "str"},
    "state": {"type": "str", "choices": ["restored", "undone", "accepted", "cleaned"], "default": "restored"},
    "jobs": {"type": "int", "default": 2},
    "identity_path": {"type": "path"},
    "queries": {"type": "list", "elements": "str", "default": []},
    "create_roles": {"type": "bool", "default": False},
    "keep_previous_hours": {"type": "float", "default": 72},
    "provisional": {"type": "bool", "default": False},
    "space_factor": {"type": "float", "default": 1.2},
    "reserve_bytes": {"type": "int", "default": 2**28},
    "data_path": {"type": "path"},
    "free_bytes": {"type": "int"},
    "swap_timeout": {"type": "float", "default": 5},
    "count_timeout": {"type": "float", "default": 60},
    "progress_path": {"type": "path"},
}
RULES = {**TOOLS_RULES, "mutually_exclusive": [*TOOLS_RULES["mutually_exclusive"], ("data_path", "free_bytes")]}
WAYS = {"restored": Run.restore, "undone": Run.undo, "accepted": Run.accept, "cleaned": Run.clean}


def check(params):
    """Refuse what cannot be meant. Raises OpsError."""
    for name in ("jobs", "swap_timeout"):
        if params[name] <= 0:
            raise OpsError("{0} must be more than 0, not {1}. Nothing was done.".format(name, params[name]))
    for name in ("keep_previous_hours", "space_factor", "reserve_bytes", "count_timeout"):
        if params[name] < 0:
            raise OpsError("{0} must not be negative, and is {1}. Nothing was done.".format(name, params[name]))


def work(module, result):
    params = module.params
    check(params)
    progress, login = Progress(module.heartbeat, params["progress_path"]), server_login(params)
    with Admin(load("psycopg2"), login, progress.tick, module.check_mode) as admin:
        WAYS[params["state"]](Run(module, result, admin, login, progress))


def main():
    spec = dict(LOGIN_SPEC, **DOCKER_SPEC, **TOOLS_SPEC, **TOOLS_LOGIN_SPEC, **SPEC)
    run(work, spec, RESULT, supports_check_mode=True, **RULES)


if __name__ == "__main__":
    main()
