"""The contract stub, without its web server: what each vendor answers, what is remembered, how failures are asked for."""

import json
from datetime import date

import pytest

from demo.stub.service import Service
from demo.stub.vendors.base import Call
from demo.stub.vendors.sportsdata import season

SEASON = "/v3/nfl/scores/json/CurrentSeason"


@pytest.fixture
def service():
    return Service({"STUB_SPORTSDATA_KEY": "right-key"})


def ask(service, method, path, body=None, headers=None, query=None):
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    reply, delay = service.answer(Call(method, path, query or {}, headers or {}, content))
    return reply.status, reply.body, delay


def season_of(service, key="right-key"):
    return ask(service, "GET", SEASON, headers={"ocp-apim-subscription-key": key} if key else {})


def test_sports_data_tells_no_key_from_a_wrong_one(service):
    assert season_of(service, None)[0] == 401
    assert season_of(service, "wrong-key")[0] == 403
    assert ask(service, "GET", SEASON, query={"key": "right-key"})[0] == 401
    status, body, _ = season_of(service)
    assert status == 200
    assert isinstance(body, int)


def test_the_key_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("from-file\n")
    service = Service({"STUB_SPORTSDATA_KEY_FILE": str(tmp_path / "key")})
    assert season_of(service, "from-file")[0] == 200


def test_a_season_is_named_after_its_first_year():
    assert season(date(2027, 2, 7)) == season(date(2026, 11, 23)) == 2026


def test_chat_answers_as_an_incoming_webhook(service):
    assert ask(service, "POST", "/webhook/chat/ops", {"text": "hello"}) == (200, "ok", 0.0)
    assert ask(service, "POST", "/webhook/chat", {}) == (400, "no_text", 0.0)
    assert ask(service, "POST", "/webhook/chat", b"{") == (400, "invalid_payload", 0.0)
    assert ask(service, "GET", "/webhook/chat")[0] == 405


def test_alertmanager_must_speak_version_4(service):
    alert = {"version": "4", "status": "firing", "alerts": [{"labels": {"alertname": "X"}}]}
    assert ask(service, "POST", "/webhook/alertmanager", alert) == (200, {"received": 1}, 0.0)
    assert ask(service, "POST", "/webhook/alertmanager", {**alert, "version": "3"})[0] == 400


def test_staging_has_no_list_until_one_is_set(service):
    path = "/staging/releases.json"
    assert ask(service, "GET", path)[0] == 404
    ask(service, "PUT", path, [{"version": "v1.2.3"}])
    assert ask(service, "GET", path)[:2] == (200, [{"version": "v1.2.3"}])
    ask(service, "POST", "/__control", {"vendor": "staging", "settings": {"releases": []}})
    assert ask(service, "GET", path)[:2] == (200, [])
    ask(service, "DELETE", path)
    assert ask(service, "GET", path)[0] == 404


def test_faults_are_counted_down_and_then_gone(service):
    assert ask(service, "POST", "/__control", {"vendor": "sportsdata", "status": 503, "delay": 2, "count": 2})[0] == 200
    assert [season_of(service)[::2] for _ in range(3)] == [(503, 2.0), (503, 2.0), (200, 0.0)]


def test_a_delay_alone_leaves_the_answer_as_it_is(service):
    ask(service, "POST", "/__control", {"vendor": "sportsdata", "delay": 30})
    status, body, delay = season_of(service)
    assert (status, delay) == (200, 30.0)
    assert isinstance(body, int)
    ask(service, "POST", "/__control", {"vendor": "sportsdata", "reset": True})
    assert season_of(service)[2] == 0.0


def test_a_fault_meets_only_its_vendor_and_path(service):
    ask(service, "POST", "/__control", {"vendor": "sportsdata", "status": 500, "path": "/v3/nfl/odds"})
    assert season_of(service)[0] == 200
    assert ask(service, "GET", "/v3/nfl/odds/x")[0] == 500
    assert ask(service, "POST", "/webhook/chat", {"text": "x"})[0] == 200


@pytest.mark.parametrize(
    "message",
    [
        {"vendor": "nobody", "status": 500},
        {"vendor": "chat"},
        {"vendor": "chat", "status": 99},
        {"vendor": "chat", "delay": -1},
        {"vendor": "chat", "status": 500, "count": 0},
        {"vendor": "chat", "status": 500, "often": True},
        {"vendor": "chat", "settings": {"x": 1}},
        [],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(service, message):
    status, body, _ = ask(service, "POST", "/__control", message)
    assert status == 400
    assert body["error"]
    assert ask(service, "GET", "/__control")[1]["faults"] == []


def test_requests_are_remembered_without_their_secrets(service):
    season_of(service)
    ask(service, "POST", "/webhook/chat", {"text": "hello"}, {"authorization": "Bearer abcdef"})
    ask(service, "GET", "/elsewhere")
    calls = ask(service, "GET", "/__requests")[1]["requests"]
    assert [call["vendor"] for call in calls] == ["sportsdata", "chat", None]
    assert calls[1]["json"] == {"text": "hello"}
    assert calls[1]["headers"]["authorization"].startswith("Bearer sha256:")
    assert "right-key" not in json.dumps(calls)
    assert "abcdef" not in json.dumps(calls).replace(calls[1]["headers"]["authorization"], "")
    newer = ask(service, "GET", "/__requests", query={"after": str(calls[0]["id"]), "vendor": "chat"})[1]["requests"]
    assert [call["vendor"] for call in newer] == ["chat"]
    taken = ask(service, "GET", "/__requests", query={"status": "200"})[1]["requests"]
    assert taken == [call for call in calls if call["status"] == 200]
    assert 0 < len(taken) < len(calls)
    assert ask(service, "GET", "/__requests", query={"limit": "x"})[0] == 400
    ask(service, "DELETE", "/__requests")
    assert ask(service, "GET", "/__requests")[1] == {"requests": []}


def test_what_is_remembered_is_bounded(service):
    for number in range(2100):
        ask(service, "POST", "/webhook/chat", {"text": str(number)})
    calls = service.recorder.find(limit=10**6)
    assert len(calls) == 2000
    assert calls[-1]["json"] == {"text": "2099"}


def test_reset_of_everything(service):
    ask(service, "POST", "/__control", {"vendor": "sportsdata", "settings": {"key": "other"}})
    ask(service, "POST", "/__control", {"vendor": "chat", "status": 500})
    assert season_of(service, "other")[0] == 200
    ask(service, "POST", "/__control", {"reset": True})
    assert season_of(service)[0] == 200
    assert ask(service, "POST", "/webhook/chat", {"text": "x"})[0] == 200
