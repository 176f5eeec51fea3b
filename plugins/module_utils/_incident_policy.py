# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told what when: what a policy says of an incident at a moment. Private: other collections must not import it.

It is asked every few minutes and remembers nothing: what is due follows from the record and the clock, what was sent is in the record, by
a key that is always the same. So a run that was missed is made up for by the next one, and nothing is sent twice. ``now`` is an aware
datetime. A policy that `_incident_policy_lint` finds no fault with is taken; see docs/incidents.md for its form.
"""

from __future__ import annotations

import datetime

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident
from ansible_collections.astraldraft.ops.plugins.module_utils._incidents import SEVERITIES
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso, zone

ESCALATION, CONDITION, UPDATE = "escalation", "condition", "update"
ALWAYS, BUSINESS = "always", "business"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ACKNOWLEDGED = "acknowledged"
#: This holds of every incident whose cause is not known. All other conditions are what people say (the record's ``conditions``).
CAUSE_UNKNOWN = "cause_unknown"
#: An update that nobody gives is asked for again and again, but a reminder of long ago need not be found.
_MOST_REMINDERS = 10000


# -- hours


class Hours:
    """The time that counts: all of it, or that in which people work."""

    def __init__(self, kind, business=None):
        """``business``: ``days`` (list of DAYS), ``starts`` and ``ends`` (``09:00``), ``timezone``, ``holidays`` (list of dates)."""
        self._business: dict = (business or {}) if kind == BUSINESS else {}

    def after(self, moment, minutes):
        """The moment when so many minutes that count are over. None of them: the first one that counts."""
        left = datetime.timedelta(minutes=minutes)
        if not self._business:
            return moment + left
        place = zone(self._business.get("timezone") or "UTC")
        day = moment.astimezone(place).date()
        while True:
            begins, ends = (self._at(day, self._business[name], place) for name in ("starts", "ends"))
            begins = max(begins, moment)
            if self._works(day) and begins < ends:
                if left <= ends - begins:
                    return begins + left
                left -= ends - begins
            day += datetime.timedelta(days=1)

    def _works(self, day):
        return DAYS[day.weekday()] in self._business["days"] and day.isoformat() not in (self._business.get("holidays") or [])

    @staticmethod
    def _at(day, text, place):
        """A time of the clock on the wall, as a moment: differences of those are true when the clock is changed."""
        hour, minute = (int(part) for part in text.split(":"))
        midnight = datetime.datetime(day.year, day.month, day.day, tzinfo=place)
        if hour == 24:
            midnight, hour = midnight + datetime.timedelta(days=1), 0
        return midnight.replace(hour=hour, minute=minute).astimezone(datetime.timezone.utc)


# -- what is due


def severity_of(policy, name):
    """What the policy says of a severity; None when it says nothing."""
    return next((severity for severity in policy["severities"] if severity["name"] == name), None)


def hours_of(policy, severity):
    return Hours(severity.get("hours") or ALWAYS, policy.get("business_hours"))


def what_is_due(policy, record, now):
    """What is to be sent now: dicts of ``key``, ``kind``, ``severity``, ``contact``, ``name``, ``due_at``, ``late_seconds``, ``why``.

    The earliest comes first. Nothing of an incident that is resolved, and nothing that was sent or that somebody is about to send.
    """
    severity = severity_of(policy, record["severity"])
    if severity is None or not _incident.is_open(record):
        return []
    found = _escalations(policy, record, severity, now) + _conditions(policy, record, severity, now)
    reminder = _reminder(policy, record, severity, now)
    found = [one for one in found + ([reminder] if reminder else []) if _incident.may_send(record, one["key"], now)]
    return sorted(found, key=lambda one: (one["due_at"], one["key"]))


def _notification(policy, record, key, contact, due, now, why):
    return {
        "key": "/".join(str(part) for part in key),
        "kind": key[0],
        "severity": record["severity"],
        "contact": contact,
        "name": (policy["contacts"].get(contact) or {}).get("name") or contact,
        "due_at": to_iso(due),
        "late_seconds": round((now - due).total_seconds()),
        "why": why,
    }


def _since(record, *names):
    """The first of these times that the record has; None when it has none, as one of another hand."""
    return next((from_iso(record[name]) for name in names if record[name]), None)


def _escalations(policy, record, severity, now):
    """The steps of the chain whose time has come, for each of those whom they name."""
    hours, since = hours_of(policy, severity), _since(record, "severity_at", "opened_at") or now
    found = []
    for step in policy["chains"].get(severity.get("chain"), []):
        due = hours.after(since, step["after_minutes"])
        if due > now or (step.get("unless") == ACKNOWLEDGED and record["acknowledged_at"]):
            continue
        why = "{0} for {1} minutes".format(severity["name"], step["after_minutes"]) if step["after_minutes"] else severity["name"]
        why += ", and nobody has acknowledged it" if step.get("unless") == ACKNOWLEDGED else ""
        for contact in step["notify"]:
            if not _knows_of_worse(record, contact):
                key = (ESCALATION, severity["name"], step["after_minutes"], contact)
                found.append(_notification(policy, record, key, contact, due, now, why))
    return found


def _knows_of_worse(record, contact):
    """Whether somebody was told when the incident was worse than it is: they need not be told that it is less."""
    for key in record["notifications"]:
        kind, _slash, rest = key.partition("/")
        told, _slash, rest = rest.partition("/")
        if kind == ESCALATION and rest.rpartition("/")[2] == contact and told in SEVERITIES and told < record["severity"]:
            return True
    return False


def _conditions(policy, record, severity, now):
    """Those who are told because of what is the case besides, each once for each condition."""
    held = set(record["conditions"]) | (set() if record["cause"] else {CAUSE_UNKNOWN})
    hours, since = hours_of(policy, severity), _since(record, "opened_at") or now
    found = []
    for rule in policy.get("conditions") or []:
        due = hours.after(since, rule.get("after_minutes") or 0)
        if rule["name"] in held and severity["name"] in (rule.get("severities") or SEVERITIES) and due <= now:
            why = rule.get("why") or rule["name"].replace("_", " ")
            for contact in rule["notify"]:
                found.append(_notification(policy, record, (CONDITION, rule["name"], contact), contact, due, now, why))
    return found


def update_due_at(policy, record):
    """When the next update is due: as it was promised, or by the severity's cadence. None when none is."""
    severity = severity_of(policy, record["severity"])
    if severity is None or not _incident.is_open(record):
        return None
    said, promised = _since(record, "updated_at", "opened_at"), _since(record, "next_update_at")
    if promised and (said is None or promised > said):
        return promised
    every = severity.get("update_minutes")
    return hours_of(policy, severity).after(said, every) if every and said else None


def _reminder(policy, record, severity, now):
    """That an update is due. One that is still not given is asked for anew whenever another one would be; only the last time counts."""
    due = update_due_at(policy, record)
    if due is None or due > now:
        return None
    every, hours = severity.get("update_minutes"), hours_of(policy, severity)
    for _number in range(_MOST_REMINDERS if every else 0):
        following = hours.after(due, every)
        if following > now:
            break
        due = following
    contact = who_updates(policy, record, severity)
    name = next((record["people"][role] for role in ("communications", "commander") if record["people"].get(role)), None)
    found = _notification(policy, record, (UPDATE, to_iso(due)), contact, due, now, "an update is due")
    return dict(found, name=name or found["name"])


def who_updates(policy, record, severity):
    """Whoever tells the others, else who leads, else the first of the chain."""
    role = next((role for role in ("communications", "commander") if record["people"].get(role)), None)
    first = (policy["chains"].get(severity.get("chain")) or [{"notify": [""]}])[0]["notify"]
    return role or (first[0] if first else "")


def lines(policy):
    """What a policy says of each severity, for people, one line each."""
    return [_line(policy, severity) for severity in policy["severities"]]


def _line(policy, severity):
    steps = [
        "{0} after {1} min{2}".format(
            ", ".join(step["notify"]), step["after_minutes"], " unless it is acknowledged" if step.get("unless") else ""
        )
        for step in policy["chains"][severity["chain"]]
    ]
    every = severity.get("update_minutes")
    return "{0}: answered within {1} min ({2}), {3}; {4}".format(
        severity["name"],
        severity["response_minutes"],
        severity.get("hours") or ALWAYS,
        "an update every {0} min".format(every) if every else "no updates",
        "; ".join(steps),
    )
