import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager as am
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

NOW = 1764000000.0


def alert(name="TargetDown", state="active", age=60.0, silenced=(), inhibited=(), fingerprint=None, **labels):
    return {
        "labels": {"alertname": name, **labels},
        "annotations": {"runbook": "docs/x.md"},
        "fingerprint": fingerprint or name,
        "startsAt": to_iso(NOW - age),
        "status": {"state": state, "silencedBy": list(silenced), "inhibitedBy": list(inhibited)},
        "receivers": [{"name": "stub"}],
    }


@pytest.mark.parametrize(
    ("state", "silenced", "inhibited", "found"),
    [
        ("active", [], [], "active"),
        ("unprocessed", [], [], "unprocessed"),
        ("suppressed", ["s"], [], "silenced"),
        ("suppressed", [], ["f"], "inhibited"),
        ("suppressed", ["s"], ["f"], "silenced"),
        ("suppressed", [], [], "inhibited"),
    ],
)
def test_states_are_told_apart(state, silenced, inhibited, found):
    assert am.state_of(alert(state=state, silenced=silenced, inhibited=inhibited)) == found


def test_names_for_people():
    assert am.name_of({"alertname": "A", "instance": "h:1", "job": "app", "team": "x", "severity": "page"}) == (
        "A (job=app, instance=h:1, severity=page)"
    )
    assert am.name_of({"alertname": "A"}) == "A"
    assert am.name_of({}) == "an alert without a name"


def test_an_alert_says_who_silenced_it():
    silence = {"id": "s", "owner": "ada", "comment": "why", "ends_at": to_iso(NOW + 9), "seconds_left": 9}
    found = am.alert_record(alert(silenced=["s", "gone"]), NOW, {"s": silence})
    assert (found["age_seconds"], found["runbook"], found["receivers"]) == (60, "docs/x.md", ["stub"])
    assert found["silenced_by"] == [silence, {"id": "gone", "owner": None, "comment": None, "ends_at": None, "seconds_left": None}]


def test_members_are_merged_and_the_loudest_counts():
    one = [am.alert_record(alert("A", "suppressed", silenced=["s"]), NOW), am.alert_record(alert("B"), NOW)]
    two = [am.alert_record(alert("A", age=90.0), NOW), am.alert_record(alert("C", "suppressed", inhibited=["f"]), NOW)]
    found = am.merged({"http://one": one, "http://two": two})
    assert [(record["name"], record["state"]) for record in found] == [("A", "active"), ("B", "active"), ("C", "inhibited")]
    assert found[0]["known_to"] == ["http://one", "http://two"]
    assert (found[0]["age_seconds"], [one["id"] for one in found[0]["silenced_by"]]) == (90, ["s"])
    assert am.counts(found) == {"active": 2, "silenced": 0, "inhibited": 1, "unprocessed": 0, "total": 3}
    assert am.summary(am.counts(found), 1) == "3 alerts: 2 active, 1 inhibited; 1 of the Alertmanagers told nothing"
    assert am.summary(am.counts([]), 0) == "0 alerts"


def test_a_member_that_failed_is_described_and_a_fault_of_ours_is_raised():
    error = ProbeError("refused", "refused", "connection refused", "Start it.")
    assert am.member("http://one", error) == {
        "url": "http://one", "answered": False, "reason": "refused", "message": "connection refused", "next": "Start it.",
    }  # fmt: skip
    assert am.member("http://one", [])["answered"]
    with pytest.raises(ZeroDivisionError):
        am.member("http://one", ZeroDivisionError())


def test_the_silences_are_only_asked_for_where_one_is_silenced():
    seen = []
    with bad.serving(bad.answering(body=json.dumps([alert()]).encode(), seen=seen)) as port:
        assert am.look({"url": f"http://127.0.0.1:{port}", "timeout": 2.0})[0]["state"] == "active"
    assert len(seen) == 1


def test_alerts_that_are_not_as_they_should_be():
    broken = dict(alert(), startsAt="yesterday")
    with (
        bad.serving(bad.answering(body=json.dumps([broken]).encode())) as port,
        pytest.raises(ProbeError, match="did not answer like Alertmanager"),
    ):
        am.look({"url": f"http://127.0.0.1:{port}", "timeout": 2.0})


def test_a_silence_for_people():
    item = {"name": "path", "value": 'a"b', "isRegex": False}  # of before 0.22
    silence = {
        "id": "s", "createdBy": "ada", "comment": "why", "startsAt": "2025-11-24T16:00:00.123Z", "endsAt": to_iso(NOW + 90.4),
        "status": {"state": "active"}, "matchers": [item],
    }  # fmt: skip
    found = am.silence_record(silence, NOW)
    assert (found["matchers"], found["seconds_left"], found["starts_at"]) == (['path="a\\"b"'], 90, "2025-11-24T16:00:00.123Z")
    assert am.silence_record(dict(silence, status={"state": "expired"}), NOW)["seconds_left"] == 0


def test_which_alerts_a_silence_hides():
    found = [alert("A", silenced=["s", "t"]), alert("B", silenced=["t"]), alert("C")]
    assert {key: am.names(value) for key, value in am.by_silence(found).items()} == {"s": ["A"], "t": ["A", "B"]}


def test_status():
    document = {"versionInfo": {"version": "0.28.1"}, "cluster": {"status": "ready", "peers": [{}, {}]}}
    with bad.serving(bad.answering(body=json.dumps(document).encode())) as port:
        found = am.status({"url": f"http://127.0.0.1:{port}", "timeout": 2.0})
    assert found == {"version": "0.28.1", "cluster": {"status": "ready", "peers": 2}}


def test_the_clock_is_the_servers():
    assert am.server_clock({"date": "Mon, 24 Nov 2025 16:00:00 GMT"}) == NOW
    assert am.server_clock({"date": "noon"}) > NOW
    assert am.server_clock({}) > NOW
