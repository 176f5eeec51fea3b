# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a table or an index calls for maintenance. Private: other collections must not import it.

Tables, indexes and servers are those of _postgres_maintenance; ``options`` are the module's.
Each reason is ``(reason, sentence, urgency)``.
"""

from __future__ import annotations

import re

#: The server's own tables: of those, most hold a few rows for ever.
SYSTEM = ("pg_catalog", "information_schema")

#: What REINDEX CONCURRENTLY calls the index that it builds, and the one that it replaces.
LEFTOVER = re.compile(r"_cc(new|old)\d*$")


def freeze_limits(server, options):
    """The ages, in transactions and in multixacts, from which on a table is frozen."""
    return int(server.freeze_max_age * options["freeze_age_ratio"]), int(server.multixact_max_age * options["freeze_age_ratio"])


def vacuum_reasons(table, server, options):
    """``[(reason, sentence, urgency)]`` for VACUUM."""
    found = []
    limits = freeze_limits(server, options)
    for age, limit, what in ((table.frozen_age, limits[0], "transactions"), (table.multixact_age, limits[1], "multixacts")):
        if age > limit:
            sentence = "{0} {1} old, more than {2}".format(age, what, limit)
            found.append(("age", sentence, float(age) / max(1, limit)))
    for dead, live, where in ((table.dead, table.live, ""), (table.toast_dead, table.toast_live, " in its TOAST table")):
        if dead >= options["dead_rows_floor"] and dead > options["dead_rows_ratio"] * (dead + live):
            sentence = "{0} of {1} rows dead{2} ({3:.0%})".format(dead, dead + live, where, float(dead) / (dead + live))
            found.append(("dead_rows", sentence, float(dead)))
    return found


def analyze_reasons(table, options):
    """The same for ANALYZE of a table that holds rows itself."""
    if table.last_analyze is None and table.schema not in SYSTEM and (table.pages or table.live or table.modified):
        return [("never_analyzed", "never analyzed", float(max(table.live, table.modified, table.pages)))]
    return modified(table.modified, table.live, options)


def modified(changes, rows, options):
    if changes >= options["modified_rows_floor"] and changes > options["modified_rows_ratio"] * rows:
        return [("modified_rows", "{0} rows modified since ANALYZE, of {1}".format(changes, rows), float(changes))]
    return []


def parent_reasons(parent, leaves, options):
    """For ANALYZE of a partitioned table, which autovacuum never does.

    It is due when its partitions have changed as much as a table would have to, or when their number of rows has, whoever analyzed them.
    """
    rows = sum(max(0.0, leaf.rows) for leaf in leaves)
    if parent.last_analyze is None and rows:
        return [("never_analyzed", "never analyzed, and autovacuum does not do it", float(rows))]
    pending = modified(sum(leaf.modified for leaf in leaves), sum(leaf.live for leaf in leaves), options)
    if pending or parent.rows < 0:
        return pending
    drift = abs(rows - parent.rows)
    if parent.rows > 0 and drift >= options["modified_rows_floor"] and drift > options["modified_rows_ratio"] * parent.rows:
        sentence = "its partitions hold {0:.0f} rows, its statistics know {1:.0f}".format(rows, parent.rows)
        return [("modified_rows", sentence, drift)]
    return []


def bloat_reasons(index, server, options, alive=1.0):
    """For REINDEX. ``alive``: the share of the keys that a VACUUM which comes before it will leave."""
    size = index.pages * server.block_size
    if index.bloat is None:
        return []
    gained = size - int((size - index.bloat) * alive)
    if gained < options["bloat_floor"] or gained <= options["bloat_ratio"] * size:
        return []
    later = "" if alive == 1 else ", once VACUUM has removed the dead rows"
    return [("bloat", "{0} of {1} bytes would be gained ({2:.0%}){3}".format(gained, size, float(gained) / size, later), float(gained))]


def is_leftover(index):
    """Whether an index is what an interrupted REINDEX CONCURRENTLY left behind: nobody else makes invalid ones with such a name."""
    return not index.valid and bool(LEFTOVER.search(index.name)) and not index.constraint
