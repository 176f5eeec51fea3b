import functools

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager as am
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager_health as health
from ansible_collections.astraldraft.ops.plugins.module_utils import _grafana, _prometheus_health, _sentry_issues
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

PROMETHEUS = {"own_metrics": True, "watchdog": "Watchdog", "jobs": [], "stale_intervals": 3.0, "alertmanagers": 1}
BROKEN = {
    "it hangs": bad.hanging,
    "it trickles a header": bad.trickling,
    "it trickles a body": bad.trickling_body,
    "it never ends": bad.endless,
    "it ends too soon": bad.cutting,
    "it resets": bad.resetting,
    "it speaks something else": bad.babbling,
    "401": bad.answering("401 Unauthorized", b"{}"),
    "403": bad.answering("403 Forbidden", b"{}"),
    "404": bad.answering("404 Not Found", b"404 page not found"),
    "410": bad.answering("410 Gone", b"{}"),
    "500": bad.answering("500 Internal Server Error", b"oops"),
    "503": bad.answering("503 Service Unavailable", b"oops"),
    "a redirect elsewhere": bad.answering("302 Found", Location="http://192.0.2.1/login"),
    "a login page": bad.answering(body=b"<!doctype html><title>Log in</title>", Content_Type="text/html"),
    "malformed JSON": bad.answering(body=b'{"status": "success", '),
    "an empty body": bad.answering(),
    "another's JSON": bad.answering(body=b'{"ok": true}'),
    "a list": bad.answering(body=b"[1]"),
}


def of_prometheus(connection):
    return _prometheus_health.overall(_prometheus_health.Look(connection, PROMETHEUS).judge()["findings"])


def of_alertmanager(connection):
    answers = am.ask_members([connection["url"]], connection, health.look, health.QUESTIONS)
    return _prometheus_health.overall(health.judge([health.record(connection["url"], one) for one in answers], 1))


def of_grafana(connection):
    return _grafana.overall(_grafana.readiness(connection), [])


def of_sentry(connection):
    """What the module does: it fails on a ProbeError."""
    try:
        _sentry_issues.issues(connection, "astral", [("query", "")], 1, lambda: None)
    except ProbeError:
        return "fail"
    return "pass"


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("verdict_of", [of_prometheus, of_alertmanager, of_grafana, of_sentry])
def test_nothing_that_is_broken_reads_as_well(broken, verdict_of):
    with bad.serving(BROKEN[broken]) as port:
        verdict = verdict_of({"url": f"http://127.0.0.1:{port}", "timeout": 0.4})
    # A token that is refused says nothing about Grafana itself.
    assert verdict == "fail" or (verdict_of is of_grafana and verdict == "inconclusive")


def test_nobody_at_all_reads_as_well():
    for verdict_of in (of_prometheus, of_alertmanager, of_grafana, of_sentry):
        assert verdict_of({"url": f"http://127.0.0.1:{bad.free_port()}", "timeout": 0.4}) == "fail"


def status(state="ready", peers=2):
    return {"version": "0.28.1", "cluster": {"status": state, "peers": peers}}


@pytest.mark.parametrize(
    ("answer", "peers", "verdict", "words"),
    [
        (status("disabled", 0), 1, "pass", "alone"),
        (status("disabled", 0), 2, "fail", "is in no cluster"),
        (status(peers=2), 2, "pass", "one of 2 members"),
        (status(peers=3), 2, "pass", "one of 3 members"),
        (status(peers=1), 2, "fail", "knows 1 of at least 2"),
        (status("settling"), 2, "inconclusive", "settling"),
        (ProbeError("refused", "refused", "connection refused", "Start it."), 1, "fail", "connection refused"),
    ],
)
def test_the_members_of_a_cluster_know_each_other(answer, peers, verdict, words):
    found = health.judge([health.record("http://one", answer)], peers)[0]
    assert (found.verdict, found.subject) == (verdict, "http://one")
    assert words in found.message
    assert bool(found.next) == (verdict != "pass")


def test_a_fault_of_ours_is_no_answer():
    with pytest.raises(ZeroDivisionError):
        am.ask_members(["http://127.0.0.1:1"], {"timeout": 1.0}, lambda _one: 1 / 0)


def test_one_that_starts_is_not_ready():
    with bad.serving(bad.answering("503 Service Unavailable", b"Not Ready")) as port, pytest.raises(ProbeError, match="is not ready"):
        health.look({"url": f"http://127.0.0.1:{port}", "timeout": 1.0})


def test_every_member_is_asked_at_the_same_time():
    with bad.serving(bad.hanging) as port:
        urls = [f"http://127.0.0.1:{port}/{number}" for number in range(4)]
        question = functools.partial(am.ask_members, urls, {"timeout": 0.4}, health.look, health.QUESTIONS)
        assert [answer.reason for answer in question()] == ["timed_out"] * 4
