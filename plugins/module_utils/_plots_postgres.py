# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bars of what postgres_info measured. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._plots import Chart

MOST_BARS = 15
MIB = 1024.0**2
LISTS = ("databases", "tables", "dead_tables", "vacuum_holders", "statements")


def charts(info):
    """The charts of one answer of postgres_info (dict): those of which there is something to show."""
    connections, figures = info.get("connections") or {}, {figure["name"]: figure for figure in info.get("figures") or []}
    usable = connections.get("usable")
    slots = [("usable", usable)] if usable else []
    found = [Chart("Sessions by {0}".format(name), "sessions", list((connections.get("by_" + name) or {}).items()), slots)
             for name in ("state", "user", "application")]  # fmt: skip
    databases, tables, dead, held, statements = (info.get(key) or [] for key in LISTS)
    ages = [(row["name"], row["age"] / 1e6) for row in databases]
    unused = [(row["index"], row["bytes"] / MIB) for row in (info.get("indexes") or {}).get("unused") or []]
    found += [
        Chart("Databases", "MiB", [(row["name"], (row["bytes"] or 0) / MIB) for row in databases], []),
        Chart("Largest tables, with indexes", "MiB", [(_title(row), _total(row) / MIB) for row in tables], []),
        Chart("Dead rows", "%", [(_title(row), _dead(row)) for row in dead], _marks(figures.get("dead_tuples"), 100)),
        Chart("Age, of 2147 million", "million transactions", ages, _marks(figures.get("wraparound"), 1e-6)),
        Chart("What holds vacuum back", "transactions", [(row["name"], row["age"]) for row in held], []),
        Chart("Statements by total time", "s", [(row["query"] or "hidden", row["total_seconds"]) for row in statements], []),
        Chart("Unused indexes", "MiB", unused, []),
    ]
    return [chart._replace(bars=chart.bars[:MOST_BARS]) for chart in found if chart.bars]


def _title(row):
    return "{0}.{1}".format(row["schema"], row["name"])


def _total(row):
    return (row["bytes"] or 0) + (row["index_bytes"] or 0)


def _dead(row):
    return 100.0 * row["dead"] / max(1, row["live"] + row["dead"])


def _marks(figure, factor):
    return [(name, figure[name] * factor) for name in ("warn", "fail") if figure and figure[name] is not None]
