# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an operation went, from how it went on each host. Private: other collections must not import it."""

from __future__ import annotations

#: From the worst to the best: the operation went as it did on the host where it went worst.
VERDICTS = ("fail", "inconclusive", "refused", "pass")
SILENT = {"verdict": "fail", "summary": "It gave no answer.", "next": "Find out why it cannot be reached, then look at it with: releases"}


def combine(outcomes):
    """One result of ``outcomes``: host name to what its role noted (dict with ``verdict``, ``changed``, ``summary``, ``next``,
    ``evidence``, ``before``, ``after``, all but the verdict optional; empty for a host that never came to say anything).

    Returns a dict with the same keys. Summaries (str, or list of str for a table) of several hosts carry the host's name unless all say
    the same; so do evidence, before and after. Raises ValueError without a host.
    """
    if not outcomes:
        raise ValueError("an operation on no host has no outcome")
    # What was refused was not begun anywhere: a host that has nothing to say then is not one that went silent.
    refused = any(outcome.get("verdict") == "refused" for outcome in outcomes.values())
    said = {host: outcome for host, outcome in outcomes.items() if outcome.get("verdict") or not refused}
    said = {host: outcome if outcome.get("verdict") else SILENT for host, outcome in said.items()}
    worst = min(said.values(), key=lambda outcome: VERDICTS.index(outcome["verdict"]))
    return {
        "verdict": worst["verdict"],
        "changed": any(outcome.get("changed", False) for outcome in said.values()),
        "summary": _summary(said),
        "next": worst.get("next") or "",
        "evidence": _by_host(said, "evidence"),
        "before": _by_host(said, "before"),
        "after": _by_host(said, "after"),
    }


def _summary(said):
    summaries = {host: outcome.get("summary") or outcome["verdict"] for host, outcome in said.items()}
    first = next(iter(summaries.values()))
    if all(summary == first for summary in summaries.values()):
        return first
    if any(isinstance(summary, list) for summary in summaries.values()):
        return [line for host, summary in summaries.items() for line in [host + ":"] + _lines(summary)]
    ordered = sorted(said, key=lambda host: VERDICTS.index(said[host]["verdict"]))
    return " ".join("{0}: {1}".format(host, summaries[host]) for host in ordered)


def _lines(summary):
    return list(summary) if isinstance(summary, list) else [summary]


def _by_host(said, key):
    """What all hosts say (dict), or else the dicts of those that say something, by host."""
    found = {host: outcome.get(key) or {} for host, outcome in said.items()}
    first = next(iter(found.values()))
    if all(own == first for own in found.values()):
        return first
    return {host: own for host, own in found.items() if own}
