from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _webhook
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.modules import webhook_message
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

KEY = "demo-webhook-key"
WAY = {"wait_timeout": 5.0, "timeout": 2.0, "validate_certs": True, "ca_path": None, "proxy": None, "id": None, "key": None}


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        yield found


def send(stub, path="/webhook/signed", check=False, **options):
    module = MagicMock(params=WAY | {"url": stub.url + path, "payload": {"text": "größer"}} | options, check_mode=check)
    result = dict(webhook_message.RESULT)
    webhook_message.work(module, result)
    return result


def test_the_example_of_the_standard():
    """From the specification (spec/standard-webhooks.md), as its libraries have it in their tests."""
    key = _webhook.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert _webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


def test_a_signed_message_arrives_once(stub):
    check = send(stub, check=True, key=KEY, id="msg_1")
    assert (check["changed"], check["sent"], check["id"], check["signed"]) == (True, False, "msg_1", True)
    assert stub.calls("signed_webhook") == []
    for _attempt in range(2):
        done = send(stub, key=KEY, id="msg_1")
        assert (done["sent"], done["status"], done["attempts"], done["host"]) == (True, 202, 1, stub.url)
    assert stub.service._vendors["signed_webhook"].settings()["taken"] == ["msg_1"]
    assert send(stub, key=KEY)["id"].startswith("msg_")
    assert stub.calls("signed_webhook")[0]["json"] == {"text": "größer"}


def test_a_chat_needs_no_key(stub):
    done = send(stub, "/webhook/chat/oncall")
    assert (done["sent"], done["signed"], done["status"]) == (True, False, 200)


def refused(stub, **options):
    with pytest.raises(OpsError) as caught:
        send(stub, **options)
    return caught.value


def test_what_is_secret_of_the_address_is_not_shown(stub):
    secret = "/".join(["T00", "B00", "hush"])
    error = refused(stub, path=f"/services/{secret}?token=quiet")
    assert error.evidence["reason"] == "not_found"
    for part in (secret, "hush", "quiet"):
        assert part not in error.message
    assert stub.url.removeprefix("http://") in error.message


@pytest.mark.parametrize(
    ("options", "reason", "words"),
    [
        ({"key": "another-key-of-ours"}, "our_credentials", "the signature does not fit. Correct url, or key"),
        ({}, "our_credentials", "the signature does not fit"),
        ({"path": "/webhook/chat", "payload": {"txt": "x"}}, "unexpected_status", "answered 400: no_text"),
        ({"url": "http://127.0.0.1:1/x"}, "refused", "refused"),
    ],
)
def test_each_failure_says_what_it_is(stub, options, reason, words):
    error = refused(stub, **options)
    assert error.evidence["reason"] == reason and words in error.message and error.evidence["changed"] is False


def test_it_is_sent_again_when_the_receiver_says(stub):
    stub.settings("signed_webhook", limited={"count": 1, "seconds": 1})
    done = send(stub, key=KEY)
    assert (done["attempts"], done["waited"]) == (2, 1.0)
    stub.settings("signed_webhook", limited={"count": 1, "seconds": 60})
    assert refused(stub, key=KEY).evidence["reason"] == "rate_limited"


def test_a_message_in_doubt_says_so(stub):
    stub.fault("signed_webhook", status=503)
    assert "may have arrived all the same" in refused(stub, key=KEY).message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": "short"}, "too short: 5 bytes"),
        ({"key": "whsec_!"}, "no base64 follows"),
        ({"url": "hooks.astraldraft.com/x"}, "no address of a webhook"),
    ],
)
def test_what_cannot_be_is_not_sent(stub, options, words):
    assert words in refused(stub, **options).message
    assert stub.service.recorder.find() == []
