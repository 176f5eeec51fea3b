# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Prometheus and Alertmanager know of a span of time that is over. Private: other collections must not import it.

What there is no data for is None and has a sentence that says so. It is never 0: nothing counted is not the same as nothing happened.
Moments are seconds since the epoch.
"""

from __future__ import annotations

import collections
import math

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _prometheus
from ansible_collections.astraldraft.ops.plugins.module_utils._http import safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

#: ``starts`` and ``ends`` of the incident, ``looks_from``: where its timeline begins, ``drawn_from`` and ``drawn_to``: what graphs show,
#: which is not ``whole`` as long as some of that has not come yet.
Span = collections.namedtuple("Span", "starts ends looks_from drawn_from drawn_to whole")
#: So long before a counter's first sample in a span is looked for the one that it is compared with.
LOOKBACK = 300
CHUNK = 3600
MOST_CHUNKS = 200
MOST_POINTS = 1200
MOST_ALERT_POINTS = 5000
#: These are of one question. After anything else Prometheus is not asked again: it would take as long each time.
_OF_THE_QUESTION = ("bad_query", "query_failed", "too_large")
SILENCE = ("id", "matchers", "owner", "comment", "starts_at", "ends_at")
NOTHING: dict = {
    "requests": None, "failed_requests": None, "error_seconds": None, "probe_failed_seconds": None, "unknown_seconds": None,
    "complete": False, "graphs": {"error_rate": [], "latency": [], "load": []},
}  # fmt: skip


class Prometheus:
    """Asks, and keeps in ``unknown`` a sentence for every answer that did not come."""

    def __init__(self, connection, heartbeat=lambda: None):
        self._connection, self._heartbeat, self._gone = connection, heartbeat, False
        self.unknown = []

    def ask(self, what, query, **when):
        """Series as :func:`_prometheus.ask` gives them, or None. ``what`` is the thing that is not known then, in words."""
        if self._gone:
            return None
        self._heartbeat()
        try:
            return _prometheus.ask(self._connection, query, **when)
        except ProbeError as error:
            self._gone = error.reason not in _OF_THE_QUESTION
            subject = "What Prometheus knows" if self._gone else what
            self.unknown.append("{0} is not known: {1}. {2}".format(subject, error.message.rstrip("."), error.next).strip())
            return None

    def course(self, what, query, span, step):
        """The points of the one series of a query over what graphs show, ``[(seconds, number or None)]``; None when it was not answered."""
        starts = math.floor(span.drawn_from / step) * step
        series = self.ask(what, query, start=float(starts), end=float(span.drawn_to), step=float(step))
        if series is None:
            return None
        return with_gaps(series[0]["points"] if series else [], step)


def step_of(seconds, most=MOST_POINTS):
    """The whole seconds between two points of so long a span."""
    return max(1, math.ceil(seconds / most))


def with_gaps(points, step):
    """Points with a None wherever some are missing or are no numbers, so that no line is drawn across what is not known."""
    found, last = [], None
    for moment, value in points:
        if last is not None and moment - last > 1.5 * step:
            found.append((last + step, None))
        found.append((moment, value if math.isfinite(value) else None))
        last = moment
    return found


# -- requests


def measured(prometheus, series, window, share, span):
    """The impact and the graphs, as NOTHING. ``series``: selectors of requests, failures, latency and probe; ``window``: over how long a
    rate is taken; ``share``: of failed requests, above which a moment counts as one with errors."""
    found, unknown = dict(NOTHING, graphs=dict(NOTHING["graphs"])), prometheus.unknown
    step = step_of(span.drawn_to - span.drawn_from)
    if series["requests"]:
        rate = "sum(rate({0}[{1}]))"
        requests = rate.format(series["requests"], window)
        load = prometheus.course("How many requests there were", requests, span, step)
        if load is not None:
            _fill_load(found, load, span, step, unknown)
        if load and series["failures"]:
            failures = rate.format(series["failures"], window)
            query = "({0} or 0 * {1}) / {1}".format(failures, requests)
            errors = prometheus.course("The error rate", query, span, step)
            if errors is not None:
                found["graphs"]["error_rate"] = [(moment, None if value is None else 100 * value) for moment, value in errors]
                found["error_seconds"] = _seconds(errors, span, step, lambda value: value > share)
            _fill_counts(found, prometheus, series, span)
    if not (series["requests"] and series["failures"]):
        unknown.append("How many requests failed is not known: it is not configured which series count them.")
    if series["latency"]:
        query = "histogram_quantile(0.95, sum by (le) (rate({0}[{1}])))".format(series["latency"], window)
        found["graphs"]["latency"] = prometheus.course("The latency", query, span, step) or []
    if series["probe"]:
        answers = prometheus.course("Whether it was to be reached", "min({0})".format(series["probe"]), span, step)
        within = _within(answers or [], span)
        if within:
            found["probe_failed_seconds"] = _seconds(within, span, step, lambda value: value < 1)
            if found["probe_failed_seconds"]:
                found["complete"] = False
                message = "For {0} seconds its probe failed: requests that reached no replica then are in no counter."
                unknown.append(message.format(found["probe_failed_seconds"]))
        elif answers is not None:
            unknown.append("Whether it was to be reached is not known: Prometheus has no data of its probe for that time.")
    return found


def _within(points, span):
    return [(moment, value) for moment, value in points if span.starts <= moment <= span.ends]


def _seconds(points, span, step, holds):
    """For how long something held, by the points of a span."""
    return min(round(span.ends - span.starts), step * sum(value is not None and holds(value) for _moment, value in _within(points, span)))


def _fill_load(found, load, span, step, unknown):
    found["graphs"]["load"] = load
    known = sum(value is not None for _moment, value in _within(load, span))
    expected = math.floor(span.ends / step) - math.ceil(span.starts / step) + 1
    # One point more or less is a matter of where the first one lies.
    found["unknown_seconds"] = min(round(span.ends - span.starts), step * (expected - known)) if expected - known > 1 else 0
    found["complete"] = found["unknown_seconds"] == 0
    if not known:
        unknown.append("How many requests there were and how many failed is not known: Prometheus has no data of them for that time.")
    elif not found["complete"]:
        message = "For {0} of the {1} seconds Prometheus has no data of requests: what failed then is not known, and in no number here."
        unknown.append(message.format(found["unknown_seconds"], round(span.ends - span.starts)))


def _fill_counts(found, prometheus, series, span):
    began = {}
    _answered, requests = counted(prometheus, "How many requests there were", series["requests"], span, began)
    if requests is None:
        return
    answered, failed = counted(prometheus, "How many requests failed", series["failures"], span, began)
    found["requests"] = requests
    # Requests are counted, and of failures there is no series at all: there was none.
    found["failed_requests"] = 0 if answered and failed is None else failed


def counted(prometheus, what, selector, span, began):
    """By how much the counters of a selector have gone up in a span, sample by sample: exactly what was scraped.

    -> ``(whether Prometheus answered, the number)``; None without a sample. ``began``: when each target was first seen, filled here. A
    counter that comes later on the same target has begun at 0; that of a target that is new itself may have counted before anybody
    looked, which is left out.
    """
    last, total, seen = {}, 0.0, False
    for ends, seconds in chunks(span.starts - LOOKBACK, span.ends):
        answer = prometheus.ask(what, "{0}[{1}s]".format(selector, seconds), at=repr(float(ends)))
        if answer is None:
            return False, None
        for one in answer:
            key = tuple(sorted(one["labels"].items()))
            target = (one["labels"].get("job"), one["labels"].get("instance"))
            for moment, value in one["points"]:
                began[target] = min(moment, began.get(target, moment))
                before, since = last.get(key, (0.0 if began[target] < moment else value, -math.inf))
                if moment <= since:  # of the part before
                    continue
                if moment > span.starts:
                    total += value - before if value >= before else value
                    seen = True
                last[key] = (value, moment)
    return True, round(total) if seen else None


def chunks(starts, ends):
    """``[(end, whole seconds)]`` that cover a span, so that no answer becomes too large."""
    size = max(CHUNK, math.ceil((ends - starts) / MOST_CHUNKS))
    found, moment = [], starts
    while moment < ends:
        final = min(moment + size, ends)
        found.append((final, max(1, math.ceil(final - moment))))
        moment = final
    return found


# -- alerts and silences


def alerts(prometheus, span):
    """When which alerts were pending and fired in the time of the timeline; None when Prometheus did not say."""
    step = step_of(span.ends - span.looks_from, MOST_ALERT_POINTS)
    series = prometheus.ask("Which alerts fired", "ALERTS", start=float(span.looks_from), end=float(span.ends), step=float(step))
    return None if series is None else episodes(series, span.looks_from, span.ends, step)


def episodes(series, starts, ends, step):
    """Each time that an alert came and went, the earliest first, by the series of ALERTS."""
    spans = collections.defaultdict(list)
    for one in series:
        key = tuple(sorted((name, value) for name, value in one["labels"].items() if name not in ("__name__", "alertstate")))
        spans[key] += [(begun, last, one["labels"].get("alertstate")) for begun, last in runs(one["points"], step)]
    found = []
    for key, parts in spans.items():
        until = -math.inf
        for begun, last, state in sorted(parts):
            # From pending to firing it is another series, which may miss a point.
            if begun - until > 2.5 * step:
                found.append(_episode(dict(key), begun - starts < 1.5 * step))
            moment = "pending_at" if state == "pending" else "firing_at"
            found[-1][moment] = found[-1][moment] or to_iso(begun)
            until = max(last, until)
            found[-1]["ended_at"] = None if ends - until < 1.5 * step else to_iso(until + step)
    return sorted(found, key=lambda one: (one["pending_at"] or one["firing_at"], one["title"]))


def runs(points, step):
    """``[(first, last)]``, the moments of points that follow each other without a gap."""
    found = []
    for moment, _value in points:
        if found and moment - found[-1][1] <= 1.5 * step:
            found[-1] = (found[-1][0], moment)
        else:
            found.append((moment, moment))
    return found


def _episode(labels, before):
    names = {"name": labels.get("alertname", ""), "title": _alertmanager.name_of(labels), "severity": labels.get("severity", "")}
    return dict(names, labels=labels, before=before, pending_at=None, firing_at=None, ended_at=None)


def silences(connections, span, unknown):
    """The silences that held in the time of the timeline, each once; None when no Alertmanager said."""
    found, answered = {}, False
    for connection in connections:
        try:
            known, now = _alertmanager.silences(connection)
            for record in [_alertmanager.silence_record(silence, now) for silence in known]:
                if from_iso(record["starts_at"]).timestamp() <= span.ends and from_iso(record["ends_at"]).timestamp() >= span.looks_from:
                    # What is left of it and whether it still holds are of now, not of then.
                    found.setdefault(record["id"], {name: record[name] for name in SILENCE})
            answered = True
        except ProbeError as error:
            unknown.append(_unsaid(error))
        except (AttributeError, KeyError, TypeError, ValueError):
            unknown.append(_unsaid(not_like("Alertmanager", safe_url(connection["url"]))))
    if not connections:
        unknown.append("What was silenced is not known: no Alertmanager is configured.")
    return sorted(found.values(), key=lambda record: (record["starts_at"], record["id"])) if answered else None


def _unsaid(error):
    return "What was silenced is not known: {0}. {1}".format(error.message.rstrip("."), error.next).strip()
