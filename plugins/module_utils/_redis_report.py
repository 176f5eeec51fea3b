# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All figures of Redis servers, and the lists behind them. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _figures
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_info as info
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import Figure
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import encoded, told
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

_LISTS = ("nodes", "slow_log", "latency_events", "big_keys", "prefixes")
#: What a report has when nobody answers: every key there is.
EMPTY = dict({key: [] for key in _LISTS + ("figures", "table", "unseen")}, verdict="fail", summary="", counts={}, topology=None, asked=None)


def unreachable(error):
    """The report when nobody says who there is."""
    return _with_figures(dict(EMPTY), [Figure("nodes", "fail", 0, error.message, error.next)])


def report(topology, answers, thresholds, options, now):
    """What the module returns. ``options``: the module's; ``now``: seconds since the epoch."""
    hidden = [encoded(text) for text in options["hidden_prefixes"]]
    figures = [info.of_nodes(topology, answers), info.of_cluster(topology, answers)]
    if info.known(answers):
        figures += info.of_replication(topology, answers, thresholds, options["replicas"])
        figures += [info.of_memory(answers, thresholds), info.of_fragmentation(answers, thresholds)]
        figures += info.of_eviction(answers, thresholds, options["eviction_expected"])
        figures += info.of_clients(answers, thresholds)
        figures.append(info.of_hits(answers, thresholds))
        figures += info.of_persistence(answers, thresholds, now)
        figures += [info.of_slow_log(answers, thresholds, now, hidden), info.of_latency(answers, thresholds)]
        if options["sample"]:
            figures.append(info.of_big_keys(answers, thresholds, hidden))
    limit = options["limit"]
    found = dict(
        EMPTY,
        topology=topology.kind,
        asked=topology.asked,
        nodes=[info.node_row(answer, topology.kind) for answer in answers],
        slow_log=[_slow(entry) for entry in info.slow_entries(answers, hidden)[:limit]],
        latency_events=_events(answers, limit),
        big_keys=_big_keys(answers, hidden, limit),
        prefixes=info.prefixes(answers, limit),
        unseen=["{0}: {1}".format(answer.member.name, problem) for answer in answers for problem in answer.problems],
    )
    return _with_figures(found, figures)


def _with_figures(found, figures):
    return dict(
        found,
        verdict=_figures.overall(figures),
        summary=_figures.summary(figures),
        table=_figures.table(figures),
        counts=_figures.counts(figures),
        figures=[figure.to_dict() for figure in figures],
    )


def _slow(entry):
    return dict(entry, at=to_iso(entry["at"]), seconds=round(entry["seconds"], 6))


def _events(answers, limit):
    """What the servers' own watch found slow, the newest first. Empty unless latency-monitor-threshold is set."""
    rows = [
        {"node": answer.member.name, "event": row[0].decode(), "at": row[1], "seconds": row[2] / 1000, "worst": row[3] / 1000}
        for answer in info.known(answers)
        for row in answer.latency or []
    ]
    return [dict(row, at=to_iso(row["at"])) for row in sorted(rows, key=lambda row: -row["at"])[:limit]]


def _big_keys(answers, hidden, limit):
    rows = [(size, answer.member.name, name, kind) for answer in info.known(answers) for name, kind, size in answer.keys]
    largest = sorted(set(rows), key=lambda row: (-row[0], row[2]))[:limit]
    return [{"node": node, "name": told(name, hidden), "type": kind, "bytes": size} for size, node, name, kind in largest]
