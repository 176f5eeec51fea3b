from __future__ import annotations

import itertools

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _prometheus
from ansible_collections.astraldraft.ops.plugins.module_utils import _postmortem_evidence as evidence
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

START = 1764000000
SPAN = evidence.Span(START, START + 600, START - 3600, START - 600, START + 1200, True)
SERIES = {"requests": "r", "failures": "f", "latency": "l", "probe": "p"}


def series(points, **labels):
    return {"labels": labels, "points": points}


def steady(value=1.0, starts=START - 600, ends=START + 1200, step=2):
    return [(moment, value) for moment in range(starts, ends + 1, step)]


class Server:
    """A Prometheus by what is asked of it: the first of its answers whose words are in the query."""

    def __init__(self, monkeypatch, answers):
        self.answers, self.asked = answers, []
        monkeypatch.setattr(_prometheus, "ask", self.ask)

    def ask(self, _connection, query, at=None, **_span):
        self.asked.append(query)
        samples = query[1:2] == "["
        fits = [answer for words, answer in self.answers.items() if words in query and (not words or samples == words.endswith("["))]
        answer = fits[0] if fits else []
        if isinstance(answer, Exception):
            raise answer
        return answer(float(at)) if callable(answer) else answer


def measured(monkeypatch, answers, selectors=SERIES, span=SPAN):
    server, prometheus = Server(monkeypatch, answers), evidence.Prometheus({})
    return evidence.measured(prometheus, selectors, "1m", 0.01, span), prometheus.unknown, server


def counter(*values, starts=START - 2, step=2, **labels):
    """The samples of a counter, whatever part of them is asked for."""
    points = [(starts + step * number, value) for number, value in enumerate(values)]
    return lambda _at: [series(points, job="app", instance="1", **labels)]


WELL = {
    "rate(f": [series(steady(0.0))],
    "sum(rate(r": [series(steady(5.0))],
    "histogram_quantile": [series(steady(0.2))],
    "min(p": [series(steady())],
    "r[": counter(10, 10, 20, 30),
    "f[": counter(0, 0, 1, 3),
}


def test_what_failed_is_counted_sample_by_sample(monkeypatch):
    found, unknown, _server = measured(monkeypatch, WELL)
    assert (found["requests"], found["failed_requests"], found["complete"]) == (20, 3, True)
    assert (found["unknown_seconds"], found["probe_failed_seconds"], found["error_seconds"], unknown) == (0, 0, 0, [])
    assert {name: len(points) for name, points in found["graphs"].items()} == {"error_rate": 901, "latency": 901, "load": 901}


def test_a_restart_and_a_label_that_comes_later_are_counted(monkeypatch):
    late = [series([(START + 10, 4)], job="app", instance="1", status="503"), series([(START + 10, 9)], job="app", instance="2")]
    answers = WELL | {"f[": lambda at: counter(7, 7, 9, 2, 3)(at) + late}
    found, _unknown, _server = measured(monkeypatch, answers)
    # What a new target counted before it was seen is not.
    # 2 before it was restarted, 3 after it, 4 of a status that was never answered before.
    assert found["failed_requests"] == 2 + 3 + 4


def test_no_failure_at_all_is_none(monkeypatch):
    found, unknown, _server = measured(monkeypatch, WELL | {"f[": []})
    assert (found["failed_requests"], unknown) == (0, [])


def test_without_data_nothing_is_known(monkeypatch):
    found, unknown, _server = measured(monkeypatch, {})
    assert (found["requests"], found["failed_requests"], found["error_seconds"], found["probe_failed_seconds"]) == (None,) * 4
    assert not found["complete"]
    assert "Prometheus has no data of them for that time" in unknown[0] and "no data of its probe" in unknown[1]


def test_a_gap_is_said_and_not_drawn(monkeypatch):
    gap = steady(5.0, ends=START + 100) + steady(5.0, starts=START + 220)
    found, unknown, _server = measured(monkeypatch, WELL | {"sum(rate(r": [series(gap)]})
    assert (found["unknown_seconds"], found["complete"], found["failed_requests"]) == (118, False, 3)
    assert "For 118 of the 600 seconds Prometheus has no data of requests" in unknown[0]
    assert (START + 102, None) in found["graphs"]["load"]


def test_what_reached_nobody_is_in_no_counter(monkeypatch):
    down = steady(1.0, ends=START + 100) + steady(0.0, starts=START + 102, ends=START + 120) + steady(1.0, starts=START + 122)
    found, unknown, _server = measured(monkeypatch, WELL | {"min(p": [series(down)]})
    assert (found["probe_failed_seconds"], found["complete"]) == (20, False)
    assert "requests that reached no replica then are in no counter" in unknown[0]


def test_errors_are_a_share_in_a_graph_and_seconds_in_a_number(monkeypatch):
    errors = steady(0.0, ends=START) + steady(0.5, starts=START + 2, ends=START + 60) + [(START + 62, float("nan"))]
    found, _unknown, _server = measured(monkeypatch, {"or 0 *": [series(errors)]} | WELL)
    assert found["error_seconds"] == 60
    assert dict(found["graphs"]["error_rate"])[START + 10] == 50.0
    assert dict(found["graphs"]["error_rate"])[START + 62] is None


def test_what_is_not_configured_is_not_asked(monkeypatch):
    found, unknown, server = measured(monkeypatch, WELL, dict.fromkeys(SERIES))
    assert server.asked == [] and found["failed_requests"] is None
    assert unknown == ["How many requests failed is not known: it is not configured which series count them."]
    found, unknown, _server = measured(monkeypatch, WELL, SERIES | {"failures": None})
    assert found["failed_requests"] is None and found["graphs"]["load"]
    assert "it is not configured" in unknown[0]


@pytest.mark.parametrize(
    ("reason", "asked"), [("refused", 1), ("timed_out", 1), ("our_credentials", 1), ("bad_query", 5), ("too_large", 5)]
)
def test_a_server_that_is_gone_is_asked_once(monkeypatch, reason, asked):
    error = ProbeError("unreachable", reason, "it is so", "Do that.")
    found, unknown, server = measured(monkeypatch, {"": error})
    assert found == evidence.NOTHING
    # Of a query of its own the others may still be answered.
    assert len(server.asked) == (1 if asked == 1 else 3)
    assert unknown[0].endswith("is not known: it is so. Do that.")


def test_a_count_that_cannot_be_had_is_not_known(monkeypatch):
    error = ProbeError("wrong_answer", "too_large", "too much", "")
    for words in ("r[", "f["):
        found, unknown, _server = measured(monkeypatch, WELL | {words: error})
        assert found["failed_requests"] is None and "is not known: too much" in unknown[0]


def test_what_is_asked_for_in_parts_is_counted_once(monkeypatch):
    long = SPAN._replace(ends=START + 9000)
    found, _unknown, server = measured(monkeypatch, WELL, span=long)
    assert sum(query.startswith("f[") for query in server.asked) == 3
    assert (found["requests"], found["failed_requests"]) == (20, 3)


def test_a_long_span_is_asked_in_parts_that_cover_it():
    for seconds in (10, 3600, 5000, 90000, 10**7):
        parts = evidence.chunks(START, START + seconds)
        assert sum(length for _end, length in parts) >= seconds and len(parts) <= 200
        assert all(later - length <= end for (end, _length), (later, length) in itertools.pairwise(parts))
        assert parts[-1][0] == START + seconds


# -- alerts


def alert(state, starts, ends, name="Bad", **labels):
    return series(
        steady(starts=starts, ends=ends, step=1), __name__="ALERTS", alertname=name, alertstate=state, severity="critical", **labels
    )


def test_an_alert_is_pending_fires_and_ends():
    found = evidence.episodes([alert("firing", START + 31, START + 60), alert("pending", START, START + 29)], START - 600, START + 600, 1)
    assert [(one["pending_at"], one["firing_at"], one["ended_at"]) for one in found] == [
        ("2025-11-24T16:00:00.000Z", "2025-11-24T16:00:31.000Z", "2025-11-24T16:01:01.000Z")
    ]
    assert (found[0]["before"], found[0]["severity"], found[0]["title"]) == (False, "critical", "Bad (severity=critical)")


def test_it_comes_twice_and_goes_on():
    found = evidence.episodes(
        [alert("pending", START, START + 10), alert("pending", START + 100, START + 110), alert("firing", START + 111, START + 600)],
        START - 600, START + 600, 1,
    )  # fmt: skip
    assert [(one["firing_at"] is not None, one["ended_at"]) for one in found] == [(False, "2025-11-24T16:00:11.000Z"), (True, None)]


def test_it_fired_before_anybody_looked():
    (found,) = evidence.episodes([alert("firing", START - 600, START + 10)], START - 600, START + 600, 1)
    assert found["before"]


def test_alerts_are_not_known_without_an_answer(monkeypatch):
    Server(monkeypatch, {"ALERTS": ProbeError("unreachable", "refused", "nobody is there", "Start it.")})
    prometheus = evidence.Prometheus({})
    assert evidence.alerts(prometheus, SPAN) is None
    assert prometheus.unknown == ["What Prometheus knows is not known: nobody is there. Start it."]


# -- silences


def silence(name, starts, ends, state="expired"):
    return {
        "id": name, "status": {"state": state}, "createdBy": "ada", "comment": "a disk", "startsAt": starts, "endsAt": ends,
        "matchers": [{"name": "job", "value": "app", "isRegex": False, "isEqual": True}],
    }  # fmt: skip


def test_silences_of_that_time_are_told_once(monkeypatch):
    known = [
        silence("before", "2025-11-24T10:00:00Z", "2025-11-24T11:00:00Z"),
        silence("in it", "2025-11-24T16:05:00Z", "2025-11-24T18:00:00Z", "active"),
        silence("over it", "2025-11-24T14:59:00Z", "2025-11-24T15:30:00Z"),
        silence("after it", "2025-11-24T16:10:01Z", "2025-11-24T18:00:00Z"),
    ]
    monkeypatch.setattr(_alertmanager, "silences", lambda _connection: (known, START))
    unknown = []
    found = evidence.silences([{"url": "one"}, {"url": "two"}], SPAN, unknown)
    assert [one["id"] for one in found] == ["over it", "in it"] and unknown == []
    assert set(found[0]) == set(evidence.SILENCE) and found[0]["owner"] == "ada"


def test_of_two_one_is_enough(monkeypatch):
    def ask(connection):
        if connection["url"] == "http://one":
            raise ProbeError("unreachable", "refused", "nobody is there", "")
        return [{"id": "no silence"}] if connection["url"] == "http://three" else ([], START)

    monkeypatch.setattr(_alertmanager, "silences", ask)
    unknown = []
    assert evidence.silences([{"url": "http://one"}, {"url": "http://two"}], SPAN, unknown) == []
    assert unknown == ["What was silenced is not known: nobody is there."]
    assert evidence.silences([{"url": "http://one"}], SPAN, unknown) is None
    assert evidence.silences([{"url": "http://three"}], SPAN, unknown) is None
    assert "did not answer like Alertmanager" in unknown[-1]
    assert evidence.silences([], SPAN, unknown) is None and "no Alertmanager is configured" in unknown[-1]
