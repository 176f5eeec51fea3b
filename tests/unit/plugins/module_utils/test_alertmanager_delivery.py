import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager_delivery as core
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

NOW = 1764000000.0
# As Alertmanager 0.28 writes them.
METRICS = """\
# HELP alertmanager_notifications_total The total number of attempted notifications.
# TYPE alertmanager_notifications_total counter
alertmanager_notifications_total{integration="email"} 0
alertmanager_notifications_total{integration="webhook"} 7
# TYPE alertmanager_notifications_failed_total counter
alertmanager_notifications_failed_total{integration="webhook",reason="clientError"} 2
alertmanager_notifications_failed_total{integration="webhook",reason="other"} 0
alertmanager_notifications_failed_total{integration="webhook",reason="serverError"} 1
alertmanager_notification_requests_failed_total{integration="webhook"} 1.1e+01
alertmanager_notification_requests_total{integration="webhook"} 20
"""
OLD = 'alertmanager_notifications_total{integration="webhook"} 3\nalertmanager_notifications_failed_total{integration="webhook"} 1\n'
NAMED = (
    'alertmanager_notifications_total{integration="webhook",receiver_name="stub"} 3\n'
    'alertmanager_notifications_total{integration="webhook",receiver_name="other"} 5\n'
)


def test_what_was_counted():
    found = core.counted(METRICS)
    assert found["webhook"] == {"tried": 7, "failed": 3, "requests_failed": 11, "reasons": {"clientError": 2, "serverError": 1}}
    assert [one["integration"] for one in core.records({"http://one": found})] == ["webhook"]
    assert core.counted(OLD)["webhook"] == {"tried": 3, "failed": 1, "requests_failed": 0, "reasons": {}}
    assert core.counted(NAMED)["webhook"]["tried"] == 8
    assert core.counted(NAMED, ["stub"])["webhook"]["tried"] == 3
    assert core.counted("<html>") == {}


def record(tried=1, failed=0, requests_failed=0, url="http://one", **reasons):
    return {"url": url, "integration": "webhook", "tried": tried, "failed": failed, "requests_failed": requests_failed, "reasons": reasons}


def test_what_came_to_be_since():
    assert core.since([record(3)], [record(3)]) == {}
    found = core.since([record(5, 2, 6, clientError=2), record(1, url="http://two")], [record(3, 1, clientError=1)])
    assert found == {"webhook": {"tried": 3, "failed": 1, "requests_failed": 6, "reasons": {"clientError": 1}}}
    assert core.spelled(found) == "webhook: 3 notifications, 1 given up (1 clientError), 6 requests failed"
    # One that was started anew counts from its beginning.
    assert core.since([record(1)], [record(9)])["webhook"]["tried"] == 1


MEMBER = {"url": "http://one", "answered": True, "message": "", "next": ""}
SILENT = {"url": "http://two", "answered": False, "message": "connection refused", "next": "Start it."}


@pytest.mark.parametrize(
    ("members", "ages", "maximum", "verdict", "words"),
    [
        ([MEMBER], {"http://one": 12.0}, None, "pass", "12 s ago"),
        ([MEMBER], {"http://one": 89.0}, 90.0, "pass", "89 s ago"),
        ([MEMBER], {"http://one": 100.0}, 90.0, "fail", "longer than 90 s"),
        ([MEMBER], {"http://one": None}, None, "fail", "http://one has no such alert"),
        ([MEMBER, SILENT], {"http://one": 1.0}, None, "fail", "connection refused"),
    ],
)
def test_every_alertmanager_knows_it_and_was_told_lately(members, ages, maximum, verdict, words):
    found = core.known_hop(members, ages, maximum)
    assert found[0] == verdict
    assert words in found[1]
    assert bool(found[2]) == (verdict != "pass")


def alert(state="active", receivers=("stub",), **more):
    return {"state": state, "receivers": list(receivers), "silenced_by": [], "inhibited_by": []} | more


SILENCE = {"owner": "ada", "ends_at": "2026-11-29T12:00:00.000Z", "comment": "why"}


@pytest.mark.parametrize(
    ("found", "receivers", "verdict", "words"),
    [
        (alert(), ["stub"], "pass", "to stub"),
        (alert(), [], "pass", "to stub"),
        (alert(receivers=["other"]), ["stub"], "fail", "to other, not to stub"),
        (alert(receivers=[]), [], "fail", "no route takes it"),
        (alert("unprocessed"), ["stub"], "inconclusive", "not processed yet"),
        (alert("silenced", silenced_by=[SILENCE]), ["stub"], "fail", "silenced by ada until 2026-11-29T12:00:00.000Z (why)"),
        (alert("inhibited", inhibited_by=["f"]), ["stub"], "fail", "inhibited by f"),
        (alert("inhibited"), ["stub"], "fail", "the time of day"),
    ],
)
def test_it_goes_to_whom_it_should(found, receivers, verdict, words):
    told = core.routed_hop(found, receivers)
    assert told[0] == verdict
    assert words in told[1]


ERROR = ProbeError("wrong_answer", "not_found", "nothing is there", "Look.")


def test_a_count_proves_a_failure_and_no_arrival():
    sent, failed = core.since([record()], []), core.since([record(1, 0, 4)], [])
    assert core.notified_hop(sent, False)[0] == "pass"
    assert core.notified_hop({}, False)[0] == "inconclusive"
    assert core.notified_hop(failed, False)[:2] == ("fail", "webhook: 1 notification, 4 requests failed")
    # Those of other alerts, then.
    assert core.notified_hop(failed, True)[0] == "pass"
    assert (core.notified_hop(ERROR, False)[0], core.notified_hop(ERROR, True)[0]) == ("inconclusive", "pass")
    assert [core.arrived_hop(receipt)[0] for receipt in (True, False, None, ERROR)] == ["pass", "fail", "inconclusive", "fail"]


def test_the_first_hop_that_fails_is_the_broken_one():
    parts = [("known", "pass", "x", "", 1.0), ("routed", "inconclusive", "y", "", None), ("arrived", "fail", "z", "", None)]
    hops = [core.Hop(*part) for part in parts]
    assert core.overall(hops) == ("fail", "arrived")
    assert core.overall(hops[:2]) == ("inconclusive", "routed")
    assert core.overall(hops[:1]) == ("pass", "")
    assert core.summary(hops) == "known; arrived: z"
    assert core.summary(hops[:1]) == "known: x within 1.0 s"


OPTIONS = {
    "since": None, "receipt_url": None, "receipt_headers": {}, "receipt_text": None, "receivers": ["stub"], "maximum_age": None,
    "notifications_before": [],
}  # fmt: skip
ALERT = {
    "labels": {"alertname": "A"}, "annotations": {}, "fingerprint": "f", "startsAt": to_iso(NOW), "updatedAt": to_iso(NOW),
    "endsAt": to_iso(NOW + 300), "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}, "receivers": [{"name": "stub"}],
}  # fmt: skip


def serving(alerts, metrics=METRICS):
    """An Alertmanager with these alerts, or None for one whose answer is none."""

    def behave(connection):
        request = bad.read_request(connection)
        body = metrics if "/metrics" in request else json.dumps(alerts)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    return bad.serving(behave)


def follow(port, seconds=2.0, **more):
    connection = {"timeout": seconds}
    return core.Delivery([f"http://127.0.0.1:{port}"], connection, (), OPTIONS | more, clock=lambda: NOW + 3)


def verdicts(hops):
    return [hop.verdict for hop in hops]


def test_it_is_followed_to_where_it_arrived():
    receipt = {"receipt_text": "id-1", "since": to_iso(NOW)}
    with serving([ALERT]) as port, bad.serving(bad.answering(body=b'{"requests": ["id-1"]}')) as there:
        delivery = follow(port, receipt_url=f"http://127.0.0.1:{there}/x", **receipt)
        hops = delivery.look()
        assert verdicts(hops) == ["pass", "pass", "pass", "pass"]
        assert [hop.seconds for hop in hops] == [3.0] * 4
        assert delivery.is_done(hops)
    with serving([ALERT]) as port, bad.serving(bad.answering(body=b"[]")) as there:
        before = [record(7, 3, 11, f"http://127.0.0.1:{port}")]
        delivery = follow(port, receipt_url=f"http://127.0.0.1:{there}/x", notifications_before=before, **receipt)
        hops = delivery.look()
        assert verdicts(hops) == ["pass", "pass", "inconclusive", "fail"]
        assert not delivery.is_done(hops)


@pytest.mark.parametrize("behave", [bad.answering("500 Oops", b"id-1"), bad.endless, bad.hanging, bad.answering("404 Not Found", b"id-1")])
def test_a_receipt_that_cannot_be_asked_for_proves_nothing(behave):
    with serving([ALERT]) as port, bad.serving(behave) as there:
        hops = follow(port, 0.4, receipt_url=f"http://127.0.0.1:{there}/x", receipt_text="id-1").look()
    assert hops[3].verdict == "fail"
    assert "cannot be asked for" in hops[3].message


def test_without_a_receipt_nobody_has_proved_anything():
    with serving([ALERT], METRICS.replace("2\n", "0\n").replace("1\n", "0\n").replace("1.1e+0", "0")) as port:
        delivery = follow(port)
        hops = delivery.look()
    assert verdicts(hops) == ["pass", "pass", "pass", "inconclusive"]
    assert delivery.is_done(hops)


@pytest.mark.parametrize("alerts", [{"status": "success"}, [{}], [dict(ALERT, updatedAt="yesterday")], [dict(ALERT, labels=None)], "x"])
def test_what_answers_like_something_else_is_no_alertmanager(alerts):
    with serving(alerts) as port:
        hops = follow(port).look()
    assert verdicts(hops) == ["fail", "inconclusive", "inconclusive", "inconclusive"]
    assert "did not answer like Alertmanager" in hops[0].message


def test_metrics_that_cannot_be_read_are_said():
    with serving([ALERT], "<html>a page</html>") as port:
        hops = follow(port).look()
    assert hops[2].verdict == "inconclusive"
    assert "web page" in hops[2].message


def test_an_alert_that_is_not_there_is_not_followed():
    with serving([]) as port:
        hops = follow(port).look()
    assert verdicts(hops) == ["fail", "inconclusive", "inconclusive", "inconclusive"]
    assert hops[1].message == "not reached"
