# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What indexes are worth. Forty real ones are judged in the integration target postgres_info."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_indexes as indexes
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_info import THRESHOLDS

OIDS = itertools.count(20000)
DAY = 86400
NOW = 100 * DAY
STATISTICS = {"since": NOW - 30 * DAY, "now": NOW, "track_counts": True, "in_recovery": False, "system": "1"}
NOT_NULL = "{NULLTEST :arg {VAR :varno 1 :varattno 1 :location 5} :nulltesttype 1 :argisrow false :location 7}"
FLAGS = ("unique", "primary", "exclusion", "replica_identity", "clustered", "extension", "building", "nulls_not_distinct")


def index(*columns: int, keys: int | None = None, **more) -> dict:
    """An unread, valid, plain index on ``columns`` of table 1."""
    keys, oid = keys or len(columns), next(OIDS)
    found = {
        "oid": oid, "table_oid": 1, "schema": "public", "name": f"i{oid}", "table": "t", "relkind": "i", "method": "btree", "valid": True,
        "keys": keys, "columns": list(columns), "classes": [1] * keys, "collations": [0] * keys, "options": [0] * keys, "expressions": None,
        "predicate": None, "constraints": None, "parent": None, "scans": 0, "last_scan": None, "created": None, "bytes": 8192,
        "table_rows": 5, "table_bytes": 1e6, "definition": "CREATE INDEX",
    }  # fmt: skip
    return found | dict.fromkeys(FLAGS, False) | more


def key(*columns: int, table: int = 1, name: str = "fk", **more) -> dict:
    names = [f"c{column}" for column in columns]
    return {"name": name, "table_oid": table, "schema": "public", "table": "t", "columns": list(columns), "names": names,
            "references": "p", "inherited": False, "bytes": 2e6, "large": True} | more  # fmt: skip


def replica(scans: dict, standbys: int = 0, **more) -> dict:
    return {"statistics": STATISTICS | {"in_recovery": True} | more, "scans": scans, "standbys": standbys}


def names(rows: list) -> list:
    return [row["index"].partition(".")[2] for row in rows]


def unused(one: dict, keys: list = (), replicas: dict | None = None, days: float = 7) -> tuple:
    found, kept = indexes.unused([one], list(keys), replicas or {}, NOW, days)
    return bool(found), next(iter(kept), "")


def test_an_index_that_nobody_reads_and_nothing_needs_is_unused() -> None:
    found, kept = indexes.unused([index(2, bytes=1), index(3, bytes=9)], [], {}, NOW, 7)
    assert [row["bytes"] for row in found] == [9, 1]
    assert not kept
    assert found[0]["drop"].startswith("DROP INDEX CONCURRENTLY public.i")
    assert found[0]["definition"] == "CREATE INDEX"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"primary": True, "unique": True, "constraints": ["p"]}, "primary key"),
        ({"constraints": ["f"], "unique": True}, "referenced by a foreign key"),
        ({"constraints": ["u"], "unique": True}, "unique constraint"),
        ({"constraints": ["x"], "exclusion": True, "method": "gist"}, "exclusion constraint"),
        ({"unique": True}, "keeps values unique"),
        ({"unique": True, "expressions": "{FUNCEXPR}"}, "keeps values unique"),
        ({"replica_identity": True}, "replica identity"),
        ({"clustered": True}, "order of the table (CLUSTER)"),
        ({"extension": True}, "belongs to an extension"),
        ({"relkind": "I"}, "of a partitioned table"),
        ({"parent": 77}, "part of the index of a partitioned table"),
        ({"created": NOW - DAY}, "too new"),
    ],
)
def test_what_something_depends_on_is_never_called_unused(more: dict, why: str) -> None:
    assert unused(index(2, **more)) == (False, why)


@pytest.mark.parametrize("more", [{"scans": 1}, {"valid": False}, {"building": True}])
def test_what_is_read_broken_or_being_built_is_not_unused_either(more: dict) -> None:
    assert unused(index(2, **more)) == (False, "")


def test_an_index_that_only_a_replica_reads_is_used() -> None:
    one = index(2)
    assert unused(one, replicas={"r": replica({str(one["oid"]): 3})}) == (False, "read on a replica")
    assert unused(one, replicas={"r": replica({str(one["oid"]): 0})}) == (True, "")
    assert unused(one, replicas={"r": replica(None)}) == (True, "")


@pytest.mark.parametrize(
    ("one", "columns", "serves"),
    [
        (index(2), [2], True),
        (index(2, 9), [2], True),
        (index(9, 2), [2], False),
        (index(3, 2, 9), [2, 3], True),
        (index(2, 9, 3), [2, 3], False),
        (index(2, 3, keys=1), [2, 3], False),
        (index(2, predicate=NOT_NULL), [2], True),
        (index(2, predicate="{OPEXPR}"), [2], False),
        (index(2, method="hash"), [2], True),
        (index(2, method="gin"), [2], False),
        (index(2, valid=False), [2], False),
        (index(2, table_oid=5), [2], False),
    ],
)
def test_an_index_serves_a_foreign_key_when_it_begins_with_its_columns(one: dict, columns: list, serves: bool) -> None:
    foreign_key = key(*columns)
    assert bool(indexes.referencing([one], [foreign_key])) == serves
    assert bool(indexes.missing([one], [foreign_key])) != serves


def test_foreign_keys_of_small_tables_and_copies_are_not_missed() -> None:
    keys = [key(2), key(2, name="copy", inherited=True), key(4, large=False)]
    found = indexes.missing([], keys)
    assert [row["constraint"] for row in found] == ["fk"]
    assert found[0]["create"] == "CREATE INDEX CONCURRENTLY ON public.t (c2)"


def test_invalid_indexes_are_those_that_nobody_builds() -> None:
    some = [index(2, valid=False), index(2, valid=False, building=True), index(2, valid=False, relkind="I"), index(2)]
    assert len(indexes.invalid(some)) == 1


def duplicates(*some: dict) -> list:
    position = {row["name"]: place for place, row in enumerate(some)}
    found = indexes.duplicates(list(some))
    return [(position[row["index"].partition(".")[2]], position[row["of"].partition(".")[2]], row["kind"]) for row in found]


@pytest.mark.parametrize(
    ("some", "found"),
    [
        ([index(2), index(2)], [(1, 0, "identical")]),
        ([index(2), index(2), index(2)], [(2, 0, "identical"), (1, 0, "identical")]),
        ([index(2, scans=0), index(2, scans=9)], [(0, 1, "identical")]),
        ([index(2), index(2, unique=True, primary=True, constraints=["p"])], [(0, 1, "identical")]),
        ([index(2, unique=True), index(2, unique=True, constraints=["u"])], [(0, 1, "identical")]),
        ([index(2, unique=True), index(2)], [(1, 0, "identical")]),
        ([index(2), index(2, 3)], [(0, 1, "prefix")]),
        ([index(2, unique=True), index(2, 3)], []),
        ([index(2, unique=True, constraints=["u"]), index(2, unique=True, constraints=["f"])], []),
        ([index(2, replica_identity=True, unique=True), index(2, clustered=True)], []),
        ([index(2), index(2, classes=[7])], []),
        ([index(2), index(2, collations=[7])], []),
        ([index(2), index(2, options=[3])], []),
        ([index(2), index(2, method="hash")], []),
        ([index(2), index(2, predicate="{A}")], []),
        ([index(2, predicate="{A :location 5}"), index(2, predicate="{A :location 9}")], [(1, 0, "identical")]),
        ([index(0, expressions="{E :location 5}"), index(0, expressions="{E :location 77}")], [(1, 0, "identical")]),
        ([index(0, expressions="{E}"), index(0, expressions="{F}")], []),
        ([index(2, method="gin"), index(2, 3, method="gin")], []),
        ([index(2), index(2, valid=False)], []),
        ([index(2), index(2, table_oid=9)], []),
        ([index(2, parent=5), index(2, parent=6)], []),
        ([index(2, 9, keys=1), index(2, 3)], []),
        ([index(2, 3, keys=1), index(2, 3)], [(0, 1, "prefix")]),
    ],
)
def test_duplicates(some: list, found: list) -> None:
    assert sorted(duplicates(*some)) == sorted(found)


@pytest.mark.parametrize(
    ("statistics", "standbys", "replicas", "said"),
    [
        ({}, 0, {}, None),
        ({"since": NOW - DAY}, 0, {}, "the server counts only since 1.0 days, 7 are wanted"),
        ({"since": None}, 0, {}, "is not known"),
        ({"track_counts": False}, 0, {}, "track_counts is off"),
        ({"in_recovery": True}, 0, {}, "ask the primary"),
        ({}, 1, {}, "it has 1 standbys, and 0 replicas are given to ask"),
        ({}, 1, {"r": replica({})}, None),
        ({}, 1, {"r": replica({}, standbys=1)}, "it has 2 standbys"),
        ({}, 1, {"r": "replica r did not answer"}, "replica r did not answer"),
        ({}, 1, {"r": replica({}, since=NOW - DAY)}, "replica r counts only since 1.0 days"),
        ({}, 1, {"r": replica({}, in_recovery=False)}, "r is no replica of it"),
        ({}, 1, {"r": replica({}, system="2")}, "r is no replica of it"),
        ({}, 1, {"r": replica({}, system=None)}, None),
    ],
)
def test_nothing_is_called_unused_before_everybody_has_counted_long_enough(statistics, standbys, replicas, said) -> None:
    answer = {"indexes": [index(2)], "foreign_keys": None, "statistics": STATISTICS | statistics}
    figures, found = indexes.judge(answer, standbys, replicas, THRESHOLDS, 7)
    figure = next(figure for figure in figures if figure.name == "unused_indexes")
    if said is None:
        assert figure.verdict == "warn"
        assert len(found["unused"]) == 1
    else:
        assert figure.verdict == "unknown"
        assert not figure.required
        assert any(said in doubt for doubt in found["doubts"])
        assert found["unused"] == []


def test_cautions_say_what_else_goes_and_what_is_not_known() -> None:
    found, _kept = indexes.unused([index(0, expressions="{E}", table_bytes=8192)], [], {}, NOW, 7)
    assert len(found[0]["cautions"]) == 3
    found, _kept = indexes.unused([index(2, created=NOW - 50 * DAY)], [], {}, NOW, 7)
    assert found[0]["cautions"] == []
