#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_maintenance
short_description: Analyze, vacuum and reindex what a PostgreSQL database calls for, beside its users
version_added: 0.1.0
description:
  - Measures every table and index of one database, and does what is called for. In this order, the worst of each first - drop what an
    interrupted C(REINDEX CONCURRENTLY) left behind; freeze tables that come near the wraparound of transaction numbers; rebuild invalid
    indexes; vacuum tables with many dead rows; analyze tables that were never analyzed or have changed much; rebuild bloated indexes.
  - It stays within O(workers) sessions, within O(window) (the server itself ends what runs at its end, also when nobody is there any more),
    and within the disk. C(REINDEX) is always C(CONCURRENTLY), and runs alone. There is no C(VACUUM FULL).
  - Nobody waits for it longer than O(lock_timeout). A statement for which somebody waits for a lock is cancelled and tried again later.
  - A rebuild that is cancelled, killed or runs out of disk leaves an invalid index behind. It is dropped at once, or, where nobody is
    left to do that, by the next run, unless it is being built.
  - A table on which somebody else (autovacuum) works is left to them. Temporary tables are left alone.
  - A standby is refused.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._postgres
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: Objects that are named (O(objects)) are worked on every time.
options:
  operations:
    description: What may be done. What was left behind by a V(reindex) is dropped in any case.
    type: list
    elements: str
    choices: [analyze, vacuum, reindex]
    default: [analyze, vacuum, reindex]
  objects:
    description:
      - Tables and indexes, as SQL writes them (V(public.drafts)), that are worked on whatever their state. Nothing else is then.
      - A partitioned one stands for its partitions, a table for its indexes.
    type: list
    elements: str
    default: []
  exclude:
    description: Patterns (V(public.audit_*)) of tables and indexes that are left alone.
    type: list
    elements: str
    default: []
  workers:
    description: How many statements run at the same time at most, each on a connection of its own.
    type: int
    default: 2
  window:
    description: How long it may take, in seconds. What is not done by then is left, and said.
    type: float
    default: 3600
  lock_timeout:
    description: The longest wait for a lock, and the longest time that anybody else waits because of it, in seconds.
    type: float
    default: 1
  wait_timeout:
    description:
      - How long C(REINDEX CONCURRENTLY) waits at a time for older transactions to end, in seconds. It keeps nobody waiting meanwhile.
      - It is not begun while a transaction older than that would keep it waiting.
    type: float
    default: 60
  lock_retries:
    description: How often a statement is tried again that did not get its lock, or let go for somebody else.
    type: int
    default: 3
  lock_retry_interval:
    description: The seconds before the first such attempt. They double with each further one.
    type: float
    default: 5
  dead_rows_ratio:
    description: The share of dead rows above which a table is vacuumed, where there are O(dead_rows_floor) of them too.
    type: float
    default: 0.1
  dead_rows_floor:
    description: The number of dead rows from which on a table may be vacuumed.
    type: int
    default: 1000
  modified_rows_ratio:
    description:
      - The share of rows changed since the last ANALYZE, above which a table is analyzed, where there are O(modified_rows_floor) of them
        too.
    type: float
    default: 0.1
  modified_rows_floor:
    description: The number of changed rows from which on a table may be analyzed.
    type: int
    default: 1000
  freeze_age_ratio:
    description:
      - The share of C(autovacuum_freeze_max_age) (and C(autovacuum_multixact_freeze_max_age)) above which a table is frozen, before the
        server does it at a time of its own choice.
    type: float
    default: 0.75
  bloat_ratio:
    description: The share of an index that is empty above which it is rebuilt, where that gains O(bloat_floor) too.
    type: float
    default: 0.4
  bloat_floor:
    description: The bytes that a rebuild must gain at least.
    type: int
    default: 67108864
  bloat_method:
    description:
      - V(pgstattuple) measures, and reads every B-tree index of O(bloat_floor) and more for it. V(statistics) estimates by the average
        width of keys, and finds too little in indexes with many equal ones. V(auto) measures where the extension is there and may be used.
    type: str
    choices: [auto, pgstattuple, statistics]
    default: auto
  data_path:
    description:
      - A folder of this host in the file system that holds the server's data. What is free there is looked at before each rebuild and
        while it runs.
    type: path
  free_bytes:
    description: How many bytes are free for rebuilds, where that is known and O(data_path) is not.
    type: int
  reserve_bytes:
    description: How many bytes stay free. A rebuild is not begun unless twice the size of its index is free beyond them.
    type: int
    default: 268435456
  truncate:
    description:
      - Whether vacuum gives empty pages at the end of a table back to the file system. For a moment that locks the table, also on
        standbys.
    type: bool
    default: false
  cost_delay:
    description: How long vacuum pauses after a certain amount of work (C(vacuum_cost_delay)), in milliseconds. V(0) does not pause.
    type: float
    default: 2
  horizon_seconds:
    description: Transactions and prepared transactions that are this old, in seconds, are named in RV(notices).
    type: float
    default: 300
  horizon_age:
    description: Likewise whoever holds back this many transactions, replication slots and standbys among them.
    type: int
    default: 1000000
  timeout:
    description: The time that one question to the server may take, in seconds.
    type: float
    default: 30
notes:
  - The owner of a table may do everything, the owner of the database may vacuum and analyze. From PostgreSQL 17 on a member of
    C(pg_maintain) may vacuum and analyze as well; indexes are not rebuilt for it, since it may not drop what an interrupted rebuild leaves.
"""

EXAMPLES = r"""
- name: Do what is called for, for at most half an hour
  astraldraft.ops.postgres_maintenance:
    login_host: 127.0.0.1
    login_user: postgres
    login_password: "{{ vault_postgres_password }}"
    login_db: astral_draft_v4
    window: 1800
    data_path: /var/lib/postgresql

- name: Rebuild the indexes of one table, whatever their state
  astraldraft.ops.postgres_maintenance:
    login_host: 127.0.0.1
    login_db: astral_draft_v4
    operations: [reindex]
    objects: [public.drafts]
"""

RETURN = r"""
steps:
  description: What was called for, in the order of its urgency.
  returned: always
  type: list
  elements: dict
  contains:
    operation:
      description: V(drop_leftover), V(vacuum), V(analyze) or V(reindex).
      type: str
    object:
      description: The table or index.
      type: str
    table:
      description: The table, of an index too.
      type: str
    reasons:
      description: V(leftover), V(age), V(invalid), V(named), V(dead_rows), V(never_analyzed), V(modified_rows), V(bloat).
      type: list
      elements: str
    why:
      description: The same with the numbers.
      type: str
    statement:
      description: The SQL.
      type: str
    outcome:
      description: >-
        V(planned) in check mode; V(done); V(not_needed) when it was not called for any more; V(left) at the end of the window;
        V(in_progress) when somebody else is at it; V(held_back) when VACUUM would remove nothing; V(not_allowed); V(no_room);
        V(unsupported); V(blocked) by locks at every attempt; V(failed).
      type: str
    message:
      description: Why it is so.
      type: str
    before:
      description: >-
        What was measured: C(size) (as of the last VACUUM or ANALYZE); C(rows), C(dead_rows), C(modified_rows), C(frozen_age),
        C(multixact_age) of a table, V(null) for an index; C(valid), C(bloat_bytes) (or V(null)) of an index, V(null) for a table.
      type: dict
    after:
      description: The same afterwards, or V(null).
      type: dict
    attempts:
      description: How often it was tried.
      type: int
    blockers:
      description: >-
        Who was in the way last, or waited for it: C(pid), C(user), C(application), C(state), and the C(seconds) of the transaction.
      type: list
      elements: dict
    duration:
      description: The seconds it took.
      type: float
  sample:
    - operation: vacuum
      object: public.drafts
      table: public.drafts
      reasons: [dead_rows]
      why: 50000 of 150000 rows dead (33%)
      statement: VACUUM (TRUNCATE false, PARALLEL 0) "public"."drafts"
      outcome: done
      message: ""
      before:
        size: 14680064
        rows: 100000
        dead_rows: 50000
        modified_rows: 200
        frozen_age: 731
        multixact_age: 0
        valid: null
        bloat_bytes: null
      after:
        size: 14680064
        rows: 100000
        dead_rows: 0
        modified_rows: 200
        frozen_age: 731
        multixact_age: 0
        valid: null
        bloat_bytes: null
      attempts: 1
      blockers: []
      duration: 0.42
counts:
  description: How many steps have each outcome.
  returned: always
  type: dict
  sample: {done: 4, left: 1}
actions:
  description: What was done, or would be in check mode, in a few words each.
  returned: always
  type: list
  elements: str
  sample: [vacuum of public.drafts]
left:
  description: What waits for another time, because the window ended or somebody else is at it, one sentence each.
  returned: always
  type: list
  elements: str
failures:
  description: What calls for a person, one sentence each.
  returned: always
  type: list
  elements: str
holders:
  description: >-
    Who keeps dead rows from being removed, the oldest first: C(kind) (session, prepared transaction, replication slot, standby with
    hot_standby_feedback), C(name), C(pid), C(user), C(application), C(state), C(seconds), C(age) in transactions, C(retained_bytes) of WAL.
    What is not known is V(null).
  returned: always
  type: list
  elements: dict
  sample:
    - kind: replication slot
      name: old_standby
      pid: null
      user: null
      application: null
      state: inactive
      seconds: null
      age: 81240331
      retained_bytes: 536870912
invalid_indexes:
  description: The indexes that are invalid at the end.
  returned: always
  type: list
  elements: str
notices:
  description: What a person should know besides, those who hold back vacuum among it.
  returned: always
  type: list
  elements: str
bloat_method:
  description: How bloat was told, V(pgstattuple) or V(statistics). V(null) when the server could not be asked.
  returned: always
  type: str
  sample: pgstattuple
server_version:
  description: The version of the server, or V(null).
  returned: always
  type: str
  sample: "17.6"
deadline:
  description: When the window ends, ISO 8601.
  returned: always
  type: str
  sample: "2026-11-24T03:30:00.000Z"
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import collections
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance as plan
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_maintenance_measure import Meter, invalid
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_maintenance_run import Runner, one_line, settle_room
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

SPEC = {
    "operations": {"type": "list", "elements": "str", "choices": list(plan.OPERATIONS), "default": list(plan.OPERATIONS)},
    "objects": {"type": "list", "elements": "str", "default": []},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "workers": {"type": "int", "default": 2},
    "window": {"type": "float", "default": 3600},
    "lock_timeout": {"type": "float", "default": 1},
    "wait_timeout": {"type": "float", "default": 60},
    "lock_retries": {"type": "int", "default": 3},
    "lock_retry_interval": {"type": "float", "default": 5},
    "dead_rows_ratio": {"type": "float", "default": 0.1},
    "dead_rows_floor": {"type": "int", "default": 1000},
    "modified_rows_ratio": {"type": "float", "default": 0.1},
    "modified_rows_floor": {"type": "int", "default": 1000},
    "freeze_age_ratio": {"type": "float", "default": 0.75},
    "bloat_ratio": {"type": "float", "default": 0.4},
    "bloat_floor": {"type": "int", "default": 2**26},
    "bloat_method": {"type": "str", "choices": ["auto", "pgstattuple", "statistics"], "default": "auto"},
    "data_path": {"type": "path"},
    "free_bytes": {"type": "int"},
    "reserve_bytes": {"type": "int", "default": 2**28},
    "truncate": {"type": "bool", "default": False},
    "cost_delay": {"type": "float", "default": 2},
    "horizon_seconds": {"type": "float", "default": 300},
    "horizon_age": {"type": "int", "default": 1000000},
    "timeout": {"type": "float", "default": 30},
}
RESULT = {
    "steps": [],
    "counts": {},
    "actions": [],
    "left": [],
    "failures": [],
    "holders": [],
    "invalid_indexes": [],
    "notices": [],
    "bloat_method": None,
    "server_version": None,
    "deadline": "",
}
PUBLIC = ("kind", "name", "pid", "user", "application", "state", "seconds", "age", "retained_bytes")


def check(params):
    """Refuse what cannot be meant. Raises OpsError."""
    for name in ("workers", "window", "lock_timeout", "wait_timeout", "timeout"):
        if params[name] <= 0:
            raise OpsError("{0} must be more than 0, not {1}.".format(name, params[name]))


def tell(result, steps, meter):
    """Put the steps into the result as they stand."""
    result["steps"] = [step.describe(meter.server, meter.options) for step in steps]
    result["counts"] = dict(collections.Counter(step.outcome for step in steps))
    result["changed"] = any(step.outcome in (plan.PLANNED, plan.DONE) for step in steps)
    result["actions"] = [step.name for step in steps if step.outcome in (plan.PLANNED, plan.DONE)]
    result["left"] = [step.sentence() for step in steps if step.outcome in (plan.LEFT, plan.IN_PROGRESS)]
    result["failures"] = [step.sentence() for step in steps if step.outcome in plan.FAILURES]
    lines = ["{0}: {1}\n".format(step.name, step.why) for step in steps]
    ended = [step.outcome in (plan.PLANNED, plan.DONE, plan.NOT_NEEDED) for step in steps]
    result["diff"] = {"before": "".join(lines), "after": "".join(line for line, gone in zip(lines, ended) if not gone)}


def work(module, result):
    params, psycopg2 = module.params, load("psycopg2")
    check(params)
    result["deadline"] = to_iso(time.time() + params["window"])
    login = {name: params[name] for name in _postgres.LOGIN}
    connection = _postgres.connect(psycopg2, login, params["timeout"], **_postgres.KEEPALIVE)
    try:
        maintain(module, result, psycopg2, login, connection)
    except psycopg2.Error as error:
        message = "{0} refused a question: {1}".format(where(params["login_host"], params["login_port"]), one_line(error))
        raise OpsError("{0}. Check its log and the rights of {1}.".format(message, params["login_user"]))
    finally:
        connection.close()


def maintain(module, result, psycopg2, login, connection):
    params = module.params
    meter = Meter(psycopg2, connection, params, module.heartbeat)
    result.update(bloat_method=meter.method, server_version=meter.server.version)
    plan.refuse_standby(meter.server, where(params["login_host"], params["login_port"]))
    named = meter.named(params["objects"])
    state = meter.state()
    steps = plan.make_plan(state, params, named)
    result["holders"] = [{name: getattr(holder, name) for name in PUBLIC} for holder in state.holders]
    result["invalid_indexes"] = invalid(state.indexes)
    result["notices"] = plan.notices(state, params) + settle_room(steps, meter.server, params)
    if module.check_mode:
        tell(result, steps, meter)
        return
    runner = Runner(
        module,
        psycopg2,
        meter,
        lambda: _postgres.connect(psycopg2, login, params["timeout"], readonly=False, **_postgres.KEEPALIVE),
        params,
        named,
    )
    try:
        runner.run(steps)
    finally:
        tell(result, steps, meter)
        result["notices"] += runner.notices
    if steps:
        result["invalid_indexes"] = invalid(meter.state(bloated=()).indexes)


def main():
    run(work, dict(SPEC, **_postgres.LOGIN_SPEC), RESULT, supports_check_mode=True, mutually_exclusive=[("data_path", "free_bytes")])


if __name__ == "__main__":
    main()
