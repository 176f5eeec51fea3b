import json
import urllib.parse

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _matchers, _silences
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import Answer
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

NOW = 1764000000.0
HOUR = 3600.0
OPTIONS = {
    "matchers": ["job=app", "environment=demo"], "owner": "ada", "comment": "why", "duration": "1h", "ends_at": None, "id": None,
    "maximum_duration": "24h",
}  # fmt: skip


def asked(**options):
    return _silences.wanted({**OPTIONS, **options}, NOW)


def silence(
    silence_id="one", starts=-100.0, ends=HOUR, state="active", matchers=("environment=demo", "job=app"), owner="ada", comment="why"
):
    items = [_matchers.to_api(_matchers.parse(text)) for text in matchers]
    return {
        "id": silence_id, "createdBy": owner, "comment": comment, "startsAt": to_iso(NOW + starts), "endsAt": to_iso(NOW + ends),
        "status": {"state": state}, "matchers": items,
    }  # fmt: skip


# -- what is asked for


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"duration": "soon"}, "is no duration"),
        ({"duration": "0"}, "would be over at once"),
        ({"duration": "25h"}, "would last for 25.0 h, longer than maximum_duration, 24.0 h"),
        ({"duration": None, "ends_at": "2024-01-01T00:00:00Z"}, "would be over at once"),
        ({"duration": None, "ends_at": "2030-01-01T00:00:00Z"}, "longer than maximum_duration"),
        ({"duration": None, "ends_at": "2025-11-24T20:00:00"}, "has no time zone"),
        ({"matchers": ["job"]}, "is no matcher"),
    ],
)
def test_what_cannot_be_asked_for(options, sentence):
    with pytest.raises(OpsError, match=sentence):
        asked(**options)


def test_what_is_too_broad_is_named():
    with pytest.raises(OpsError, match=r'The matchers severity="critical" are too broad'):
        _silences.refuse_broad(_matchers.parse_all(["severity=critical"]))
    _silences.refuse_broad(_matchers.parse_all(["job=app"]))


@pytest.mark.parametrize(
    ("hidden", "firing", "refused"), [(1, 1, False), (3, 3, False), (4, 4, True), (4, 8, False), (5, 8, True), (0, 0, False), (4, 0, False)]
)
def test_the_share_that_a_silence_may_hide(hidden, firing, refused):
    alerts = [{"labels": {"alertname": f"A{number:02}"}} for number in range(hidden)]
    if not refused:
        _silences.refuse_share(alerts, firing, 0.5, 3)
        return
    with pytest.raises(OpsError, match=rf"would hide {hidden} of the {firing} alerts .*, 50 %: A00; A01") as caught:
        _silences.refuse_share(alerts, firing, 0.5, 3)
    assert "allow_broad" in caught.value.message


def test_no_more_than_ten_are_told():
    with pytest.raises(OpsError, match="A09; and 5 more"):
        _silences.refuse_share([{"labels": {"alertname": f"A{number:02}"}} for number in range(15)], 15, 0.5, 3)


def test_an_old_version_would_take_a_negative_matcher_for_its_opposite():
    negative = _matchers.parse_all(["job=app", "colour!=blue"])
    with pytest.raises(OpsError, match=r'0\.21\.0 would take colour!="blue" for its opposite'):
        _silences.refuse_old("0.21.0", negative)
    for version in ("0.22.0", "0.28.1", "", "(devel)"):
        _silences.refuse_old(version, negative)
    _silences.refuse_old("0.21.0", negative[:1])


# -- the plan


def test_nothing_there_makes_one():
    plan = _silences.plan_present([silence(owner="grace"), silence(matchers=["job=app"]), silence(state="expired")], asked(), NOW)
    assert plan.keep is None
    assert plan.expire == []
    assert plan.document == {
        "createdBy": "ada",
        "comment": "why",
        "startsAt": to_iso(NOW),
        "endsAt": to_iso(NOW + HOUR),
        "matchers": [_matchers.to_api(_matchers.parse(text)) for text in ("job=app", "environment=demo")],
    }
    assert _silences.foreseen(plan, NOW)["id"] is None


@pytest.mark.parametrize(
    ("left", "well"),
    [(0.5 * HOUR, False), (0.89 * HOUR, False), (0.91 * HOUR, True), (HOUR, True), (1.09 * HOUR, True), (1.2 * HOUR, False)],
)
def test_extended_only_when_it_matters(left, well):
    plan = _silences.plan_present([silence(ends=left)], asked(), NOW)
    assert (plan.document is None) is well
    assert _silences.keeps_its_id(plan)
    if not well:
        assert (plan.document["id"], plan.document["endsAt"]) == ("one", to_iso(NOW + HOUR))
        # As Alertmanager has them: in another order it would give another id.
        assert plan.document["startsAt"] == plan.keep["startsAt"]
        assert plan.document["matchers"] == plan.keep["matchers"]
    assert _silences.foreseen(plan, NOW)["id"] == "one"


def test_an_end_is_kept_to_the_second():
    until = asked(duration=None, ends_at=to_iso(NOW + HOUR))
    assert _silences.plan_present([silence(ends=HOUR + 1)], until, NOW).document is None
    assert _silences.plan_present([silence(ends=HOUR + 3)], until, NOW).document["endsAt"] == to_iso(NOW + HOUR)


def test_another_comment_is_written_in_place():
    plan = _silences.plan_present([silence()], asked(comment="another"), NOW)
    assert plan.document["comment"] == "another"
    assert _silences.keeps_its_id(plan)


def test_of_two_the_older_stays():
    younger, older = silence("a", starts=-50.0), silence("b", starts=-60.0)
    plan = _silences.plan_present([younger, older], asked(), NOW)
    assert (plan.keep, plan.document, plan.expire) == (older, None, [younger])
    same = [silence("b"), silence("a")]
    assert _silences.plan_present(same, asked(), NOW).keep["id"] == "a"


def test_one_that_has_not_begun_begins_now_under_a_new_id():
    plan = _silences.plan_present([silence(starts=100.0, state="pending")], asked(), NOW)
    assert (plan.document["id"], plan.document["startsAt"]) == ("one", to_iso(NOW))
    assert not _silences.keeps_its_id(plan)


def test_the_one_that_is_meant_by_its_id():
    other = silence("other", matchers=["job=web"])
    plan = _silences.plan_present([other], asked(id="other"), NOW)
    assert plan.document["id"] == "other"
    assert not _silences.keeps_its_id(plan)
    # One with those matchers is there already: it stays, and the other is ended.
    plan = _silences.plan_present([other, silence()], asked(id="other"), NOW)
    assert (plan.keep["id"], plan.expire) == ("one", [other])
    # Its matchers were changed by an earlier run: it is over, and has another id.
    plan = _silences.plan_present([dict(other, status={"state": "expired"}), silence()], asked(id="other"), NOW)
    assert (plan.keep["id"], plan.document, plan.expire) == ("one", None, [])


def test_owners_do_not_disturb_each_other():
    with pytest.raises(OpsError, match="The silence one is grace's, not ada's"):
        _silences.plan_present([silence(owner="grace")], asked(id="one"), NOW)
    assert _silences.own([silence(owner="grace")], asked().matchers, "ada") == []
    assert _silences.named([silence(owner="grace")], "one", None)["id"] == "one"


# -- against something like Alertmanager


class Alertmanager:
    """Just enough of it: silences that are changed in place only where the real one does so. ``rival`` is called before each look."""

    def __init__(self, *found):
        self.silences, self.now, self.number, self.rival, self.drops_negation = list(found), NOW, 0, None, False
        self.seen = []

    def get(self, silence_id):
        return next((item for item in self.silences if item["id"] == silence_id), None)

    def __call__(self, _connection, path, _parameters=(), method="GET", body=None, **_more):
        self.seen.append(f"{method} {path}")
        if method == "POST":
            return self.answer({"silenceID": self.put(body)})
        if method == "DELETE":
            found = self.get(path.rpartition("/")[2])
            if not found or found["status"]["state"] == "expired":
                return self.answer("already expired", 500)
            found["status"] = {"state": "expired"}
            return self.answer(None)
        if self.rival:
            self.rival()
        return self.answer(json.loads(json.dumps(self.silences)))

    def put(self, document):
        known = self.get(document.get("id", ""))
        if self.drops_negation:
            document = dict(document, matchers=[dict(item, isEqual=True) for item in document["matchers"]])
        if known and known["matchers"] == document["matchers"] and known["startsAt"] == document["startsAt"]:
            known.update(document)
            return known["id"]
        if known:
            known["status"] = {"state": "expired"}
        self.number += 1
        starts = max(from_iso(document["startsAt"]).timestamp(), self.now + self.number / 1000.0)
        self.silences.append(dict(document, id=f"new-{self.number}", startsAt=to_iso(starts), status={"state": "active"}))
        return self.silences[-1]["id"]

    def answer(self, document, status=200):
        headers = {"date": "Mon, 24 Nov 2025 16:00:00 GMT"}
        return Answer(status, document, "http://am", headers, document if isinstance(document, str) else "")

    def active(self):
        return [item for item in self.silences if item["status"]["state"] == "active"]


@pytest.fixture
def server(monkeypatch):
    found = Alertmanager()
    monkeypatch.setattr(_alertmanager, "fetch", found)
    monkeypatch.setattr(_silences, "PAUSE", 0.0)
    return found


def silencer():
    found = _silences.Silencer({"url": "http://am"}, lambda: None)
    found.look()
    return found


def test_twice_leaves_one(server):
    made, ended = silencer().put(asked())
    assert (made["id"], ended) == ("new-1", [])
    again = silencer()
    assert again.put(asked()) == (server.silences[0], [])
    assert not again.done
    assert len(server.silences) == 1


def test_two_at_the_same_moment_leave_one(server):
    def rival():
        if server.number == 1:
            server.put(_silences._document(None, asked(), NOW))

    server.rival = rival
    made, ended = silencer().put(asked())
    assert (made["id"], ended) == ("new-1", ["new-2"])
    assert [item["id"] for item in server.active()] == ["new-1"]


def test_one_that_was_ended_meanwhile_is_made_anew(server):
    server.silences = [silence(ends=60.0)]
    mine = silencer()
    server.silences[0]["status"] = {"state": "expired"}
    made, _ended = mine.put(asked())
    assert [item["id"] for item in server.active()] == [made["id"]] == ["new-1"]


def test_whoever_is_always_disturbed_says_so(server):
    def rival():
        for item in server.silences:
            item["comment"] = "mine"

    server.rival = rival
    with pytest.raises(OpsError, match="each time others changed it"):
        silencer().put(asked())


def test_what_alertmanager_made_something_else_of_is_ended(server):
    server.drops_negation = True
    with pytest.raises(OpsError, match="made something else of the matchers"):
        silencer().put(asked(matchers=["job=app", "colour!=blue"]))
    assert server.active() == []


def test_ending_and_what_is_over_already(server):
    server.silences = [silence()]
    mine = silencer()
    mine.end(server.silences[0])
    mine.end(server.silences[0])
    assert mine.still_there([server.silences[0]]) == []


def test_no_write_without_the_lock(server):
    def taken_over():
        raise OpsError("taken over")

    mine = _silences.Silencer({"url": "http://am"}, taken_over)
    with pytest.raises(OpsError, match="taken over"):
        mine.put(asked())
    assert server.silences == []
    assert not mine.done


def test_a_failure_while_writing_says_that_nobody_knows():
    error = ProbeError("timed_out", "timed_out", "no answer from http://am within 1 s", "Look at it.")
    why = "no answer from http://am within 1 s. Look at it."
    assert _silences.explained(error, False).message == "No silence was changed: " + why
    assert _silences.explained(error, True).message == f"Silences may have been changed: {why} Run it again: what is there is found."


@pytest.mark.parametrize(
    ("reason", "done"), [("timed_out", True), ("server_error", True), ("bad_request", False), ("our_credentials", False)]
)
def test_what_was_refused_was_not_done(server, monkeypatch, reason, done):
    def fails(_connection, _what):
        raise ProbeError("wrong_answer", reason, "no", "Look.")

    mine = silencer()
    monkeypatch.setattr(_alertmanager, "put_silence", fails)
    with pytest.raises(ProbeError):
        mine.put(asked())
    assert (mine.done, server.silences) == (done, [])


@pytest.mark.parametrize(
    ("status", "body", "ends_well"),
    [
        ("200 OK", b"", True),
        ("404 Not Found", b"", True),
        ("404 Not Found", b'"silence not found"', True),
        ("500 Internal Server Error", b'"silence one already expired"', True),
        ("500 Internal Server Error", b'"disk full"', False),
        ("404 Not Found", b"404 page not found", False),
    ],
)
def test_ending_one_by_every_version(status, body, ends_well):
    with bad.serving(bad.answering(status, body)) as port:
        connection = {"url": f"http://127.0.0.1:{port}", "timeout": 2.0}
        if ends_well:
            _alertmanager.expire_silence(connection, "one")
            return
        with pytest.raises(ProbeError, match=r"answered [45]"):
            _alertmanager.expire_silence(connection, "one")


def test_matchers_are_sent_as_they_are_read():
    seen, matcher = [], _matchers.parse('path=~"/a\\\\.b|\\"é\\",c"')
    with bad.serving(bad.answering(body=b"[]", seen=seen, Date="Mon, 24 Nov 2025 16:00:00 GMT")) as port:
        assert _alertmanager.alerts({"url": f"http://127.0.0.1:{port}/am/", "timeout": 2.0}, [matcher]) == ([], NOW)
    path, _mark, query = seen[0].split(" ")[1].partition("?")
    assert path == "/am/api/v2/alerts"
    assert _matchers.parse(urllib.parse.parse_qs(query)["filter"][0]) == matcher
