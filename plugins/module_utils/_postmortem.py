# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a post-mortem says, from the record of an incident and from what others know of that time. Private: others must not import it.

The document is data; `_postmortem_render` makes Markdown and HTML of it. Times in it are ISO 8601, UTC; ``now`` is an aware datetime.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._markup import moment
from ansible_collections.astraldraft.ops.plugins.module_utils._plots import Course, Mark
from ansible_collections.astraldraft.ops.plugins.module_utils._postmortem_evidence import Span
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

ALERT, SILENCE, RELEASE = "alert", "silence", "release"
#: Of what is drawn before the incident began and after it ended: as much as it lasted, within these limits.
SHORTEST_MARGIN, LONGEST_MARGIN = 600, 3600
#: What is younger may still be on its way into Prometheus, in seconds.
SETTLED = 10
#: Alerts of this severity are part of the watching, and detect nothing.
NO_ALARM = "none"
#: What must be filled in: the field, in words, and how it is given.
REQUIRED = {
    "title": "incident_update",
    "severity": "incident_severity",
    "impact": "incident_impact",
    "cause": "incident_cause",
    "resolution": "incident_resolution",
    "started_at": "incident_started_at",
    "acknowledged_at": "incident_update",
    "mitigated_at": "incident_status=monitoring",
    "resolved_at": "incident_resolve",
}
GRAPHS = {"error_rate": ("Failed requests", "%"), "latency": ("Latency, 95th percentile", "s"), "load": ("Load", "requests/s")}


def chosen(kept, identifier):
    """The Kept that is meant: the one with the id, else the one that is open, else the one that was resolved last. Raises OpsError."""
    records = [one.record for one in kept]
    opened = [record for record in records if _incident.is_open(record)]
    if identifier or opened:
        wanted = _incident.pick(records, identifier)
    elif records:
        wanted = max(records, key=lambda record: (record["resolved_at"] or "", record["id"]))
    else:
        raise OpsError("There is no incident to write a post-mortem of. Nothing was written. Is path right?")
    return next(one for one in kept if one.record is wanted)


def span_of(record, now, lead):
    """The :class:`Span` of an incident, ``lead`` in seconds. One that is open ends now, for the time being."""
    ends = from_iso(record["resolved_at"]).timestamp() if record["resolved_at"] else now.timestamp()
    began = record["started_at"] or record["opened_at"]
    starts = min(from_iso(began).timestamp(), ends) if began else ends
    margin = min(LONGEST_MARGIN, max(SHORTEST_MARGIN, ends - starts))
    drawn_to = max(ends, min(now.timestamp() - SETTLED, ends + margin))
    return Span(starts, ends, starts - lead, starts - margin, drawn_to, drawn_to == ends + margin)


# -- how long things took


def detected(record, alerts):
    """``(when, by what)``: the first alert that fired after it began, or whoever opened it, the earlier of the two."""
    opened, began = record["opened_at"], record["started_at"] or ""
    found = [
        (alert["firing_at"], "the alert {0}".format(alert["title"]))
        for alert in alerts or []
        if alert["firing_at"] and alert["firing_at"] >= began and not alert["before"] and alert["severity"] != NO_ALARM
    ]
    found += [(opened, "{0}, who opened the incident".format(record["opened_by"] or "somebody"))] if opened else []
    return min(found, default=(None, ""))


def times(record, detected_at, now):
    """Seconds from its start until it was detected, acknowledged, mitigated and resolved, and how long it lasted. None where not known."""
    known = _incident.times_of(record, now)
    found = {name: known["seconds_to_" + name] for name in ("acknowledge", "mitigate", "resolve")}
    began = record["started_at"]
    found["detect"] = round((from_iso(detected_at) - from_iso(began)).total_seconds(), 3) if detected_at and began else None
    return dict(found, lasted=known["seconds"])


def impact(record, found, measured):
    """What users noticed of it: for how long, by the record, and how much of it, by Prometheus."""
    names = ("requests", "failed_requests", "error_seconds", "probe_failed_seconds", "unknown_seconds", "complete")
    seconds = found["mitigate"] if record["mitigated_at"] else found["lasted"]
    return dict({name: measured[name] for name in names}, seconds=seconds, minutes=None if seconds is None else round(seconds / 60, 1))


# -- the timeline


def of_alerts(alerts):
    """The items of a timeline that alerts make, in the form of `_incident_timeline`."""
    found = []
    for alert in alerts or []:
        moments = (("pending", alert["pending_at"]), ("firing", alert["firing_at"]), ("ended", alert["ended_at"]))
        there = [(word, when) for word, when in moments if when]
        for number, (word, when) in enumerate(there):
            text = "{0} {1}".format(alert["title"], "has ended" if word == "ended" else "is " + word)
            text += (
                " ({0})".format(alert["severity"]) if word == "firing" and alert["severity"] and "severity=" not in alert["title"] else ""
            )
            text += ", and was so before" if alert["before"] and number == 0 else ""
            text += ", and goes on" if alert["ended_at"] is None and number == len(there) - 1 else ""
            found.append(_item(when, ALERT, word, "", text))
    return found


def of_silences(silences):
    found = []
    for one in silences or []:
        text = "{0} until {1}: {2}".format(", ".join(one["matchers"]), moment(one["ends_at"], seconds=True), one["comment"])
        found.append(_item(one["starts_at"], SILENCE, "silenced", one["owner"], text, one["ends_at"]))
    return found


def releases_in(releases, span):
    """Those releases (as `_release.fold` has them, with ``host``) that were under way in the time of the timeline, each once a host."""
    first, last = to_iso(span.looks_from), to_iso(span.ends)
    found = [one for one in releases if str(one["started_at"]) <= last and str(one["finished_at"] or one["started_at"]) >= first]
    return sorted(found, key=lambda one: (str(one["started_at"]), one["host"]))


def of_releases(releases):
    found = []
    for one in releases:
        text = "{0} of {1} on {2}: {3}".format(one["operation"], one["version"], one["host"], one["outcome"])
        text += ", traffic from {0}".format(moment(one["switched_at"], seconds=True)) if one["switched_at"] else ""
        text += ": {0}".format(one["message"]) if one["message"] else ""
        found.append(_item(one["started_at"], RELEASE, one["operation"], one["operator"], text, one["finished_at"]))
    return found


def _item(when, source, kind, by, text, ended=None):
    more = {"verdict": None, "changed": False, "number": None}
    return dict({"time": str(when), "ended_at": ended, "source": source, "kind": str(kind), "by": str(by or ""), "text": text}, **more)


# -- who was told


def told(entries, record, contacts):
    """Who was told what when: announcements to everybody, and notifications by their keys. The earliest comes first."""
    found = [
        {"time": str(entry.get("time")), "who": "everybody", "what": str(entry["announcement"]), "sent": True}
        for entry in entries
        if entry.get("announcement")
    ]
    for key, what in record["notifications"].items():
        parts = key.split("/")
        name = (contacts.get(parts[-1]) or {}).get("name") or parts[-1]
        when = what.get("sent_at") or what.get("claimed_at")
        found.append({"time": str(when), "who": name, "what": " ".join(parts[:-1]), "sent": bool(what.get("sent_at"))})
    return sorted(found, key=lambda one: (one["time"], one["who"], one["what"]))


# -- the document


def missing(record, failed_requests):
    """The names of required fields that are empty."""
    found = [name for name in REQUIRED if not record[name]]
    found += ["failed_requests"] if failed_requests is None else []
    found += ["actions"] if not record["actions"] else []
    for action in record["actions"]:
        found += ["{0} of action {1}".format(name, action["id"]) for name in ("owner", "due") if not action[name]]
    return found


def document(one, evidence, now):
    """All that a post-mortem says. ``one``: the Kept; ``evidence``: a dict of ``measured``, ``alerts``, ``silences``, ``releases``,
    ``operations``, ``own``, ``contacts``, ``span``, ``unknown`` and ``left_out``."""
    record, span = one.record, evidence["span"]
    detected_at, detected_by = detected(record, evidence["alerts"])
    found = times(record, detected_at, now)
    releases = releases_in(evidence["releases"], span)
    items = evidence["own"] + evidence["operations"] + of_releases(releases)
    items += of_alerts(evidence["alerts"]) + of_silences(evidence["silences"])
    names = ("id", "title", "severity", "status", "impact", "cause", "resolution", "conditions", "people", "references", "actions")
    moments = ("started_at", "opened_at", "opened_by", "acknowledged_at", "acknowledged_by", "mitigated_at", "resolved_at")
    return dict(
        {name: record[name] for name in names + moments},
        open=_incident.is_open(record),
        detected_at=detected_at,
        detected_by=detected_by,
        times=found,
        measured=impact(record, found, evidence["measured"]),
        overdue=[action["id"] for action in _incident.overdue_actions(record, now)],
        timeline=sorted(items, key=lambda item: (item["time"], item["source"], item["number"] or 0, item["text"])),
        left_out=evidence["left_out"],
        told=told(one.entries, record, evidence["contacts"]),
        unknown=list(evidence["unknown"]) + _unread(one.damaged),
        missing=missing(record, evidence["measured"]["failed_requests"]),
        graphs=evidence["measured"]["graphs"],
        marks=marks(record, releases),
        drawn=[span.drawn_from, span.drawn_to],
    )


def _unread(damaged):
    words = "What lines {0} of its timeline said is not known: they are no entries."
    return [words.format(", ".join(map(str, damaged)))] if damaged else []


def marks(record, releases):
    """``[label, seconds, kind]`` of what is marked in the graphs."""
    moments = (("began", record["started_at"]), ("mitigated", record["mitigated_at"]), ("resolved", record["resolved_at"]))
    found = [["incident began" if kind == "began" else kind, when, kind] for kind, when in moments if when]
    # The same release of several hosts is one mark.
    seen = {}
    for one in releases:
        seen.setdefault((one["operation"], one["version"]), one["switched_at"] or one["started_at"])
    found += [["{0} {1}".format(*key), when, "release"] for key, when in seen.items()]
    return [[label, from_iso(when).timestamp(), kind] for label, when, kind in found]


def courses(said):
    """The :class:`Course` of each graph that has something to show, by its name."""
    starts, ends = said["drawn"]
    kept = [Mark(*mark) for mark in said["marks"] if starts <= mark[1] <= ends]
    found = {}
    for name, (title, unit) in GRAPHS.items():
        points = said["graphs"][name]
        if any(value is not None for _moment, value in points):
            found[name] = Course(title, unit, points, starts, ends, kept)
    return found
