# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of drills: events on disk, drills and their trend in memory. Private: other collections must not import it.

The file holds one event a line and is only ever appended to. A drill begins with ``begun``, before its fault is there, and ends with
``ended`` when the fault is healed. One without an end was cut short, and its fault may still be there: ``healed`` ends it.
"""

from __future__ import annotations

import statistics

BEGUN, ENDED, HEALED = "begun", "ended", "healed"
EVENTS = (BEGUN, ENDED, HEALED)
RUNNING, RECOVERED, NOT_RECOVERED, INTERRUPTED = "running", "recovered", "not_recovered", "interrupted"
#: What ``begun`` and ``ended`` record beside id and time.
OF_BEGIN = ("fault", "host", "operator", "details")
OF_END = ("outcome", "detected_by", "detect_seconds", "recover_seconds", "summary")
MEASURES = ("detect_seconds", "recover_seconds")
#: By how much a time must differ from the usual one to be called better or worse: a part of it, and seconds.
TOLERANCE, LEAST = 0.2, 2.0


def fold(events):
    """The drills (list of dict, oldest first) that the events (list of dict, oldest first) tell of."""
    drills = {}
    for event in events:
        identifier, kind = event.get("drill"), event.get("event")
        if kind == BEGUN:
            drill = dict.fromkeys(OF_BEGIN + OF_END)
            drill.update({name: event.get(name) for name in OF_BEGIN}, id=identifier, began_at=event["time"], ended_at=None)
            drill.update(outcome=RUNNING, summary="", detected_by="")
            drills[identifier] = drill
        elif identifier in drills and kind == ENDED:
            drills[identifier].update({name: event.get(name) for name in OF_END}, ended_at=event["time"])
        elif identifier in drills and kind == HEALED:
            drills[identifier].update(outcome=INTERRUPTED, ended_at=event["time"])
    return list(drills.values())


def unfinished(drills):
    """Those that were cut short, or are under way: what they broke may be broken."""
    return [drill for drill in drills if drill["outcome"] == RUNNING]


def trends(drills):
    """How each fault goes, by its name: a list of ``{fault, runs, recovered, last_at, detect_seconds, recover_seconds}``.

    Each of the two times is ``{last, median, best, worst, change}``; ``change`` is how the last one is beside the median of those before:
    ``better``, ``worse``, ``same``, or ``first``. What was never measured is None.
    """
    found = []
    for fault in sorted({drill["fault"] for drill in drills}):
        scored = [drill for drill in drills if drill["fault"] == fault and drill["outcome"] in (RECOVERED, NOT_RECOVERED)]
        if scored:
            found.append(
                dict(
                    {name: _measure([drill[name] for drill in scored]) for name in MEASURES},
                    fault=fault,
                    runs=len(scored),
                    recovered=sum(drill["outcome"] == RECOVERED for drill in scored),
                    last_at=scored[-1]["ended_at"],
                )
            )
    return found


def _measure(values):
    known = [value for value in values if value is not None]
    if not known:
        return dict.fromkeys(("last", "median", "best", "worst", "change"))
    return {
        "last": values[-1],
        "median": round(statistics.median(known), 1),
        "best": min(known),
        "worst": max(known),
        "change": _change(values[-1], known if values[-1] is None else known[:-1]),
    }


def _change(last, former):
    if not former:
        return "first"
    usual = statistics.median(former)
    if last is None or last > usual + max(LEAST, usual * TOLERANCE):
        return "worse"
    return "better" if last < usual - max(LEAST, usual * TOLERANCE) else "same"


def table(found):
    """The trends as lines of text for people."""
    lines = [
        "{0:<26} {1:>5} {2:>10}  {3:<24} {4:<24} {5}".format(
            "fault", "runs", "recovered", "seen: last (median)", "well: last (median)", "last"
        )
    ]
    for trend in found:
        cells = [_cell(trend[name]) for name in MEASURES]
        lines.append(
            "{0:<26} {1:>5} {2:>10}  {3:<24} {4:<24} {5}".format(
                trend["fault"], trend["runs"], trend["recovered"], *cells, trend["last_at"][:16]
            )
        )
    return lines


def _cell(measure):
    if measure["median"] is None:
        return "never"
    last = "never" if measure["last"] is None else "{0:g} s".format(measure["last"])
    return "{0} ({1:g} s), {2}".format(last, measure["median"], measure["change"])
