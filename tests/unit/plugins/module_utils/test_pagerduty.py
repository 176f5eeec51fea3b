"""Against the demo's stub, which refuses what is not in PagerDuty's published contract."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _json_service, _pagerduty
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._patience import patiently
from ansible_collections.astraldraft.ops.plugins.modules import pagerduty_incident, pagerduty_incident_info
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

ADA = "ada@astraldraft.test"
TOKEN = "demo-pagerduty-token"  # noqa: S105 - a word, not a secret
WAY = {"token": TOKEN, "wait_timeout": 5.0, "timeout": 2.0, "validate_certs": True, "ca_path": None, "proxy": None}
ASKED = {"id": None, "incident_key": None, "from_email": ADA, "state": None, "resolution": None, "escalation_level": None, "note": None}
LISTED = {"id": None, "incident_key": None, "statuses": ["triggered", "acknowledged"], "service_ids": [], "urgencies": [], "since": "",
          "notes": False, "maximum": 1000}  # fmt: skip


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        found.settings("pagerduty", incidents=[{"title": "logins fail", "id": "Q1", "key": "logins"}, {"title": "drafts hang", "id": "Q2"}])
        yield found


def work(plugin, stub, params, check=False):
    module = MagicMock(params=WAY | {"url": stub.url + "/pagerduty"} | params, check_mode=check)
    result = dict(plugin.RESULT, changed=False, done=[])
    plugin.work(module, result)
    return result


def change(stub, check=False, **options):
    return work(pagerduty_incident, stub, ASKED | options, check)


def ask(stub, **options):
    return work(pagerduty_incident_info, stub, LISTED | options)


def writes(stub):
    return [
        (call["method"], call["path"].removeprefix("/pagerduty"), call["json"])
        for call in stub.calls("pagerduty")
        if call["method"] != "GET"
    ]


def refused(stub, **options):
    with pytest.raises(OpsError) as caught:
        change(stub, **options)
    return caught.value


# -- changing


def test_it_is_acknowledged_once(stub):
    check = change(stub, check=True, id="Q1", state="acknowledged")
    assert check["changed"] and check["after"]["status"] == "acknowledged" and writes(stub) == []
    done = change(stub, id="Q1", state="acknowledged")
    assert done["done"] == ["acknowledged"] and done["before"]["status"] == "triggered"
    assert done["after"]["status"] == "acknowledged" and done["after"]["acknowledgers"] == [{"id": "PADA001", "name": "Ada"}]
    again = change(stub, id="Q1", state="acknowledged")
    assert not again["changed"] and again["after"] == done["after"]
    assert writes(stub) == [("PUT", "/incidents/Q1", {"incident": {"type": "incident_reference", "status": "acknowledged"}})]
    (call,) = [call for call in stub.calls("pagerduty") if call["method"] == "PUT"]
    assert call["headers"]["from"] == ADA and call["headers"]["accept"] == "application/vnd.pagerduty+json;version=2"
    assert TOKEN not in str(call) and call["headers"]["authorization"].startswith("Token sha256:")


def test_it_is_resolved_with_what_was_done_and_a_note(stub):
    options = {"incident_key": "logins", "state": "resolved", "resolution": "rolled back", "note": " v1.2.2 is live "}
    assert change(stub, check=True, **options)["done"] == ["resolved", "noted"]
    assert writes(stub) == []
    assert change(stub, **options)["done"] == ["resolved", "noted"]
    assert writes(stub) == [
        ("PUT", "/incidents/Q1", {"incident": {"type": "incident_reference", "status": "resolved", "resolution": "rolled back"}}),
        ("POST", "/incidents/Q1/notes", {"note": {"content": "v1.2.2 is live"}}),
    ]
    again = change(stub, **options)
    assert not again["changed"] and again["before"] is None
    assert not change(stub, **(options | {"incident_key": None, "id": "Q1"}))["changed"]
    assert len(writes(stub)) == 2


def test_it_is_escalated_until_it_is_there(stub):
    check = change(stub, check=True, id="Q1", escalation_level=2)
    assert (check["done"], check["level"], check["after"]["assignees"]) == (["escalated"], 1, [])
    done = change(stub, id="Q1", escalation_level=2)
    assert [user["name"] for user in done["after"]["assignees"]] == ["Grace", "Mary"]
    for level in (1, 2):
        again = change(stub, id="Q1", escalation_level=level)
        assert not again["changed"] and again["level"] == 2
    assert change(stub, id="Q1", escalation_level=3)["changed"]
    assert [body["incident"].get("escalation_level") for _method, _path, body in writes(stub)] == [2, 3]
    assert refused(stub, id="Q1", escalation_level=9).evidence["reason"] == "refused_arguments"


def test_a_number_will_do_for_an_id(stub):
    assert change(stub, id="2", state="acknowledged")["after"]["id"] == "Q2"


# -- who was faster


def test_what_somebody_else_has_done_meanwhile_is_no_failure(stub):
    stub.settings("pagerduty", meanwhile="resolved")
    done = change(stub, id="Q1", state="resolved")
    assert not done["changed"] and done["after"]["status"] == "resolved"


def test_a_conflict_is_one(stub):
    stub.settings("pagerduty", meanwhile="resolved")
    error = refused(stub, id="Q1", state="acknowledged")
    assert error.evidence["reason"] == "conflict" and "Already Resolved" in error.message and "Somebody else" in error.message
    error = refused(stub, id="Q1", state="acknowledged")
    assert error.evidence["reason"] == "conflict" and "is resolved, and cannot be acknowledged" in error.message
    assert refused(stub, id="Q1", escalation_level=2).evidence["reason"] == "conflict"
    stub.settings("pagerduty", conflict=1)
    error = refused(stub, id="Q2", state="acknowledged")
    assert error.evidence["reason"] == "conflict" and "answered 409: Conflict, The incident was changed" in error.message
    assert change(stub, id="Q2", state="acknowledged")["changed"]


# -- failures are distinct


@pytest.mark.parametrize(
    ("options", "reason", "words"),
    [
        ({"token": "wrong"}, "our_credentials", "answered 401, our credentials are refused: Unauthorized. Correct token."),
        ({"id": "Q9"}, "not_found", "PagerDuty knows no incident Q9. Correct id"),
        ({"id": None, "incident_key": "none"}, "not_found", "no open incident with the key none"),
        ({"from_email": "eve@astraldraft.test"}, "unknown_requester", "Requester User Not Found. Give from_email"),
        ({"url": "http://127.0.0.1:1"}, "refused", "connection to 127.0.0.1:1 refused"),
    ],
)
def test_each_failure_says_what_it_is(stub, options, reason, words):
    error = refused(stub, **({"id": "Q1", "state": "acknowledged"} | options))
    assert error.evidence["reason"] == reason
    assert words in error.message.replace("PagerDuty at " + stub.url, "")
    assert "wrong" not in error.message and error.evidence["changed"] is False


@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ({"status": 403, "body": '{"error": {"message": "Access Denied", "code": 2010}}'}, "forbidden", "Access Denied"),
        ({"status": 500}, "server_error", "answered 500"),
        ({"status": 502, "body": "<html>bad gateway</html>"}, "server_error", "answered 502"),
        ({"status": 200, "body": "[]"}, "not_pagerduty", "did not answer like PagerDuty"),
        ({"status": 200, "body": "{}"}, "not_pagerduty", "did not answer like PagerDuty"),
        ({"status": 200, "body": "<html>login</html>"}, "web_page", "with a web page"),
        ({"status": 402, "body": '{"error": {"message": "Payment Required"}}'}, "unexpected_status", "answered 402: Payment Required"),
    ],
)
def test_an_answer_that_is_none(stub, fault, reason, words):
    stub.fault("pagerduty", **fault)
    error = refused(stub, id="Q1", state="acknowledged")
    assert error.evidence["reason"] == reason and words in error.message


def test_a_write_in_doubt_says_so(stub):
    stub.fault("pagerduty", status=503, path="/pagerduty/incidents/Q1/notes")
    service = _pagerduty.PagerDuty(WAY | {"url": stub.url + "/pagerduty"})
    with pytest.raises(ProbeError) as caught:
        service.add_note("Q1", ADA, "hello")
    assert "may have been done all the same" in caught.value.next


def test_what_was_sent_before_a_failure_is_said(stub):
    stub.fault("pagerduty", status=500, path="/pagerduty/incidents/Q1/notes")
    error = refused(stub, id="Q1", state="acknowledged", note="hello")
    assert error.evidence["changed"] is True


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"id": "../x"}, "is none of PagerDuty's"),
        ({"id": "Q1", "from_email": "ada"}, "is no address"),
        ({"id": "Q1", "escalation_level": 0}, "begin with 1"),
    ],
)
def test_what_pagerduty_would_not_take_is_not_sent(stub, options, words):
    assert words in refused(stub, **options).message
    assert stub.calls("pagerduty") == []


# -- later


def test_it_is_asked_again_when_it_says(stub, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr(_json_service, "patiently", lambda *given: patiently(*given, sleep=pauses.append))

    stub.settings("pagerduty", limited={"count": 2, "seconds": 2})
    done = change(stub, id="Q1", state="acknowledged")
    assert done["changed"] and done["waited"] == 4.0
    assert pauses == [1.0, 1.0, 1.0, 1.0]
    assert [call["status"] for call in stub.calls("pagerduty")] == [429, 429, 200, 200]


def test_longer_than_the_patience_is_a_failure_of_its_own(stub):
    stub.settings("pagerduty", limited={"count": 9, "seconds": 600})
    error = refused(stub, id="Q1", state="acknowledged")
    assert error.evidence["reason"] == "rate_limited" and "in 600 s it answers again" in error.message
    assert len(stub.calls("pagerduty")) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"ratelimit-reset": "12"}, 12.0), ({"retry-after": "3"}, 3.0), ({"ratelimit-reset": "soon", "retry-after": "4"}, 4.0), ({}, 60.0)],
)
def test_how_long_to_wait(headers, seconds):
    assert _pagerduty.PagerDuty._delay_of(headers, 0) == seconds


# -- asking


def test_what_is_open_is_listed_to_the_end(stub):
    stub.settings("pagerduty", incidents=[{"title": f"incident {number}", "age": 90 * 86400} for number in range(251)])
    found = ask(stub)
    assert len(found["incidents"]) == 251 and not found["truncated"]
    assert len({one["id"] for one in found["incidents"]}) == 251 and found["incidents"][0]["number"] == 251
    queries = [call["query"] for call in stub.calls("pagerduty")]
    assert [(query["limit"], query["offset"]) for query in queries] == [("100", "0"), ("100", "100"), ("100", "200")]
    for maximum, truncated in ((251, False), (250, True), (100, True), (1, True), (0, True)):
        found = ask(stub, maximum=maximum)
        assert (len(found["incidents"]), found["truncated"]) == (maximum, truncated)
    assert ask(stub, since="7d")["incidents"] == []


def test_more_than_pagerduty_gives_are_truncated():
    class Endless(_pagerduty.PagerDuty):
        asked = []

        def _ask(self, _path, parameters=(), **_more):
            self.asked.append(dict(parameters))
            items = [{"id": "x"}] * dict(parameters)["limit"]
            return MagicMock(document={"incidents": items, "more": True})

    found, more = Endless(WAY | {"url": "http://127.0.0.1:1"}).list([], 50000)
    assert len(found) == 10000 and more
    assert all(asked["limit"] <= 100 and asked["offset"] + asked["limit"] <= 10000 for asked in Endless.asked)


def test_a_service_that_says_more_and_gives_none_ends():
    with bad.serving(bad.answering("200 OK", b'{"incidents": [], "more": true}')) as port:
        service = _pagerduty.PagerDuty(WAY | {"url": f"http://127.0.0.1:{port}"})
        assert service.list([], 100) == ([], False)


def test_it_is_searched_by_what_the_options_say(stub):
    incidents = [
        {"title": "a", "service": "S1", "urgency": "low", "notes": ["one", "two"]},
        {"title": "b", "service": "S2", "status": "acknowledged", "key": "k"},
        {"title": "c", "service": "S2", "status": "resolved"},
    ]
    stub.settings("pagerduty", incidents=incidents)

    def titles(**options):
        return [one["title"] for one in ask(stub, **options)["incidents"]]

    assert titles() == ["b", "a"]
    assert titles(statuses=["resolved"]) == ["c"] and titles(service_ids=["S2"]) == ["b"]
    assert titles(urgencies=["low"]) == ["a"] and titles(incident_key="k") == ["b"]
    (one,) = ask(stub, id="1", notes=True)["incidents"]
    assert sorted(note["content"] for note in one["notes"]) == ["one", "two"] and one["notes"][0]["user"] == "Ada"
    with pytest.raises(OpsError, match="less than 6 months") as caught:
        ask(stub, since="365d")
    assert caught.value.evidence["reason"] == "refused_arguments"


def test_what_pagerduty_leaves_out_is_said_so():
    found = _pagerduty.shown({"id": "Q1", "assignments": [None, {"assignee": None}], "created_at": "yesterday"})
    assert found["status"] == "" and found["assignees"] == [{"id": None, "name": ""}] * 2
    assert found["created_at"] == "yesterday" and found["changed_at"] is None and found["service_id"] is None
