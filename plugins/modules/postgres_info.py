#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_info
short_description: The condition of a PostgreSQL server, measured
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Asks a PostgreSQL server (12 or newer) for its version and role, connection slots and sessions, long transactions, who blocks whom, what
    holds vacuum back, replication, sizes, indexes, dead rows, wraparound, cache, checkpoints and the statements that take the most time.
  - Each figure has its thresholds and a verdict. What the user may not see, or what there is no data of, is V(unknown), never V(pass).
  - Three queries, each in a read-only session and within O(timeout), and one for each of O(replicas), all servers at the same time. None of
    them waits for a lock of somebody's transaction, so it answers while tables are locked.
  - A server that does not answer is an answer, too; the module fails for it only with O(gate=true).
  - A user with the role C(pg_monitor) sees all. Without it RV(unseen) says what could not be seen.
  - Literal strings in statements are replaced by C('?').
extends_documentation_fragment:
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
requirements:
  - docker >= 7.0.0 (only for O(replicas[].services))
options:
  login_host:
    description: The host of the PostgreSQL server, or the folder of its socket.
    type: str
    required: true
  login_db:
    description: The database to connect to. Tables and indexes are those of this database; nearly everything else is of the whole server.
    type: str
    default: postgres
  timeout:
    description: The seconds that everything may take in all.
    type: float
    default: 15.0
  role:
    description: The role that the server must have.
    type: str
    choices: [primary, replica]
  standbys:
    description: How many standbys must be streaming from the server, at least.
    type: int
  replicas:
    description:
      - All replicas of the server. No index is called unused before each of them has been asked whether it reads it.
      - They are asked with the same user and database as the server.
    type: list
    elements: dict
    default: []
    suboptions:
      login_host:
        description: The replica's host.
        type: str
      login_port:
        description: Its port. By default V(5432).
        type: int
      project:
        description: The Compose project of O(replicas[].services).
        type: str
      services:
        description: The running containers of these services, at their own addresses, instead of O(replicas[].login_host).
        type: list
        elements: str
  thresholds:
    description:
      - Other thresholds than the usual ones. By the name of a figure a dictionary with C(warn) and C(fail); null means never.
      - A figure that is more is V(warn) or V(fail). For C(cache_hit_ratio) it is one that is less.
      - C(connections), the fraction of usable slots that is taken, 0.8 and 0.95.
      - C(transactions), the seconds that the longest transaction is open, 300 and 3600.
      - C(idle_in_transaction), the seconds for which a session does nothing in its transaction, 60 and 600.
      - C(blocked), the seconds for which a session waits for a lock, 10 and 60.
      - C(vacuum_horizon), the age in transactions of what vacuum must keep, 10 and 100 million.
      - C(prepared_transactions), the seconds since the oldest was prepared, 300 and 3600.
      - C(replication_slots), the bytes of WAL that a slot keeps, 1 and 10 GiB.
      - C(replication_lag), in seconds, 30 and 300.
      - C(wraparound), the age in transactions of the oldest database, 500 and 1500 million.
      - C(database_size), in bytes, no thresholds.
      - C(dead_tuples), the fraction of dead rows in a table with at least O(dead_tuples_minimum), 0.2 and 0.5.
      - C(checksum_failures), the pages that were read with a wrong checksum, a failure above 0.
      - C(cache_hit_ratio), the fraction of blocks found in memory, a warning below 0.9.
      - C(checkpoints), the fraction that came before their time, a warning above 0.5.
      - C(statements), the mean seconds of a statement among those that take the most time, a warning above 1.
      - C(invalid_indexes), C(duplicate_indexes), C(unused_indexes), C(missing_indexes), their number, a warning above 0.
    type: dict
    default: {}
  dead_tuples_minimum:
    description: A table with fewer dead rows is not looked at for C(dead_tuples).
    type: int
    default: 1000
  unused_index_min_days:
    description: For how many days every server must have counted before an index is called unused.
    type: float
    default: 7.0
  missing_index_min_bytes:
    description: The size of a table from which on an index on its foreign keys is missed.
    type: int
    default: 1048576
  limit:
    description: How many tables, statements and sessions are listed.
    type: int
    default: 20
  gate:
    description: Whether the task fails when RV(verdict) is V(fail) or V(unknown).
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.postgres_sessions
  - module: astraldraft.ops.health_check
"""

EXAMPLES = r"""
- name: How is the database?
  astraldraft.ops.postgres_info:
    login_host: 127.0.0.1
    login_user: astral_monitor
    login_password: "{{ vault_postgres_monitor_password }}"
    login_db: astral_draft_v4
    role: primary
    replicas:
      - login_host: db-2.astraldraft.internal
    thresholds:
      connections: {warn: 0.7}
      database_size: {warn: 500000000000}
  register: database

- name: What could be dropped, and how to make it again
  ansible.builtin.debug:
    msg: "{{ database.indexes.unused | map(attribute='definition') }}"
"""

RETURN = r"""
verdict:
  description: V(fail) when a figure fails, else V(unknown) when a required one is not known, else V(warn) when one warns, else V(pass).
  returned: always
  type: str
  sample: warn
summary:
  description: One sentence about all figures.
  returned: always
  type: str
  sample: "18 of 20 figures are good; idle_in_transaction: warn (session 4711 (astral on shop) does nothing in its transaction since 75 s)"
table:
  description: Lines of text for people, one a figure.
  returned: always
  type: list
  elements: str
counts:
  description: How many figures have each verdict, and C(total).
  returned: always
  type: dict
  sample: {"fail": 0, "unknown": 0, "warn": 2, "not_configured": 0, "pass": 18, "total": 20}
figures:
  description: What was measured. The first, C(server), is whether the server answers.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What it is called.
      type: str
      sample: connections
    verdict:
      description: V(pass), V(warn), V(fail), V(unknown) or V(not_configured).
      type: str
    value:
      description: The measured value. V(null) when it is not known.
      type: raw
      sample: 0.42
    unit:
      description: Its unit.
      type: str
      sample: fraction
    warn:
      description: The threshold of a warning. V(null) when there is none.
      type: float
    fail:
      description: The threshold of a failure. V(null) when there is none.
      type: float
    required:
      description: Whether not knowing it makes RV(verdict) V(unknown).
      type: bool
    message:
      description: What was found.
      type: str
    next:
      description: What to do about it. Empty when it is well.
      type: str
server:
  description:
    - Who answered. The keys C(reason) and C(verdict) say, as M(astraldraft.ops.health_check) does, why nobody did.
    - Everything but these and C(target) is V(null) then.
  returned: always
  type: dict
  sample: {"target": "127.0.0.1:5432", "verdict": "healthy", "reason": "ok", "version": "17.12", "role": "primary",
           "database": "shop", "user": "monitor", "started": "2026-11-24T08:00:00.000Z"}
connections:
  description:
    - C(maximum), C(reserved), C(usable) and C(used) connection slots, and sessions C(by_state), C(by_user), C(by_application),
      C(by_address) and C(by_database).
    - Empty when the server did not answer.
  returned: always
  type: dict
  sample: {"maximum": 100, "reserved": 3, "usable": 97, "used": 12, "by_state": {"idle": 10, "active": 2}}
transactions:
  description: Sessions in a transaction, the longest first.
  returned: always
  type: list
  elements: dict
blocked:
  description: Sessions that wait for a lock, with the pids that they wait for (C(blockers)).
  returned: always
  type: list
  elements: dict
blockers:
  description: By the pid of who blocks and waits for nobody, the pids of those that wait because of it.
  returned: always
  type: dict
  sample: {"4711": [4712, 4713]}
vacuum_holders:
  description: What keeps vacuum from removing dead rows, the oldest first (sessions, slots, prepared transactions, feedback of standbys).
  returned: always
  type: list
  elements: dict
  sample: [{"kind": "session", "name": "session 4711 (astral on shop)", "age": 123456, "seconds": 812.5, "pid": 4711}]
standbys:
  description: Who replicates from the server.
  returned: always
  type: list
  elements: dict
slots:
  description: Its replication slots.
  returned: always
  type: list
  elements: dict
databases:
  description: Every database with size in bytes (V(null) when it may not be seen) and age in transactions.
  returned: always
  type: list
  elements: dict
tables:
  description: The largest tables of the current database. The size of one that somebody has locked is an estimate (C(estimated)).
  returned: always
  type: list
  elements: dict
dead_tables:
  description: The tables with the largest fraction of dead rows.
  returned: always
  type: list
  elements: dict
indexes:
  description:
    - C(invalid), C(duplicate) (with C(of) and C(kind)), C(unused) (with C(drop), C(cautions) and C(definition)) and C(missing) (with
      C(create)).
    - C(kept) counts the unread ones that stay, by reason. C(doubts) says why no index may be called unused.
    - Empty when the tables could not be looked at.
  returned: always
  type: dict
statements:
  description: The statements that took the most time. Empty without the extension C(pg_stat_statements).
  returned: always
  type: list
  elements: dict
checkpoints:
  description: How many there were, and since when. Empty when the server did not answer.
  returned: always
  type: dict
unseen:
  description: What could not be seen, and what would help.
  returned: always
  type: list
  elements: str
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import merged
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN, LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_ask import ask_all
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_info import THRESHOLDS
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_report import EMPTY, report

REPLICA_SPEC = {
    "login_host": {"type": "str"},
    "login_port": {"type": "int"},
    "project": {"type": "str"},
    "services": {"type": "list", "elements": "str"},
}
SPEC = dict(
    LOGIN_SPEC,
    login_host={"type": "str", "required": True},
    timeout={"type": "float", "default": 15.0},
    role={"type": "str", "choices": ["primary", "replica"]},
    standbys={"type": "int"},
    replicas={
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": REPLICA_SPEC,
        "required_one_of": [("login_host", "services")],
        "mutually_exclusive": [("login_host", "services")],
        "required_by": {"services": "project"},
    },
    thresholds={"type": "dict", "default": {}},
    dead_tuples_minimum={"type": "int", "default": 1000},
    unused_index_min_days={"type": "float", "default": 7.0},
    missing_index_min_bytes={"type": "int", "default": 1048576},
    limit={"type": "int", "default": 20},
    gate={"type": "bool", "default": False},
    **DOCKER_SPEC,
)


def work(module, result):
    params = module.params
    for name in ("timeout", "limit"):
        if params[name] <= 0:
            raise OpsError("{0} is {1}; give it a number above 0.".format(name, params[name]))
    thresholds = merged(THRESHOLDS, params["thresholds"])
    psycopg2 = load("psycopg2", "psycopg2-binary")
    load("psycopg2.errors", "psycopg2-binary")
    if any(replica["services"] for replica in params["replicas"]):
        load("docker")
    login = {name: params[name] for name in LOGIN}
    replicas = [dict(replica, login_port=replica["login_port"] or 5432) for replica in params["replicas"]]
    answers, said = ask_all(psycopg2, login, replicas, params["timeout"], params, params["docker_host"], module.heartbeat)
    result.update(report(answers, said, where(login["login_host"], login["login_port"]), thresholds, params))
    if params["gate"] and result["verdict"] in ("fail", "unknown"):
        raise OpsError("{0}: {1}".format(result["verdict"], result["summary"]))


def main():
    run(work, SPEC, dict(EMPTY), supports_check_mode=True)


if __name__ == "__main__":
    main()
