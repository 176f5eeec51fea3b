from __future__ import annotations

import math

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance as plan
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance_bloat as bloat

BLOCK = 8192


def index(**more):
    known = {
        "oid": 1, "schema": "s", "name": "i", "table_oid": 2, "table_schema": "s", "table": "t", "method": "btree", "valid": True,
        "exclusion": False, "constraint": False, "pages": 1000, "rows": 100_000.0, "fillfactor": 90, "tablespace": 0, "width": 4.0,
        "nullable": False, "may_own": True, "bloat": None,
    }  # fmt: skip
    return plan.Index(**(known | more))


# Real indexes, just built by PostgreSQL 17: rows, average width by pg_stats, nullable, fillfactor, and the pages that they had.
@pytest.mark.parametrize(
    ("rows", "width", "nullable", "fillfactor", "pages"),
    [
        (200_000, 4, False, 90, 551),  # integer
        (200_000, 33, False, 90, 1444),  # md5 as text
        (200_000, 8, False, 50, 997),  # bigint
        (200_000, 37, False, 90, 1437),  # integer and md5
    ],
)
def test_the_estimate_is_near_a_real_index_that_was_just_built(rows, width, nullable, fillfactor, pages):
    expected = bloat.expected_pages(rows, width, nullable, fillfactor, BLOCK)
    assert expected == pytest.approx(pages, rel=0.1)
    assert expected <= pages * 1.02


def test_nulls_cost_a_bitmap():
    assert bloat.expected_pages(100_000, 4, True, 90, BLOCK) > bloat.expected_pages(100_000, 4, False, 90, BLOCK)


def test_what_is_more_than_expected_is_bloat():
    fresh = bloat.expected_pages(100_000, 4, False, 90, BLOCK)
    assert bloat.estimated(index(pages=fresh), BLOCK) == 0
    assert bloat.estimated(index(pages=fresh * 2), BLOCK) == fresh * BLOCK
    assert bloat.estimated(index(pages=fresh // 2), BLOCK) == 0, "deduplicated"


@pytest.mark.parametrize("unknown", [{"method": "gin"}, {"width": None}, {"rows": -1.0}, {"rows": 0.0}, {"pages": 0}])
def test_what_the_statistics_do_not_know_is_not_guessed(unknown):
    assert bloat.estimated(index(**unknown), BLOCK) is None


def test_what_pgstatindex_counted():
    assert bloat.measured(100, 0, 0, 90.0, 90, BLOCK) == 0
    assert bloat.measured(100, 0, 0, 95.0, 90, BLOCK) == 0, "no index is fuller than full"
    assert bloat.measured(100, 5, 15, 45.0, 90, BLOCK) == 70 * BLOCK
    assert bloat.measured(0, 0, 3, math.nan, 90, BLOCK) == 3 * BLOCK
