# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a PostgreSQL server answered to figures, without a server."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_info as info
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_queries as queries
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_ask import Answers
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_report import EMPTY, report

ROOT = Path(__file__).resolve().parents[4]
OPTIONS = {"role": None, "standbys": None, "limit": 20, "unused_index_min_days": 7, "missing_index_min_bytes": 0}


def session(pid: int = 7, **more) -> dict:
    return {"pid": pid, "user": "app", "application": "web", "database": "shop", "address": "local", "state": "active",
            "transaction_seconds": 1.0, "query_seconds": 1.0, "state_seconds": 1.0, "wait_event_type": None, "wait_event": None,
            "query": "SELECT 'x'"} | more  # fmt: skip


def blocked(pid: int, *blockers: int, seconds: float | None = 5.0) -> dict:
    return {"pid": pid, "blockers": list(blockers), "locktype": "relation", "mode": "ShareLock", "relation": "t", "user": "app",
            "application": "", "database": "shop", "query": "LOCK t", "seconds": seconds}  # fmt: skip


def slot(**more) -> dict:
    return {"name": "s", "type": "physical", "database": None, "active": True, "wal_status": "reserved", "age": None, "bytes": 0} | more


def standby(**more) -> dict:
    return {"application": "r", "address": "local", "user": "rep", "state": "streaming", "sync_state": "async", "lag_seconds": None,
            "lag_bytes": 0, "age": None, "logical": False} | more  # fmt: skip


def database(**more) -> dict:
    return {"name": "shop", "bytes": 5000, "age": 100, "multixact_age": 1, "deadlocks": 0, "temp_bytes": 0, "checksum_failures": 0,
            "blks_hit": 99000, "blks_read": 1000, "stats_reset": None} | more  # fmt: skip


def activity(**more) -> dict:
    server = {
        "version": "17.2", "in_recovery": False, "database": "shop", "user": "monitor", "sees_all": True, "started": 1000.0, "now": 5000.0,
        "maximum": 100, "reserved": 3, "track_counts": True, "autovacuum": True, "checksums": True, "commit_times": False,
        "statements": None, "statements_columns": None,
    }  # fmt: skip
    data = {
        "server": server | more.pop("server", {}),
        "sessions": None, "transactions": None, "blocked": None, "holders": None, "slots": None, "prepared": None, "standbys": None,
        "receiver": None, "databases": [database()],
        "checkpoints": {"timed": 90, "requested": 10, "write_seconds": 1.0, "sync_seconds": 1.0, "since": 2000.0},
    }  # fmt: skip
    return data | more


def judge(name: str, **more) -> tuple:
    """(verdict, message) of one figure of a server that is otherwise well."""
    answers = Answers()
    answers.activity = activity(**more)
    answers.problems["statements"] = "no extension"
    found = report(answers, {}, "db:5432", info.THRESHOLDS, OPTIONS)
    return next((figure["verdict"], figure["message"]) for figure in found["figures"] if figure["name"] == name)


def test_a_quiet_server_is_well_but_for_the_tables_that_were_not_looked_at() -> None:
    answers = Answers()
    answers.activity = activity()
    answers.problems.update(relations="somebody has locked a catalogue", statements="no extension")
    found = report(answers, {}, "db:5432", info.THRESHOLDS, OPTIONS)
    assert found["verdict"] == "unknown"
    assert {figure["name"] for figure in found["figures"] if figure["verdict"] == "unknown"} == {
        "dead_tuples", "invalid_indexes", "duplicate_indexes", "unused_indexes", "missing_indexes"}  # fmt: skip
    assert "relations: somebody has locked a catalogue" in found["unseen"]
    assert found["server"]["role"] == "primary"
    assert found["counts"]["fail"] == found["counts"]["warn"] == 0
    assert set(found) == set(EMPTY)


def test_a_server_that_does_not_answer_is_an_answer() -> None:
    answers = Answers()
    answers.failure = ProbeError("refused", "refused", "connection refused", "Start it.")
    found = report(answers, {}, "db:5432", info.THRESHOLDS, OPTIONS)
    assert (found["verdict"], found["server"]["verdict"], found["server"]["version"]) == ("fail", "refused", None)
    assert found["figures"][0]["next"] == "Start it."
    assert set(found) == set(EMPTY)


def test_slots_are_counted_without_those_reserved() -> None:
    groups = [{"state": "idle", "user": "app", "application": "", "database": "shop", "address": "local", "number": 90},
              {"state": None, "user": "x", "application": "a", "database": None, "address": None, "number": 5}]  # fmt: skip
    used = info.connections(activity(sessions=groups))
    assert (used["usable"], used["used"]) == (97, 95)
    assert used["by_state"] == {"idle": 90, "hidden": 5}
    assert used["by_application"] == {"none": 90, "a": 5}
    assert judge("connections", sessions=groups)[0] == "fail"
    assert judge("connections")[0] == "pass"


def test_transactions_are_told_from_those_that_wait_for_their_client() -> None:
    rows = [session(1, transaction_seconds=400.0), session(2, state="idle in transaction", state_seconds=700.0, transaction_seconds=10.0)]
    assert judge("transactions", transactions=rows) == ("warn", "session 1 (app on shop, web) is in a transaction since 7 min, 1 more")
    assert judge("idle_in_transaction", transactions=rows)[0] == "fail"
    assert judge("idle_in_transaction", transactions=rows[:1]) == ("pass", "none")
    # One that holds a lock of its session, without a transaction.
    assert judge("transactions", transactions=[session(3, transaction_seconds=None)])[0] == "pass"


def test_the_root_of_a_queue_is_who_waits_for_nobody() -> None:
    queue = [blocked(2, 1), blocked(3, 2), blocked(4, 3, 2), blocked(9, 0, seconds=70.0)]
    assert info.blockers(activity(blocked=queue)) == {0: [9], 1: [2, 3, 4]}
    verdict, message = judge("blocked", blocked=queue, transactions=[session(1)])
    assert verdict == "fail"
    assert message == "4 sessions wait for locks, blocked by a prepared transaction, session 1 (app on shop, web), the longest for 70 s"
    assert info.blockers(activity(blocked=[blocked(1, 2), blocked(2, 1)])) == {}
    assert judge("blocked", blocked=[blocked(1, 2, seconds=None)])[0] == "unknown"


def test_everything_that_holds_vacuum_back_is_named_the_oldest_first() -> None:
    data = {
        "holders": [session(5, age=50, seconds=9.0)],
        "slots": [slot(age=70), slot(name="t")],
        "prepared": [{"name": "gid", "user": "app", "database": "shop", "age": 90, "seconds": 400.0}],
        "standbys": [standby(age=60)],
    }
    assert [(holder["kind"], holder["age"]) for holder in info.holders(activity(**data))] == [
        ("prepared_transaction", 90), ("replication_slot", 70), ("standby_feedback", 60), ("session", 50)]  # fmt: skip
    assert judge("vacuum_horizon", **data)[1] == "prepared transaction gid holds back what is 90 transactions old"
    assert judge("prepared_transactions", **data)[0] == "warn"


def test_what_an_ordinary_user_may_not_see_is_unknown() -> None:
    blind = {"server": {"sees_all": False}, "standbys": [standby(state=None)]}
    for name in ("transactions", "idle_in_transaction", "vacuum_horizon", "replication_lag"):
        assert judge(name, **blind)[0] == "unknown"
    assert judge("replication", **blind)[0] == "pass"
    assert judge("connections", **blind)[0] == "pass"


@pytest.mark.parametrize(
    ("rows", "verdict", "said"),
    [
        (None, "pass", "none"),
        ([slot(bytes=-5)], "pass", "keeps"),
        ([slot(bytes=2 * 1024**3, active=False)], "warn", "s keeps 2.0 GiB of WAL; s is not in use"),
        ([slot(wal_status="lost", bytes=None)], "fail", "has lost WAL"),
        ([slot(wal_status=None, bytes=11 * 1024**3)], "fail", "11.0 GiB"),
    ],
)
def test_slots(rows, verdict, said) -> None:
    found = judge("replication_slots", slots=rows)
    assert found[0] == verdict
    assert said in found[1]


def test_standbys_that_read_indexes_are_counted_even_when_they_are_away() -> None:
    rows = [standby(), standby(logical=True), standby(application="pg_receivewal"), standby(state="backup")]
    data = activity(standbys=rows, slots=[slot(active=False), slot(active=False, type="logical"), slot()])
    assert info.readers(data) == 2


def replica(**more) -> dict:
    return {"server": {"in_recovery": True}, "receiver": {"receiving": 1, "lag_seconds": 0, "lag_bytes": 0} | more}


@pytest.mark.parametrize(
    ("data", "role", "expected", "replication", "lag"),
    [
        ({}, "primary", None, "pass", "pass"),
        ({}, "replica", None, "fail", "pass"),
        ({}, "primary", 1, "fail", "pass"),
        ({"standbys": [standby()]}, None, 1, "pass", "pass"),
        ({"standbys": [standby(lag_seconds=31.0)]}, None, None, "pass", "warn"),
        ({"standbys": [standby(lag_bytes=None)]}, None, None, "pass", "unknown"),
        (replica(), "replica", None, "pass", "pass"),
        (replica(receiving=0), None, None, "fail", "pass"),
        (replica(lag_seconds=None), None, None, "pass", "unknown"),
        (replica(lag_seconds=500), None, None, "pass", "fail"),
    ],
)
def test_role_standbys_and_lag(data, role, expected, replication, lag) -> None:
    figures = info.of_replication(activity(**data), info.THRESHOLDS, role, expected)
    assert [figure.verdict for figure in figures] == [replication, lag]


@pytest.mark.parametrize(
    ("name", "data", "verdict"),
    [
        ("wraparound", {"databases": [database(age=600e6)]}, "warn"),
        ("wraparound", {"databases": [database(multixact_age=1600e6), database(name="other")]}, "fail"),
        ("database_size", {"databases": [database(bytes=None)]}, "unknown"),
        ("checksum_failures", {"databases": [database(), database(name="other", checksum_failures=1)]}, "fail"),
        ("checksum_failures", {"server": {"checksums": False}}, "not_configured"),
        ("cache_hit_ratio", {"databases": [database(blks_read=99000)]}, "warn"),
        ("cache_hit_ratio", {"databases": [database(blks_hit=9, blks_read=1)]}, "unknown"),
        ("checkpoints", {"checkpoints": {"timed": 1, "requested": 19, "since": None}}, "warn"),
        ("checkpoints", {"checkpoints": {"timed": 1, "requested": 1, "since": None}}, "unknown"),
        ("statements", {}, "not_configured"),
    ],
)
def test_figures_of_the_whole_server(name, data, verdict) -> None:
    assert judge(name, **data)[0] == verdict


def test_dead_rows_are_those_of_the_worst_table() -> None:
    server, table = activity()["server"], {"schema": "public", "name": "t", "live": 60, "dead": 40}
    assert info.of_dead_tuples({"deadest": [table]}, server, info.THRESHOLDS).verdict == "warn"
    assert info.of_dead_tuples({"deadest": None}, server, info.THRESHOLDS).verdict == "pass"
    assert info.of_dead_tuples({"deadest": None}, server | {"track_counts": False}, info.THRESHOLDS).verdict == "unknown"
    assert "autovacuum is off" in info.of_dead_tuples({"deadest": [table]}, server | {"autovacuum": False}, info.THRESHOLDS).message


def test_statements_are_judged_by_the_slowest_that_runs_more_than_once() -> None:
    top = [{"query": "A", "calls": 1, "mean_seconds": 99.0}, {"query": "SELECT 'secret'", "calls": 9, "mean_seconds": 2.0}]
    figure = info.of_statements({"top": top, "deallocated": 3}, info.THRESHOLDS)
    assert figure.verdict == "warn"
    assert "secret" not in figure.message
    assert "3 times" in figure.message
    assert info.of_statements({"top": None, "deallocated": None}, info.THRESHOLDS).verdict == "pass"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("ALTER ROLE x PASSWORD 'it''s'", "ALTER ROLE x PASSWORD '?'"),
        (r"SELECT E'a\'b', 1", "SELECT '?', 1"),
        ("SELECT $$body 'x'$$, $tag$y$tag$", "SELECT '?', '?'"),
        ("SELECT 'cut off in the mid", "SELECT '?'"),
        ("SELECT\n  $1", "SELECT $1"),
        (None, None),
        (r"SELECT * FROM f('C:\', 'secret')", "SELECT * FROM f('?', '?')"),
        (r"SELECT E'it\'s secret', 1", "SELECT '?', 1"),
    ],
)
def test_literals_are_hidden(query, told) -> None:
    assert info.without_literals(query) == told


@pytest.mark.parametrize("version", [120000, 130000, 140000, 150000, 160000, 170000, 180000])
def test_queries_are_written_for_the_version(version: int) -> None:
    text = queries.activity(version) + queries.relations(version, 5, 10, 1) + queries.relations(version, 5, 10, 1, commit_times=True)
    assert not re.search(r"\$[a-z]", text)
    since = {"l.waitstart": 14, "active, wal_status AS": 13, "i.indnullsnotdistinct": 15, "pg_stat_get_lastscan": 16}
    for column, major in (since | {"pg_stat_checkpointer": 17}).items():
        assert (column in text) == (version >= major * 10000), column


def test_the_extensions_columns_are_those_of_its_own_version() -> None:
    assert "q.total_exec_time" in queries.statements("public", ["total_exec_time"], 5)
    older = queries.statements('"My schema"', ["total_time"], 5)
    assert 'FROM "My schema".pg_stat_statements q' in older
    assert "q.total_time / 1000" in older
    assert "dealloc FROM public.pg_stat" in queries.statements("public", ["total_exec_time", "toplevel"], 5)


def test_the_documentation_names_every_figure_with_its_thresholds() -> None:
    source = (ROOT / "plugins" / "modules" / "postgres_info.py").read_text(encoding="utf-8")
    text = next(ast.literal_eval(node.value) for node in ast.parse(source).body
                if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION")  # fmt: skip
    lines = yaml.safe_load(text)["options"]["thresholds"]["description"]
    for name in info.THRESHOLDS:
        assert any(f"C({name})" in line for line in lines), name
