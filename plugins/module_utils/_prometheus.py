# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus queries and what follows from their answers. Private: other collections must not import it.

Three verdicts: pass, fail, inconclusive. No data, NaN, an unsatisfied guard or an unreachable server never pass.
"""

from __future__ import annotations

import math
import operator
import time
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils._http import decode_json, request
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne}
COMPARISON_SPEC = {
    "operator": {"type": "str", "choices": list(OPERATORS), "default": ">="},
    "value": {"type": "float", "required": True},
}
GUARD_SPEC = dict(COMPARISON_SPEC, query={"type": "str", "required": True}, label={"type": "str"})
QUERY_SPEC = {
    "name": {"type": "str"},
    "query": {"type": "str", "required": True},
    "time": {"type": "str"},
    "range_seconds": {"type": "float"},
    "step": {"type": "float"},
    "max_age": {"type": "float"},
    "pass_when": {"type": "dict", "no_log": False, "options": COMPARISON_SPEC},
    "fail_when": {"type": "dict", "options": COMPARISON_SPEC},
    "guards": {"type": "list", "elements": "dict", "default": [], "options": GUARD_SPEC},
}
MOST_POINTS = 11000  # Prometheus answers no more in one series
MOST_SHOWN = 20
MAX_BYTES = 16 * 1024 * 1024


def ask(connection, query, start=None, end=None, step=None, at=None):
    """Series of one query: a list of ``{"labels": {...}, "points": [(time, value), ...]}``, times in seconds, values float.

    ``connection``: the arguments of :func:`request`, ``url`` the base address. A range query when ``start`` is given.
    Raises ProbeError; reason bad_query when Prometheus refuses the query itself.
    """
    parameters = {"query": query}
    if start is not None:
        parameters.update(start=repr(start), end=repr(end), step=repr(step))
    elif at:
        parameters["time"] = at
    path = "/api/v1/query_range" if start is not None else "/api/v1/query"
    arguments = dict(connection, url=connection["url"].rstrip("/") + path + "?" + urllib.parse.urlencode(parameters))
    response = request(method="GET", max_bytes=MAX_BYTES, redirects=2, retries=1, **arguments)
    shown = response.url.split("?", 1)[0]
    if response.status in (401, 403):
        message = "{0} answered {1}: it refuses our credentials".format(shown, response.status)
        raise ProbeError("wrong_answer", "our_credentials", message, "Correct url_username and url_password, or bearer_token.")
    if response.status not in (200, 400, 422, 503):
        raise ProbeError("wrong_answer", "unexpected_status", "{0} answered {1}".format(shown, response.status), "Is url Prometheus's?")
    document = decode_json(response._replace(url=shown))
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        raise ProbeError("wrong_answer", "not_prometheus", "{0} did not answer like Prometheus".format(shown), "Is url Prometheus's?")
    if document["status"] == "error":
        said = "{0} says {1}: {2}".format(shown, document.get("errorType"), document.get("error"))
        if document.get("errorType") == "bad_data":
            raise ProbeError("wrong_answer", "bad_query", said, "Correct the query.")
        raise ProbeError("wrong_answer", "query_failed", said, "Make the query lighter, or look at the load of Prometheus.")
    return series_of(document.get("data") or {})


def series_of(data):
    """The series in the ``data`` of an answer, whatever its type. Raises ProbeError on a type without numbers."""
    kind, result = data.get("resultType"), data.get("result")
    if kind == "scalar":
        return [{"labels": {}, "points": [_point(result)]}]
    if kind not in ("vector", "matrix"):
        raise ProbeError("wrong_answer", "bad_query", "the query gives a {0}, not numbers".format(kind), "Correct the query.")
    found = []
    for item in result:
        raw = item.get("values") if kind == "matrix" else [item["value"]] if "value" in item else None
        if raw is None:
            message = "the query gives native histograms, not numbers"
            raise ProbeError("wrong_answer", "bad_query", message, "Take histogram_quantile or another number of it.")
        found.append({"labels": item.get("metric", {}), "points": [_point(pair) for pair in raw]})
    return found


def _point(pair):
    return float(pair[0]), float(pair[1])


def holds(comparison, value):
    return OPERATORS[comparison["operator"]](value, comparison["value"])


def spell(comparison):
    return "{0} {1:g}".format(comparison["operator"], comparison["value"])


def evaluate(query, series, now):
    """``(verdict, reason, message)`` of the series of one query: pure.

    Every point of every series counts: one that fulfils ``fail_when`` fails, all must fulfil ``pass_when`` to pass. With one of the two
    the other is its opposite; with both, what fulfils neither is inconclusive.
    """
    values = [value for one in series for _time, value in one["points"]]
    if not values:
        return INCONCLUSIVE, "no_data", "no data"
    newest = max(moment for one in series for moment, _value in one["points"])
    if query["max_age"] is not None and now - newest > query["max_age"]:
        return INCONCLUSIVE, "stale", "its newest data is {0:.0f} s old".format(now - newest)
    wanted, forbidden = query["pass_when"], query["fail_when"]
    if not wanted and not forbidden:
        return INCONCLUSIVE, "no_assertion", "{0} (nothing asserted)".format(show(values))
    numbers = [value for value in values if not math.isnan(value)]
    if forbidden:
        bad = [value for value in numbers if holds(forbidden, value)]
        if bad:
            return FAIL, "assertion", "{0}, which is {1}".format(show(bad), spell(forbidden))
    if len(numbers) < len(values):
        return (
            INCONCLUSIVE,
            "nan",
            "{0} of {1} values are not numbers (0/0: was there any traffic?)".format(len(values) - len(numbers), len(values)),
        )
    if not wanted:
        return PASS, "ok", "{0}, not {1}".format(show(numbers), spell(forbidden))
    missed = [value for value in numbers if not holds(wanted, value)]
    if not missed:
        return PASS, "ok", "{0}, {1} wanted".format(show(numbers), spell(wanted))
    verdict, reason = (INCONCLUSIVE, "between") if forbidden else (FAIL, "assertion")
    return verdict, reason, "{0}, {1} wanted".format(show(missed), spell(wanted))


def show(values):
    """One value, or the range of several."""
    if len(values) == 1:
        return "{0:.4g}".format(values[0])
    return "{0:.4g} to {1:.4g} ({2} values)".format(min(values), max(values), len(values))


def evaluate_guard(guard, series):
    """None when the guard is satisfied, else ``(reason, message)``: what the assertion needs is not there."""
    label = guard.get("label") or guard["query"]
    values = [value for one in series for _time, value in one["points"]]
    if not values or any(math.isnan(value) for value in values):
        return "guard_no_data", "{0}: no data".format(label)
    missed = [value for value in values if not holds(guard, value)]
    if missed:
        return "guard", "{0}: {1}, {2} needed".format(label, show(missed), spell(guard))
    return None


def run_query(connection, query, no_data=INCONCLUSIVE, unreachable=INCONCLUSIVE, now=None):
    """Ask one query and its guards; returns the answer as the module gives it. ``now``: seconds since the epoch.

    ``no_data`` and ``unreachable`` are the verdicts to give in those cases: inconclusive or fail.
    """
    now = time.time() if now is None else now
    answer = dict(unanswered(query, unreachable, connection["timeout"]), next="")
    try:
        for guard in query["guards"]:
            missed = evaluate_guard(guard, ask(connection, guard["query"], at=query["time"]))
            if missed:
                return dict(answer, verdict=INCONCLUSIVE, reason=missed[0], message=missed[1], next="Wait for data, or make some.")
        series = _ask_for(connection, query, now)
    except ProbeError as error:
        verdict = unreachable if error.reason not in ("bad_query", "our_credentials") else INCONCLUSIVE
        return dict(answer, verdict=verdict, reason=error.reason, message=error.message, next=error.next)
    verdict, reason, message = evaluate(query, series, now)
    if reason in ("no_data", "stale"):
        verdict = no_data
        answer["next"] = "Is the metric spelt so, and is its target scraped? See the targets page of Prometheus."
    numbers = [value for one in series for _time, value in one["points"] if math.isfinite(value)]
    answer.update(value=numbers[-1] if numbers else None, series_total=len(series), series=[readable(one) for one in series[:MOST_SHOWN]])
    return dict(answer, verdict=verdict, reason=reason, message=message)


def unanswered(query, verdict, seconds):
    """The answer to a query that did not even give up in time."""
    answer = {"name": query["name"] or query["query"], "query": query["query"], "series": [], "series_total": 0, "value": None}
    answer.update(asserted=bool(query["pass_when"] or query["fail_when"]), verdict=verdict, reason="timed_out")
    return dict(answer, message="no answer within {0:g} s".format(seconds), next="Prometheus or the name server hangs.")


def _ask_for(connection, query, now):
    if not query["range_seconds"]:
        return ask(connection, query["query"], at=query["time"])
    step = query["step"] or max(1.0, query["range_seconds"] / 60)
    if query["range_seconds"] / step > MOST_POINTS:
        raise ProbeError("wrong_answer", "bad_query", "range_seconds / step is over {0}".format(MOST_POINTS), "Choose a larger step.")
    return ask(connection, query["query"], start=now - query["range_seconds"], end=now, step=step)


def readable(one):
    """A series as it is returned: times in ISO 8601, values that are not finite as text, since JSON has none."""
    points = [{"time": to_iso(moment), "value": value if math.isfinite(value) else str(value)} for moment, value in one["points"]]
    return {"labels": one["labels"], "points": points}


def overall(answers):
    """fail when any query failed, pass when all that assert something passed (and there is one), else inconclusive."""
    if any(answer["verdict"] == FAIL for answer in answers):
        return FAIL
    asserted = [answer for answer in answers if answer["asserted"]]
    return PASS if asserted and all(answer["verdict"] == PASS for answer in asserted) else INCONCLUSIVE


def summary(answers):
    """One sentence: every query with its verdict, those that did not pass first."""
    ordered = sorted(answers, key=lambda answer: (FAIL, INCONCLUSIVE, PASS).index(answer["verdict"]))
    return "; ".join("{0}: {1} ({2})".format(answer["name"], answer["verdict"], answer["message"]) for answer in ordered)
