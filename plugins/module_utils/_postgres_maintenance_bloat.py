# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of a B-tree index is empty. Private: other collections must not import it.

Either measured, by pgstattuple's pgstatindex(), which reads the whole index; or estimated from the planner's statistics, by the formula
that is known from the check scripts of the PostgreSQL community: what the pages would be if every key had the average width, against what
they are. The estimate knows nothing of deduplication (PostgreSQL 13), which makes indexes smaller: it finds too little, not too much.
"""

from __future__ import annotations

import math

PAGE_HEADER, SPECIAL, LINE_POINTER, TUPLE_HEADER, NULL_BITMAP, ALIGNMENT = 24, 16, 4, 8, 4, 8
META_PAGES = 1


def aligned(size):
    return math.ceil(size / float(ALIGNMENT)) * ALIGNMENT


def expected_pages(rows, width, nullable, fillfactor, block_size):
    """The pages of an index of ``rows`` keys, ``width`` bytes each on average, when it has just been built."""
    header = aligned(TUPLE_HEADER + NULL_BITMAP) if nullable else TUPLE_HEADER
    each = aligned(header + width) + LINE_POINTER
    a_page = int((block_size - PAGE_HEADER - SPECIAL) * fillfactor / 100.0 / each)
    return META_PAGES + math.ceil(rows / float(max(1, a_page)))


def estimated(index, block_size):
    """The bytes that a rebuild would gain, by the statistics. None where they say too little."""
    if index.method != "btree" or index.width is None or index.rows <= 0 or not index.pages:
        return None
    expected = expected_pages(index.rows, index.width, index.nullable, index.fillfactor, block_size)
    return max(0, index.pages - expected) * block_size


def measured(leaf_pages, empty_pages, deleted_pages, density, fillfactor, block_size):
    """The same by what pgstatindex() counted. ``density``: the percentage of the leaf pages that is filled, NaN when there are none."""
    full = 0.0 if math.isnan(density) else min(1.0, density / float(fillfactor))
    wasted = leaf_pages * (1.0 - full) + empty_pages + deleted_pages
    return int(wasted * block_size)
