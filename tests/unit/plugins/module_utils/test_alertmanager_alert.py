import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager_alert as core
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

NOW = 1764000000.0
LABELS = {"alertname": "A", "severity": "none"}


def known(left=300.0, age=60.0, **annotations):
    return {
        "labels": dict(LABELS), "annotations": annotations, "startsAt": to_iso(NOW - age), "endsAt": to_iso(NOW + left),
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}, "receivers": [{"name": "stub"}],
    }  # fmt: skip


def test_labels_are_text_and_none_is_empty():
    assert core.labels_of({"alertname": "A", "number": 3, "flag": True, "nothing": "", "none": None}) == {
        "alertname": "A", "number": "3", "flag": "True",
    }  # fmt: skip
    with pytest.raises(OpsError, match="Give at least alertname"):
        core.labels_of({"alertname": ""})


def test_durations():
    assert core.seconds_of("5m") == 300
    with pytest.raises(OpsError, match="no duration"):
        core.seconds_of("soon")
    with pytest.raises(OpsError, match="over at once"):
        core.seconds_of("0")


@pytest.mark.parametrize(("left", "sent"), [(300.0, False), (271.0, False), (269.0, True), (1000.0, False)])
def test_one_that_fires_is_put_anew_when_little_is_left_of_it(left, sent):
    document = core.plan_present(known(left), LABELS, {}, 300, NOW)
    assert bool(document) == sent
    if document:
        assert (document["startsAt"], document["endsAt"]) == (to_iso(NOW - 60), to_iso(NOW + 300))


def test_other_words_are_put_and_the_end_is_never_sooner():
    document = core.plan_present(known(1000.0), LABELS, {"summary": "other"}, 300, NOW)
    assert (document["annotations"], document["endsAt"]) == ({"summary": "other"}, to_iso(NOW + 1000))
    assert core.plan_present(None, LABELS, {}, 300, NOW)["startsAt"] == to_iso(NOW)


def test_what_does_not_fire_need_not_be_ended_and_an_end_comes_after_the_start():
    assert core.plan_absent(None, NOW) is None
    document = core.plan_absent(known(age=-0.5), NOW)
    assert from_iso(document["startsAt"]) < from_iso(document["endsAt"])
    assert document["endsAt"] == to_iso(NOW)


def test_a_member_tells_what_it_had_and_has():
    member = core.Member("http://me:pass@one")
    member.plan((None, NOW), LABELS, {"summary": "x"}, 300)
    assert (member.record()["before"], member.record()["changed"]) == (None, True)
    assert member.record()["after"]["state"] == "unprocessed"
    member.seen((known(), NOW), True)
    assert (member.record()["answered"], member.record()["after"]["receivers"]) == (True, ["stub"])
    assert "pass" not in member.record()["url"]


def test_a_member_that_says_nothing_or_forgets_is_named():
    member = core.Member("http://one")
    member.plan(ProbeError("refused", "refused", "connection refused", "Start it."), LABELS, {}, 300)
    assert (member.document, member.record()["answered"], member.record()["changed"]) == (None, False, False)
    member = core.Member("http://one")
    member.plan((None, NOW), LABELS, {}, 300)
    member.seen((None, NOW), True)
    assert member.record()["reason"] == "not_taken"
    assert "does not have it" in member.record()["message"]
    member = core.Member("http://one")
    member.plan(({"labels": LABELS}, NOW), LABELS, {}, 300)
    assert member.record()["reason"] == "not_alertmanager"


def test_where_nobody_knows_whether_it_arrived_it_is_said():
    with bad.serving(bad.hanging) as port, pytest.raises(ProbeError) as error:
        core.send({"url": f"http://127.0.0.1:{port}", "timeout": 0.3}, {"labels": LABELS})
    assert "Nobody knows whether it arrived" in error.value.next
    with pytest.raises(ProbeError) as error:
        core.send({"url": f"http://127.0.0.1:{bad.free_port()}", "timeout": 0.3}, {"labels": LABELS})
    assert "Nobody knows" not in error.value.next


def test_only_the_alert_with_just_these_labels_is_meant():
    other = dict(known(), labels=dict(LABELS, more="x"), fingerprint="f")
    body = json.dumps([other, dict(known(), fingerprint="g")]).encode()
    with bad.serving(bad.answering(body=body)) as port:
        found, _now = core.find({"url": f"http://127.0.0.1:{port}", "timeout": 2.0}, LABELS)
    assert found["fingerprint"] == "g"
