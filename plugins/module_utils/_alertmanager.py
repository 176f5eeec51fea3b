# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alertmanager through its API v2: alerts and silences as it has them, and as people read them.

Private: other collections must not import it.
"""

from __future__ import annotations

import email.utils
import functools
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _matchers
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural
from ansible_collections.astraldraft.ops.plugins.module_utils._http import safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, not_like, refusal
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, no_answer
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

SERVICE = "Alertmanager"
STATES = ("active", "silenced", "inhibited", "unprocessed")
#: Of members that do not agree, the first of these counts.
_LOUDEST = ("active", "unprocessed", "inhibited", "silenced")
SILENCE_STATES = ("active", "pending", "expired")
RUNBOOKS = ("runbook_url", "runbook")
#: In this order they tell one alert from another of the same name.
TELLING_LABELS = ("environment", "service", "job", "colour", "instance", "severity")
MOST_NAMED = 100
MAX_BYTES = 64 * 1024 * 1024
REFUSALS = (400, 422)
#: The options of a module that asks all members of a cluster.
MEMBERS_SPEC = {"url": {"type": "str"}, "urls": {"type": "list", "elements": "str", "default": []}}


def fetch(connection, path, parameters=(), accepted=(), **more):
    """One :class:`Answer` of the API v2. Raises ProbeError; reason bad_request where Alertmanager refuses what is asked of it."""
    try:
        answer = ask_json(connection, "/api/v2" + path, parameters, SERVICE, accepted=REFUSALS + accepted, max_bytes=MAX_BYTES, **more)
    except ProbeError as error:
        if error.reason == "not_found":
            error.next += " Alertmanager before 0.16 has no API v2."
        raise
    if answer.status in REFUSALS:
        message = "{0} at {1} refuses it: {2}".format(SERVICE, answer.url, answer.said or "it does not say why")
        raise ProbeError("wrong_answer", "bad_request", message, "Correct what it names.")
    return answer


def _listed(answer, keys):
    """The list in an answer, whose items must have these keys."""
    items = answer.document
    if not isinstance(items, list) or not all(isinstance(item, dict) and keys <= set(item) for item in items):
        raise not_like(SERVICE, answer.url)
    if not all(isinstance(item["status"], dict) and item["status"].get("state") for item in items):
        raise not_like(SERVICE, answer.url)
    return items


def server_clock(headers):
    """Seconds since the epoch by the service's own clock, to a second; ours where it does not tell.

    A silence begins and ends by that clock, whatever the clock of whoever asks for it.
    """
    try:
        return email.utils.parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return time.time()


def addresses(options):
    """The members that the options ``url`` and ``urls`` name, each once. Raises OpsError where there is none."""
    found = list(dict.fromkeys(url for url in [options["url"]] + options["urls"] if url))
    if not found:
        raise OpsError("No Alertmanager is named. Give its address in url, or those of a cluster in urls.")
    return found


def ask_members(urls, connection, question, questions=1, heartbeat=None):
    """``question(connection of a member)`` of each at the same time: a list of what they said, or of the ProbeError that it came to.

    ``questions``: how many requests one takes at most, each within the time limit. Any other exception is raised.
    """
    seconds, found = questions * connection["timeout"], []
    jobs = [(functools.partial(question, dict(connection, url=url)), seconds) for url in urls]
    for url, answer in zip(urls, in_parallel(jobs, heartbeat)):
        answer = no_answer(safe_url(url), seconds) if answer is None else answer
        if isinstance(answer, Exception) and not isinstance(answer, ProbeError):
            raise answer
        found.append(answer)
    return found


def silent_members(members):
    """One phrase about those of :func:`member` that did not answer, with what to do."""
    silent = [one for one in members if not one["answered"]]
    return "; ".join("{0} {1}".format(one["message"].rstrip("."), "({0})".format(one["next"]) if one["next"] else "") for one in silent)


def alerts(connection, matchers=()):
    """``(alerts that fire, as the API has them, the server's clock)``. The server itself compares: its patterns are not Python's."""
    answer = fetch(connection, "/alerts", [("filter", str(matcher)) for matcher in matchers])
    return _listed(answer, {"labels", "status", "startsAt", "fingerprint"}), server_clock(answer.headers)


def silences(connection):
    """``(silences as the API has them, those that are over for less than the retention time among them, the server's clock)``."""
    answer = fetch(connection, "/silences")
    return _listed(answer, {"id", "status", "matchers", "createdBy", "startsAt", "endsAt"}), server_clock(answer.headers)


def status(connection):
    """Its ``version`` and ``cluster``: a dict of ``status`` (ready, settling, disabled) and ``peers``, how many there are with it."""
    answer = fetch(connection, "/status")
    document = answer.document
    if not isinstance(document, dict) or not isinstance(document.get("versionInfo"), dict):
        raise not_like(SERVICE, answer.url)
    cluster = document.get("cluster") or {}
    return {
        "version": str(document["versionInfo"].get("version", "")),
        "cluster": {"status": cluster.get("status", "disabled"), "peers": len(cluster.get("peers") or [])},
    }


def put_silence(connection, document):
    """Create or change a silence; returns its id, which is a new one where Alertmanager could not change it in place."""
    answer = fetch(connection, "/silences", method="POST", body=document)
    if not isinstance(answer.document, dict) or not answer.document.get("silenceID"):
        raise not_like(SERVICE, answer.url)
    return answer.document["silenceID"]


def expire_silence(connection, silence_id):
    """End a silence. One that is over already, or unknown, is no error: older versions say so with 500, later ones with 404."""
    answer = fetch(connection, "/silence/" + silence_id, accepted=(404, 500), method="DELETE", text=True)
    over = "expired" in answer.said or "not found" in answer.said
    # Alertmanager's own 404 has no body or JSON; where the address is wrong, a page or a text stands there.
    known = {404: answer.document is not None or not answer.said, 500: answer.document is not None and over}
    if not known.get(answer.status, True):
        raise refusal(answer, SERVICE)


# -- as people read them


def name_of(labels):
    """What people call an alert: ``TargetDown (job=app, instance=10.0.0.7:3000)``."""
    telling = ["{0}={1}".format(label, labels[label]) for label in TELLING_LABELS if labels.get(label)][:3]
    name = labels.get("alertname", "an alert without a name")
    return "{0} ({1})".format(name, ", ".join(telling)) if telling else name


def runbook_of(annotations):
    return next((annotations[name] for name in RUNBOOKS if annotations.get(name)), None)


def names(found):
    """The names of alerts as the API has them, sorted; two of one name are told twice."""
    return sorted(name_of(alert["labels"]) for alert in found)


def state_of(alert):
    """active, silenced, inhibited or unprocessed. One that is both silenced and inhibited is silenced: somebody wanted it so."""
    told = alert["status"]
    if told.get("silencedBy"):
        return "silenced"
    if told.get("inhibitedBy") or told.get("mutedBy") or told.get("state") == "suppressed":
        return "inhibited"
    return "unprocessed" if told.get("state") == "unprocessed" else "active"


def silence_record(silence, now):
    """A silence as it is returned."""
    ends = from_iso(silence["endsAt"]).timestamp()
    state = silence["status"]["state"]
    return {
        "id": silence["id"],
        "state": state,
        "matchers": sorted(str(_matchers.of_api(item)) for item in silence["matchers"]),
        "owner": silence["createdBy"],
        "comment": silence.get("comment", ""),
        "starts_at": to_iso(from_iso(silence["startsAt"])),
        "ends_at": to_iso(from_iso(silence["endsAt"])),
        "seconds_left": 0 if state == "expired" else max(0, round(ends - now)),
    }


def alert_record(alert, now, known=None):
    """An alert as it is returned. ``known``: id to silence_record, for who silenced it."""
    labels, annotations, told = alert["labels"], alert.get("annotations") or {}, alert["status"]
    starts = from_iso(alert["startsAt"])
    return {
        "name": labels.get("alertname", ""),
        "title": name_of(labels),
        "fingerprint": alert["fingerprint"],
        "state": state_of(alert),
        "labels": labels,
        "annotations": annotations,
        "runbook": runbook_of(annotations),
        "starts_at": to_iso(starts),
        "age_seconds": max(0, round(now - starts.timestamp())),
        "silenced_by": [_silencer(one, known or {}) for one in told.get("silencedBy") or []],
        "inhibited_by": list(told.get("inhibitedBy") or []),
        "receivers": sorted(item["name"] for item in alert.get("receivers") or [] if item.get("name")),
        "known_to": [],
    }


def _silencer(silence_id, known):
    found = known.get(silence_id, {})
    return dict({"id": silence_id}, **{key: found.get(key) for key in ("owner", "comment", "ends_at", "seconds_left")})


def records_of(connection, found, now):
    """The records of alerts as the API has them, with who silenced them; the silences are asked for only where one is silenced.

    Raises AttributeError, KeyError, TypeError or ValueError on what are none.
    """
    known = {}
    if any(alert["status"].get("silencedBy") for alert in found):
        known = {silence["id"]: silence_record(silence, now) for silence in silences(connection)[0]}
    return [alert_record(alert, now, known) for alert in found]


def look(connection, matchers=()):
    """The records of the alerts of one Alertmanager."""
    found, now = alerts(connection, matchers)
    try:
        return records_of(connection, found, now)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise not_like(SERVICE, safe_url(connection["url"]))


def merged(by_url):
    """The alerts of a cluster, each once. ``by_url``: address to records; an alert is known by its fingerprint.

    Where members do not agree, an alert is as loud as it is for the one that would tell of it: whoever hears nothing of a silence sends.
    """
    found = {}
    for url, records in by_url.items():
        for record in records:
            known = found.setdefault(record["fingerprint"], record)
            known["known_to"].append(url)
            if known is record:
                continue
            if _LOUDEST.index(record["state"]) < _LOUDEST.index(known["state"]):
                known["state"] = record["state"]
            there = {one["id"] for one in known["silenced_by"]}
            known["silenced_by"] += [one for one in record["silenced_by"] if one["id"] not in there]
            known["inhibited_by"] = sorted(set(known["inhibited_by"]) | set(record["inhibited_by"]))
            if record["starts_at"] < known["starts_at"]:
                known.update(starts_at=record["starts_at"], age_seconds=record["age_seconds"])
    return sorted(found.values(), key=lambda record: (STATES.index(record["state"]), record["starts_at"], record["title"]))


def by_silence(found):
    """Id of a silence to the alerts, as the API has them, that it hides."""
    hidden = {}
    for alert in found:
        for silence_id in alert["status"].get("silencedBy") or []:
            hidden.setdefault(silence_id, []).append(alert)
    return hidden


def member(url, answer):
    """What is returned about one that was asked; ``answer`` is what it said, or the exception that it came to. Raises any other."""
    if not isinstance(answer, Exception):
        return {"url": url, "answered": True, "reason": "ok", "message": "{0} answered".format(url), "next": ""}
    if not isinstance(answer, ProbeError):
        raise answer
    return {"url": url, "answered": False, "reason": answer.reason, "message": answer.message, "next": answer.next}


def counts(records):
    found = {state: sum(record["state"] == state for record in records) for state in STATES}
    return dict(found, total=len(records))


def summary(counted, silent):
    """One sentence: ``3 alerts: 1 active, 2 silenced``."""
    states = ", ".join("{0} {1}".format(counted[state], state) for state in STATES if counted[state])
    told = "{0} {1}".format(counted["total"], plural("alert", counted["total"])) + (states and ": " + states)
    return told + ("; {0} of the Alertmanagers told nothing".format(silent) if silent else "")
