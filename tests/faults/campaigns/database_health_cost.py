"""The condition of a database in one call, beside queries for the same as tasks of their own."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .bare import Ran, fill, login, playbook
from .record import Record
from .server import Server
from .stack import Stack

PROMISE = "the condition of a database is seen at least 4 times faster than by the same queries as separate tasks"
FULL = 7
SHARE = 4
#: One for each picture that the module takes, among them those of the runbook; no more is asked than by the module.
QUERIES = {
    "server": "SELECT version(), pg_is_in_recovery(), current_setting('max_connections')",
    "sessions": "SELECT state, usename, client_addr::text, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC",
    "transactions": "SELECT pid, (now() - xact_start)::text, query FROM pg_stat_activity WHERE now() - xact_start > interval '5 minutes'",
    "blocked": "SELECT pid, pg_blocking_pids(pid)::text FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0",
    "holders": "SELECT pid, age(backend_xmin) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY 2 DESC LIMIT 20",
    "slots": "SELECT slot_name, active, wal_status FROM pg_replication_slots",
    "prepared": "SELECT gid, owner, (now() - prepared)::text FROM pg_prepared_xacts",
    "standbys": "SELECT application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_stat_replication",
    "databases": "SELECT datname, pg_database_size(oid), age(datfrozenxid) FROM pg_database",
    "checkpoints": "SELECT num_timed, num_requested, write_time FROM pg_stat_checkpointer",
    "largest": "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables ORDER BY 2 DESC LIMIT 20",
    "dead tuples": "SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT 20",
    "indexes": "SELECT schemaname, relname, indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes ORDER BY idx_tup_read DESC",
    "foreign keys": "SELECT conname, conrelid::regclass::text, conkey::text FROM pg_constraint WHERE contype = 'f'",
    "statistics": "SELECT datname, stats_reset::text, deadlocks, temp_bytes FROM pg_stat_database",
    "statements": "SELECT query, mean_exec_time, calls FROM pg_stat_statements ORDER BY mean_exec_time DESC LIMIT 10",
}


def _play(folder: Path, name: str, tasks: list[dict[str, Any]]) -> Path:
    path = folder / f"{name}.yml"
    path.write_text(json.dumps([{"name": name, "hosts": "database", "gather_facts": False, "tasks": tasks}], indent=1))
    return path


def run(stack: Stack, folder: Path, count: int) -> Record:
    record = Record("database_health_cost", PROMISE)
    with Server(stack, "health-cost", settings=("shared_preload_libraries=pg_stat_statements",)) as server:
        fill(server, 1)
        server.psql("CREATE EXTENSION pg_stat_statements")
        access = login(server)
        psql = ["docker", "exec", "-u", "postgres", server.name, "psql", "-X", "-d", server.database, "-c"]
        apart = _play(
            folder, "tasks",
            [{"name": what, "community.postgresql.postgresql_query": access | {"query": query}} for what, query in QUERIES.items()],
        )  # fmt: skip
        by_psql = _play(
            folder, "psql",
            [{"name": what, "ansible.builtin.command": {"argv": [*psql, query]}} for what, query in QUERIES.items()],
        )  # fmt: skip
        together = _play(folder, "module", [{"name": "all of it", "astraldraft.ops.postgres_info": access}])
        whole = {
            "stack_state_dir": str(folder / "state"), "database_login": access, "database_monitor_login": {}, "database_replicas": [],
            "database_standbys": -1, "database_thresholds": {},
        }  # fmt: skip
        hows: dict[str, Callable[[Path], Ran]] = {
            f"{len(QUERIES)} tasks postgresql_query": lambda log: playbook(apart, {}, log),
            f"{len(QUERIES)} tasks docker exec psql": lambda log: playbook(by_psql, {}, log),
            "one task postgres_info": lambda log: playbook(together, {}, log),
            "playbook database_health": lambda log: playbook("playbooks/database_health.yml", whole, log),
        }
        runs: dict[str, list[Ran]] = {how: [] for how in hows}
        for number in range(1, count + 1):
            # One after the other in each round, so that what slows the machine down slows down all of them.
            for how, once in hows.items():
                runs[how].append(once(folder / f"{number}-{how.replace(' ', '-')}.log"))
    _compare(record, runs)
    return record


def _compare(record: Record, runs: dict[str, list[Ran]]) -> None:
    for how, found in runs.items():
        record.check(all(ran.code == 0 for ran in found), f"{how}: every run ends well", f"exit {sorted({ran.code for ran in found})}")
    medians = {how: statistics.median(ran.seconds for ran in found) for how, found in runs.items()}
    apart, _psql, together, whole = medians
    rows = [
        [how, f"{medians[how]:.2f}", f"{min(ran.seconds for ran in found):.2f}", f"{max(ran.seconds for ran in found):.2f}",
         f"{statistics.median(ran.cpu_seconds for ran in found):.2f}", f"{medians[apart] / medians[how]:.1f}"]
        for how, found in runs.items()
    ]  # fmt: skip
    record.table("The condition of a database (s)", ["how", "median", "least", "most", "processor", "times as fast"], rows)
    # Of each round by itself: what the machine did beside it was the same.
    ratio = statistics.median(one.seconds / other.seconds for one, other in zip(runs[apart], runs[together], strict=True))
    record.check(ratio >= SHARE, f"one call is {SHARE} times as fast as tasks of their own", f"{ratio:.1f} times")
    times = medians[apart] / medians[whole]
    record.note(
        f"{apart} judge nothing: no threshold, no verdict, no index with what it is for. The {whole} as a whole, which looks at its "
        f"variables and tells what it found, is {times:.1f} times as fast as they are."
    )
    record.data.update(seconds={how: [ran.seconds for ran in found] for how, found in runs.items()}, medians=medians, ratio=ratio)
