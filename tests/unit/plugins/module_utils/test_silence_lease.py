import json
import os

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _matchers, _silence_lease, _silences
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

NOW = 1764000000.0
SKEW = 30.0
CONNECTION = {"url": "http://127.0.0.1:9093", "password": "throwaway"}


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Alertmanager:
    """Remembers what it is sent; ``fails`` times it does not answer."""

    def __init__(self, fails=0):
        self.sent, self.fails = [], fails

    def post(self, _connection, document):
        if self.fails:
            self.fails -= 1
            raise ProbeError("unreachable", "refused", "nobody listens", "")
        self.sent.append(dict(document))
        over = document["startsAt"] == self.sent[-1]["startsAt"] != to_iso(NOW + SKEW)
        return document["id"] + "-again" if over else document["id"]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path, clock):
    found = _silence_lease.path_of(str(tmp_path / "operation.json"), 7)
    _silence_lease.add(found, CONNECTION, [silence("one")], 90, SKEW, clock)
    return found


def silence(silence_id):
    return {
        "id": silence_id, "matchers": [], "startsAt": to_iso(NOW + SKEW), "endsAt": to_iso(NOW + SKEW + 90), "createdBy": "deploy 7",
        "comment": "why", "status": {"state": "active"}, "updatedAt": "",
    }  # fmt: skip


def ends_of(path):
    return [from_iso(item["endsAt"]).timestamp() for item in _silence_lease.read(path)["silences"]]


def test_only_its_owner_can_read_it(path):
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_what_is_there_is_put_off_by_the_clock_of_alertmanager(path, clock):
    alertmanager = Alertmanager()
    clock.now += 20
    _silence_lease.renew(path, clock, alertmanager.post)
    assert alertmanager.sent == [dict(_silence_lease._sent(silence("one")), endsAt=to_iso(NOW + 20 + SKEW + 90))]
    assert ends_of(path) == [NOW + 20 + SKEW + 90]


def test_not_each_time(path, clock):
    alertmanager = Alertmanager()
    for _second in range(60):
        clock.now += 1
        _silence_lease.renew(path, clock, alertmanager.post)
    assert len(alertmanager.sent) == 4


def test_one_that_fails_is_tried_again_and_never_harms(path, clock):
    alertmanager = Alertmanager(fails=1)
    for _second in range(30):
        clock.now += 1
        _silence_lease.renew(path, clock, alertmanager.post)
    assert len(alertmanager.sent) == 1


def test_one_that_has_ended_meanwhile_begins_anew_and_its_new_id_is_kept(path, clock):
    alertmanager = Alertmanager()
    clock.now += 200
    _silence_lease.renew(path, clock, alertmanager.post)
    assert alertmanager.sent[0]["startsAt"] == to_iso(NOW + 200 + SKEW)
    assert _silence_lease.read(path)["silences"][0]["id"] == "one-again"


def test_nothing_is_put_off_for_ever(path, clock):
    alertmanager = Alertmanager()
    clock.now += _silence_lease.LONGEST + 1
    _silence_lease.renew(path, clock, alertmanager.post)
    assert alertmanager.sent == []


def test_another_silence_of_the_operation_is_added(path, clock):
    _silence_lease.add(path, CONNECTION, [silence("two"), silence("one")], 90, SKEW, clock)
    assert [item["id"] for item in _silence_lease.read(path)["silences"]] == ["one", "two"]


def test_without_one_nothing_happens(tmp_path):
    _silence_lease.renew(str(tmp_path / "silences-1.json"), post=None)
    _silence_lease.renew(str(tmp_path / "no folder" / "silences-1.json"), post=None)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", ["", "{", "null", '{"silences": []'])
def test_a_damaged_file_never_keeps_the_operation(path, clock, content):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(content)
    clock.now += 20
    _silence_lease.renew(path, clock, Alertmanager().post)


def test_what_is_given_back_meanwhile_does_not_come_back(path, clock):
    clock.now += 20

    def post(_connection, document):
        os.unlink(path)
        return document["id"]

    _silence_lease.renew(path, clock, post)
    assert not os.path.exists(path)


def test_what_was_left_by_others_long_ago_goes_too(path):
    folder = os.path.dirname(path)
    old, other = os.path.join(folder, "silences-3.json"), os.path.join(folder, "silences-6.json")
    for name in (old, other, os.path.join(folder, "freezes.json")):
        with open(name, "w", encoding="utf-8") as stream:
            json.dump({}, stream)
    os.utime(old, (0, 0))
    os.utime(os.path.join(folder, "freezes.json"), (0, 0))
    _silence_lease.forget(path)
    assert sorted(os.listdir(folder)) == ["freezes.json", "silences-6.json"]
    _silence_lease.forget(path)


NEVER = ["HighErrorRate", "HighResponseTime"]


@pytest.mark.parametrize(
    ("matchers", "sentence"),
    [
        (["stack=a", "service=app"], "hide alerts of any name"),
        (["stack=a", "alertname!="], "hide alerts of any name"),
        (["stack=a", "alertname=~.*"], "hide alerts of any name"),
        (["stack=a", "alertname=~High.*"], "would hide HighErrorRate, HighResponseTime"),
        (["stack=a", "alertname!=TargetDown"], "would hide HighErrorRate, HighResponseTime"),
        (["stack=a", "alertname=~TargetDown|HighErrorRate"], "would hide HighErrorRate,"),
    ],
)
def test_what_an_operation_must_not_hide(matchers, sentence):
    with pytest.raises(OpsError, match=sentence):
        _silences.refuse_never(_matchers.parse_all(matchers), NEVER)


def test_what_it_may_hide():
    _silences.refuse_never(_matchers.parse_all(["stack=a", "alertname=~TargetDown|PostgresDown"]), NEVER)
