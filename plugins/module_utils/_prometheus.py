# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus queries and what follows from their answers. Private: other collections must not import it.

Three verdicts: pass, fail, inconclusive. No data, NaN, an unsatisfied guard or an unreachable server never pass.
"""

from __future__ import annotations

import math
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _samples
from ansible_collections.astraldraft.ops.plugins.module_utils._http import safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, not_like, refusal
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
COMPARISON_SPEC = {
    "operator": {"type": "str", "choices": list(_samples.OPERATORS), "default": ">="},
    "value": {"type": "float", "required": True},
}
GUARD_SPEC = dict(COMPARISON_SPEC, query={"type": "str", "required": True}, label={"type": "str"})
GUARDS_SPEC = {"type": "list", "elements": "dict", "default": [], "options": GUARD_SPEC}
BASELINE_SPEC = {
    "query": {"type": "str", "required": True},
    "total": {"type": "str"},
    "factor": {"type": "float", "default": 1.0},
    "margin": {"type": "float", "default": 0.0},
    "required": {"type": "bool", "default": True},
    "guards": GUARDS_SPEC,
}
QUERY_SPEC = {
    "name": {"type": "str"},
    "query": {"type": "str", "required": True},
    "time": {"type": "str"},
    "range_seconds": {"type": "float"},
    "step": {"type": "float"},
    "max_age": {"type": "float"},
    "pass_when": {"type": "dict", "no_log": False, "options": COMPARISON_SPEC},
    "fail_when": {"type": "dict", "options": COMPARISON_SPEC},
    "guards": GUARDS_SPEC,
    "total": {"type": "str"},
    "confidence": {"type": "float"},
    "unit": {"type": "str", "default": ""},
    "baseline": {"type": "dict", "options": BASELINE_SPEC},
}
MOST_POINTS = 11000  # Prometheus answers no more in one series
MOST_SHOWN = 20


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
    data = fetch(connection, path, parameters)
    try:
        return series_of(data)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise not_like("Prometheus", safe_url(connection["url"]))


def fetch(connection, path, parameters=()):
    """The ``data`` of an answer of Prometheus's API. Raises ProbeError; reason bad_query when it refuses the question itself."""
    answer = ask_json(connection, path, parameters, "Prometheus", accepted=(400, 422, 503))
    document, shown = answer.document, answer.url
    if document is None and answer.status >= 400:
        raise refusal(answer, "Prometheus")
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        raise not_like("Prometheus", shown)
    if document["status"] == "success":
        if document.get("data") is None:
            raise not_like("Prometheus", shown)
        return document["data"]
    said = "{0} says {1}: {2}".format(shown, document.get("errorType"), document.get("error"))
    if document.get("errorType") == "bad_data":
        raise ProbeError("wrong_answer", "bad_query", said, "Correct the query.")
    raise ProbeError("wrong_answer", "query_failed", said, "Make the query lighter, or look at the load of Prometheus.")


def series_of(data):
    """The series in the ``data`` of an answer, whatever its type. Raises ProbeError on a type without numbers."""
    kind, result = data["resultType"], data.get("result")
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


def contradiction(query):
    """What is wrong with the options of a query, in a sentence, or None."""
    comparisons = [query[name] for name in ("pass_when", "fail_when") if query[name]]
    if query["confidence"] is not None and not 0.5 < query["confidence"] < 1:
        return "confidence is {0:g}; give a number above 0.5 and below 1, such as 0.99".format(query["confidence"])
    if query["range_seconds"] and (query["total"] or query["baseline"]):
        return "total and baseline belong to instant queries: leave range_seconds out"
    if query["baseline"] and any(comparison["operator"] in ("==", "!=") for comparison in comparisons):
        return "a baseline moves a limit, so the operator must be one of <, <=, >, >="
    if query["baseline"] and bool(query["baseline"]["total"]) != bool(query["total"]):
        return "total must be given for both the query and its baseline, or for neither"
    return None


def evaluate(query, series, now, share=None, baseline=None):
    """``(verdict, reason, message)`` of the series of one query: pure. ``share`` and ``baseline`` are a Sample each, where there is one.

    Every point of every series counts: see :func:`judge`.
    """
    values = [value for one in series for _time, value in one["points"]]
    if not values:
        return INCONCLUSIVE, "no_data", "no data"
    newest = max(moment for one in series for moment, _value in one["points"])
    if query["max_age"] is not None and now - newest > query["max_age"]:
        return INCONCLUSIVE, "stale", "its newest data is {0:.0f} s old".format(now - newest)
    return judge(query, [share] if share else [_samples.exact(value) for value in values], baseline)


def judge(query, samples, baseline=None):
    """``(verdict, reason, message)`` of the samples (not empty) of one query. One that fulfils ``fail_when`` fails, all must fulfil
    ``pass_when`` to pass. With one of the two the other is its opposite; with both, what fulfils neither is inconclusive.
    """
    wanted, forbidden, unit = query["pass_when"], query["fail_when"], unit_of(query)
    if not wanted and not forbidden:
        return INCONCLUSIVE, "no_assertion", "{0} (nothing asserted)".format(_samples.show(samples, unit))
    numbers = [sample for sample in samples if not math.isnan(sample.value)]
    if forbidden:
        bad = [sample for sample in numbers if _samples.holds(forbidden, sample, limit_of(query, "fail_when", baseline))]
        if bad:
            found = _samples.show(bad, unit) + surely(bad, unit)
            return FAIL, "assertion", "{0}, {1}".format(found, tell(query, "fail_when", baseline, fulfilled=True))
    if len(numbers) < len(samples):
        message = "{0} of {1} values are not numbers (0/0: was there any traffic?)"
        return INCONCLUSIVE, "nan", message.format(len(samples) - len(numbers), len(samples))
    if not wanted:
        return PASS, "ok", "{0}, {1}".format(_samples.show(numbers, unit), tell(query, "fail_when", baseline))
    missed = [sample for sample in numbers if not _samples.holds(wanted, sample, limit_of(query, "pass_when", baseline))]
    if not missed:
        return PASS, "ok", "{0}, {1}".format(_samples.show(numbers, unit), tell(query, "pass_when", baseline))
    verdict, reason = (INCONCLUSIVE, "between") if forbidden else (FAIL, "assertion")
    return verdict, reason, "{0}, {1}".format(_samples.show(missed, unit), tell(query, "pass_when", baseline))


def unit_of(query):
    return query["unit"] or ("%" if query["total"] else "")


def limit_of(query, which, baseline):
    """What ``fail_when`` or ``pass_when`` holds values against, with the baseline (Sample or None) that was found."""
    more = query["baseline"] or {"factor": 1.0, "margin": 0.0}
    return _samples.limit(query[which], which == "pass_when", baseline, more["factor"], more["margin"])


def surely(samples, unit):
    """How sure a share is that was found too large."""
    one = samples[0]
    return " (surely over {0})".format(_samples.spell(one.low, unit)) if len(samples) == 1 and one.low < one.value else ""


def tell(query, which, baseline, fulfilled=False):
    """What a value was compared with, in words."""
    comparison, unit = query[which], unit_of(query)
    threshold = _samples.spell(limit_of(query, which, baseline), unit)
    if baseline is not None:
        return "baseline {0}, limit {1}".format(_samples.show([baseline], unit), threshold)
    form = "which is {0} {1}" if fulfilled else "not {0} {1}" if which == "fail_when" else "{0} {1} wanted"
    return form.format(comparison["operator"], threshold)


def evaluate_guard(guard, series):
    """None when the guard is satisfied, else ``(reason, message)``: what the assertion needs is not there."""
    label = guard.get("label") or guard["query"]
    samples = [_samples.exact(value) for one in series for _time, value in one["points"]]
    if not samples or any(math.isnan(sample.value) for sample in samples):
        return "guard_no_data", "{0}: no data".format(label)
    missed = [sample for sample in samples if not _samples.holds(guard, sample, guard["value"])]
    if missed:
        needed = "{0} {1}".format(guard["operator"], _samples.spell(guard["value"]))
        return "guard", "{0}: {1}, {2} needed".format(label, _samples.show(missed), needed)
    return None


def run_query(connection, query, no_data=INCONCLUSIVE, unreachable=INCONCLUSIVE, now=None, baselines=True, baseline_time=None):
    """Ask one query, its guards and its baseline; returns the answer as the module gives it. ``now``: seconds since the epoch.

    ``no_data`` and ``unreachable`` are the verdicts to give in those cases: inconclusive or fail. ``baselines`` says whether baselines
    are asked at all, ``baseline_time`` for which moment (as Prometheus takes it; by default now).
    """
    now, lacking = time.time() if now is None else now, None
    answer = dict(unanswered(query, unreachable, connection["timeout"]), next="")
    wrong = contradiction(query)
    if wrong:
        return dict(answer, verdict=INCONCLUSIVE, reason="bad_query", message=wrong, next="Correct the options of the query.")
    compared = query["baseline"] if baselines else None
    try:
        missed, baseline = _missed(connection, query["guards"], query["time"]), None
        if compared and not missed:
            baseline, lacking = _baseline(connection, query, compared, baseline_time)
            missed = lacking if compared["required"] else None
        if missed:
            return dict(answer, verdict=INCONCLUSIVE, reason=missed[0], message=missed[1], next="Wait for data, or make some.")
        series = _ask_for(connection, query, now)
        share = _share(connection, query["total"], query, series, query["time"])
    except ProbeError as error:
        verdict = INCONCLUSIVE if error.reason in ("bad_query", "our_credentials") else unreachable
        return dict(answer, verdict=verdict, reason=error.reason, message=error.message, next=error.next)
    verdict, reason, message = evaluate(query, series, now, share, baseline)
    if reason in ("no_data", "stale"):
        verdict = no_data
        answer["next"] = "Is the metric spelt so, and is its target scraped? See the targets page of Prometheus."
    numbers = [value for one in series for _time, value in one["points"] if math.isfinite(value)]
    if share:
        numbers = [share.value] if math.isfinite(share.value) else []
    which = next((name for name in ("fail_when", "pass_when") if query[name]), None)
    answer.update(value=numbers[-1] if numbers else None, series_total=len(series), series=[readable(one) for one in series[:MOST_SHOWN]])
    answer.update(baseline=baseline and baseline.value, limit=limit_of(query, which, baseline) if which else None)
    if lacking:
        message = "{0}; compared with nothing, {1}".format(message, lacking[1])
    return dict(answer, verdict=verdict, reason=reason, message=message)


def _missed(connection, guards, at):
    """``(reason, message)`` of the first guard that is not satisfied, or None."""
    for guard in guards:
        missed = evaluate_guard(guard, ask(connection, guard["query"], at=at))
        if missed:
            return missed
    return None


def _share(connection, total, query, series, at):
    """The Sample of a query that counts a part of ``total``, or None where it has no total, or no data to take a part of."""
    if not total or not series:
        return None
    whole = ask(connection, total, at=at)
    if len(series) != 1 or len(whole) > 1:
        message = "{0} and {1} series, where a share needs one number each".format(len(series), len(whole))
        raise ProbeError("wrong_answer", "bad_query", message, "Sum them up.")
    return _samples.share(series[0]["points"][-1][1], whole[0]["points"][-1][1] if whole else 0.0, query["confidence"])


def _baseline(connection, query, compared, at):
    """``(Sample that the query is compared with, None)``, or ``(None, (reason, message))`` where there is none."""
    missed = _missed(connection, compared["guards"], at)
    if missed:
        return None, ("baseline_" + missed[0], "baseline: " + missed[1])
    series = ask(connection, compared["query"], at=at)
    if len(series) > 1:
        raise ProbeError("wrong_answer", "bad_query", "the baseline has {0} series, not one".format(len(series)), "Sum them up.")
    found = _share(connection, compared["total"], query, series, at) or (_samples.exact(series[0]["points"][-1][1]) if series else None)
    if found is None or math.isnan(found.value):
        return None, ("baseline_no_data", "baseline: no data")
    return found, None


def unanswered(query, verdict, seconds):
    """The answer to a query that did not even give up in time."""
    answer = {"name": query["name"] or query["query"], "query": query["query"], "series": [], "series_total": 0, "value": None}
    answer.update(baseline=None, limit=None)
    answer.update(asserted=bool(query["pass_when"] or query["fail_when"]), verdict=verdict, reason="timed_out")
    return dict(answer, message="no answer within {0:g} s".format(seconds), next="Prometheus or the name server hangs.")


def questions(query, baselines=True):
    """How many questions a query is at most, its guards and its baseline among them."""
    parts = [query] + ([query["baseline"]] if baselines and query["baseline"] else [])
    return sum(1 + bool(part["total"]) + len(part["guards"]) for part in parts)


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
