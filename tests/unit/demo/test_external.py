"""The app's one dependency outside, against a real server of its own."""

import asyncio
import http.server
import threading

import pytest

from demo.app import external
from demo.app.config import ConfigError, Settings


class Api(http.server.BaseHTTPRequestHandler):
    status, body, waits = 200, b"2026", None

    def do_GET(self):
        if self.waits:
            self.waits.wait(5)
        self.send_response(self.status if self.headers["Ocp-Apim-Subscription-Key"] == "word" else 401)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    class Mine(Api):
        pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mine)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Mine, f"http://127.0.0.1:{server.server_port}/season"
    server.shutdown()
    server.server_close()


def outcome_of(url, key="word"):
    """``(outcome counted, what it said or the answer)``"""
    counted = []
    try:
        said = asyncio.run(external.External(url, key, counted.append).season())
    except external.ExternalUnavailable as error:
        said = error
    assert len(counted) == 1
    return counted[0], said


def test_the_season_is_the_one_that_the_api_says(api):
    assert outcome_of(api[1]) == ("answered", 2026)


@pytest.mark.parametrize(("status", "key", "reason"), [(503, "word", "answered 503"), (200, "other", "answered 401")])
def test_a_refusal_is_told_with_its_status(api, status, key, reason):
    api[0].status = status
    outcome, error = outcome_of(api[1], key)
    assert outcome == "refused"
    assert reason in str(error)
    assert key not in str(error)
    assert not error.late


def test_an_api_that_hangs_costs_no_more_than_its_time(api, monkeypatch):
    monkeypatch.setattr(external, "SECONDS", 0.1)
    api[0].waits = threading.Event()
    outcome, error = outcome_of(api[1])
    api[0].waits.set()
    assert (outcome, error.late) == ("timed_out", True)


def test_nobody_there_and_nonsense_are_unreachable(api):
    api[0].body = b"<html>"
    assert outcome_of(api[1])[0] == "unreachable"
    assert outcome_of("http://127.0.0.1:1/season")[0] == "unreachable"


def test_the_address_is_checked_and_the_key_is_kept_out_of_sight():
    settings = Settings.from_environment({"EXTERNAL_API_URL": "https://api.example/x", "EXTERNAL_API_KEY": "wordword"})
    assert settings.external_url == "https://api.example/x"
    assert "wordword" not in repr(settings)
    assert Settings.from_environment({}).external_url is None
    for wrong in ("api.example", "ftp://api.example", "https://user@api.example/"):
        with pytest.raises(ConfigError, match="EXTERNAL_API_URL"):
            Settings.from_environment({"EXTERNAL_API_URL": wrong})
