# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP connections with one deadline for everything, and what a failed one means. Private: other collections must not import it."""

from __future__ import annotations

import errno
import io
import socket
import time


class ProbeError(Exception):
    """Something asked of a service did not go well.

    ``verdict`` is one of refused, timed_out, unreachable, wrong_answer, not_configured; ``reason`` is one word for machines;
    the message says what happened, and ``next`` what a person does about it. Never a secret.
    """

    def __init__(self, verdict, reason, message, next=""):
        super().__init__(message)
        self.verdict, self.reason, self.message, self.next = verdict, reason, message, next


NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL)
NEXT = {
    "refused": "Nothing listens there: is the service started, and is this its port?",
    "timed_out": "The host or the service hangs, or a firewall drops the packets: look at its load and log, then at the route.",
    "dns": "Check the spelling of the host name and this machine's name servers (getent hosts NAME).",
    "no_route": "Check this machine's network and routes (ip route get ADDRESS).",
    "reset": "The service or a proxy closed the connection before it answered: read its log.",
}


def where(host, port):
    """``host:port`` as people write it, with brackets around an IPv6 address."""
    return "[{0}]:{1}".format(host, port) if ":" in str(host) else "{0}:{1}".format(host, port)


def no_answer(target, seconds):
    """The ProbeError of a service that let ``seconds`` pass."""
    return ProbeError("timed_out", "timed_out", "no answer from {0} within {1:g} s".format(target, round(seconds, 1)), NEXT["timed_out"])


def explain(error, target, seconds):
    """The :class:`ProbeError` that an OSError from a socket stands for. ``seconds`` is the time limit it had."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror):
        return ProbeError("unreachable", "dns", "the name in {0} does not resolve: {1}".format(target, error.strerror), NEXT["dns"])
    if isinstance(error, (socket.timeout, TimeoutError)) and number not in NO_ROUTE:
        return no_answer(target, seconds)
    if number == errno.ECONNREFUSED:
        return ProbeError("refused", "refused", "connection to {0} refused".format(target), NEXT["refused"])
    if number in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return ProbeError("wrong_answer", "reset", "{0} reset the connection".format(target), NEXT["reset"])
    return ProbeError("unreachable", "no_route", "{0} cannot be reached: {1}".format(target, error.strerror or error), NEXT["no_route"])


def connect(host, port, seconds):
    """A TCP connection to the first address of ``host`` that answers, within ``seconds`` in all. Raises ProbeError.

    When every address failed, the most telling failure is raised: a refusal says more than a missing route.
    """
    target, ends = where(host, port), time.monotonic() + seconds
    failure = ProbeError("unreachable", "no_route", "{0} has no address".format(target), NEXT["no_route"])
    try:
        addresses = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if isinstance(error, UnicodeError):
            error = socket.gaierror(socket.EAI_NONAME, "not a host name")
        raise explain(error, target, seconds)
    for family, kind, protocol, _name, address in addresses:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(max(0.001, ends - time.monotonic()))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError as error:
            connection.close()
            found = explain(error, target, seconds)
            if failure.reason == "no_route":
                failure = found
    raise failure


class DeadlineSocket:
    """What http.client needs of a socket, with one deadline over all of it.

    A plain socket timeout starts again at every byte, so a server that trickles would hold the caller for ever.
    """

    def __init__(self, connection, ends):
        self._connection, self._ends = connection, ends
        self.received = 0  # bytes of the answer

    def arm(self):
        left = self._ends - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self._connection.settimeout(left)

    def sendall(self, data):
        self.arm()
        self._connection.sendall(data)

    def makefile(self, _mode="rb", *_args, **_kwargs):
        return io.BufferedReader(_Reader(self, self._connection))

    def close(self):
        """Nothing: http.client closes as soon as it has the header, while its reader still needs the connection. The caller closes."""


class _Reader(io.RawIOBase):
    def __init__(self, limits, connection):
        self._limits, self._connection = limits, connection

    def readable(self):
        return True

    def readinto(self, buffer):
        self._limits.arm()
        count = self._connection.recv_into(buffer)
        self._limits.received += count
        return count
