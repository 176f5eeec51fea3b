from __future__ import annotations

import time
from unittest.mock import MagicMock

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _mail
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.modules import mail_message
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.mailbox import PASSWORD, Mailbox

WANTED = {
    "host": "localhost", "security": "starttls", "login_user": None, "login_password": None, "sender": "Operations <ops@astraldraft.com>",
    "to": ["ada@astraldraft.com", "Grace <grace@astraldraft.com>"], "subject": "[SEV-1] größer", "text": "Logins fail.\n.\nÄ\n", "id": None,
    "timeout": 5.0, "validate_certs": True, "ca_path": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return bad.make_certificate(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def context(certificate):
    return bad.tls_context(*certificate)


def send(port, certificate, check=False, **options):
    module = MagicMock(params=WANTED | {"port": port, "ca_path": str(certificate[0])} | options, check_mode=check)
    result = dict(mail_message.RESULT, refused={})
    mail_message.work(module, result)
    return result


def refused(port, certificate, **options):
    with pytest.raises(OpsError) as caught:
        send(port, certificate, **options)
    return caught.value


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_arrives_over_an_encrypted_connection(context, certificate, security):
    box = Mailbox(context, login=True)
    with box.serving(tls=security == "tls") as port:
        done = send(port, certificate, security=security, login_user="ops", login_password=PASSWORD, id="incident-1")
    (mail,) = box.mails
    assert done["sent"] and done["refused"] == {} and done["server"] == f"localhost:{port}" and box.encrypted and box.user == "ops"
    assert (mail["From"], mail["Subject"]) == ("Operations <ops@astraldraft.com>", "[SEV-1] größer")
    assert mail["To"] == "ada@astraldraft.com, Grace <grace@astraldraft.com>" and mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == "Logins fail.\n.\nÄ\n"
    assert mail["Message-ID"] == done["message_id"] == _mail.message_id("ops@astraldraft.com", "incident-1")


def test_check_mode_asks_nobody(context, certificate):
    box = Mailbox(context)
    with box.serving() as port:
        done = send(port, certificate, check=True)
    assert (done["changed"], done["sent"], done["message_id"]) == (True, False, None) and box.commands == []


def test_it_never_goes_on_without_encryption(certificate, context):
    box = Mailbox(context, starttls=False, login=True)
    with box.serving() as port:
        error = refused(port, certificate, login_user="ops", login_password=PASSWORD)
    assert error.evidence["reason"] == "not_tls" and "offers no STARTTLS" in error.message
    assert "AUTH" not in box.commands and box.mails == []
    error = refused(25, certificate, security="none", login_user="ops", login_password=PASSWORD)
    assert "would go in plain text" in error.message


def test_without_encryption_only_where_it_is_said(context, certificate):
    box = Mailbox(context)
    with box.serving() as port:
        assert send(port, certificate, security="none")["sent"]
    assert box.encrypted is False


def test_a_server_that_is_not_who_it_says_gets_nothing(context, certificate):
    box = Mailbox(context)
    with box.serving() as port:
        error = refused(port, certificate, ca_path=None)
        assert error.evidence["reason"] == "self_signed" and box.mails == []
        assert send(port, certificate, ca_path=None, validate_certs=False)["sent"]


def test_what_is_refused_for_some_is_said_and_for_all_is_a_failure(context, certificate):
    box = Mailbox(context, refuses=("grace@",))
    with box.serving() as port:
        done = send(port, certificate)
    assert done["sent"] and done["refused"] == {"grace@astraldraft.com": "550 5.1.1 nobody here"}
    box = Mailbox(context, refuses=("@astraldraft.com",))
    with box.serving() as port:
        error = refused(port, certificate)
    assert error.evidence["reason"] == "recipients_refused" and "ada@astraldraft.com: 550 5.1.1 nobody here" in error.message


@pytest.mark.parametrize(
    ("answers", "reason", "words"),
    [
        ({"GREETING": "554 go away"}, "refused_mail", "answered 554 go away"),
        ({"GREETING": "421 too busy"}, "later", "answered 421 too busy. Run it again later"),
        ({"MAIL": "451 greylisted"}, "later", "answered 451 greylisted"),
        ({"DATA": "552 too large"}, "refused_mail", "answered 552 too large"),
        ({"DATA": None}, "reset", "may have been sent all the same"),
        ({"MAIL": None}, "reset", "closed the connection"),
        ({"STARTTLS": "454 not now"}, "later", "answered 454 not now"),
    ],
)
def test_each_failure_says_what_it_is(context, certificate, answers, reason, words):
    box = Mailbox(context, **answers)
    with box.serving() as port:
        error = refused(port, certificate)
    assert error.evidence["reason"] == reason and words in error.message and box.mails == []


def test_wrong_credentials_are_ours(context, certificate):
    box = Mailbox(context, login=True)
    with box.serving() as port:
        error = refused(port, certificate, login_user="ops", login_password=PASSWORD[::-1])
    assert (
        error.evidence["reason"] == "our_credentials" and "535 5.7.8 no such user" in error.message and PASSWORD[::-1] not in error.message
    )


def test_nobody_there_and_nobody_who_answers(certificate):
    assert refused(bad.free_port(), certificate).evidence["reason"] == "refused"
    started = time.monotonic()
    with bad.serving(bad.hanging) as port:
        assert refused(port, certificate, timeout=0.3).evidence["reason"] == "timed_out"

    def trickle(connection):
        connection.sendall(b"220 ")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    with bad.serving(trickle) as port:
        assert refused(port, certificate, timeout=0.3).evidence["reason"] == "timed_out"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"to": []}, "Name somebody"),
        ({"to": ["ada"]}, "'ada' is no e-mail address"),
        ({"to": ["ada@x.test\nBcc: eve@x.test"]}, "is no e-mail address"),
        ({"sender": "nobody"}, "'nobody' is no e-mail address"),
        ({"subject": " \n "}, "needs a subject and a text"),
        ({"text": " "}, "needs a subject and a text"),
    ],
)
def test_what_is_no_mail_is_not_sent(certificate, options, words):
    assert words in refused(1, certificate, **options).message


def test_no_line_of_a_subject_becomes_a_header(context, certificate):
    box = Mailbox(context)
    with box.serving() as port:
        send(port, certificate, subject="fail\r\nBcc: eve@x.test\x1b[2J")
    assert box.mails[0]["Subject"] == "fail Bcc: eve@x.test" and box.mails[0]["Bcc"] is None
