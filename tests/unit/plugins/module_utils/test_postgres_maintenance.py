from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance as plan
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

MIB = 2**20
SERVER = plan.Server(170000, "17.0", False, "ops", "ada", 1000.0, 8192, 200_000_000, 400_000_000, True, True, None)
OPTIONS = {
    "operations": ["analyze", "vacuum", "reindex"],
    "exclude": [],
    "truncate": False,
    "dead_rows_ratio": 0.1,
    "dead_rows_floor": 1000,
    "modified_rows_ratio": 0.1,
    "modified_rows_floor": 1000,
    "freeze_age_ratio": 0.75,
    "bloat_ratio": 0.4,
    "bloat_floor": MIB,
    "horizon_seconds": 300,
    "horizon_age": 1_000_000,
}


def table(oid=1, name="t", **more):
    healthy = {
        "schema": "public", "kind": "r", "persistence": "p", "shared": False, "root": None, "inherited": False, "pages": 1000,
        "rows": 100_000.0, "live": 100_000, "dead": 0, "modified": 0, "last_vacuum": 500.0, "last_analyze": 500.0, "toast": None,
        "toast_live": 0, "toast_dead": 0, "toast_last_vacuum": None, "frozen_age": 1000, "multixact_age": 0, "may_maintain": True,
        "may_own": True,
    }  # fmt: skip
    return plan.Table(**(healthy | {"oid": oid, "name": name} | more))


def index(oid=11, name="t_pkey", **more):
    healthy = {
        "schema": "public", "table_oid": 1, "table_schema": "public", "table": "t", "method": "btree", "valid": True, "exclusion": False,
        "constraint": False, "pages": 1000, "rows": 100_000.0, "fillfactor": 90, "tablespace": 0, "width": 8.0, "nullable": False,
        "may_own": True, "bloat": 0,
    }  # fmt: skip
    return plan.Index(**(healthy | {"oid": oid, "name": name} | more))


def session(**more):
    known = {
        "kind": "session", "name": "of process 7", "pid": 7, "user": "bob", "application": "psql", "state": "idle in transaction",
        "seconds": 900.0, "since": 100.0, "age": 50, "catalogs_only": False, "retained_bytes": 0,
    }  # fmt: skip
    return plan.Holder(**(known | more))


def make(*found, server=SERVER, busy=(), holders=(), named=(), foresee=True, **options):
    tables = [one for one in found if isinstance(one, plan.Table)]
    indexes = [one for one in found if isinstance(one, plan.Index)]
    state = plan.State(server, tables, indexes, list(busy), list(holders))
    return plan.make_plan(state, OPTIONS | options, frozenset(named), foresee)


def short(steps):
    return [(step.operation, step.object, step.outcome) for step in steps]


def only(steps):
    assert len(steps) == 1, short(steps)
    return steps[0]


# -- what is called for


def test_a_sound_database_calls_for_nothing():
    assert make(table(), index()) == []


@pytest.mark.parametrize(
    ("found", "operation", "reasons"),
    [
        (table(dead=20_000), "vacuum", ["dead_rows"]),
        (table(toast=2, toast_live=100, toast_dead=2000), "vacuum", ["dead_rows"]),
        (table(dead=20_000, modified=30_000), "vacuum", ["dead_rows", "modified_rows"]),
        (table(frozen_age=150_000_001), "vacuum", ["age"]),
        (table(multixact_age=300_000_001), "vacuum", ["age"]),
        (table(modified=10_001), "analyze", ["modified_rows"]),
        (table(last_analyze=None), "analyze", ["never_analyzed"]),
        (index(valid=False), "reindex", ["invalid"]),
        (index(bloat=4 * MIB), "reindex", ["bloat"]),
        (index(valid=False, name="t_v_ccnew"), "drop_leftover", ["leftover"]),
        (index(valid=False, name="t_v_ccold3"), "drop_leftover", ["leftover"]),
    ],
)
def test_a_condition_calls_for_its_remedy(found, operation, reasons):
    step = only(make(found))
    assert (step.operation, step.reasons, step.outcome) == (operation, reasons, "planned")


@pytest.mark.parametrize(
    "found",
    [
        table(live=1000, dead=999),  # many by their share, few by their number
        table(live=1_000_000, dead=50_000),  # the other way round
        table(live=1000, modified=999),
        table(live=1_000_000, modified=50_000),
        table(last_analyze=None, pages=0, live=0),
        table(last_analyze=None, schema="pg_catalog"),
        table(persistence="t", dead=90_000, frozen_age=190_000_000),
        table(dead=90_000, shared=True, may_maintain=False),
        index(bloat=3 * MIB),  # less than 40 % of its 8 MB
        index(pages=100, bloat=MIB // 2),
        index(bloat=None),
        index(name="t_v_ccnew"),  # valid: somebody's own name for it
    ],
)
def test_what_calls_for_nothing(found):
    assert make(found) == []


def test_an_invalid_index_that_backs_a_constraint_is_never_dropped():
    assert only(make(index(valid=False, name="t_ccnew", constraint=True))).operation == "reindex"


@pytest.mark.parametrize(("operations", "expected"), [(["analyze"], ["analyze"]), (["vacuum"], ["vacuum"]), (["reindex"], ["reindex"])])
def test_only_what_may_be_done_is(operations, expected):
    steps = make(table(dead=20_000, modified=30_000), index(bloat=7 * MIB), operations=operations)
    assert [step.operation for step in steps] == expected
    assert not any(step.analyze for step in steps)


def test_leftovers_go_whatever_was_asked_for():
    assert only(make(index(valid=False, name="t_v_ccnew"), operations=["analyze"])).operation == "drop_leftover"


def test_patterns_take_tables_with_their_indexes_out():
    assert make(table(dead=20_000), index(valid=False), exclude=["public.t"]) == []
    assert short(make(table(dead=20_000), index(valid=False), exclude=["*_pkey"])) == [("vacuum", "public.t", "planned")]


# -- the order


def test_the_most_urgent_comes_first():
    steps = make(
        table(1, "bloated"),
        table(2, "stale", modified=50_000),
        table(3, "dirty", dead=20_000),
        table(4, "dirtier", dead=40_000),
        table(5, "old", frozen_age=160_000_000),
        table(6, "older", frozen_age=190_000_000),
        index(11, "small", bloat=4 * MIB),
        index(12, "large", pages=10_000, bloat=70 * MIB),
        index(13, "broken", valid=False),
        index(14, "left_ccnew", valid=False),
    )
    names = [step.found.name for step in steps]
    assert names == ["left_ccnew", "older", "old", "broken", "dirtier", "dirty", "stale", "large", "small"]


def test_bloat_that_vacuum_will_bring_to_light_is_foreseen():
    found = table(live=50_000, dead=50_000), index(bloat=0)
    assert [step.operation for step in make(*found)] == ["vacuum", "reindex"]
    assert [step.operation for step in make(*found, foresee=False)] == ["vacuum"]
    assert [step.outcome for step in make(*found, holders=[session()])] == ["held_back"], "no VACUUM, no bloat to come"


# -- partitions


def partitioned(**parent):
    return table(1, "p", kind="p", pages=0, live=0, **({"rows": 200_000.0, "last_analyze": 0.0} | parent))


def leaf(oid, **more):
    return table(oid, "p{0}".format(oid), root=1, **more)


def test_a_partitioned_table_is_analyzed_when_its_partitions_have_changed():
    steps = make(partitioned(), leaf(2, modified=30_000), leaf(3))
    step = only(steps)
    assert (step.operation, step.object) == ("analyze", "public.p"), "its partitions come along"
    assert step.family == {1, 2, 3}


def test_or_when_its_statistics_know_another_number_of_rows():
    assert make(partitioned(), leaf(2), leaf(3)) == []
    assert only(make(partitioned(rows=100_000.0), leaf(2), leaf(3))).object == "public.p"
    assert only(make(partitioned(rows=-1.0, last_analyze=None), leaf(2), leaf(3))).reasons == ["never_analyzed"]
    assert make(partitioned(rows=-1.0, last_analyze=None), leaf(2, rows=0.0), leaf(3, rows=0.0)) == [], "nothing is in it"


def test_a_partition_is_vacuumed_and_its_parent_analyzed():
    steps = make(partitioned(), leaf(2, dead=30_000, modified=30_000), leaf(3))
    assert [(step.operation, step.object, step.analyze) for step in steps] == [
        ("vacuum", "public.p2", False),
        ("analyze", "public.p", False),
    ]


# -- by name


def test_what_is_named_is_done_and_nothing_else():
    steps = make(table(), index(), table(2, "other", dead=50_000), index(12, "other_pkey", table_oid=2, bloat=7 * MIB), named=[1])
    assert short(steps) == [("vacuum", "public.t", "planned"), ("reindex", "public.t_pkey", "planned")]
    assert steps[0].analyze


def test_a_named_index_brings_the_leftovers_of_its_table():
    steps = make(index(), index(12, "t_v_ccnew", valid=False), index(13, "x_ccnew", valid=False, table_oid=2), named=[11])
    assert [(step.operation, step.found.name) for step in steps] == [("drop_leftover", "t_v_ccnew"), ("reindex", "t_pkey")]


# -- what cannot be done


@pytest.mark.parametrize(
    ("found", "outcome", "word"),
    [
        (table(dead=20_000, may_maintain=False, may_own=False), "not_allowed", "pg_maintain"),
        (index(valid=False, may_own=False), "not_allowed", "does not own"),
        (index(valid=False, exclusion=True), "unsupported", "exclusion constraint"),
    ],
)
def test_what_may_not_be_done_is_said(found, outcome, word):
    step = only(make(found))
    assert step.outcome == outcome
    assert word in step.message


def test_before_17_nobody_is_told_of_pg_maintain():
    step = only(make(table(dead=20_000, may_maintain=False), server=SERVER._replace(number=160000)))
    assert "pg_maintain" not in step.message


@pytest.mark.parametrize("oid", [1, 99])
def test_a_table_that_somebody_works_on_is_left_to_them(oid):
    busy = plan.Busy(oid, 4711, "vacuum", "scanning heap", "autovacuum worker", "")
    step = only(make(table(dead=20_000, toast=99), busy=[busy]))
    assert step.outcome == "in_progress"
    assert "4711" in step.message
    assert "autovacuum worker" in step.message


def test_nothing_invalid_is_touched_while_something_is_built_that_we_may_not_see():
    busy = plan.Busy(None, 4711, "create index", None, None, None)
    steps = make(index(valid=False, name="t_ccnew"), index(12, valid=False), index(13, "big", bloat=7 * MIB), busy=[busy])
    assert [step.outcome for step in steps] == ["in_progress", "in_progress", "planned"]


# -- what holds back vacuum


def test_vacuum_is_not_begun_for_nothing():
    step = only(make(table(dead=20_000, last_vacuum=200.0), holders=[session(since=100.0)]))
    assert step.outcome == "held_back"
    assert "session of process 7 of bob (psql), idle in transaction, for 900 s, 50 transactions old" in step.message


@pytest.mark.parametrize(
    ("last", "holder"),
    [
        (50.0, session(since=100.0)),  # what died between that VACUUM and the snapshot can go
        (None, session(since=100.0)),
        (200.0, session(kind="replication slot", since=None)),  # nobody knows since when
        (200.0, session(since=100.0, catalogs_only=True)),
    ],
)
def test_but_where_something_may_be_gained_it_is(last, holder):
    assert only(make(table(dead=20_000, last_vacuum=last), holders=[holder])).outcome == "planned"


def test_what_vacuum_cannot_do_does_not_keep_analyze_from_it():
    step = only(make(table(dead=20_000, modified=30_000), holders=[session()]))
    assert (step.operation, step.outcome, step.reasons) == ("analyze", "planned", ["modified_rows"])
    assert "process 7" in step.why


def test_freezing_is_limited_by_the_oldest_snapshot():
    old = session(age=160_000_000)
    assert only(make(table(frozen_age=160_000_100), holders=[old])).outcome == "held_back"
    assert only(make(table(frozen_age=195_000_000), holders=[old])).outcome == "planned"
    assert only(make(table(frozen_age=160_000_100), holders=[session()])).freeze


def test_holders_are_named_when_they_are_old():
    slot = session(
        kind="replication slot", name="gone", pid=None, user=None, application=None, state="inactive", seconds=None, since=None,
        age=2_000_000, retained_bytes=512,
    )  # fmt: skip
    young = session(seconds=10.0)
    found = plan.notices(plan.State(SERVER, [table(persistence="t", frozen_age=160_000_000)], [], [], [slot, young, session()]), OPTIONS)
    assert len(found) == 3
    assert "replication slot gone, inactive, 2000000 transactions old, keeps 512 bytes of WAL" in found[0]
    assert "temporary" in found[2]
    assert "track_counts" in plan.notices(plan.State(SERVER._replace(tracks=False), [], [], [], []), OPTIONS)[0]


def test_a_standby_is_refused():
    plan.refuse_standby(SERVER, "db-1:5432")
    with pytest.raises(OpsError, match="db-1:5432 is a standby") as caught:
        plan.refuse_standby(SERVER._replace(standby=True), "db-1:5432")
    assert "Name the primary" in caught.value.message


# -- the statements


def statements(number, *found, **options):
    server = SERVER._replace(number=number)
    return [plan.statement(step, server, OPTIONS | options) for step in make(*found, server=server, **options)]


def test_statements_by_version():
    found = table(dead=20_000, modified=30_000)
    assert statements(120000, found) == ['VACUUM (TRUNCATE false, ANALYZE) "public"."t"']
    assert statements(130000, found, truncate=True) == ['VACUUM (TRUNCATE true, PARALLEL 0, ANALYZE) "public"."t"']
    assert statements(170000, table(frozen_age=160_000_000)) == ['VACUUM (TRUNCATE false, PARALLEL 0, FREEZE) "public"."t"']
    parent = table(inherited=True, last_analyze=None)
    assert statements(170000, parent) == ['ANALYZE "public"."t"']
    assert statements(180000, parent) == ['ANALYZE ONLY "public"."t"']


def test_names_are_quoted():
    assert statements(170000, index(name='we"ird', schema="My Schema", valid=False)) == ['REINDEX INDEX CONCURRENTLY "My Schema"."we""ird"']
    assert statements(170000, index(name="t_ccnew", valid=False)) == ['DROP INDEX CONCURRENTLY IF EXISTS "public"."t_ccnew"']


# -- what is next


def step_of(operation, oid, now=0.0):
    found = index(oid + 100, table_oid=oid) if operation in ("reindex", "drop_leftover") else table(oid)
    made = plan.Step(operation, found, ["named"], "")
    made.not_before = now
    return made


def test_one_table_has_one_step_at_a_time():
    one, same, other = step_of("vacuum", 1), step_of("analyze", 1), step_of("analyze", 2)
    assert plan.next_step([one, same, other], [], 0) is one
    assert plan.next_step([same, other], [one], 0) is other
    assert plan.next_step([same], [one], 0) is None


def test_a_rebuild_runs_alone_and_is_not_overtaken():
    vacuum, rebuild, later = step_of("vacuum", 1), step_of("reindex", 2), step_of("analyze", 3)
    assert plan.next_step([rebuild, later], [vacuum], 0) is None
    assert plan.next_step([rebuild, later], [], 0) is rebuild
    assert plan.next_step([later], [rebuild], 0) is None


def test_who_waits_for_another_attempt_lets_others_go_first():
    rebuild, later = step_of("reindex", 2, now=10.0), step_of("analyze", 3)
    assert plan.next_step([rebuild, later], [], 5.0) is later
    assert plan.next_step([rebuild, later], [], 10.0) is rebuild


def test_no_rebuild_while_its_table_has_a_leftover():
    leftover, rebuild, other = step_of("drop_leftover", 1, now=10.0), step_of("reindex", 1), step_of("reindex", 2)
    assert plan.next_step([leftover, rebuild], [], 5.0) is None
    assert plan.next_step([leftover, rebuild, other], [], 5.0) is other


def test_pauses_double_and_end():
    step = step_of("vacuum", 1)
    seen = []
    for attempt in (1, 2, 3, 4):
        step.attempts = attempt
        seen.append(plan.back_off(step, 5.0, 3, 100.0) and step.not_before)
    assert seen == [105.0, 110.0, 120.0, False]


# -- room


def test_room():
    assert plan.judge_room(100, None, 1000) is None
    assert plan.judge_room(100, 1200, 1000) is None
    assert "twice" not in plan.judge_room(100, 1199, 1000)
    assert "1199 bytes are free, of which 1000 stay free; a rebuild takes up to 200" in plan.judge_room(100, 1199, 1000)
