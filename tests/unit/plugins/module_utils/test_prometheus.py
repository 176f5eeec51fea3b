import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _prometheus as prom
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

NAN = float("nan")
ABOVE = {"operator": ">", "value": 1.0}
BELOW = {"operator": "<", "value": 0.5}


def query(**options):
    blank = {key: option.get("default") for key, option in prom.QUERY_SPEC.items()}
    return dict(dict(blank, query="up"), **options)


def series(*values, moment=1000.0):
    return [{"labels": {}, "points": [(moment, value)]} for value in values]


@pytest.mark.parametrize(
    ("options", "values", "verdict", "reason"),
    [
        ({"fail_when": ABOVE}, [0.0], "pass", "ok"),
        ({"fail_when": ABOVE}, [0.0, 2.0], "fail", "assertion"),
        ({"fail_when": ABOVE}, [], "inconclusive", "no_data"),
        ({"fail_when": ABOVE}, [NAN], "inconclusive", "nan"),
        ({"fail_when": ABOVE}, [0.0, NAN], "inconclusive", "nan"),
        ({"fail_when": ABOVE}, [2.0, NAN], "fail", "assertion"),
        ({"fail_when": ABOVE}, [float("inf")], "fail", "assertion"),
        ({"pass_when": BELOW}, [0.1], "pass", "ok"),
        ({"pass_when": BELOW}, [0.1, 0.7], "fail", "assertion"),
        ({"pass_when": BELOW}, [NAN], "inconclusive", "nan"),
        ({"pass_when": BELOW, "fail_when": ABOVE}, [0.7], "inconclusive", "between"),
        ({"pass_when": BELOW, "fail_when": ABOVE}, [0.1], "pass", "ok"),
        ({"pass_when": BELOW, "fail_when": ABOVE}, [1.1], "fail", "assertion"),
        ({}, [1.0], "inconclusive", "no_assertion"),
    ],
)
def test_evaluate(options, values, verdict, reason):
    assert prom.evaluate(query(**options), series(*values), 1000.0)[:2] == (verdict, reason)


def test_old_data_is_inconclusive():
    asked = query(fail_when=ABOVE, max_age=60.0)
    assert prom.evaluate(asked, series(0.0), 1059.0)[0] == "pass"
    assert prom.evaluate(asked, series(0.0), 1061.0)[:2] == ("inconclusive", "stale")


def answer(kind, result):
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def run(body, status="200 OK", seen=None, **options):
    """What one query gives against a server that answers ``body``."""
    settings = {name: options.pop(name) for name in ("no_data", "unreachable") if name in options}
    with bad.serving(bad.answering(status, body, seen)) as port:
        connection = {"url": f"http://127.0.0.1:{port}/prometheus/", "timeout": 2.0}
        return prom.run_query(connection, query(**options), now=1700000000.0, **settings)


@pytest.mark.parametrize(
    ("kind", "result", "verdict", "value"),
    [
        ("vector", [{"metric": {"job": "a"}, "value": [1700000000, "0.5"]}], "pass", 0.5),
        ("matrix", [{"metric": {}, "values": [[1699999999, "0"], [1700000000, "3"]]}], "fail", 3.0),
        ("scalar", [1700000000, "0"], "pass", 0.0),
        ("vector", [{"metric": {}, "value": [1700000000, "NaN"]}], "inconclusive", None),
        ("vector", [], "inconclusive", None),
        ("string", [1700000000, "hello"], "inconclusive", None),
        ("vector", [{"metric": {}, "histogram": [1700000000, {}]}], "inconclusive", None),
    ],
)
def test_answers(kind, result, verdict, value):
    found = run(answer(kind, result), fail_when=ABOVE)
    assert (found["verdict"], found["value"]) == (verdict, value)
    json.dumps(found, allow_nan=False)


def test_what_is_asked():
    seen = []
    run(answer("matrix", []), seen=seen, fail_when=ABOVE, range_seconds=60.0, step=5.0)
    run(answer("vector", []), seen=seen, fail_when=ABOVE, time="1600000000")
    assert seen[0].startswith("GET /prometheus/api/v1/query_range?query=up&start=1699999940.0&end=1700000000.0&step=5.0 ")
    assert seen[1].startswith("GET /prometheus/api/v1/query?query=up&time=1600000000 ")


def test_an_unsatisfied_guard_is_inconclusive_and_the_query_not_asked():
    seen, guard = [], {"query": "requests", "operator": ">=", "value": 50.0, "label": "requests"}
    found = run(answer("scalar", [1700000000, "3"]), seen=seen, fail_when=ABOVE, guards=[guard])
    assert (found["verdict"], found["reason"], found["message"]) == ("inconclusive", "guard", "requests: 3, >= 50 needed")
    assert len(seen) == 1
    assert run(answer("vector", []), fail_when=ABOVE, guards=[guard])["reason"] == "guard_no_data"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b'{"status": "error", "errorType": "bad_data", "error": "parse error"}', "400 Bad Request", "bad_query"),
        (b'{"status": "error", "errorType": "timeout", "error": "too slow"}', "503 Unavailable", "query_failed"),
        (b"", "401 Unauthorized", "our_credentials"),
        (b"", "404 Not Found", "not_found"),
        (b"<html>", "200 OK", "web_page"),
        (b'{"status": ', "200 OK", "not_json"),
        (b"", "500 Internal Server Error", "server_error"),
        (b"Service Unavailable", "503 Service Unavailable", "server_error"),
        (b"", "403 Forbidden", "forbidden"),
        (b"[]", "200 OK", "not_prometheus"),
    ],
)
def test_what_prometheus_refuses_never_passes(body, status, reason):
    found = run(body, status, fail_when=ABOVE)
    assert (found["verdict"], found["reason"]) == ("inconclusive", reason)
    assert found["next"]


def test_the_verdicts_of_no_data_and_unreachable_can_be_chosen():
    assert run(answer("vector", []), fail_when=ABOVE, no_data="fail")["verdict"] == "fail"
    connection = {"url": f"http://127.0.0.1:{bad.free_port()}", "timeout": 2.0}
    assert prom.run_query(connection, query(fail_when=ABOVE))["reason"] == "refused"
    assert prom.run_query(connection, query(fail_when=ABOVE))["verdict"] == "inconclusive"
    assert prom.run_query(connection, query(fail_when=ABOVE), unreachable="fail")["verdict"] == "fail"


def test_too_many_points_are_refused_before_asking():
    with pytest.raises(ProbeError, match="is over 11000"):
        prom._ask_for({"url": "http://127.0.0.1:1"}, query(range_seconds=86400.0, step=1.0), 1700000000.0)


def test_overall():
    def of(verdict, asserted=True):
        return {"verdict": verdict, "asserted": asserted}

    assert prom.overall([of("pass"), of("inconclusive", asserted=False)]) == "pass"
    assert prom.overall([of("pass"), of("inconclusive")]) == "inconclusive"
    assert prom.overall([of("inconclusive"), of("fail")]) == "fail"
    assert prom.overall([of("inconclusive", asserted=False)]) == "inconclusive"
    assert prom.overall([]) == "inconclusive"


# -- shares and baselines


class Answers:
    """A Prometheus that knows what each query gives: text to a number, a list of numbers, or nothing."""

    def __init__(self, monkeypatch, **values):
        self.values, self.asked = values, []
        monkeypatch.setattr(prom, "ask", self)

    def __call__(self, _connection, query, at=None):
        self.asked.append((query, at))
        found = self.values.get(query, [])
        return series(*found if isinstance(found, list) else [found])


def compare(baselines=True, **options):
    return prom.run_query(
        {"url": "", "timeout": 1.0}, query(**dict({"query": "new", "name": "n"}, **options)), now=1000.0, baselines=baselines
    )


def against(**options):
    return dict({"query": "old", "total": None, "factor": 1.0, "margin": 0.0, "required": True, "guards": []}, **options)


GUARD = {"query": "samples", "operator": ">=", "value": 20.0, "label": "requests"}


def test_a_latency_is_compared_with_a_baseline(monkeypatch):
    Answers(monkeypatch, new=0.21, old=0.09)
    found = compare(fail_when=ABOVE, unit="s", baseline=against(factor=1.5, margin=0.02))
    assert (found["verdict"], found["baseline"], found["limit"]) == ("fail", 0.09, pytest.approx(0.155))
    assert found["message"] == "0.21 s, baseline 0.09 s, limit 0.155 s"
    Answers(monkeypatch, new=0.15, old=0.09)
    assert compare(fail_when=ABOVE, unit="s", baseline=against(factor=1.5, margin=0.02))["verdict"] == "pass"


def test_a_share_is_compared_with_a_baseline(monkeypatch):
    Answers(monkeypatch, new=93, requests=3000, old=9, before=2950)
    options = {"total": "requests", "confidence": 0.99, "fail_when": {"operator": ">", "value": 0.01}}
    found = compare(**options, baseline=against(total="before", margin=0.005))
    assert (found["verdict"], found["value"], found["limit"]) == ("fail", 0.031, 0.01)
    assert found["message"] == "3.1 % of 3000 (surely over 2.44 %), baseline 0.305 % of 2950, limit 1 %"
    assert compare(baselines=False, **options)["message"] == "3.1 % of 3000 (surely over 2.44 %), which is > 1 %"


def test_a_baseline_is_asked_for_its_own_moment_and_only_where_it_is_wanted(monkeypatch):
    answers = Answers(monkeypatch, new=1, old=1, samples=30)
    wanted = query(query="new", fail_when=ABOVE, guards=[GUARD], baseline=against(guards=[GUARD]), time="900")
    prom.run_query({"url": "", "timeout": 1.0}, wanted, now=1000.0, baseline_time="800")
    assert answers.asked == [("samples", "900"), ("samples", "800"), ("old", "800"), ("new", "900")]
    del answers.asked[:]
    prom.run_query({"url": "", "timeout": 1.0}, wanted, now=1000.0, baselines=False)
    assert [text for text, _at in answers.asked] == ["samples", "new"]
    assert (prom.questions(wanted), prom.questions(wanted, baselines=False)) == (4, 2)


@pytest.mark.parametrize(
    ("values", "reason", "message"),
    [
        ({"new": 0.5, "samples": 30}, "baseline_no_data", "baseline: no data"),
        ({"new": 0.5, "samples": 30, "old": NAN}, "baseline_no_data", "baseline: no data"),
        ({"new": 0.5, "samples": 3, "old": 0.4}, "baseline_guard", "baseline: requests: 3, >= 20 needed"),
        ({"new": 0.5, "old": 0.4}, "baseline_guard_no_data", "baseline: requests: no data"),
    ],
)
def test_a_baseline_that_says_nothing_is_inconclusive_or_where_it_is_not_required_told(monkeypatch, values, reason, message):
    Answers(monkeypatch, **values)
    found = compare(fail_when=ABOVE, baseline=against(guards=[GUARD]))
    assert (found["verdict"], found["reason"], found["message"]) == ("inconclusive", reason, message)
    found = compare(fail_when=ABOVE, baseline=against(guards=[GUARD], required=False))
    assert (found["verdict"], found["message"]) == ("pass", "0.5, not > 1; compared with nothing, " + message)


def test_no_data_of_its_own_is_inconclusive_whatever_the_baseline(monkeypatch):
    Answers(monkeypatch, old=0.4)
    assert compare(fail_when=ABOVE, baseline=against())["reason"] == "no_data"
    Answers(monkeypatch, new=0, requests=0, old=0, before=100)
    found = compare(total="requests", fail_when=ABOVE, baseline=against(total="before"))
    assert (found["verdict"], found["reason"]) == ("inconclusive", "nan")
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    "options",
    [
        {"confidence": 0.5},
        {"confidence": 99.0},
        {"total": "requests", "range_seconds": 60.0},
        {"baseline": against(), "range_seconds": 60.0},
        {"baseline": against(), "fail_when": {"operator": "==", "value": 1.0}},
        {"baseline": against(total="before")},
        {"total": "requests", "baseline": against()},
    ],
)
def test_options_that_contradict_each_other_never_pass(monkeypatch, options):
    Answers(monkeypatch, new=0, requests=1, old=0, before=1)
    found = compare(**dict({"fail_when": ABOVE}, **options))
    assert (found["verdict"], found["reason"]) == ("inconclusive", "bad_query")
    assert found["next"]


def test_a_share_needs_one_number_each(monkeypatch):
    Answers(monkeypatch, new=[1, 2], requests=10, old=[1, 2])
    assert compare(total="requests", fail_when=ABOVE)["reason"] == "bad_query"
    assert compare(fail_when=ABOVE, baseline=against())["reason"] == "bad_query"
