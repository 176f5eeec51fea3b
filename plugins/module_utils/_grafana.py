# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grafana's condition and that of its data sources. Private: other collections must not import it.

A data source is asked through its own health endpoint (Grafana 9 and newer), which asks the plug-in that serves it. A plug-in may have no
such check, or no part in the server at all: that is no fault of what it shows.
"""

from __future__ import annotations

import time
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SERVICE = "Grafana"
HEALTHY, UNHEALTHY, UNSUPPORTED, MISSING, UNKNOWN = "healthy", "unhealthy", "unsupported", "missing", "unknown"
#: Refusals after which nobody knows more than before.
OUR_FAULT = ("our_credentials", "forbidden")
AT_ONCE = 8
LATE = "What it shows hangs, or cannot be reached from Grafana. Raise timeout if it is slow by nature."
PERMISSIONS = "Give the service account datasources:read and datasources:query (role Admin has both), or correct bearer_token."


def readiness(connection):
    """How Grafana itself is: a dict of verdict, reason, message, next, version, database. Nobody needs a token for that."""
    answer = {"version": None, "database": None}
    try:
        found = ask_json(connection, "/api/health", service=SERVICE, accepted=(503,))
        document = found.document
        if not isinstance(document, dict) or "database" not in document:
            raise not_like(SERVICE, found.url)
    except ProbeError as error:
        return dict(answer, verdict=error.verdict, reason=error.reason, message=error.message, next=error.next)
    answer.update(version=document.get("version"), database=document["database"])
    if found.status != 200 or document["database"] != "ok":
        message = "Grafana is up and its own database is {0}".format(document["database"])
        advice = "Look at the database that Grafana keeps its state in."
        return dict(answer, verdict="wrong_answer", reason="database", message=message, next=advice)
    return dict(answer, verdict=HEALTHY, reason="ok", message="Grafana and its database answer", next="")


def datasources(connection):
    """All data sources of the token's organization, as Grafana lists them. Raises ProbeError."""
    answer = ask_json(connection, "/api/datasources", service=SERVICE)
    found = answer.document
    if not isinstance(found, list) or not all(isinstance(one, dict) and one.get("name") and one.get("uid") for one in found):
        raise not_like(SERVICE, answer.url)
    return found


def chosen(found, wanted, expected):
    """``(data sources to ask, names that are missing)``: those in ``wanted`` by name or uid, or all; ``expected`` must be there too."""
    known = {name for source in found for name in (source["name"], source["uid"])}
    asked = [source for source in found if not wanted or source["name"] in wanted or source["uid"] in wanted]
    return asked, [name for name in dict.fromkeys(list(wanted) + list(expected)) if name not in known]


def health(connection, sources, heartbeat=None):
    """The condition of each of ``sources``, in their order, a few at a time."""
    answers = []
    for first in range(0, len(sources), AT_ONCE):
        batch = sources[first : first + AT_ONCE]
        jobs = [(_job(connection, source), connection["timeout"]) for source in batch]
        for source, answer in zip(batch, in_parallel(jobs, heartbeat)):
            if isinstance(answer, Exception):
                raise answer
            answers.append(answer or _about(source, UNHEALTHY, "timed_out", _late(connection), LATE, connection["timeout"]))
    if any(answer["reason"] == "no_backend" for answer in answers):
        _settle(connection, answers)
    return answers


def _late(connection):
    return "its check gave no answer within {0:g} s".format(connection["timeout"])


def _job(connection, source):
    return lambda: check(connection, source)


def check(connection, source):
    """The condition of one data source, by its health endpoint."""
    started = time.monotonic()
    path = "/api/datasources/uid/{0}/health".format(urllib.parse.quote(source["uid"], safe=""))
    try:
        answer = ask_json(connection, path, service=SERVICE, accepted=(400, 404, 500, 502, 503, 504))
        verdict, reason, message, advice = judge(answer.status, answer.document, answer.said)
    except ProbeError as error:
        verdict, reason, message, advice = _unasked(error, connection)
    return _about(source, verdict, reason, message, advice, time.monotonic() - started)


def _unasked(error, connection):
    if error.reason in OUR_FAULT:
        return UNKNOWN, error.reason, error.message, PERMISSIONS
    if error.verdict == "timed_out":
        return UNHEALTHY, "timed_out", _late(connection), LATE
    return UNKNOWN, error.reason, error.message, error.next


def judge(status, document, words):
    """``(verdict, reason, message, next)`` of an answer of the health endpoint."""
    if not isinstance(document, dict):
        message = "asked for it, Grafana or a proxy in front of it answered {0}".format(status)
        return UNKNOWN, "server_error", message, "Read the logs of both."
    if status == 200 and document.get("status") == "OK":
        return HEALTHY, "ok", words or "OK", ""
    name = document.get("messageId", "")
    if name == "plugin.notRegistered":
        return UNHEALTHY, "no_plugin", "its plug-in is not installed", "Install the plug-in in Grafana."
    if status == 404 and (name == "plugin.notImplemented" or words in ("Method not implemented", "Not found")):
        return UNSUPPORTED, "no_check", "its plug-in has no health check", ""
    if name == "plugin.unavailable" or words == "Plugin unavailable":
        return UNKNOWN, "no_backend", "no plug-in in the server answers for it", "Is its plug-in running? Read Grafana's log."
    if status == 200:
        return UNKNOWN, "not_grafana", "its check answered {0}".format(words or "nothing that is known"), "Is url Grafana's?"
    return UNHEALTHY, "check", words or "its check answered {0}".format(status), "Look at what it shows, and at its settings in Grafana."


def _settle(connection, answers):
    """Tell data sources that only a browser serves from those whose server part is down: both answer alike, Grafana's settings differ."""
    try:
        settings = ask_json(connection, "/api/frontend/settings", service=SERVICE).document
        listed = {one.get("uid"): one.get("meta") or {} for one in settings["datasources"].values()}
    except (ProbeError, AttributeError, KeyError, TypeError):
        return
    for answer in answers:
        if answer["reason"] != "no_backend" or answer["uid"] not in listed:
            continue
        if listed[answer["uid"]].get("backend"):
            answer.update(verdict=UNHEALTHY, reason="plugin_down", message="its plug-in does not run", next="Read Grafana's log.")
        else:
            message = "its plug-in runs in browsers only, Grafana cannot check it"
            answer.update(verdict=UNSUPPORTED, reason="no_check", message=message, next="")


def _about(source, verdict, reason, message, advice, seconds=0.0):
    about = {name: source.get(name) or "" for name in ("name", "uid", "type")}
    return dict(about, verdict=verdict, reason=reason, message=message, next=advice, duration=round(seconds, 3))


def missing(name):
    advice = "Create it in Grafana, or correct its name. Data sources of another organization need its own token."
    return _about({"name": name}, MISSING, MISSING, "Grafana has no such data source", advice)


def overall(grafana, answers, complete=True):
    """fail when Grafana or a data source is not well, pass when all that can be asked are; else inconclusive."""
    if grafana["verdict"] != HEALTHY:
        return "inconclusive" if grafana["reason"] in OUR_FAULT else "fail"
    verdicts = [answer["verdict"] for answer in answers]
    if UNHEALTHY in verdicts or MISSING in verdicts:
        return "fail"
    return "pass" if complete and HEALTHY in verdicts and UNKNOWN not in verdicts else "inconclusive"


def summary(grafana, answers):
    """One sentence, what is wrong first."""
    if grafana["verdict"] != HEALTHY:
        return grafana["message"]
    well = sum(answer["verdict"] == HEALTHY for answer in answers)
    parts = ["{0} of {1} data sources healthy".format(well, len(answers))]
    for verdict in (UNHEALTHY, MISSING, UNKNOWN, UNSUPPORTED):
        parts += ["{0}: {1} ({2})".format(one["name"], verdict, one["message"]) for one in answers if one["verdict"] == verdict]
    return "; ".join(parts)
