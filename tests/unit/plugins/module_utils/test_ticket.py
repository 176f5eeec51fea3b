"""Against the demo's stub, which refuses what is not in the published contracts of GitHub and Jira."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _json_service, _ticket
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._patience import patiently
from ansible_collections.astraldraft.ops.plugins.module_utils._ticket_github import GitHub
from ansible_collections.astraldraft.ops.plugins.module_utils._ticket_jira import Jira
from ansible_collections.astraldraft.ops.plugins.modules import ticket as plugin
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

KEY = "incident-2026-0042"
TITLE = "[SEV-2] Logins fail"
DEFAULTS = {
    "timeout": 2.0, "validate_certs": True, "ca_path": None, "proxy": None, "wait_timeout": 5.0, "key": KEY, "id": None, "state": None,
    "title": None, "body": None, "labels": [], "people": [], "comment": None, "issue_type": "Task", "transition": None, "token_user": None,
    "project": None,
}  # fmt: skip
PLACES = {
    "github": {"tracker": "github", "project": "astraldraft/operations", "token": "demo-github-token"},
    "jira": {"tracker": "jira", "project": "OPS", "token": "demo-jira-token", "token_user": "ada@astraldraft.test"},
    "webhook": {"tracker": "webhook", "token": "demo-webhook-key"},
}
PATHS = {"github": "/github", "jira": "/jira", "webhook": "/webhook/signed"}
TOKENS = "demo-github-token", "demo-jira-token", "demo-webhook-key"
OPENING = {"state": "open", "title": TITLE, "body": "A third of all logins end with an error.", "labels": ["incident"]}


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        yield found


def work(stub, tracker, check=False, **options):
    module = MagicMock(params=DEFAULTS | {"url": stub.url + PATHS[tracker]} | PLACES[tracker] | options, check_mode=check)
    result = dict(plugin.RESULT, changed=False, done=[])
    plugin.work(module, result)
    return result


def refused(stub, tracker, **options):
    with pytest.raises(OpsError) as caught:
        work(stub, tracker, **options)
    assert not any(token in caught.value.message for token in TOKENS)
    return caught.value


def writes(stub, tracker):
    return [
        (call["method"], call["path"].removeprefix(PATHS[tracker]), call["json"]) for call in stub.calls(tracker) if call["method"] != "GET"
    ]


def kept(stub, tracker):
    return stub.service._vendors[tracker].settings()["issues"]


def labels(stub, tracker):
    return [sorted(one["labels"]) for one in kept(stub, tracker)]


both = pytest.mark.parametrize("tracker", ["github", "jira"])


# -- a ticket's life, the same in both


@both
def test_it_is_opened_once(stub, tracker):
    check = work(stub, tracker, check=True, **OPENING)
    assert (check["changed"], check["done"], check["after"]["id"]) == (True, ["opened"], None) and writes(stub, tracker) == []
    done = work(stub, tracker, **OPENING)
    assert done["before"] is None and done["done"] == ["opened"] and done["after"]["title"] == TITLE
    assert done["after"]["labels"] == sorted(["incident", KEY]) and done["after"]["url"]
    again = work(stub, tracker, **OPENING)
    assert not again["changed"] and again["before"] == again["after"] == done["after"] and again["found"] == 1
    assert len(writes(stub, tracker)) == 1 and labels(stub, tracker) == [sorted(["incident", KEY])]


@both
@pytest.mark.parametrize("known", [False, True])
def test_it_is_commented_on_worse_and_closed(stub, tracker, known):
    address = work(stub, tracker, **OPENING)["after"]["url"]
    more = {"id": address} if known else {}
    worse = {"title": "[SEV-1] Logins fail", "comment": "It is worse.\nWe go back.", "labels": ["database"]} | more
    for check in (True, False):
        assert work(stub, tracker, check=check, **worse)["done"] == ["changed", "commented"]
    again = work(stub, tracker, **worse)
    assert not again["changed"] and again["after"]["title"] == "[SEV-1] Logins fail" and "database" in again["after"]["labels"]
    over = {"state": "closed", "comment": "v1.2.3 was rolled back."} | more
    for check in (True, False):
        done = work(stub, tracker, check=check, **over)
        assert done["done"] == ["commented", "closed"] and done["after"]["state"] == "closed"
    assert not work(stub, tracker, **over)["changed"]
    (one,) = kept(stub, tracker)
    assert len(one["comments"]) == 2
    back = work(stub, tracker, state="open", **more)
    assert back["done"] == ["reopened"] and work(stub, tracker, state="open", **more)["after"]["state"] == "open"


@both
def test_of_none_there_is_nothing_to_close_and_nothing_to_say(stub, tracker):
    done = work(stub, tracker, state="closed", comment="over")
    assert not done["changed"] and done["before"] is None and done["after"] is None
    error = refused(stub, tracker, comment="hello")
    assert error.evidence["reason"] == "not_found" and "has no ticket with the label " + KEY in error.message
    assert "title is missing" in refused(stub, tracker, state="open").message
    assert writes(stub, tracker) == []


@both
def test_one_that_people_opened_is_taken_over_by_its_id(stub, tracker):
    stub.settings(tracker, issues=[{"title": "Login broken", "summary": "Login broken", "labels": ["mine"]}])
    identity = {"github": "#1", "jira": "OPS-1"}[tracker]
    done = work(stub, tracker, id=identity, **OPENING)
    assert done["done"] == ["changed"] and labels(stub, tracker) == [sorted(["mine", "incident", KEY])]
    assert not work(stub, tracker, **OPENING)["changed"]


@both
def test_of_several_the_oldest_is_meant(stub, tracker):
    stub.settings(tracker, issues=[{"title": word, "summary": word, "labels": [KEY]} for word in ("first", "second")])
    done = work(stub, tracker, comment="hello")
    assert done["found"] == 2 and done["after"]["title"] == "first"


def test_a_pull_request_is_no_ticket(stub):
    stub.settings("github", issues=[{"title": "a fix", "labels": [KEY], "pull_request": True}])
    assert work(stub, "github", **OPENING)["done"] == ["opened"]


def test_comments_are_read_to_the_end(stub):
    said = [f"word {number}" for number in range(250)]
    stub.settings("github", issues=[{"title": "x", "labels": [KEY], "comments": said}])
    stub.settings("jira", issues=[{"summary": "x", "labels": [KEY], "comments": said}])
    for tracker in ("github", "jira"):
        assert not work(stub, tracker, comment="word 249")["changed"]


def test_jira_data_center_is_searched_in_its_own_way(stub):
    stub.settings("jira", deployment="Server")
    place = {"token_user": None}
    assert work(stub, "jira", **OPENING, **place)["done"] == ["opened"]
    assert not work(stub, "jira", **OPENING, **place)["changed"]
    assert "/jira/rest/api/2/search" in [call["path"] for call in stub.calls("jira") if call["status"] == 200]
    assert stub.calls("jira")[-1]["headers"]["authorization"].startswith("Bearer sha256:")


# -- what people wrote


def test_what_people_wrote_calls_nobody_and_is_no_markup(stub):
    said = "\x1b[31m@channel\x1b[0m <img src=x onerror=alert(1)> {html}x{html} [~ada] !http://x/y.png! token=s3cr3t-value \u202eabc"
    for tracker in ("github", "jira"):
        work(stub, tracker, state="open", title="Logins\nfail\x1b[2J", body=said, people=["ada", "grace"], comment=said)
        assert not work(stub, tracker, comment=said)["changed"]
    (one,), (other,) = kept(stub, "github"), kept(stub, "jira")
    assert one["title"] == other["summary"] == "Logins fail"
    assert one["body"].endswith("\n\ncc @ada @grace") and other["description"].endswith("\n\ncc [~ada] [~grace]")
    assert "cc " not in one["comments"][0] + other["comments"][0]
    for text in (one["body"], one["comments"][0]):
        assert r"\[~ada]" in text and "@channel" not in text and "<" not in text
        assert not any(hidden in text for hidden in ("s3cr3t", "\x1b", "\u202e"))
    for text in (other["description"], other["comments"][0]):
        assert r"\{html}" in text and r"\[~ada]" in text and r"\!http" in text and "s3cr3t" not in text


def test_what_is_too_long_is_cut(stub):
    for tracker in ("github", "jira"):
        options = {"state": "open", "title": "x" * 400, "body": "y" * 90000, "comment": "z" * 90000}
        assert work(stub, tracker, **options)["done"] == ["opened", "commented"]
        assert not work(stub, tracker, **options)["changed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": "two words"}, "key is 'two words'"),
        ({"key": ""}, "key is ''"),
        ({"labels": ["two words"]}, "The label 'two words' is none"),
        ({"labels": ["a,b"]}, "The label 'a,b' is none"),
        ({"people": ["@ada"]}, "without @"),
        ({"project": "operations"}, "no repository"),
        ({"project": None}, "no repository"),
        ({"tracker": "jira", "project": "o/p"}, "no key of a project"),
        ({"tracker": "jira", "url": None}, "url is missing"),
        ({"id": "../../user"}, "no issue of GitHub"),
        ({"tracker": "jira", "project": "OPS", "id": "12"}, "no issue of Jira"),
        ({"tracker": "webhook", "token": "short"}, "token is too short"),
        ({"tracker": "webhook", "url": "nowhere"}, "no address of a webhook"),
    ],
)
def test_what_cannot_be_meant_is_not_sent(stub, options, words):
    tracker = options.get("tracker", "github")
    assert words in refused(stub, **({"tracker": tracker} | OPENING | options)).message
    assert not any(stub.calls(vendor) for vendor in ("github", "jira", "signed_webhook"))


# -- who was faster


@both
def test_what_somebody_else_has_done_meanwhile_is_no_failure(stub, tracker, monkeypatch):
    work(stub, tracker, **OPENING)
    service = {"github": GitHub, "jira": Jira}[tracker]
    close = service.set_state

    def late(self, ticket, state):
        close(self, ticket, state)
        stub.settings(tracker, conflict=1)
        close(self, ticket, state)

    monkeypatch.setattr(service, "set_state", late)
    assert work(stub, tracker, state="closed")["after"]["state"] == "closed"


@both
def test_a_conflict_is_one(stub, tracker):
    work(stub, tracker, **OPENING)
    stub.settings(tracker, conflict=1)
    error = refused(stub, tracker, state="closed", comment="over")
    assert error.evidence["reason"] == "conflict" and "answered 409" in error.message and error.evidence["changed"] is True
    assert work(stub, tracker, state="closed", comment="over")["done"] == ["closed"]


def test_a_workflow_without_a_way_says_so(stub):
    work(stub, "jira", **OPENING)
    stub.settings("jira", ways=["Start"])
    error = refused(stub, "jira", state="closed")
    assert error.evidence["reason"] == "no_transition" and "its ways are Start" in error.message
    stub.settings("jira", ways=["Start", "Resolve", "Cancel"])
    error = refused(stub, "jira", state="closed", transition="Finish")
    assert error.evidence["reason"] == "no_transition" and "one of: Resolve, Cancel" in error.message
    work(stub, "jira", state="closed", transition="Cancel")
    assert kept(stub, "jira")[0]["status"] == "Cancelled"


# -- failures are distinct


@pytest.mark.parametrize(
    ("tracker", "options", "reason", "words"),
    [
        ("github", {"token": "wrong"}, "our_credentials", "our credentials are refused: Bad credentials. Correct token."),
        ("jira", {"token": "wrong"}, "our_credentials", "Correct token, and token_user"),
        ("webhook", {"token": "another-key-of-ours"}, "our_credentials", "the signature does not fit"),
        ("github", {"project": "astraldraft/nothing"}, "unknown_project", "knows no repository astraldraft/nothing. Correct project"),
        ("jira", {"project": "NONE"}, "unknown_project", "knows no project NONE. Correct project"),
        ("github", {"id": "99"}, "not_found", "knows no issue 99"),
        ("jira", {"id": "OPS-99"}, "not_found", "knows no issue OPS-99"),
        ("jira", {"issue_type": "Epic"}, "refused_arguments", "answered 400: issuetype: Specify a valid issue type. Correct what it says."),
        ("github", {"url": "http://127.0.0.1:1"}, "refused", "connection to 127.0.0.1:1 refused"),
    ],
)
def test_each_failure_says_what_it_is(stub, tracker, options, reason, words):
    error = refused(stub, tracker, **(OPENING | options))
    assert error.evidence["reason"] == reason and words in error.message and error.evidence["changed"] is False


@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        (
            {"status": 403, "body": '{"message": "Resource not accessible by personal access token"}'},
            "forbidden",
            "permission to read and write",
        ),
        (
            {"status": 410, "body": '{"message": "Issues are disabled for this repo"}'},
            "gone",
            "410: Issues are disabled for this repo. Switch",
        ),
        ({"status": 422, "body": '{"message": "Validation Failed", "errors": ["no"]}'}, "refused_arguments", "422: Validation Failed, no"),
        ({"status": 500}, "server_error", "answered 500"),
        ({"status": 503, "body": "<html>unicorn</html>"}, "server_error", "answered 503"),
        ({"status": 200, "body": "{}"}, "not_github", "did not answer like GitHub"),
        ({"status": 200, "body": "[1]"}, "not_github", "did not answer like GitHub"),
        ({"status": 200, "body": "<html>login</html>"}, "web_page", "with a web page"),
    ],
)
def test_an_answer_that_is_none(stub, fault, reason, words):
    stub.fault("github", **fault)
    error = refused(stub, "github", **OPENING)
    assert error.evidence["reason"] == reason and words in error.message


@pytest.mark.parametrize("document", ["{}", "[]", '{"issues": [1]}'])
def test_another_service_is_not_taken_for_jira(stub, document):
    stub.fault("jira", status=200, body=document, path="/jira/rest/api/2/search")
    assert refused(stub, "jira", **OPENING).evidence["reason"] == "not_jira"


def test_issues_that_are_switched_off(stub):
    stub.settings("github", issues_off=True)
    assert refused(stub, "github", **OPENING).evidence["reason"] == "gone"


def test_a_label_that_was_left_away_is_said(stub):
    stub.settings("github", may_label=False)
    error = refused(stub, "github", **OPENING)
    assert error.evidence["reason"] == "forbidden" and "opened issue https://github.com/astraldraft/operations/issues/1" in error.message


@both
def test_a_write_in_doubt_says_so(stub, tracker):
    work(stub, tracker, **OPENING)
    path = {"github": "/github/repos/astraldraft/operations/issues/1", "jira": "/jira/rest/api/2/issue/OPS-1/transitions"}[tracker]
    asked = {"github": {"title": "x", "status": 502}, "jira": {"state": "closed", "status": 502}}[tracker]
    stub.fault(tracker, status=asked.pop("status"), path=path)
    error = refused(stub, tracker, **asked)
    assert error.evidence["reason"] == "server_error"
    assert ("may have been done all the same" in error.message) == (tracker == "github")


# -- later


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("reset", [False, True])
def test_github_is_asked_again_when_it_says(stub, monkeypatch, status, reset):
    pauses = []
    monkeypatch.setattr(_json_service, "patiently", lambda *given: patiently(*given, sleep=pauses.append))
    stub.settings("github", limited={"count": 1, "seconds": 2, "status": status, "reset": reset})
    done = work(stub, "github", **OPENING)
    assert done["done"] == ["opened"] and 0 < done["waited"] <= 2.0 and pauses


def test_jira_is_asked_again_when_it_says(stub, monkeypatch):
    monkeypatch.setattr(_json_service, "patiently", lambda *given: patiently(*given, sleep=lambda _seconds: None))
    stub.settings("jira", limited={"count": 2, "seconds": 2})
    assert work(stub, "jira", **OPENING)["waited"] == 4.0


@both
def test_longer_than_the_patience_is_a_failure_of_its_own(stub, tracker):
    stub.settings(tracker, limited={"count": 9, "seconds": 600})
    error = refused(stub, tracker, **OPENING)
    assert error.evidence["reason"] == "rate_limited" and "in 600 s it answers again" in error.message
    assert len(stub.calls(tracker)) == 1


# -- the webhook


def test_a_webhook_takes_the_same_words_once(stub):
    check = work(stub, "webhook", check=True, **OPENING)
    assert check["changed"] and check["done"] == ["sent"] and stub.calls("signed_webhook") == []
    for _ in range(2):
        done = work(stub, "webhook", **OPENING)
        assert done["changed"] and done["after"] == {
            "id": KEY,
            "title": TITLE,
            "state": "open",
            "labels": sorted(["incident", KEY]),
            "url": None,
        }
    work(stub, "webhook", comment="We go back.")
    work(stub, "webhook", state="closed")
    payloads = [call["json"] for call in stub.calls("signed_webhook")]
    assert [one["type"] for one in payloads] == ["ticket.opened", "ticket.opened", "ticket.updated", "ticket.closed"]
    assert payloads[2]["data"]["comment"] == "We go back." and payloads[0]["data"]["title"] == TITLE
    assert len(stub.service._vendors["signed_webhook"].settings()["taken"]) == 3


# -- the plan alone


def test_the_plan_of_one_that_is_as_it_should_be_is_empty():
    wanted = _ticket.wanted_of(DEFAULTS | {"labels": ["a", "a"], "comment": " hello "})
    known = {"id": "1", "title": "x", "state": "closed", "labels": ["a", KEY, "z"], "url": "u"}
    after, steps = _ticket.plan(known, wanted, ["hello"])
    assert steps == [] and after == dict(known, labels=sorted(known["labels"]))
