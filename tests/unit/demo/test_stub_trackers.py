"""GitHub and Jira in the contract stub: what is not in their published contracts is refused."""

import base64
import json

import pytest

from demo.stub.service import Service
from demo.stub.vendors.base import Call

GITHUB = {
    "authorization": "Bearer demo-github-token",
    "accept": "application/vnd.github+json",
    "x-github-api-version": "2022-11-28",
    "user-agent": "test",
    "content-type": "application/json",
}
BASIC = "Basic " + base64.b64encode(b"ada@astraldraft.test:demo-jira-token").decode()
JIRA = {"authorization": BASIC, "accept": "application/json", "content-type": "application/json"}
ISSUES = "/repos/astraldraft/operations/issues"
API = "/rest/api/2"
NEW = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "Logins fail"}


@pytest.fixture
def service():
    found = Service({})
    found._vendors["github"].configure({"issues": [{"title": "Logins fail", "labels": ["a"]}]})
    found._vendors["jira"].configure({"issues": [{"summary": "Logins fail", "labels": ["a"]}]})
    return found


def asker(service, prefix, usual):
    def ask(method="GET", path="", body=None, pairs=(), **headers):
        sent = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else json.dumps(body).encode()
        kept = {name: value for name, value in sent.items() if value is not None}
        reply, _delay = service.answer(Call(method, prefix + path, dict(pairs), kept, content, tuple(pairs)))
        return reply

    return ask


@pytest.fixture
def github(service):
    return asker(service, "/github", GITHUB)


@pytest.fixture
def jira(service):
    return asker(service, "/jira", JIRA)


def test_github_answers_in_its_form(github):
    (one,) = github(path=ISSUES, pairs=[("labels", "a"), ("state", "all")]).body
    assert (one["number"], one["state"], one["labels"][0]["name"]) == (1, "open", "a")
    reply = github("POST", ISSUES, {"title": "Drafts hang", "labels": ["b"]})
    assert reply.status == 201 and reply.body["html_url"] == "https://github.com/astraldraft/operations/issues/2"
    assert github("PATCH", ISSUES + "/2", {"state": "closed", "state_reason": "completed"}).body["state_reason"] == "completed"
    assert [label["name"] for label in github("POST", ISSUES + "/2/labels", {"labels": ["c"]}).body] == ["b", "c"]
    assert github("POST", ISSUES + "/2/comments", {"body": "over"}).status == 201
    assert [comment["body"] for comment in github(path=ISSUES + "/2/comments").body] == ["over"]
    assert [one["number"] for one in github(path=ISSUES).body] == [1]


@pytest.mark.parametrize(
    ("call", "status", "words"),
    [
        ({"authorization": None}, 401, "Bad credentials"),
        ({"authorization": "token demo-github-token"}, 401, "Bad credentials"),
        ({"user_agent": None}, 403, "User-Agent"),
        ({"accept": "application/json"}, 415, "Accept must be"),
        ({"x_github_api_version": None}, 400, "X-GitHub-Api-Version"),
        ({"method": "POST", "body": {"title": "x"}, "content_type": "text/plain"}, 415, "Content-Type"),
        ({"path": "/repos/astraldraft/nothing/issues"}, 404, "Not Found"),
        ({"path": ISSUES + "/9"}, 404, "Not Found"),
        ({"method": "DELETE", "path": ISSUES + "/1"}, 404, "Not Found"),
        ({"method": "PUT", "path": ISSUES + "/1", "body": {}}, 404, "Not Found"),
        ({"pairs": [("label", "a")]}, 422, "unknown parameter label"),
        ({"pairs": [("state", "done")]}, 422, "state is open"),
        ({"pairs": [("sort", "number")]}, 422, "sort is"),
        ({"pairs": [("per_page", "101")]}, 422, "per_page is 1 to 100"),
        ({"pairs": [("page", "x")]}, 422, "must be integers"),
        ({"method": "POST", "body": {"body": "x"}}, 422, "title can't be blank"),
        ({"method": "POST", "body": {"title": "x" * 257}}, 422, "title is too long"),
        ({"method": "POST", "body": {"title": "x", "body": "y" * 65537}}, 422, "body is too long"),
        ({"method": "POST", "body": {"title": "x", "state": "closed"}}, 422, "state is not a permitted key"),
        ({"method": "POST", "body": {"title": "x", "labels": "a"}}, 422, "labels has the wrong type"),
        ({"method": "POST", "body": {"title": "x", "labels": ["a" * 51]}}, 422, "name is too long"),
        ({"method": "PATCH", "path": ISSUES + "/1", "body": {"state": "resolved"}}, 422, "state is open or closed"),
        ({"method": "PATCH", "path": ISSUES + "/1", "body": {"state": "open", "state_reason": "completed"}}, 422, "state_reason"),
        ({"method": "POST", "path": ISSUES + "/1/labels", "body": ["a"]}, 400, "not a JSON object"),
        ({"method": "POST", "path": ISSUES + "/1/labels", "body": {"names": []}}, 422, "an object with labels"),
        ({"method": "POST", "path": ISSUES + "/1/comments", "body": {"body": " "}}, 422, "body can't be blank"),
    ],
)
def test_what_github_refuses(github, call, status, words):
    reply = github(**({"path": ISSUES} | call))
    assert (reply.status, words in json.dumps(reply.body)) == (status, True), reply.body


def test_github_wants_it_later_and_says_when(service, github):
    service._vendors["github"].configure({"limited": {"count": 1, "seconds": 7}})
    reply = github(path=ISSUES)
    assert (reply.status, reply.headers["retry-after"]) == (403, "7") and github(path=ISSUES).status == 200


def test_jira_answers_in_its_form(service, jira):
    assert jira(path=API + "/project/OPS").body["key"] == "OPS"
    reply = jira("POST", API + "/issue", {"fields": NEW | {"labels": ["b"]}})
    assert reply.status == 201 and reply.body["key"] == "OPS-2"
    jql = [("jql", 'project = "OPS" AND labels = "b" ORDER BY created ASC'), ("fields", "summary,status")]
    (one,) = jira(path=API + "/search/jql", pairs=jql).body["issues"]
    assert one["fields"] == {"summary": "Logins fail", "status": {"name": "To Do", "statusCategory": {"key": "new"}}}
    assert jira("PUT", API + "/issue/OPS-2", {"update": {"labels": [{"add": "c"}]}}).status == 204
    ways = jira(path=API + "/issue/OPS-2/transitions").body["transitions"]
    assert [(way["name"], way["to"]["statusCategory"]["key"]) for way in ways][:2] == [("Start", "indeterminate"), ("Resolve", "done")]
    assert jira("POST", API + "/issue/OPS-2/transitions", {"transition": {"id": ways[1]["id"]}}).status == 204
    assert jira(path=API + "/issue/OPS-2").body["fields"]["status"]["name"] == "Done"
    assert jira("POST", API + "/issue/OPS-2/comment", {"body": "over"}).status == 201
    assert jira(path=API + "/issue/OPS-2/comment").body["total"] == 1
    assert jira(path=API + "/search", pairs=jql).status == 410
    service._vendors["jira"].configure({"deployment": "Server"})
    assert jira(path=API + "/search", pairs=jql, authorization="Bearer demo-jira-token").body["total"] == 1
    assert jira(path=API + "/search/jql", pairs=jql, authorization="Bearer demo-jira-token").status == 404


@pytest.mark.parametrize(
    ("call", "status", "words"),
    [
        ({"authorization": None}, 401, "must be authenticated"),
        ({"authorization": "Bearer demo-jira-token"}, 401, "must be authenticated"),
        ({"accept": "text/html"}, 406, "Accept must be"),
        ({"method": "POST", "content_type": "text/plain", "body": {"fields": NEW}}, 415, "Content-Type"),
        ({"method": "DELETE"}, 405, "Method Not Allowed"),
        ({"path": "/rest/api/3/issue", "method": "POST", "body": {"fields": NEW}}, 404, "Not Found"),
        ({"path": API + "/project/NONE"}, 404, "No project could be found"),
        ({"path": API + "/issue/OPS-9"}, 404, "Issue does not exist"),
        ({"path": API + "/issue/OPS-1", "pairs": [("field", "x")]}, 400, "unknown parameter field"),
        ({"path": API + "/search/jql", "pairs": [("jql", "labels = a")]}, 400, "Error in the JQL"),
        ({"path": API + "/search/jql", "pairs": [("startAt", "0")]}, 400, "unknown parameter startAt"),
        ({"method": "POST", "body": NEW}, 400, "Unrecognized field"),
        ({"method": "POST", "body": {"fields": NEW | {"project": {"key": "NONE"}}}}, 400, "valid project is required"),
        ({"method": "POST", "body": {"fields": NEW | {"issuetype": {"name": "Epic"}}}}, 400, "valid issue type"),
        ({"method": "POST", "body": {"fields": NEW | {"summary": "x\ny"}}}, 400, "a summary of the issue"),
        ({"method": "POST", "body": {"fields": NEW | {"summary": "x" * 256}}}, 400, "a summary of the issue"),
        ({"method": "POST", "body": {"fields": NEW | {"description": {"type": "doc"}}}}, 400, "another type"),
        ({"method": "POST", "body": {"fields": NEW | {"description": "x" * 32768}}}, 400, "32,767"),
        ({"method": "POST", "body": {"fields": NEW | {"labels": ["a b"]}}}, 400, "contains spaces"),
        ({"method": "POST", "body": {"fields": NEW | {"title": "x"}}}, 400, "'title' cannot be set"),
        ({"method": "PUT", "path": API + "/issue/OPS-1", "body": {}}, 400, "required"),
        ({"method": "PUT", "path": API + "/issue/OPS-1", "body": {"update": {"labels": [{"put": "x"}]}}}, 400, "label"),
        ({"method": "POST", "path": API + "/issue/OPS-1/transitions", "body": {"transition": {"id": "999"}}}, 400, "not valid"),
        ({"method": "POST", "path": API + "/issue/OPS-1/transitions", "body": {"status": "Done"}}, 400, "Missing 'transition'"),
        ({"method": "POST", "path": API + "/issue/OPS-1/comment", "body": {"body": " "}}, 400, "can not be empty"),
        ({"method": "POST", "path": API + "/issue/OPS-1/comment", "body": {"text": "x"}}, 400, "can not be empty"),
    ],
)
def test_what_jira_refuses(jira, call, status, words):
    reply = jira(**({"path": API + "/issue"} | call))
    assert (reply.status, words in json.dumps(reply.body)) == (status, True), reply.body
