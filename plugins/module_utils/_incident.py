# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an incident is, and what becomes of it by what somebody says of it. Private: other collections must not import it.

An incident is what the entries of its timeline made of it, one after the other: each holds the fields that it changed. The record is that
sum, so what was written to the timeline and not yet to the record is not lost. Times in it are ISO 8601, UTC; ``now`` is an aware datetime.
"""

from __future__ import annotations

import copy
import datetime
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._incidents import RESOLVED, SEVERITIES
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact, redact_text
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso

INVESTIGATING, IDENTIFIED, MONITORING = "investigating", "identified", "monitoring"
STATUSES = (INVESTIGATING, IDENTIFIED, MONITORING, RESOLVED)
PEOPLE = ("commander", "scribe", "communications")
OPENED, REOPENED, UPDATED, NOTIFIED, ENDED = "opened", "reopened", "updated", "notified", "resolved"
#: Whoever has said that they send a notification, and not that they have, has died after so many seconds: another one sends it.
CLAIM_SECONDS = 600
#: What a key begins with that stands for something that everybody is told.
ANNOUNCEMENT = "announcement"
LONGEST_TITLE = 200
#: A record before its first entry. ``revision`` is the number of the last entry that is in it.
NOTHING = {
    "id": "",
    "title": "",
    "severity": "",
    "severity_at": None,
    "status": "",
    "impact": "",
    "cause": "",
    "resolution": "",
    "conditions": [],
    "people": {},
    "references": {},
    "actions": [],
    "notifications": {},
    "started_at": None,
    "opened_at": None,
    "opened_by": "",
    "acknowledged_at": None,
    "acknowledged_by": "",
    "mitigated_at": None,
    "resolved_at": None,
    "updated_at": None,
    "next_update_at": None,
    "revision": 0,
}
ACTION = {"id": 0, "title": "", "owner": "", "due": None, "done_at": None}
_TEXTS = ("impact", "cause", "resolution")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CONDITION = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBERED = re.compile(r"(\d{4})-(\d{4,})", re.ASCII)


# -- the record


def fold(record, entry):
    """The record after an entry of its timeline."""
    after = copy.deepcopy(record)
    for name, value in entry.get("changes", {}).items():
        if name == "actions":
            kept = {action["id"]: action for action in after["actions"] + value}
            after["actions"] = [kept[number] for number in sorted(kept)]
        elif isinstance(after.get(name), dict) and isinstance(value, dict):
            after[name].update(value)
            after[name] = {key: item for key, item in after[name].items() if item is not None}
        else:
            after[name] = value
    after["revision"] = entry["revision"]
    return after


def record_of(snapshot, entries):
    """The record that a snapshot (a dict, or None) and the entries since then make; None when there is neither."""
    record = dict(copy.deepcopy(NOTHING), **{name: value for name, value in (snapshot or {}).items() if name in NOTHING})
    for entry in entries:
        revision = entry.get("revision")
        if isinstance(revision, int) and revision > record["revision"] and isinstance(entry.get("changes"), dict):
            record = fold(record, entry)
    return record if record["id"] else None


def is_open(record):
    return record["status"] != RESOLVED


def new_id(taken, now):
    """The next id of this year: ids are in the order in which incidents were opened."""
    year = now.strftime("%Y")
    numbers = [int(match.group(2)) for match in map(_NUMBERED.fullmatch, taken) if match and match.group(1) == year]
    return "{0}-{1:04d}".format(year, max(numbers, default=0) + 1)


def check_id(text):
    """Raises OpsError for what cannot be the name of an incident's folder."""
    if not _ID.fullmatch(text):
        raise OpsError("{0!r} is no id of an incident. Write it as incident_info lists it, such as 2026-0001.".format(text))
    return text


def pick(records, identifier=None):
    """The record that is meant: the one with the id, or else the one that is open. Raises OpsError when it is none, or not clear which."""
    if identifier:
        found = [record for record in records if record["id"] == check_id(identifier)]
        if not found:
            raise OpsError(
                "There is no incident {0}; known are {1}. Nothing was written. Correct id.".format(
                    identifier, ", ".join(record["id"] for record in records) or "none"
                )
            )
        return found[0]
    found = [record for record in records if is_open(record)]
    if not found:
        raise OpsError("No incident is open. Nothing was written. Open one (state: open), or give the id of one that was resolved.")
    if len(found) > 1:
        raise OpsError(
            "{0} incidents are open ({1}), so it is not clear which is meant. Nothing was written. Give id.".format(
                len(found), "; ".join("{id}: {title}".format(**record) for record in found)
            )
        )
    return found[0]


def same_title(records, title):
    """The open record with this title, or None."""
    return next((record for record in records if is_open(record) and record["title"].casefold() == title.casefold()), None)


# -- what is asked for


def request_of(params, now):
    """What the options ask for, checked, without secrets: None where they say nothing. Raises OpsError."""
    title = None if params["title"] is None else redact_text(" ".join(params["title"].split()))
    if title is not None and not 0 < len(title) <= LONGEST_TITLE:
        message = "The title has {0} characters; give 1 to {1}, and the rest as impact or note. Nothing was written."
        raise OpsError(message.format(len(title), LONGEST_TITLE))
    wrong = [word for word in params["conditions"] or [] if not _CONDITION.fullmatch(word)]
    if wrong:
        raise OpsError(
            "{0!r} is no condition: write words such as data_loss, as the policy names them. Nothing was written.".format(wrong[0])
        )
    found = {name: params[name] for name in ("severity", "status", "conditions", "acknowledged_by")}
    found.update({name: None if params[name] is None else redact_text(params[name].strip()) for name in _TEXTS})
    found.update(
        title=title,
        note=redact_text((params["note"] or "").strip()),
        announcement=redact_text((params["announcement"] or "").strip()),
        people={role: name.strip() or None for role, name in (params["people"] or {}).items() if name is not None},
        references=redact({str(key): str(value or "") or None for key, value in (params["references"] or {}).items()}),
        actions=[_wanted_action(action) for action in params["actions"] or []],
        started_at=_moment("started_at", params["started_at"], now, -1),
        next_update_at=_moment("next_update", params["next_update"], now, 1),
        claim=list(params["claim"] or []),
        sent=list(params["sent"] or []),
        unsent=list(params["unsent"] or []),
    )
    return found


def _moment(name, text, now, direction):
    """A time as it is kept. A duration is so long ago (``direction`` -1) or from now."""
    if not text:
        return None
    try:
        return to_iso(now + direction * datetime.timedelta(seconds=duration_seconds(text)))
    except (ValueError, OverflowError):
        pass
    try:
        moment = from_iso(text)
        if moment.tzinfo:
            return to_iso(moment)
    except ValueError:
        pass
    message = "{0} is {1!r}: write a duration such as 30m, or a time with its zone, such as 2026-11-23T18:47:05Z. Nothing was written."
    raise OpsError(message.format(name, text))


def _wanted_action(wanted):
    title = redact_text(" ".join(str(wanted["title"]).split()))
    due = wanted.get("due")
    try:
        if due and (not _DATE.fullmatch(due) or not datetime.date.fromisoformat(due)):
            raise ValueError
    except ValueError:
        message = "The action item {0!r} is due on {1!r}: write a day such as 2026-12-24. Nothing was written."
        raise OpsError(message.format(title, due))
    return {"title": title, "owner": wanted.get("owner"), "due": due, "done": wanted.get("done")}


# -- what changes


def opening(records, request, identifier, now):
    """``(record before or None, kind, changes)`` of an incident that is to be open.

    One that is open under this title is left as it is, but for a severity that is worse: whoever is in doubt takes the worse one.
    """
    if identifier is None:
        if not request["title"] or not request["severity"]:
            raise OpsError("An incident is opened with a title and a severity. Nothing was written. Give both.")
        found = same_title(records, request["title"])
        if found:
            return found, UPDATED, _raised(found, request, now)
        first = {"opened_at": to_iso(now), "started_at": request["started_at"] or to_iso(now)}
        return None, OPENED, dict(differences(NOTHING, dict(request, status=request["status"] or INVESTIGATING), now), **first)
    found = pick(records, identifier)
    if is_open(found):
        return found, UPDATED, _raised(found, request, now)
    changes = differences(found, dict(request, status=request["status"] or INVESTIGATING), now)
    return found, REOPENED, changes


def _raised(record, request, now):
    worse = request["severity"] and SEVERITIES.index(request["severity"]) < _rank(record["severity"])
    return {"severity": request["severity"], "severity_at": to_iso(now)} if worse else {}


def _rank(severity):
    """The place of a severity; one that is none is the least."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def differences(record, request, now):
    """The fields of a record that differ after what is asked for."""
    moment = to_iso(now)
    wanted = {name: request[name] for name in ("title", "severity", "started_at", "next_update_at") + _TEXTS if request[name]}
    if request["conditions"] is not None:
        wanted["conditions"] = sorted(set(request["conditions"]))
    changes = {name: value for name, value in wanted.items() if value != record[name]}
    if "severity" in changes:
        changes["severity_at"] = moment
    for name in ("people", "references"):
        some = {key: value for key, value in request[name].items() if value != record[name].get(key)}
        changes.update({name: some} if some else {})
    if request["acknowledged_by"] and not record["acknowledged_at"]:
        changes.update(acknowledged_at=moment, acknowledged_by=request["acknowledged_by"])
    actions = _changed_actions(record["actions"], request["actions"], moment)
    changes.update({"actions": actions} if actions else {})
    changes.update(_status_changes(record, request["status"], moment))
    return changes


def _status_changes(record, status, moment):
    """What goes with a status: when it was mitigated and resolved, as far as that holds still."""
    if not status or status == record["status"]:
        return {}
    changes = {"status": status}
    if status == RESOLVED:
        changes.update(resolved_at=moment, mitigated_at=record["mitigated_at"] or moment, next_update_at=None)
    elif status == MONITORING:
        changes.update(mitigated_at=record["mitigated_at"] or moment, resolved_at=None)
    else:
        changes.update(mitigated_at=None, resolved_at=None)
    return {name: value for name, value in changes.items() if value != record[name]}


def _changed_actions(known, wanted, moment):
    """The action items that differ. One is found again by its title."""
    changed, number = [], max((action["id"] for action in known), default=0)
    for item in wanted:
        found = next((action for action in known + changed if action["title"].casefold() == item["title"].casefold()), None)
        after = dict(found or ACTION, title=item["title"] if not found else found["title"])
        after.update({name: item[name] for name in ("owner", "due") if item[name] is not None})
        if item["done"] is not None:
            after["done_at"] = (after["done_at"] or moment) if item["done"] else None
        if found is None:
            number += 1
            after["id"] = number
        if after != found:
            changed = [action for action in changed if action["id"] != after["id"]] + [after]
    return changed


def notified(record, request, now):
    """``(changes, claimed)``: notifications that are about to be sent, and those that were. A key is claimed by one at a time.

    Of an incident that was resolved in the meantime nothing is to be sent any more but what everybody is told of it.
    """
    changes, claimed = {}, []
    for key in request["claim"]:
        wanted = is_open(record) or key.startswith(ANNOUNCEMENT + "/")
        if wanted and may_send(record, key, now) and key not in claimed:
            claimed.append(key)
            changes[key] = {"claimed_at": to_iso(now), "sent_at": None}
    for key in request["unsent"]:
        # Taken out of the record: the next one need not wait until whoever claimed it must have died.
        if not (record["notifications"].get(key) or {"sent_at": True}).get("sent_at"):
            changes[key] = None
    for key in request["sent"]:
        known = record["notifications"].get(key) or {}
        if not known.get("sent_at"):
            changes[key] = {"claimed_at": known.get("claimed_at") or to_iso(now), "sent_at": to_iso(now)}
    return {"notifications": changes} if changes else {}, claimed


def may_send(record, key, now):
    """Whether a notification was not sent, and nobody is about to send it."""
    known = record["notifications"].get(key)
    if not known:
        return True
    if known.get("sent_at"):
        return False
    return now - from_iso(known["claimed_at"]) >= datetime.timedelta(seconds=CLAIM_SECONDS)


def step(state, identifier, request, kept, names, operator, now):
    """``(of, entry, claimed)``: which of ``kept`` (with ``record`` and ``entries``; None: a new one) gets which entry (None: none)."""
    records = [one.record for one in kept]
    if identifier in names and identifier not in [record["id"] for record in records]:
        message = (
            "The incident {0} cannot be read: neither its incident.json nor its timeline.jsonl is whole. Nothing was written. Mend one."
        )
        raise OpsError(message.format(identifier))
    if state == RESOLVED and request["status"]:
        raise OpsError(
            "An incident that is resolved has no other status: {0} does not go with it. Nothing was written.".format(request["status"])
        )
    if state == "open":
        record, kind, changes = opening(records, request, identifier, now)
    elif state == RESOLVED and not identifier and not any(map(is_open, records)):
        return None, None, []
    else:
        record = pick(records, identifier)
        changes = differences(record, dict(request, status=RESOLVED) if state == RESOLVED else request, now)
        kind = ENDED if changes.get("status") == RESOLVED else UPDATED
    if record is None:
        changes = dict(changes, id=new_id(names, now), opened_by=operator)
        return None, _entry(NOTHING, kind, _words(request), changes, operator, now), []
    of = next(one for one in kept if one.record is record)
    notifications, claimed = notified(record, request, now)
    words = _words(request) if state != "open" or changes else {}
    if not changes and _said_last(of.entries, words, operator):
        words = {}
    if notifications and not changes and not words:
        kind = NOTIFIED
    changes = dict(changes, **notifications)
    return of, _entry(record, kind, words, changes, operator, now) if changes or words else None, claimed


def _words(said):
    """What is said in a request or in an entry, among the team (``note``) and to everybody (``announcement``)."""
    return {name: said[name] for name in ("note", "announcement") if said.get(name)}


def _said_last(entries, words, operator):
    """Whether the last words in a timeline are these, by this person."""
    last: dict = next((entry for entry in reversed(entries) if _words(entry)), {})
    return (_words(last), last.get("by")) == (words, operator)


def _entry(record, kind, words, changes, operator, now):
    """The next entry of a timeline. What everybody is told, and what begins or ends an incident, is an update of it."""
    if words.get("announcement") or kind in (OPENED, REOPENED, ENDED):
        changes = dict(changes, updated_at=to_iso(now))
    entry = {"revision": record["revision"] + 1, "time": to_iso(now), "kind": kind, "by": operator, "note": "", "announcement": ""}
    return dict(entry, changes=changes, **words)


def overdue_actions(record, now):
    """The action items whose day is over and that are not done."""
    today = now.date().isoformat()
    return [action for action in record["actions"] if action["due"] and not action["done_at"] and action["due"] < today]


def times_of(record, now):
    """How long things took, in seconds: to acknowledge, to mitigate and to resolve, from its start; and how long it has lasted."""

    def seconds(ends):
        return round((from_iso(ends) - from_iso(record["started_at"])).total_seconds(), 3) if ends and record["started_at"] else None

    return {
        "seconds_to_acknowledge": seconds(record["acknowledged_at"]),
        "seconds_to_mitigate": seconds(record["mitigated_at"]),
        "seconds_to_resolve": seconds(record["resolved_at"]),
        "seconds": seconds(record["resolved_at"] or to_iso(now)),
    }
