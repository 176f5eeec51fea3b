import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _prometheus_alerts as alerts
from ansible_collections.astraldraft.ops.plugins.module_utils import _prometheus_health as health
from ansible_collections.astraldraft.ops.plugins.module_utils._matchers import parse_all
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

NOW = 1764000000.0
NEVER = "0001-01-01T00:00:00Z"
OPTIONS = {"own_metrics": True, "watchdog": "Watchdog", "jobs": [{"name": "app", "minimum": 2}], "stale_intervals": 3.0, "alertmanagers": 1}


def target(job="app", instance="a:1", health="up", age=1.0, interval="15s", error=""):
    scraped = NEVER if age is None else to_iso(NOW - age).replace("Z", "456789Z")
    return {
        "labels": {"job": job, "instance": instance}, "scrapeUrl": f"http://me:pass@{instance}/metrics", "health": health,
        "lastError": error, "lastScrape": scraped, "scrapeInterval": interval, "scrapeTimeout": "10s",
    }  # fmt: skip


def records(*targets):
    return health.target_records({"activeTargets": list(targets)}, NOW, 3.0)


def told(findings):
    return [(one.name, one.subject, one.verdict) for one in findings]


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("1m30s", 90), ("500ms", 0.5), ("1d", 86400), ("", None), ("15", None), ("1m x", None), (None, None)]
)
def test_durations(text, seconds):
    assert health.duration(text) == seconds


@pytest.mark.parametrize(
    ("options", "found", "verdict"),
    [
        ({}, "up", "pass"),
        ({"age": 44.0}, "up", "pass"),
        ({"age": 46.0}, "stale", "fail"),
        ({"age": 9.0, "interval": "1s"}, "up", "pass"),
        ({"age": 11.0, "interval": "1s"}, "stale", "fail"),
        ({"age": 1000.0, "interval": ""}, "up", "pass"),
        ({"health": "down", "error": "connection refused"}, "down", "fail"),
        ({"health": "unknown", "age": None}, "unknown", "inconclusive"),
        ({"health": "paused"}, "paused", "inconclusive"),
    ],
)
def test_targets(options, found, verdict):
    made = records(target(**options))
    assert made[0]["health"] == found
    assert "pass@" not in made[0]["url"]
    findings = health.judge_targets(made)
    assert [one.verdict for one in findings] == [verdict]
    assert bool(findings[0].next) == (verdict != "pass")
    assert options.get("error", "") in findings[0].message


def test_no_target_at_all_is_not_well():
    assert told(health.judge_targets([])) == [("targets", "all", "fail")]


def test_what_is_not_well_comes_first():
    made = records(
        target(), target(instance="b", health="down"), target(instance="c", health="unknown", age=None), target(instance="d", age=99)
    )
    assert [record["health"] for record in made] == ["down", "stale", "unknown", "up"]


@pytest.mark.parametrize(
    ("expected", "dropped", "verdict", "message"),
    [
        ([], {}, None, ""),
        ([("app", 1)], {}, "pass", "all 1 are there"),
        ([("app", 2)], {}, "fail", "has 1 of at least 2 targets"),
        ([("aap", 1)], {}, "fail", "has no target; did you mean app?"),
        ([("node", 1)], {"node": 3}, "fail", "has no target; 3 were found and dropped by relabelling"),
    ],
)
def test_jobs(expected, dropped, verdict, message):
    wanted = [{"name": name, "minimum": minimum} for name, minimum in expected]
    jobs = health.job_records(records(target()), wanted, dropped)
    assert jobs[[job["name"] for job in jobs].index("app")]["up"] == 1
    findings = health.judge_jobs(jobs)
    assert [one.verdict for one in findings] == ([verdict] if verdict else [])
    assert not findings or findings[0].message == message
    assert bool(health.missing_jobs(records(target()), wanted)) == (verdict == "fail")


def test_dropped_targets_of_both_forms():
    assert health.dropped_by_job({"droppedTargetCounts": {"node": 2}}) == {"node": 2}
    dropped = {"droppedTargets": [{"discoveredLabels": {"job": "node"}}] * 2}
    assert health.dropped_by_job(dropped)["node"] == 2
    assert health.dropped_by_job({"droppedTargets": None})["node"] == 0


def group(evaluated=1.0, *rules, name="app", interval=15):
    last = NEVER if evaluated is None else to_iso(NOW - evaluated)
    return {"name": name, "interval": interval, "evaluationTime": 0.1, "lastEvaluation": last, "rules": list(rules)}


@pytest.mark.parametrize(
    ("groups", "verdicts", "sentence"),
    [
        ([], ["pass"], "there are none"),
        ([group(1.0, {"name": "A", "health": "ok"})], ["pass"], "1 in 1 groups evaluate"),
        ([group(1.0, {"name": "A", "health": "err", "lastError": "many-to-many"})], ["fail"], "fails: many-to-many"),
        ([group(50.0, {"name": "A", "health": "ok"})], ["fail"], "was last evaluated 50 s ago, its interval is 15 s"),
        ([group(None, {"name": "A", "health": "unknown"})], ["inconclusive"], "has not been evaluated yet"),
    ],
)
def test_rules(groups, verdicts, sentence):
    findings, counts = health.judge_rules({"groups": groups}, NOW, 3.0)
    assert [one.verdict for one in findings] == verdicts
    assert findings[0].message == sentence
    assert counts["groups"] == len(groups)


@pytest.mark.parametrize(
    ("active", "dropped", "minimum", "verdict"),
    [(1, 0, 1, "pass"), (0, 0, 1, "fail"), (0, 1, 1, "fail"), (1, 0, 2, "fail"), (0, 0, 0, None)],
)
def test_alertmanagers(active, dropped, minimum, verdict):
    one = [{"url": "http://me:pass@am:9093/api/v2/alerts"}]
    found, made = health.judge_alertmanagers({"activeAlertmanagers": one * active, "droppedAlertmanagers": one * dropped}, minimum)
    assert [one.verdict for one in found] == ([verdict] if verdict else [])
    assert "pass@" not in json.dumps(made)


def own(**values):
    found = {query: [] for query, _meaning, _advice in health.OWN_METRICS}
    found[health.OWN_PRESENCE] = [{"labels": {}, "points": [(NOW, 1.0)]}]
    for word, value in values.items():
        query = next(query for query in found if word in query)
        found[query] = [{"labels": {"instance": "p:9090"}, "points": [(NOW, value)]}]
    return found


def test_own_metrics():
    assert told(health.judge_own(own(wal_corruptions=0.0))) == [("own_metrics", "all", "pass")]
    found = health.judge_own(own(wal_corruptions=1.0, notifications_dropped=3.0))
    assert told(found) == [("own_metrics", "p:9090", "fail"), ("notifications", "p:9090", "fail")]
    assert "write-ahead log was found corrupt" in found[0].message
    unseen = dict(own(), **{health.OWN_PRESENCE: []})
    assert told(health.judge_own(unseen)) == [("own_metrics", "all", "inconclusive")]


@pytest.mark.parametrize(
    ("states", "verdict", "word"), [(["firing"], "pass", "fires"), (["pending"], "fail", "pending"), ([], "fail", "not fire")]
)
def test_watchdog(states, verdict, word):
    found = health.judge_watchdog([{"labels": {"alertname": "Watchdog"}, "state": state} for state in states], "Watchdog")
    assert (found[0].verdict, word in found[0].message) == (verdict, True)


def test_overall_and_summary():
    fine, unknown, broken = (health.Finding("rules", "all", verdict, "x", "") for verdict in ("pass", "inconclusive", "fail"))
    assert health.overall([]) == "inconclusive"
    assert health.overall([fine]) == "pass"
    assert health.overall([fine, unknown]) == "inconclusive"
    assert health.overall([unknown, broken, fine]) == "fail"
    assert health.summary([fine]) == "rules: x"
    assert health.summary([fine, unknown, broken]) == "rules: all x; rules: all x"
    assert health.summary([broken] * 12).endswith("and 4 more")


def prometheus(change=lambda _path, data: data):
    """Answers as a Prometheus that is well, but for what ``change`` makes of the data."""

    def behave(connection):
        path = bad.read_request(connection).split(" ")[1]
        if path.startswith("/-/ready"):
            body = b"Prometheus Server is Ready.\n"
        else:
            body = json.dumps({"status": "success", "data": change(path, answer(path))}).encode()
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def answer(path):
        if "targets" in path:
            made = [target(), target(instance="b:1")]
            return {"activeTargets": made} if "state=active" in path else {"droppedTargets": [{"discoveredLabels": {"job": "app"}}]}
        if "rules" in path:
            return {"groups": [group(1.0, {"name": "A", "health": "ok"})]}
        if "alertmanagers" in path:
            return {"activeAlertmanagers": [{"url": "http://am/"}]}
        if "alerts" in path:
            return {"alerts": [{"labels": {"alertname": "Watchdog"}, "state": "firing", "activeAt": to_iso(NOW - 9), "value": "1e+00"}]}
        if "time" in path:
            return {"resultType": "scalar", "result": [NOW, str(NOW)]}
        present = [{"metric": {}, "value": [NOW, "1"]}] if "head_series" in path else []
        return {"resultType": "vector", "result": present}

    return behave


def look(behave, **options):
    with bad.serving(behave) as port:
        return health.Look({"url": f"http://127.0.0.1:{port}", "timeout": 3.0}, {**OPTIONS, **options}).judge()


def test_a_prometheus_that_is_well():
    found = look(prometheus())
    assert [one.name for one in found["findings"]] == [name for name in health.NAMES if name != "notifications"]
    assert health.overall(found["findings"]) == "pass"
    assert found["ready"]
    assert found["rules"] == {"groups": 1, "rules": 1, "failing": 0}


def test_what_is_missing_is_looked_for_among_the_dropped():
    found = look(prometheus(lambda path, data: {"activeTargets": [target()]} if "state=active" in path else data))
    assert [one.message for one in found["findings"] if one.verdict == "fail"] == [
        "has 1 of at least 2 targets; 1 were found and dropped by relabelling"
    ]


@pytest.mark.parametrize("part", ["targets", "rules", "alertmanagers", "alerts", "time"])
@pytest.mark.parametrize("data", [None, [], {"groups": [{}]}, {"activeTargets": [{}]}, "text"])
def test_a_part_in_another_form_fails(part, data):
    found = look(prometheus(lambda path, given: data if part in path else given))
    assert health.overall(found["findings"]) == "fail"
    assert any("did not answer like Prometheus" in one.message for one in found["findings"])


def test_what_is_not_looked_at_is_not_asked():
    found = look(prometheus(), own_metrics=False, watchdog=None, alertmanagers=0, jobs=[])
    assert [one.name for one in found["findings"]] == ["server", "targets", "rules"]


def test_alerts_of_prometheus():
    def one(state, age, **labels):
        return {"labels": {"alertname": "A", **labels}, "state": state, "activeAt": to_iso(NOW - age), "value": "1e+00"}

    given = [one("pending", 5, job="x"), one("firing", 6, job="y"), one("firing", 7, job="x"), one("inactive", 1)]
    found = alerts.records(given, NOW)
    assert [(record["state"], record["age_seconds"]) for record in found] == [("firing", 7), ("firing", 6), ("pending", 5)]
    assert [record["age_seconds"] for record in alerts.records(given, NOW, parse_all(["job=~x|z"]))] == [7, 5]
    assert alerts.counts(found) == {"firing": 2, "pending": 1, "total": 3}
    assert alerts.summary(alerts.counts(found)) == "2 firing, 1 pending. " + alerts.KNOWS_NOT
    with bad.serving(prometheus()) as port:
        assert alerts.look({"url": f"http://127.0.0.1:{port}", "timeout": 3.0})[0]["age_seconds"] == 9
