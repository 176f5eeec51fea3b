import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _grafana as grafana
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        yield found


def connection(stub, **more):
    return {"url": stub.url + "/grafana", "bearer_token": "demo-grafana-token", "timeout": 2.0} | more


def looked(stub, wanted=(), expected=(), **more):
    """``(verdict, {name: (verdict, reason)}, summary)`` of all that the module does."""
    itself = grafana.readiness(connection(stub, **more))
    asked, lacking = grafana.chosen(grafana.datasources(connection(stub, **more)), wanted, expected)
    answers = grafana.health(connection(stub, **more), asked) + [grafana.missing(name) for name in lacking]
    found = {one["name"]: (one["verdict"], one["reason"]) for one in answers}
    return grafana.overall(itself, answers), found, grafana.summary(itself, answers)


def test_what_cannot_be_checked_is_unsupported_and_not_broken(stub):
    verdict, found, summary = looked(stub)
    assert verdict == "pass"
    assert found == {
        "Prometheus": ("healthy", "ok"),
        "PostgreSQL": ("healthy", "ok"),
        "Alertmanager": ("unsupported", "no_check"),
        "Seasons": ("unsupported", "no_check"),
    }
    assert summary.startswith("2 of 4 data sources healthy; Alertmanager: unsupported")


def test_a_plug_in_that_is_down_is_told_from_one_of_the_browser(stub):
    healths = {"A": "down", "B": "browser", "C": "gone"}
    stub.settings("grafana", datasources=[{"name": name, "health": health} for name, health in healths.items()])
    verdict, found, _summary = looked(stub)
    assert verdict == "fail"
    assert found == {"A": ("unhealthy", "plugin_down"), "B": ("unsupported", "no_check"), "C": ("unhealthy", "no_plugin")}


def test_where_grafana_does_not_tell_them_apart_nobody_knows(stub):
    stub.fault("grafana", status=403, path="/grafana/api/frontend")
    verdict, found, _summary = looked(stub, ["Alertmanager", "prometheus"])
    assert verdict == "inconclusive"
    assert found == {"Prometheus": ("healthy", "ok"), "Alertmanager": ("unknown", "no_backend")}


def test_one_that_is_broken_fails_with_its_own_words(stub):
    stub.settings("grafana", datasources=[{"name": "Prometheus", "health": "error", "message": "dial tcp: connection refused"}])
    verdict, found, summary = looked(stub)
    assert (verdict, found) == ("fail", {"Prometheus": ("unhealthy", "check")})
    assert "dial tcp: connection refused" in summary


def test_one_that_is_missing_fails(stub):
    assert looked(stub, ["Prometheus"], ["Loki"])[:2] == ("fail", {"Prometheus": ("healthy", "ok"), "Loki": ("missing", "missing")})
    assert looked(stub, ["Loki", "prometheus"], ["Loki"])[0] == "fail"


def test_nothing_that_can_be_checked_is_no_pass(stub):
    assert looked(stub, ["Alertmanager"])[0] == "inconclusive"
    stub.settings("grafana", datasources=[])
    assert looked(stub)[0] == "inconclusive"


def test_a_slow_one_holds_nobody_up(stub):
    stub.fault("grafana", delay=1.5, path="/grafana/api/datasources/uid/postgresql")
    verdict, found, summary = looked(stub, timeout=0.5)
    assert verdict == "fail"
    assert found["PostgreSQL"] == ("unhealthy", "timed_out")
    assert found["Prometheus"] == ("healthy", "ok")
    assert "no answer within 0.5 s" in summary


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 403, "body": '{"message": "Permissions needed: datasources:query"}'}, ("unknown", "forbidden")),
        ({"status": 502, "body": "<html>bad gateway"}, ("unknown", "server_error")),
        ({"status": 404, "body": '{"message": "Not found"}'}, ("unsupported", "no_check")),
        ({"status": 404, "body": '{"message": "Data source not found"}'}, ("unhealthy", "check")),
        ({"status": 500, "body": '{"messageId": "plugin.healthCheck", "message": "Plugin health check failed"}'}, ("unhealthy", "check")),
        ({"status": 200, "body": "{}"}, ("unknown", "not_grafana")),
        ({"status": 200, "body": "<html>"}, ("unknown", "web_page")),
    ],
)
def test_answers_of_the_health_endpoint(stub, fault, expected):
    stub.fault("grafana", path="/grafana/api/datasources/uid/prometheus", **fault)
    verdict, found, _summary = looked(stub, ["Prometheus"])
    assert found == {"Prometheus": expected}
    assert verdict != "pass"


def test_grafana_without_its_database(stub):
    stub.settings("grafana", database="failing")
    found = grafana.readiness(connection(stub))
    assert (found["verdict"], found["reason"], found["database"]) == ("wrong_answer", "database", "failing")
    assert grafana.overall(found, []) == "fail"
    assert grafana.summary(found, []) == "Grafana is up and its own database is failing"


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (bad.hanging, "timed_out"),
        (bad.trickling_body, "timed_out"),
        (bad.answering("500 Oops", b"{}"), "server_error"),
        (bad.answering("401 Unauthorized", b"{}"), "our_credentials"),
        (bad.answering(body=b"<html>"), "web_page"),
        (bad.answering(body=b"[]"), "not_grafana"),
        (bad.answering(body=b"{"), "not_json"),
        (bad.answering("503 Later", b"later"), "not_grafana"),
    ],
)
def test_a_grafana_that_misbehaves_is_never_well(behave, reason):
    with bad.serving(behave) as port:
        found = grafana.readiness({"url": f"http://127.0.0.1:{port}", "timeout": 0.4})
    assert found["reason"] == reason
    assert found["next"]
    assert grafana.overall(found, []) in ("fail", "inconclusive")


def test_a_wrong_token_is_a_refusal_of_ours(stub):
    with pytest.raises(ProbeError) as caught:
        grafana.datasources(connection(stub) | {"bearer_token": "wrong"})
    assert caught.value.reason == "our_credentials"
    assert "Invalid API key" in caught.value.message
