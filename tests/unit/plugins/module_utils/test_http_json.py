import json
import re

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _http, _prometheus, _prometheus_health
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, failure
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

UNSEEN = "a-token-that-nobody-may-see"
SERVICES = {
    "prometheus": lambda connection: _prometheus.fetch(connection, "/api/v1/alerts"),
    "alerts": _alertmanager.alerts,
    "silences": _alertmanager.silences,
    "status": _alertmanager.status,
}
PAGE = b"<!DOCTYPE html><title>Log in</title>"
#: What a server may do, the reason that names it, and words of its sentence.
ANSWERS = [
    (bad.answering("500 Internal Server Error", b'"disk full"'), "server_error", "answered 500: disk full"),
    (bad.answering("500 Internal Server Error", PAGE), "server_error", "answered 500: a web page"),
    (bad.answering("502 Bad Gateway"), "server_error", "answered 502"),
    (bad.answering("401 Unauthorized"), "our_credentials", "answered 401, our credentials are refused"),
    (bad.answering("403 Forbidden"), "forbidden", "answered 403, our credentials do not allow that"),
    (bad.answering("404 Not Found", b"404 page not found"), "not_found", "answered 404, nothing is there: 404 page not found"),
    (bad.answering("407 Proxy Authentication Required"), "proxy_refused", "answered 407, the proxy wants to know"),
    (bad.answering("410 Gone"), "gone", "done away with"),
    (bad.answering("429 Too Many Requests", b"slow down"), "later", "answered 429, it wants to be asked less often: slow down"),
    (bad.answering("418 Teapot"), "unexpected_status", "answered 418"),
    (bad.answering("301 Moved"), "redirected", "redirects to another host|leads elsewhere"),
    (bad.answering("302 Found", Location="http://127.0.0.2:1/"), "redirected", "redirects to another host"),
    (bad.answering(body=PAGE), "web_page", "with a web page"),
    (bad.answering(body=b"hello", Content_Type="text/html; charset=utf-8"), "web_page", "with a web page"),
    (bad.answering(body=b'[{"id": "a", '), "not_json", "with a body that is not JSON"),
    (bad.answering(body=b""), "not_json", "with a body that is not JSON"),
    (bad.answering(body=b'{"hello": "world"}'), "not_(prometheus|alertmanager)", "did not answer like"),
    (bad.answering(body=b'[{"status": "well"}]'), "not_(prometheus|alertmanager)", "did not answer like"),
    (bad.hanging, "timed_out", "no answer from .* within 0.5 s"),
    (bad.trickling_body, "timed_out", r"had sent \d+ bytes and not finished its answer after 0.5 s"),
    (bad.trickling, "timed_out", r"had sent \d+ bytes and not finished its answer after 0.5 s"),
    (bad.resetting, "reset", "reset the connection"),
    (bad.cutting, "cut_short", "ended in the middle"),
    (bad.babbling, "not_http", "did not answer in HTTP"),
]


def asked(behave, timeout=0.5, **more):
    with bad.serving(behave) as port:
        connection = {"url": f"http://127.0.0.1:{port}/base/", "timeout": timeout, "bearer_token": UNSEEN}
        return ask_json(connection, "/api/things", {"token": "x y"}, "Gauge", **more)


def failed(port, ask, **more):
    with pytest.raises(ProbeError) as caught:
        ask({"url": f"http://me:hunter22@127.0.0.1:{port}/prefix/", "timeout": 0.5, **more})
    assert "hunter22" not in caught.value.message
    assert caught.value.next
    return caught.value


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("behave", "reason", "sentence"), ANSWERS)
def test_each_failure_has_a_sentence_of_its_own(service, behave, reason, sentence):
    with bad.serving(behave) as port:
        error = failed(port, SERVICES[service])
    assert re.fullmatch(reason, error.reason)
    assert re.search(sentence, error.message)


def test_stopped():
    assert failed(bad.free_port(), _alertmanager.alerts).reason == "refused"


def test_endless(monkeypatch):
    monkeypatch.setattr(_alertmanager, "MAX_BYTES", 100000)
    with bad.serving(bad.endless) as port:
        assert failed(port, _alertmanager.alerts, timeout=5.0).reason == "too_large"


def test_what_alertmanager_refuses_is_told():
    for body in (b'"bad matcher format"', b'{"code": 602, "message": "bad matcher format"}'):
        with bad.serving(bad.answering("400 Bad Request", body)) as port:
            error = failed(port, _alertmanager.alerts)
        assert error.reason == "bad_request"
        assert "refuses it: bad matcher format" in error.message


def test_an_old_alertmanager_is_told():
    with bad.serving(bad.answering("404 Not Found")) as port:
        assert "before 0.16 has no API v2" in failed(port, _alertmanager.status).next


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "418 I am a teapot", "500 Internal Server Error"])
def test_a_refusal_names_the_service_and_hides_secrets(status):
    with pytest.raises(ProbeError) as caught:
        asked(bad.answering(status, b'{"detail": "said a-token-that-nobody-may-see\\nso, and another-one", "causes": ["this"]}'),
              secrets=["another-one"])  # fmt: skip
    assert caught.value.message.startswith("Gauge at http://127.0.0.1:")
    assert "token=x" not in caught.value.message
    assert str(caught.value).endswith(": said ******** so, and ********, this")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b'{"message": "no", "errors": ["this", "that"]}', "no, this, that"),
        (b'{"message": "no", "errors": [{"field": "title"}]}', "no, {'field': 'title'}"),
        (b'{"errorMessages": ["no such issue"], "errors": {}}', "no such issue"),
        (b'{"errorMessages": [], "errors": {"summary": "too long", "labels": "has spaces"}}', "summary: too long, labels: has spaces"),
        (b'{"error": {"message": "no", "errors": ["this"]}}', "no, this"),
        (b'{"error": "no"}', "no"),
        (b'"no"', "no"),
        (b"{}", ""),
    ],
)
def test_the_words_of_a_service_are_found(document, words):
    assert asked(bad.answering("400 Bad Request", document), accepted=(400,)).said == words


def test_what_is_not_json_hides_secrets():
    with pytest.raises(ProbeError, match=r"^Gauge at http://\S+ answered 200 with a body that is not JSON: 'hello \*+'$"):
        asked(bad.answering(body=b"hello " + UNSEEN.encode()))


def test_the_options_that_are_to_be_corrected_are_named():
    with pytest.raises(ProbeError) as caught:
        asked(bad.answering("401 Unauthorized"), credentials="dsn")
    assert caught.value.next == "Correct dsn."


def test_nobody_listens():
    with pytest.raises(ProbeError, match=r"^Gauge: connection to "):
        ask_json({"url": f"http://127.0.0.1:{bad.free_port()}", "timeout": 1}, "/x", service="Gauge")


def test_what_is_sent():
    seen = []
    answer = asked(bad.answering(body=b"[1]", seen=seen))
    assert (answer.status, answer.document, answer.said) == (200, [1], "")
    assert seen[0].startswith("GET /base/api/things?token=x+y HTTP/1.1")
    assert f"Authorization: Bearer {UNSEEN}" in seen[0]
    answer = asked(bad.answering("201 Created", b'{"id": 3}', seen), method="POST", body={"é": 1})
    assert (answer.status, answer.document) == (201, {"id": 3})
    assert seen[1].startswith("POST /base/api/things?token=x+y HTTP/1.1")
    assert "Content-Type: application/json" in seen[1]


def test_bytes_are_sent_as_they_are():
    seen = []
    asked(bad.answering(body=b"{}", seen=seen), method="POST", body=b"a\nb", headers={"Content-Type": "text/x-lines"})
    assert "Content-Type: text/x-lines" in seen[0]
    assert "Content-Length: 3" in seen[0]


def test_a_status_that_is_accepted_needs_no_document():
    assert asked(bad.answering("400 Bad Request", b'{"status": "ERROR"}'), accepted=(400,)).document == {"status": "ERROR"}
    answer = asked(bad.answering("502 Bad Gateway", PAGE), accepted=(502,))
    assert (answer.document, answer.said) == (None, "a web page")


def test_text_will_do_where_it_is_asked_for_and_a_web_page_will_not():
    answer = asked(bad.answering(body=b"well, \n thank you"), text=True)
    assert (answer.document, answer.said) == ("well, \n thank you", "well, thank you")
    assert asked(bad.answering(body=b""), text=True).document == ""
    with pytest.raises(ProbeError, match="with a web page, not with JSON"):
        asked(bad.answering(body=PAGE), text=True)


def test_only_reading_is_repeated():
    seen = []
    with bad.serving(bad.answering("503 Busy", seen=seen)) as port:
        connection = {"url": f"http://127.0.0.1:{port}", "timeout": 2.0}
        for method, times in (("GET", 2), ("POST", 1), ("DELETE", 1)):
            seen.clear()
            with pytest.raises(ProbeError):
                ask_json(connection, "/x", method=method)
            assert len(seen) == times


def test_every_connection_option_reaches_every_request():
    options = {name: f"given {name}" for name in _http.HTTP_SPEC}
    found = _http.connection_of(options)
    assert sorted(found.values()) == sorted(options.values())
    assert found["username"] == "given url_username"
    with pytest.raises(TypeError, match="unexpected keyword"):
        _http.request(**found, nonsense=1)
    way = _http.connection_of({name: f"given {name}" for name in _http.WAY_SPEC})
    assert sorted(way) == ["ca_path", "proxy", "timeout", "validate_certs"]


def test_failure_is_one_sentence_after_the_other():
    error = ProbeError("refused", "refused", "connection refused.", "Start it.")
    assert failure(error, "It did not work").message == "It did not work: connection refused. Start it."
    alone = failure(error, changed=False)
    assert (alone.message, alone.evidence) == ("connection refused. Start it.", {"changed": False})


# -- whole modules' cores: nothing of the kind reads as healthy

OPTIONS = {"own_metrics": True, "watchdog": "Watchdog", "jobs": [], "stale_intervals": 3.0, "alertmanagers": 1}


@pytest.mark.parametrize(("behave", "reason", "sentence"), ANSWERS)
def test_no_failure_of_prometheus_reads_as_healthy(behave, reason, sentence):
    del reason
    with bad.serving(behave) as port:
        found = _prometheus_health.Look({"url": f"http://127.0.0.1:{port}", "timeout": 0.5}, OPTIONS).judge()
    assert _prometheus_health.overall(found["findings"]) == "fail"
    text = json.dumps([one._asdict() for one in found["findings"]])
    assert "Traceback" not in text
    assert any(one.verdict == "fail" and one.next for one in found["findings"])
    assert sentence
