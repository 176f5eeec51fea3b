"""A mail server on loopback, as small as SMTP allows, that keeps what it takes. For tests."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy

from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving

PASSWORD = "-".join(["letter", "box"])


class Mailbox:
    """``context``: of TLS. ``starttls`` and ``login``: what it offers; ``refuses``: addresses; ``answers``: other replies, by command."""

    def __init__(self, context=None, starttls=True, login=False, refuses=(), **answers):
        self.context, self.starttls, self.login, self.refuses, self.answers = context, starttls, login, refuses, answers
        self.mails, self.commands, self.encrypted, self.user = [], [], None, None

    def __call__(self, connection):
        with contextlib.ExitStack() as stack:
            self._talk(connection, stack)

    def _talk(self, connection, stack):
        self._say(connection, self.answers.get("GREETING", "220 mailbox ready"))
        stream = connection.makefile("rb")
        encrypted, recipients = hasattr(connection, "cipher"), []
        while True:
            line = stream.readline().decode().strip()
            if not line:
                return
            word, _space, rest = line.partition(" ")
            word = word.upper()
            self.commands.append(word)
            if word in self.answers:
                if self.answers[word] is None:
                    return
                self._say(connection, self.answers[word])
            elif word == "EHLO":
                offers = ["STARTTLS"] if self.starttls and not encrypted else []
                offers += ["AUTH PLAIN"] if self.login else []
                self._say(connection, *[f"250-{offer}" for offer in ["mailbox", *offers]], "250 SMTPUTF8")
            elif word == "STARTTLS":
                self._say(connection, "220 go on")
                connection = stack.enter_context(self.context.wrap_socket(connection, server_side=True))
                stream, encrypted = connection.makefile("rb"), True
            elif word == "AUTH":
                _nothing, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
                self.user = user
                self._say(connection, "235 welcome" if password == PASSWORD else "535 5.7.8 no such user")
            elif word == "RCPT":
                refused = any(address in rest for address in self.refuses)
                recipients += [] if refused else [rest]
                self._say(connection, "550 5.1.1 nobody here" if refused else "250 ok")
            elif word == "DATA":
                self._say(connection, "354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += stream.readline()
                self.encrypted = encrypted
                self.mails.append(email.message_from_bytes(data[:-3].replace(b"\r\n..", b"\r\n."), policy=email.policy.default))
                self._say(connection, "250 kept")
            else:
                self._say(connection, "250 ok")

    @staticmethod
    def _say(connection, *lines):
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    @contextlib.contextmanager
    def serving(self, tls=False):
        """Yields the port."""
        with misbehaving.serving(self, self.context if tls else None) as port:
            yield port
