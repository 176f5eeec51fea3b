import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _http_api as api
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

UNSEEN = "a-token-that-nobody-may-see"


def ask(behave, method="GET", body=None, timeout=0.5, **more):
    with bad.serving(behave) as port:
        connection = {"url": f"http://127.0.0.1:{port}/base/", "timeout": timeout, "bearer_token": UNSEEN}
        return api.ask(connection, method, "/api/things?token=x", body, "Gauge", **more)


def refused(behave, **more):
    with pytest.raises(ProbeError) as caught:
        ask(behave, **more)
    return caught.value


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("401 Unauthorized", "our_credentials"),
        ("403 Forbidden", "forbidden"),
        ("404 Not Found", "not_found"),
        ("418 I am a teapot", "unexpected_status"),
        ("429 Too Many Requests", "later"),
        ("500 Internal Server Error", "server_error"),
        ("503 Service Unavailable", "server_error"),
    ],
)
def test_every_refusal_has_a_sentence_of_its_own(status, reason):
    error = refused(bad.answering(status, b'{"message": "said a-token-that-nobody-may-see\\nso"}'))
    assert error.reason == reason
    assert error.message.startswith("Gauge at http://127.0.0.1:")
    assert f"answered {status[:3]}" in error.message
    assert error.message.endswith("said ******** so")
    assert "token=x" not in error.message
    assert error.next


@pytest.mark.parametrize(
    ("behave", "verdict", "reason"),
    [
        (bad.hanging, "timed_out", "timed_out"),
        (bad.trickling, "timed_out", "timed_out"),
        (bad.trickling_body, "timed_out", "timed_out"),
        (bad.cutting, "wrong_answer", "cut_short"),
        (bad.resetting, "wrong_answer", "reset"),
        (bad.babbling, "wrong_answer", "not_http"),
        (bad.answering(body=b"<html>hello</html>"), "wrong_answer", "html"),
        (bad.answering(body=b"  <!DOCTYPE html><p>"), "wrong_answer", "html"),
        (bad.answering(body=b"welcome", Content_Type="text/html"), "wrong_answer", "html"),
        (bad.answering(body=b'{"half": '), "wrong_answer", "not_json"),
        (bad.answering(body=b""), "wrong_answer", "not_json"),
        (bad.answering("302 Found", Location="http://other.invalid/"), "wrong_answer", "redirected"),
    ],
)
def test_what_is_no_answer_is_named(behave, verdict, reason):
    error = refused(behave)
    assert (error.verdict, error.reason) == (verdict, reason)
    assert "Gauge" in error.message or reason == "redirected"
    assert error.next


def test_an_endless_answer_is_cut_off():
    error = refused(bad.endless, timeout=10)
    assert error.reason == "too_large"
    assert "health route" not in error.next


def test_nobody_listens():
    with pytest.raises(ProbeError) as caught:
        api.ask_json({"url": f"http://127.0.0.1:{bad.free_port()}", "timeout": 1}, "GET", "/x", what="Gauge")
    assert caught.value.verdict == "refused"
    assert caught.value.message.startswith("Gauge gave no answer: connection to ")


def test_what_is_sent():
    seen = []
    document, response = ask(bad.answering("201 Created", b'{"id": 3}', seen), method="POST", body={"text": "x"})
    assert (document, response.status) == ({"id": 3}, 201)
    assert seen[0].startswith("POST /base/api/things?token=x HTTP/1.1")
    assert "Content-Type: application/json" in seen[0]
    assert f"Authorization: Bearer {UNSEEN}" in seen[0]


def test_bytes_are_sent_as_they_are():
    seen = []
    ask(bad.answering(body=b"{}", seen=seen), method="POST", body=b"a\nb", headers={"Content-Type": "text/x-lines"})
    assert "Content-Type: text/x-lines" in seen[0]


def test_only_reading_is_asked_again():
    seen = []
    refused(bad.answering("503 Later", b"{}", seen))
    assert len(seen) == 2
    seen.clear()
    refused(bad.answering("503 Later", b"{}", seen), method="POST", body={})
    assert len(seen) == 1


def test_a_status_that_is_accepted_needs_no_document():
    assert ask(bad.answering("400 Bad Request", b'{"status": "ERROR"}'), accepted=(400,))[0] == {"status": "ERROR"}
    assert ask(bad.answering("502 Bad Gateway", b"<html>"), accepted=(502,))[0] is None


def test_a_failure_says_what_to_do():
    error = api.failure(ProbeError("refused", "refused", "nobody there.", "Start it."), changed=False)
    assert (error.message, error.evidence) == ("nobody there. Start it.", {"changed": False})
