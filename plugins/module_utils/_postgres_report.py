# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All figures of a PostgreSQL server, and the lists behind them, from what it answered. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _figures, _postgres_indexes
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_info as info
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import Figure, judged
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

_LISTS = ("transactions", "blocked", "vacuum_holders", "standbys", "slots", "databases", "tables", "dead_tables", "statements")
#: What a report has when nobody answers: every key there is.
EMPTY = dict(
    {key: [] for key in _LISTS + ("figures", "table", "unseen")},
    verdict="fail",
    summary="",
    counts={},
    server={},
    connections={},
    blockers={},
    indexes={},
    checkpoints={},
)
_INDEX_FIGURES = ("invalid_indexes", "duplicate_indexes", "unused_indexes", "missing_indexes")
_TIMES = ("stats_reset", "vacuumed", "analyzed", "since", "last_scan", "started")


def report(answers, replicas, target, thresholds, options):
    """What the module returns. ``answers`` and ``replicas``: of _postgres_ask.ask_all; ``options``: the module's."""
    found = dict(EMPTY)
    if answers.activity is None:
        error = answers.failure
        figures = [Figure("server", "fail", None, error.message, error.next)]
        found["server"] = _server(target, error.verdict, error.reason)
    else:
        figures = _of_activity(answers, target, thresholds, options) + _of_relations(answers, replicas, thresholds, options, found)
        found.update(_lists(answers, options["limit"]), server=_server(target, "healthy", "ok", answers.activity["server"]))
    found.update(
        verdict=_figures.overall(figures),
        summary=_figures.summary(figures),
        table=_figures.table(figures),
        counts=_figures.counts(figures),
        figures=[figure.to_dict() for figure in figures],
        unseen=_unseen(answers),
    )
    return found


def _server(target, verdict, reason, server=None):
    known = server or {}
    role = None if server is None else "replica" if server["in_recovery"] else "primary"
    return {
        "target": target,
        "verdict": verdict,
        "reason": reason,
        "version": known.get("version"),
        "role": role,
        "database": known.get("database"),
        "user": known.get("user"),
        "started": to_iso(server["started"]) if server else None,
    }


def _of_activity(answers, target, thresholds, options):
    data, server = answers.activity, answers.activity["server"]
    message = "PostgreSQL {0} at {1}, up since {2}".format(server["version"], target, _figures.span(server["now"] - server["started"]))
    figures = [Figure("server", "pass", None, message)]
    figures += info.of_replication(data, thresholds, options["role"], options["standbys"])
    figures.append(info.of_connections(data, thresholds))
    figures += info.of_transactions(data, thresholds)
    for make in (info.of_blocked, info.of_horizon, info.of_prepared, info.of_slots, info.of_wraparound, info.of_checkpoints):
        figures.append(make(data, thresholds))
    figures += info.of_database(data, thresholds)
    figures.append(info.of_statements(answers.statements, thresholds, answers.problems.get("statements", "")))
    return figures


def _of_relations(answers, replicas, thresholds, options, found):
    """The figures of tables and indexes; what the latter were made of goes to ``found``."""
    if answers.relations is None:
        problem, advice = answers.problems.get("relations", "not asked"), "Look for who locks or loads the database, then ask again."
        required = {"dead_tuples": True, "invalid_indexes": True}
        return [judged(name, thresholds, None, problem, advice, required.get(name, False)) for name in ("dead_tuples",) + _INDEX_FIGURES]
    figures, indexes = _postgres_indexes.judge(
        answers.relations,
        info.readers(answers.activity),
        replicas,
        thresholds,
        options["unused_index_min_days"],
    )
    found["indexes"] = dict(indexes, **{key: [_with_times(row) for row in indexes[key]] for key in ("invalid", "duplicate", "unused")})
    return [info.of_dead_tuples(answers.relations, answers.activity["server"], thresholds)] + figures


def _lists(answers, limit):
    data, relations = answers.activity, answers.relations or {}
    statements = info.rows(answers.statements or {}, "top")
    found = {
        "transactions": [_session(row) for row in info.rows(data, "transactions")[:limit]],
        "blocked": [_session(row) for row in info.rows(data, "blocked")[:limit]],
        "vacuum_holders": info.holders(data)[:limit],
        "standbys": info.rows(data, "standbys"),
        "slots": info.rows(data, "slots"),
        "databases": info.rows(data, "databases"),
        "tables": info.rows(relations, "largest"),
        "dead_tables": info.rows(relations, "deadest"),
        "statements": [dict(row, query=info.without_literals(row["query"])) for row in statements],
    }
    found = {key: [_with_times(row) for row in rows] for key, rows in found.items()}
    return dict(
        found,
        connections=info.connections(data),
        blockers={str(pid): waiters for pid, waiters in info.blockers(data).items()},
        checkpoints=_with_times(data["checkpoints"]),
    )


def _session(row):
    return dict(row, query=info.without_literals(row["query"]))


def _with_times(row):
    """Times as people and machines read them, other fractions of seconds no longer than they mean something."""
    found = {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}
    return dict(found, **{key: to_iso(row[key]) for key in _TIMES if row.get(key) is not None})


def _unseen(answers):
    found = []
    if answers.activity is not None:
        server = answers.activity["server"]
        if not server["sees_all"]:
            what = "states, transactions, queries and addresses of others' sessions, what holds vacuum back, the lag of standbys"
            found.append("{0}: {1} is no member of pg_monitor".format(what, server["user"]))
        hidden = [row["name"] for row in info.rows(answers.activity, "databases") if row["bytes"] is None]
        if hidden:
            found.append("the size of {0}: {1} may not connect to it".format(", ".join(hidden), server["user"]))
    locked = [row["name"] for row in info.rows(answers.relations or {}, "largest") if row["estimated"]]
    if locked:
        found.append("the exact size of {0}, which somebody has locked".format(", ".join(locked)))
    return found + ["{0}: {1}".format(query, problem) for query, problem in sorted(answers.problems.items())]
