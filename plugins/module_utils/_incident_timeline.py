# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened in an incident: its own timeline, and what operations did in the meantime. Private: other collections must not import it.

Operations write themselves into the journal (`_journal`). They are merged in when somebody reads, not copied, so that nothing is written
down twice and neither can differ from the other.
"""

from __future__ import annotations

import collections
import datetime

from ansible_collections.astraldraft.ops.plugins.module_utils import _journal_review
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

INCIDENT, JOURNAL = "incident", "journal"
#: At most so many entries of the journal are merged in, the newest.
MOST = 2000
_WORDS = {
    "title": "title: {0}",
    "severity": "severity: {0}",
    "status": "status: {0}",
    "impact": "impact: {0}",
    "cause": "cause: {0}",
    "resolution": "resolution: {0}",
    "started_at": "began at {0}",
    "acknowledged_by": "acknowledged by {0}",
    "next_update_at": "next update at {0}",
}


class Windows:
    """The times of some incidents, each from ``lead`` seconds before it began until it was resolved, or ``now``."""

    def __init__(self, records, now, lead=0):
        self._windows = {}
        for record in records:
            begins = record["started_at"] or record["opened_at"]
            begins = begins and to_iso(from_iso(begins) - datetime.timedelta(seconds=lead))
            self._windows[record["id"]] = (begins or to_iso(now), record["resolved_at"] or to_iso(now))

    def of(self, entry):
        """The ids of those in which an operation ran, if only for a part of it, or which it names itself. ``entry`` is of a journal."""
        begins = _moment(entry.get("started_at")) or _moment(entry.get("ended_at")) or str(entry.get("time"))
        ends = _moment(entry.get("ended_at")) or str(entry.get("time"))
        return [
            name
            for name, (first, last) in self._windows.items()
            if entry.get("incident") == name or (begins <= last and max(begins, ends) >= first)
        ]


def _moment(text):
    """A time as it is compared; None for what is none."""
    try:
        moment = from_iso(text)
        return to_iso(moment) if moment.tzinfo else None
    except (AttributeError, TypeError, ValueError):
        return None


def from_journal(path, windows):
    """``{id: items}`` of the operations in the windows of incidents, and how many more there were. Raises OSError, OpsError."""
    found = collections.defaultdict(list)
    reading = _journal_review.read(path, lambda entry: bool(windows.of(entry)), MOST)
    for entry in reading.entries:
        for name in windows.of(entry):
            found[name].append(_of_journal(entry))
    return found, reading.matched - len(reading.entries)


def _of_journal(entry):
    """An operation as an item of a timeline. It stands where it began."""
    begins = _moment(entry["started_at"]) or _moment(entry["ended_at"]) or str(entry["time"])
    said = str(entry["summary"] or "").strip()
    return {
        "time": begins,
        "ended_at": _moment(entry["ended_at"]),
        "source": JOURNAL,
        "kind": str(entry["operation"]),
        "by": str(entry["operator"]),
        "text": "{0}: {1}".format(entry["verdict"], said) if said else str(entry["verdict"]),
        "verdict": str(entry["verdict"]),
        "changed": bool(entry["changed"]),
        "number": entry["sequence"],
    }


def of_entries(entries):
    """The items of an incident's own timeline."""
    items = []
    for entry in entries:
        if not isinstance(entry.get("changes"), dict):
            continue
        items.append(
            {
                "time": str(entry.get("time")),
                "ended_at": None,
                "source": INCIDENT,
                "kind": str(entry.get("kind")),
                "by": str(entry.get("by")),
                "text": "; ".join(part for part in _said(entry) + described(entry["changes"]) if part),
                "verdict": None,
                "changed": True,
                "number": entry.get("revision"),
            }
        )
    return items


def _said(entry):
    announced = str(entry.get("announcement") or "")
    return [str(entry.get("note") or ""), "announced: {0}".format(announced) if announced else ""]


def described(changes):
    """What changed, in words, one item each."""
    found = [words.format(changes[name]) for name, words in _WORDS.items() if changes.get(name)]
    found += ["{0}: {1}".format(role, name or "nobody") for role, name in sorted(changes.get("people", {}).items())]
    if "conditions" in changes:
        found.append("conditions: {0}".format(", ".join(changes["conditions"]) or "none"))
    found += ["{0}: {1}".format(name, value or "none") for name, value in sorted(changes.get("references", {}).items())]
    for action in changes.get("actions", []):
        done = ", done" if action["done_at"] else ", due {0}".format(action["due"]) if action["due"] else ""
        found.append("action {id}: {title} ({0}{1})".format(action["owner"] or "nobody", done, **action))
    for key, what in sorted(changes.get("notifications", {}).items()):
        found.append("{0} {1}".format("not sent" if what is None else "sent" if what.get("sent_at") else "sending", key))
    return found


def merged(own, operations):
    """All items in the order of their time; what happened at the same time in the order in which it was written."""
    return sorted(own + operations, key=lambda item: (item["time"], item["source"], item["number"] or 0))
