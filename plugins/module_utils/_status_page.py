# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What everybody may know of incidents and maintenance, at a moment. Private: other collections must not import it.

Public are an incident's title, severity, impact, status, times and announcements. Notes, people, causes, references and what operations did
are not. What cannot be read is said to be unknown, never to be well. ``now`` is an aware datetime; all that is shown follows from the data
and from what is overdue at that moment, so that a page is only written anew when it says something else.
"""

from __future__ import annotations

import datetime

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident, _incident_policy
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._notification import harmless, one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

#: The worst first: a word for machines, and what people read.
STATES = {
    "outage": "Major outage",
    "degraded": "Some things do not work as they should",
    "unknown": "The state is not known at present",
    "minor": "A minor issue",
    "recovering": "A fix is in place and is being watched",
    "maintenance": "Maintenance is in progress",
    "operational": "All systems are operational",
}
_OF_SEVERITY = {"SEV-1": "outage", "SEV-2": "degraded", "SEV-3": "minor", "SEV-4": "minor"}
STATUS_WORDS = {"investigating": "Investigating", "identified": "Identified", "monitoring": "Monitoring", "resolved": "Resolved"}
#: What is said of a change of the status that nobody found words for.
_SENTENCES = {
    "investigating": "We are investigating.",
    "identified": "We have found the cause.",
    "monitoring": "A fix is in place, and we are watching it.",
    "resolved": "This is resolved.",
}


def page_of(kept, unreadable, params, now):
    """All that the page says. ``kept``: the incidents (`_incident_files.Kept`); ``unreadable``: whether there are others."""
    shown = [one for one in kept if one.record["severity"] in params["severities"]]
    opened = [_public(one, params["policy"], now) for one in shown if _incident.is_open(one.record)]
    since = to_iso(now - datetime.timedelta(days=params["history_days"]))
    past = [_public(one, params["policy"], now) for one in shown if (one.record["resolved_at"] or "") >= since]
    maintenance = [window for window in map(_maintenance, params["maintenance"]) if from_iso(window["ends_at"]) > now]
    for window in maintenance:
        window["in_progress"] = from_iso(window["starts_at"]) <= now
    state = _state(opened, unreadable, maintenance)
    return {
        "service": one_line(params["service"]),
        "url": params["url"],
        "contact": one_line(params["contact"] or ""),
        "state": state,
        "headline": STATES[state],
        "incidents": _newest_first(opened),
        "maintenance": sorted(maintenance, key=lambda window: window["starts_at"]),
        "history": _newest_first(past),
        "history_days": params["history_days"],
    }


def _newest_first(incidents):
    return sorted(incidents, key=lambda incident: (incident["started_at"] or "", incident["id"]), reverse=True)


def _state(opened, unreadable, maintenance):
    found = {"recovering" if one["status"] == _incident.MONITORING else _OF_SEVERITY.get(one["severity"], "unknown") for one in opened}
    found |= {"unknown"} if unreadable else set()
    found |= {"maintenance"} if any(window["in_progress"] for window in maintenance) else set()
    return next((state for state in STATES if state in found), "operational")


def _public(one, policy, now):
    record = one.record
    due = _incident_policy.update_due_at(policy, record) if policy else None
    if due is None and record["next_update_at"] and _incident.is_open(record):
        due = from_iso(record["next_update_at"])
    seconds = _incident.times_of(record, now)["seconds_to_resolve"]
    return {
        "id": record["id"],
        "title": one_line(record["title"]),
        "severity": record["severity"],
        "status": record["status"],
        "impact": harmless(record["impact"]),
        "started_at": record["started_at"] or record["opened_at"],
        "resolved_at": record["resolved_at"],
        "duration_seconds": seconds,
        "next_update_at": due and to_iso(due),
        "overdue": bool(due and due < now),
        "updates": _updates(one.entries),
    }


def _updates(entries):
    """What everybody was told, the newest first: announcements, and changes of the status."""
    found, status = [], None
    for entry in entries:
        changes = entry.get("changes")
        if not isinstance(changes, dict):
            continue
        changed = changes.get("status") not in (None, status)
        status = changes.get("status") or status
        said = harmless(entry.get("announcement") or "").strip()
        if said or changed:
            words = said or _SENTENCES.get(str(status), "")
            found.append({"id": entry.get("revision"), "time": entry.get("time"), "status": status, "text": words})
    return found[::-1]


def _maintenance(window):
    times = {}
    for name in ("starts_at", "ends_at"):
        try:
            moment = from_iso(window[name])
            if not moment.tzinfo:
                raise ValueError
            times[name] = to_iso(moment)
        except ValueError:
            message = (
                "{0} of the maintenance {1!r} is {2!r}: write a time with its zone, such as 2026-12-01T02:00:00Z. Nothing was written."
            )
            raise OpsError(message.format(name, window["title"], window[name]))
    if times["ends_at"] <= times["starts_at"]:
        message = "The maintenance {0!r} ends at {1}, before it starts. Nothing was written."
        raise OpsError(message.format(window["title"], times["ends_at"]))
    return dict(times, title=one_line(window["title"]), impact=harmless(window["impact"] or ""), in_progress=False)
