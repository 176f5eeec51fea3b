import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _sentry as sentry
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

NOW = 1764000000.0
BLANK = {"text": "hello", "level": "info", "tags": {}, "release": None, "environment": None, "test": False}


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        yield found


def dsn_of(stub, key="demo-sentry-key", project="42"):
    return sentry.parse_dsn(f"http://{key}@127.0.0.1:{stub.port}/sentry/{project}")


def event(identity="a" * 32, **options):
    return sentry.event_of(BLANK | options, identity, NOW)


def send(stub, dsn=None, wait_timeout=0.0, naps=None, **options):
    sleep = naps.append if naps is not None else None
    return sentry.send({"timeout": 2.0}, dsn or dsn_of(stub), event(**options), wait_timeout, sleep=sleep, clock=lambda: sum(naps or []))


@pytest.mark.parametrize(
    ("text", "url", "path", "public", "secret", "shown"),
    [
        ("https://abc@sentry.example.com/42", "https://sentry.example.com", "/api/42/envelope/", "abc", "", "sentry.example.com/42"),
        ("https://abc:def@o1.ingest.io/42/", "https://o1.ingest.io", "/api/42/envelope/", "abc", "def", "o1.ingest.io/42"),
        (" http://a%2Fb@h:9000/x/y/7 ", "http://h:9000/x/y", "/api/7/envelope/", "a/b", "", "h:9000/x/y/7"),
        ("https://k@h:443/7", "https://h:443", "/api/7/envelope/", "k", "", "h/7"),
    ],
)
def test_dsns(text, url, path, public, secret, shown):
    found = sentry.parse_dsn(text)
    assert (found.url, found.path, found.public, found.secret, found.shown) == (url, path, public, secret, shown)


@pytest.mark.parametrize("text", ["x", "https://host/42", "https://secretkey@host", "ftp://secretkey@host/42", "https://secretkey@h:no/4"])
def test_what_is_no_dsn_is_refused_without_telling_it(text):
    with pytest.raises(OpsError) as caught:
        sentry.parse_dsn(text)
    assert "secretkey" not in caught.value.message


def test_the_key_comes_last_in_the_header():
    assert sentry.authentication(sentry.parse_dsn("https://abc:def@h/1")) == (
        "Sentry sentry_version=7, sentry_client=astraldraft.ops/1.0, sentry_secret=def, sentry_key=abc"
    )


def test_an_envelope_is_a_line_of_headers_and_an_item():
    one = event(text="zwei\nZeilen", tags={"n": 1})
    headers, item, payload, rest = sentry.envelope(one, NOW).split(b"\n")
    assert json.loads(headers) == {"event_id": "a" * 32, "sent_at": "2025-11-24T16:00:00.000Z"}
    assert json.loads(item) == {"type": "event", "length": len(payload), "content_type": "application/json"}
    assert json.loads(payload) == one
    assert (one["message"], one["tags"], rest) == ({"formatted": "zwei\nZeilen"}, {"n": "1"}, b"")


def test_the_same_key_gives_the_same_id():
    assert sentry.event_id("h/1", "deploy-1") == sentry.event_id("h/1", "deploy-1")
    assert len({sentry.event_id("h/1", "a"), sentry.event_id("h/1", "b"), sentry.event_id("h/2", "a"), sentry.event_id("h/1"),
                sentry.event_id("h/1")}) == 5  # fmt: skip


def test_tests_are_one_issue():
    one = event(test=True, tags={"who": "ada"})
    assert (one["tags"], one["fingerprint"]) == ({"who": "ada", "test": "true"}, ["astraldraft-test"])
    assert "fingerprint" not in event()


@pytest.mark.parametrize(
    "options",
    [
        {"tags": {"a b": "x"}},
        {"tags": {"n" * 33: "x"}},
        {"tags": {"n": ""}},
        {"tags": {"n": "x" * 201}},
        {"tags": {"n": "a\nb"}},
        {"release": "a/b"},
        {"release": ".."},
        {"environment": "a/b"},
        {"environment": "None"},
        {"environment": "e" * 65},
        {"text": " \n"},
    ],
)
def test_what_sentry_would_leave_out_is_refused(options):
    with pytest.raises(OpsError):
        event(**options)


def test_it_arrives_once_by_its_id(stub):
    assert send(stub, release="v1", environment="demo") == (1, 0.0)
    assert send(stub) == (1, 0.0)
    assert stub.service._vendors["sentry"].settings()["events"] == 1
    [first, _second] = stub.calls("sentry")
    assert first["headers"]["content-type"] == "application/x-sentry-envelope"
    assert "demo-sentry-key" not in json.dumps(first)


def test_later_is_waited_for_and_said(stub):
    stub.settings("sentry", limited={"count": 2, "seconds": 3})
    naps = []
    assert send(stub, wait_timeout=10.0, naps=naps) == (3, 6.0)
    assert sum(naps) == 6.0
    assert max(naps) <= 1.0


def test_later_than_we_wait_is_a_failure(stub):
    stub.settings("sentry", limited={"count": 2, "seconds": 3})
    naps = []
    with pytest.raises(ProbeError) as caught:
        send(stub, wait_timeout=5.0, naps=naps)
    assert caught.value.reason == "rate_limited"
    assert "in 3 s it may, and 2 s are left" in caught.value.message
    assert stub.calls("sentry")[-1]["status"] == 429


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Mon, 24 Nov 2025 16:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 24 Nov 2025 15:00:30 GMT"}, 0.0),
        ({"retry-after": "soon"}, 60.0),
        ({}, 60.0),
        ({"x-sentry-rate-limits": "60:transaction:organization, 5:default;error:key:x", "retry-after": "60"}, 5.0),
        ({"x-sentry-rate-limits": "9::organization"}, 9.0),
        ({"x-sentry-rate-limits": "60:transaction:organization", "retry-after": "4"}, 4.0),
        ({"x-sentry-rate-limits": "nonsense", "retry-after": "4"}, 4.0),
    ],
)
def test_how_long_later_is(headers, seconds):
    assert sentry.delay_of(headers, NOW) == seconds


def failure(stub, dsn=None, **options):
    with pytest.raises(ProbeError) as caught:
        send(stub, dsn, **options)
    assert caught.value.next
    return caught.value


def test_a_wrong_key_and_a_wrong_project(stub):
    for dsn in (dsn_of(stub, key="secret-wrong-key"), dsn_of(stub, project="43")):
        error = failure(stub, dsn)
        assert error.reason == "forbidden"
        assert "with_reason: ProjectId" in error.message
        assert "secret-wrong-key" not in error.message


def test_what_is_too_large(stub):
    assert "answered 413" in failure(stub, text="x" * 300_000).message


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 500, "body": "{}"}, "server_error"),
        ({"status": 404, "body": "{}"}, "not_found"),
        ({"status": 401, "body": '{"detail": "no demo-sentry-key"}'}, "our_credentials"),
        ({"status": 200, "body": "{}"}, "not_sentry"),
        ({"status": 200, "body": "[]"}, "not_sentry"),
        ({"status": 200, "body": "<html>"}, "web_page"),
        ({"status": 200, "body": "ok"}, "not_json"),
        ({"status": 200, "body": '{"id": "00000000000000000000000000000000"}'}, "not_sentry"),
    ],
)
def test_only_a_confirmed_event_is_sent(stub, fault, reason):
    stub.fault("sentry", **fault)
    error = failure(stub)
    assert error.reason == reason
    assert "demo-sentry-key" not in error.message
    assert len(stub.calls("sentry")) == 1


def test_a_later_without_json_is_a_later():
    with bad.serving(bad.answering("429 Too Many Requests", b"slow down", Retry_After="9")) as port, pytest.raises(ProbeError) as caught:
        sentry.send({"timeout": 2.0}, sentry.parse_dsn(f"http://k@127.0.0.1:{port}/1"), event(), 0.0)
    assert caught.value.reason == "rate_limited"
