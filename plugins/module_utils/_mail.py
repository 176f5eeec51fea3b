# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mail over SMTP, encrypted and to a server that is who it says. Private: other collections must not import it."""

from __future__ import annotations

import collections
import email.message
import email.policy
import email.utils
import hashlib
import re
import smtplib
import socket
import ssl
import time
import uuid
from typing import Any

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import NEXT, DeadlineSocket, ProbeError, connect, explain, where
from ansible_collections.astraldraft.ops.plugins.module_utils._notification import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._tls import context_for, explain_tls

STARTTLS, TLS, NONE = "starttls", "tls", "none"
#: How it is encrypted, and the port that is usual for it.
PORTS = {STARTTLS: 587, TLS: 465, NONE: 25}
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")

#: ``host``, ``port``, ``security``; ``user`` and ``password`` or None; ``validate_certs`` and ``ca_path``; ``timeout`` in seconds, in all.
Server = collections.namedtuple("Server", "host port security user password validate_certs ca_path timeout")


def server_of(params):
    """The server that the options name. Raises OpsError where a password would go in plain text."""
    security = params["security"]
    if security == NONE and params["login_password"]:
        raise OpsError("security is none, and login_password would go in plain text. Nothing was sent. Use starttls or tls.")
    return Server(
        params["host"],
        params["port"] or PORTS[security],
        security,
        params["login_user"],
        params["login_password"],
        params["validate_certs"],
        params["ca_path"],
        params["timeout"],
    )


def address(text):
    """The bare address of ``Ada <ada@astraldraft.com>``, or of itself. Raises OpsError."""
    _name, found = email.utils.parseaddr(text)
    if not _ADDRESS.fullmatch(found) or "\n" in text or "\r" in text:
        raise OpsError("{0!r} is no e-mail address. Nothing was sent. Correct it.".format(text))
    return found


def message_id(sender, key=None):
    """By which mail programs know a mail; with ``key`` always the same one, so that a second one is known as the first."""
    domain = address(sender).rpartition("@")[2]
    name = hashlib.sha256(key.encode("utf-8")).hexdigest()[:40] if key else uuid.uuid4().hex
    return "<{0}@{1}>".format(name, domain)


def compose(sender, recipients, subject, text, identity, now):
    """The mail. ``now``: an aware datetime. Raises OpsError on what no mail can have."""
    for one in [sender] + recipients:
        address(one)
    if not recipients:
        raise OpsError("to is empty. Nothing was sent. Name somebody.")
    line = one_line(subject)
    if not line or not text.strip():
        raise OpsError("A mail needs a subject and a text. Nothing was sent.")
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(recipients), line
    mail["Date"], mail["Message-ID"] = email.utils.format_datetime(now), identity
    # No answers by those who are away.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text.rstrip() + "\n")
    return mail


class _Session:
    """smtplib's, over a connection of which every byte comes before one deadline."""

    def __init__(self, server):
        self._server = server
        self._plain: Any = None
        self._ends = time.monotonic() + server.timeout
        self._smtp: Any = smtplib.SMTP(local_hostname=socket.gethostname() or "localhost")

    def _left(self):
        return max(0.001, self._ends - time.monotonic())

    def _encrypt(self):
        self._plain.settimeout(self._left())
        context = context_for(self._server.validate_certs, self._server.ca_path)
        self._plain = context.wrap_socket(self._plain, server_hostname=self._server.host)

    def _begin(self):
        """Speak over the connection as it is now, and forget what was said over it before."""
        smtp = self._smtp
        smtp.sock, smtp.file = DeadlineSocket(self._plain, self._ends), None
        smtp.helo_resp, smtp.ehlo_resp, smtp.esmtp_features, smtp.does_esmtp = None, None, {}, False

    def open(self):
        """The SMTP, ready for a login. Raises ProbeError, SMTPException, OSError."""
        self._plain = connect(self._server.host, self._server.port, self._left())
        if self._server.security == TLS:
            self._encrypt()
        self._begin()
        code, words = self._smtp.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        if self._server.security == STARTTLS:
            self._start_tls()
        return self._smtp

    def _start_tls(self):
        self._smtp.ehlo_or_helo_if_needed()
        if not self._smtp.has_extn("starttls"):
            message = "{0} offers no STARTTLS".format(where(self._server.host, self._server.port))
            raise ProbeError("wrong_answer", "not_tls", message, "Use its TLS port (465, security: tls), or have it offer STARTTLS.")
        code, words = self._smtp.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, words)
        self._encrypt()
        self._begin()

    def close(self):
        self._smtp.close()
        if self._plain is not None:
            self._plain.close()


def send(server, mail, recipients):
    """Send it; returns ``{address: what the server said}`` of those it was refused for. Raises ProbeError when nobody gets it."""
    session, target, handed_over = _Session(server), where(server.host, server.port), False
    addresses = [address(one) for one in recipients]
    try:
        smtp = session.open()
        if server.user:
            smtp.login(server.user, server.password or "")
        handed_over = True
        refused = smtp.send_message(mail, address(mail["From"]), addresses)
        return {name: _words(code, said) for name, (code, said) in refused.items()}
    except smtplib.SMTPRecipientsRefused as error:
        said = "; ".join("{0}: {1}".format(name, _words(code, words)) for name, (code, words) in sorted(error.recipients.items()))
        message = "{0} takes it for nobody ({1})".format(target, said)
        raise ProbeError("wrong_answer", "recipients_refused", message, "Correct to, or have the server relay for this host.")
    except smtplib.SMTPAuthenticationError as error:
        message = "{0} refuses our credentials: {1}".format(target, _words(error.smtp_code, error.smtp_error))
        raise ProbeError("wrong_answer", "our_credentials", message, "Correct login_user and login_password.")
    except smtplib.SMTPNotSupportedError as error:
        message = "{0} does not do what is needed: {1}".format(target, error)
        raise ProbeError("wrong_answer", "unsupported", message, "Does it want a login, and on this port?")
    except smtplib.SMTPResponseException as error:
        message = "{0} answered {1}".format(target, _words(error.smtp_code, error.smtp_error))
        reason = "later" if 400 <= error.smtp_code < 500 else "refused_mail"
        raise ProbeError("wrong_answer", reason, message, "Run it again later." if reason == "later" else "Read the server's log.")
    except (smtplib.SMTPException, OSError) as error:
        # smtplib says of whatever happens to a connection that it was closed.
        cause = error.__context__ if isinstance(error, smtplib.SMTPException) else error
        if isinstance(cause, ssl.SSLError):
            found = explain_tls(cause, target, server.timeout)
        elif isinstance(cause, OSError):
            found = explain(cause, target, server.timeout)
        else:
            message = "{0} closed the connection, or does not speak SMTP: {1}".format(target, error)
            found = ProbeError("wrong_answer", "reset", message, NEXT["reset"])
        found.next += " The mail may have been sent all the same." if handed_over else ""
        raise found
    finally:
        session.close()


def _words(code, said):
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return "{0} {1}".format(code, one_line(text)[:300]).strip()
