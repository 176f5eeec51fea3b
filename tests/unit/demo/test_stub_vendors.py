"""Grafana, Sentry and PagerDuty in the contract stub: what they answer by their published contracts."""

import json

import pytest

from demo.stub.service import Service
from demo.stub.vendors.base import Call
from demo.stub.vendors.sentry import items_of

GRAFANA = {"authorization": "Bearer demo-grafana-token"}
SENTRY = {"authorization": "Bearer demo-sentry-token"}
KEY = {"x-sentry-auth": "Sentry sentry_version=7, sentry_client=test/1, sentry_key=demo-sentry-key"}
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def service():
    return Service({})


def ask(service, method, path, body=None, headers=None, pairs=()):
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    reply, _delay = service.answer(Call(method, path, dict(pairs), headers or {}, content, tuple(pairs)))
    return reply


def grafana(service, method, path, body=None, headers=None, pairs=()):
    reply = ask(service, method, "/grafana" + path, body, GRAFANA if headers is None else headers, pairs)
    return reply.status, reply.body


def control(service, vendor, **settings):
    return ask(service, "POST", "/__control", {"vendor": vendor, "settings": settings}).status


def envelope(identity=ID, payload=b'{"message": "hello"}', **headers):
    item = json.dumps({"type": "event", "length": len(payload)}).encode()
    return b"\n".join([json.dumps({"event_id": identity} | headers).encode(), item, payload, b""])


# -- Grafana


def test_grafana_needs_a_token_for_all_but_its_health(service):
    assert grafana(service, "GET", "/api/health", headers={}) == (200, {"commit": "stub", "database": "ok", "version": "12.1.0"})
    assert grafana(service, "GET", "/api/datasources", headers={})[0] == 401
    assert grafana(service, "GET", "/api/datasources", headers={"authorization": "Bearer x"})[1]["messageId"] == "api-key.invalid"
    assert ask(service, "GET", "/grafana/d/abc").headers["location"] == "/grafana/login"
    assert "<html>" in grafana(service, "GET", "/login", headers={})[1]


def test_grafana_has_no_status_among_its_datasources(service):
    status, found = grafana(service, "GET", "/api/datasources")
    assert status == 200
    assert [one["uid"] for one in found] == ["prometheus", "postgresql", "alertmanager", "seasons"]
    assert not any("status" in one for one in found)


@pytest.mark.parametrize(
    ("uid", "status", "said"),
    [
        ("prometheus", 200, {"status": "OK", "message": "Successfully queried the Prometheus API."}),
        ("alertmanager", 500, {"messageId": "plugin.unavailable"}),
        ("seasons", 404, {"messageId": "plugin.notImplemented"}),
        ("nobody", 404, {"message": "Data source not found"}),
    ],
)
def test_health_of_a_datasource(service, uid, status, said):
    found = grafana(service, "GET", f"/api/datasources/uid/{uid}/health")
    assert found[0] == status
    assert said.items() <= found[1].items()


def test_datasources_and_the_database_can_be_broken(service):
    assert (
        control(service, "grafana", datasources=[{"name": "Loki", "type": "loki", "health": "error", "message": "no"}], database="failing")
        == 200
    )
    assert grafana(service, "GET", "/api/datasources/uid/loki/health") == (400, {"status": "ERROR", "message": "no", "details": {}})
    assert grafana(service, "GET", "/api/health")[0] == 503
    assert control(service, "grafana", datasources=[{"name": "Loki"}]) == 400
    assert control(service, "grafana", nonsense=1) == 400


def test_an_annotation_from_beginning_to_end(service):
    body = {"text": "v1", "tags": ["deploy", "id:1"], "time": 2000}
    assert grafana(service, "POST", "/api/annotations", body) == (200, {"message": "Annotation added", "id": 1})
    assert grafana(service, "PATCH", "/api/annotations/1", {"timeEnd": 5000}) == (200, {"message": "Annotation patched"})
    [one] = grafana(service, "GET", "/api/annotations", pairs=[("tags", "deploy"), ("tags", "id:1")])[1]
    assert (one["text"], one["time"], one["timeEnd"], one["dashboardUID"]) == ("v1", 2000, 5000, None)
    assert grafana(service, "DELETE", "/api/annotations/1")[0] == 200
    assert grafana(service, "DELETE", "/api/annotations/1")[0] == 404


def test_annotations_are_found_by_all_tags_by_place_and_by_time(service):
    for number, more in enumerate(({}, {"dashboardUID": "abc"}, {"dashboardUID": "abc", "panelId": 4}), 1):
        grafana(service, "POST", "/api/annotations", {"text": str(number), "tags": ["all", f"n{number}"], "time": number * 1000} | more)

    def found(*pairs):
        return [one["text"] for one in grafana(service, "GET", "/api/annotations", pairs=pairs)[1]]

    assert found(("tags", "all")) == ["3", "2", "1"]
    assert found(("tags", "all"), ("tags", "n2")) == ["2"]
    assert found(("tags", "n1"), ("tags", "n2")) == []
    assert found(("dashboardUID", "abc")) == ["3", "2"]
    assert found(("dashboardUID", "abc"), ("panelId", "4")) == ["3"]
    assert found(("from", "1500"), ("to", "2500")) == ["2"]
    assert found(("limit", "1")) == ["3"]


def test_annotations_that_make_no_sense(service):
    assert grafana(service, "POST", "/api/annotations", {"tags": []})[0] == 400
    assert grafana(service, "PATCH", "/api/annotations/x", {})[0] == 400
    assert grafana(service, "PUT", "/api/annotations", {})[0] == 405


# -- Sentry


def test_sentry_takes_an_event_once(service):
    for _ in range(2):
        reply = ask(service, "POST", "/sentry/api/42/envelope/", envelope(), KEY)
        assert (reply.status, reply.body) == (200, {"id": ID})
    assert ask(service, "GET", "/__control").body["settings"]["sentry"]["events"] == 1


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/sentry/api/42/envelope/", envelope(), {}, 403),
        ("/sentry/api/42/envelope/", envelope(), {"x-sentry-auth": "Sentry sentry_version=7, sentry_key=x"}, 403),
        ("/sentry/api/42/envelope/", envelope(), {"x-sentry-auth": "Sentry sentry_version=4, sentry_key=demo-sentry-key"}, 400),
        ("/sentry/api/43/envelope/", envelope(), KEY, 403),
        ("/sentry/api/42/envelope/", b'{"message": "not an envelope', KEY, 400),
        ("/sentry/api/42/envelope/", envelope("x"), KEY, 400),
        ("/sentry/api/42/envelope/", envelope(payload=b"{"), KEY, 400),
        ("/sentry/api/42/envelope/", envelope(payload=b'{"x": "' + b"x" * 300_000 + b'"}'), KEY, 413),
        ("/sentry/api/42/store/", b"{}", KEY, 404),
    ],
)
def test_what_sentry_refuses(service, path, body, headers, status):
    assert ask(service, "POST", path, body, headers).status == status


def test_envelopes():
    two = b'{}\n{"type":"attachment","length":3}\na\nb\n{"type":"session"}\n{"x":1}\n'
    assert items_of(two) == ({}, [({"type": "attachment", "length": 3}, b"a\nb"), ({"type": "session"}, b'{"x":1}')])
    for broken in (b'{}\n{"type":"event","length":9}\nx', b'{}\n{"type":"event","length":1}\nxy', b"[]"):
        with pytest.raises(ValueError, match=r"invalid header|unexpected end"):
            items_of(broken)


def test_sentry_can_want_it_later(service):
    control(service, "sentry", limited={"count": 1, "seconds": 7})
    reply = ask(service, "POST", "/sentry/api/42/envelope/", envelope(), KEY)
    assert reply.status == 429
    assert reply.headers == {"retry-after": "7", "x-sentry-rate-limits": "7:default;error;security:organization:quota"}
    assert ask(service, "POST", "/sentry/api/42/envelope/", envelope(), KEY).status == 200


def test_events_become_issues(service):
    event = {"message": {"formatted": "hello"}, "timestamp": 4e9, "level": "error", "release": "v1"}
    ask(service, "POST", "/sentry/api/42/envelope/", envelope(payload=json.dumps(event).encode()), KEY)
    path = "/sentry/api/0/organizations/astral-draft/issues/"
    reply = ask(service, "GET", path, headers=SENTRY, pairs=[("query", 'is:unresolved release:"v1"'), ("statsPeriod", "1h")])
    assert [(issue["title"], issue["filtered"]["count"]) for issue in reply.body] == [("hello", "1")]
    assert 'rel="next"; results="false"' in reply.headers["link"]
    assert ask(service, "GET", path, headers=SENTRY, pairs=[("query", "release:v2")]).body == []


@pytest.mark.parametrize(
    ("pairs", "status"),
    [
        ([("statsPeriod", "soon")], 400),
        ([("project", "web")], 400),
        ([("project", "7")], 403),
        ([("project", "42"), ("project", "7")], 200),
        ([("query", 'release:"')], 400),
    ],
)
def test_searches(service, pairs, status):
    assert ask(service, "GET", "/sentry/api/0/organizations/astral-draft/issues/", headers=SENTRY, pairs=pairs).status == status


def test_the_api_of_sentry_needs_its_token(service):
    path = "/sentry/api/0/projects/astral-draft/web/"
    assert ask(service, "GET", path).status == 401
    assert ask(service, "GET", path, headers={"authorization": "Bearer x"}).body == {"detail": "Invalid token"}
    assert ask(service, "GET", path, headers=SENTRY).body["id"] == "42"
    assert ask(service, "GET", "/sentry/api/0/projects/astral-draft/wbe/", headers=SENTRY).status == 404


def test_no_key_is_remembered(service):
    secret = {"x-sentry-auth": "Sentry sentry_version=7, sentry_key=demo-sentry-key, sentry_secret=hush-hush"}
    ask(service, "POST", "/sentry/api/42/envelope/", envelope(), secret)
    [call] = ask(service, "GET", "/__requests").body["requests"]
    assert "sentry_version=7, sentry_key=sha256:" in call["headers"]["x-sentry-auth"]
    assert "hush-hush" not in json.dumps(call)
    assert "demo-sentry-key" not in json.dumps(call)


# -- PagerDuty: what is not in its published contract is refused

PAGER = {
    "authorization": "Token token=demo-pagerduty-token",
    "accept": "application/vnd.pagerduty+json;version=2",
    "content-type": "application/json",
    "from": "ada@astraldraft.test",
}


@pytest.fixture
def pager(service):
    incidents = [{"id": "Q1", "title": "logins fail"}, {"id": "Q2", "title": "over", "status": "resolved"}]
    control(service, "pagerduty", incidents=incidents)
    return lambda method, path, body=None, pairs=None, **headers: ask(
        service, method, f"/pagerduty{path}", b"" if body is None else json.dumps(body).encode(),
        {name: value for name, value in (PAGER | {name.replace("_", "-"): value for name, value in headers.items()}).items() if value},
        pairs=pairs or [],
    )  # fmt: skip


def acknowledged(**more):
    return {"incident": {"type": "incident_reference", "status": "acknowledged"} | more}


def test_pagerduty_answers_in_its_form(pager):
    page = pager("GET", "/incidents", pairs=[("statuses[]", "triggered"), ("limit", "1"), ("total", "true")]).body
    assert (page["limit"], page["offset"], page["total"], page["more"]) == (1, 0, 1, False)
    one = pager("PUT", "/incidents/Q1", acknowledged()).body["incident"]
    assert (one["type"], one["status"], one["summary"]) == ("incident", "acknowledged", "[#1] logins fail")
    assert one["acknowledgements"][0]["acknowledger"]["type"] == "user_reference"
    assert (
        pager("PUT", "/incidents/Q1", {"incident": {"type": "incident", "escalation_level": 2}}).body["incident"]["status"] == "triggered"
    )
    assert pager("POST", "/incidents/Q1/notes", {"note": {"content": "hello"}}).body["note"]["user"]["summary"] == "Ada"
    assert [note["content"] for note in pager("GET", "/incidents/Q1/notes").body["notes"]] == ["hello"]
    levels = pager("GET", "/oncalls", pairs=[("escalation_policy_ids[]", "PPOLICY")]).body["oncalls"]
    assert [oncall["escalation_level"] for oncall in levels] == [1, 2, 2, 3]


PAGER_REFUSES = [
    ({"authorization": None}, 401, "Unauthorized"),
    ({"authorization": "Bearer demo-pagerduty-token"}, 401, "Unauthorized"),
    ({"authorization": "Token token=wrong"}, 401, "Unauthorized"),
    ({"accept": "application/json"}, 400, "Accept must be"),
    ({"accept": None}, 400, "Accept must be"),
    ({"content_type": None}, 400, "Content-Type must be"),
    ({"from": None}, 400, "Requester User Not Found"),
    ({"from": "eve@astraldraft.test"}, 400, "Requester User Not Found"),
    ({"path": "/incidents/Q9"}, 404, "Not Found"),
    ({"path": "/incidents/Q1/acknowledge"}, 404, "Not Found"),
    ({"path": "/users"}, 404, "Not Found"),
    ({"method": "POST"}, 405, "Method Not Allowed"),
    ({"method": "DELETE"}, 405, "Method Not Allowed"),
    ({"path": "/incidents/Q2"}, 400, "Incident Already Resolved"),
    ({"body": {"status": "acknowledged"}}, 400, "an object with incident"),
    ({"body": {"incident": {"status": "acknowledged"}}}, 400, "type must be"),
    ({"body": acknowledged(status="triggered")}, 400, "Status must be"),
    ({"body": acknowledged(note="hello")}, 400, "incident has no note"),
    ({"body": acknowledged(escalation_level="2")}, 400, "escalation_level has the wrong type"),
    ({"body": acknowledged(escalation_level=True)}, 400, "escalation_level has the wrong type"),
    ({"body": acknowledged(escalation_level=7)}, 400, "Escalation level is invalid"),
    ({"method": "POST", "path": "/incidents/Q1/notes", "body": {"note": {"content": " "}}}, 400, "Content cannot be empty"),
    ({"method": "POST", "path": "/incidents/Q1/notes", "body": {"note": {"content": "x", "user": {}}}}, 400, "an object with content"),
    ({"method": "GET", "path": "/incidents", "pairs": [("limit", "101")]}, 400, "limit is 1 to 100"),
    ({"method": "GET", "path": "/incidents", "pairs": [("limit", "100"), ("offset", "9901")]}, 400, "at most 10000"),
    ({"method": "GET", "path": "/incidents", "pairs": [("status", "triggered")]}, 400, "unknown parameter status"),
    ({"method": "GET", "path": "/incidents", "pairs": [("statuses[]", "open")]}, 400, "Status must be a list"),
    ({"method": "GET", "path": "/incidents", "pairs": [("urgencies[]", "none")]}, 400, "Urgency must be"),
    ({"method": "GET", "path": "/incidents", "pairs": [("date_range", "some")]}, 400, "date_range can only be all"),
    ({"method": "GET", "path": "/incidents", "pairs": [("since", "2001-01-01")]}, 400, "less than 6 months"),
]


@pytest.mark.parametrize(("call", "status", "words"), PAGER_REFUSES)
def test_what_pagerduty_refuses(pager, call, status, words):
    reply = pager(**({"method": "PUT", "path": "/incidents/Q1", "body": acknowledged()} | call))
    assert (reply.status, words in json.dumps(reply.body)) == (status, True), reply.body


def test_pagerduty_wants_it_later_and_says_when(service, pager):
    control(service, "pagerduty", limited={"count": 1, "seconds": 7})
    reply = pager("GET", "/incidents")
    assert reply.status == 429 and reply.headers["ratelimit-reset"] == "7"
    assert pager("GET", "/incidents").status == 200
