"""One client: one connection, kept open, used again without asking whether it still lives."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One request. Times are seconds since the epoch; ``error`` is None for a request that was served as expected."""

    sent: float
    answered: float
    kind: str
    release: str | None
    status: int | None
    error: str | None
    # reset, refused, timeout, status, protocol, other; None without an error
    error_kind: str | None
    # Whether the connection had carried a request before: a reset of one that had not is a different story.
    reused: bool


class Client:
    """Used by one thread. ``reconnects`` counts new connections after the first, by what made them necessary."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext | None = None, server_name: str = "") -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._context, self._server_name = context, server_name
        self._connection: http.client.HTTPConnection | None = None
        self._used = False
        self._reason: str | None = None
        self.reconnects = {"announced": 0, "failure": 0}

    def request(self, kind: str, method: str, path: str, expected: int, body: bytes | None = None) -> Outcome:
        """Exactly one attempt, whatever happens."""
        sent = time.time()
        reused, release, status = self._used, None, None
        try:
            connection = self._connection or self._connect()
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            self._used = True
            answer = connection.getresponse()
            status, release = answer.status, answer.getheader("X-Release")
            answer.read()
            error = None if status == expected else f"status {status}, expected {expected}"
            error_kind = None if error is None else "status"
            if answer.will_close:
                self._drop("announced")
        except Exception as caught:
            error, error_kind = f"{type(caught).__name__}: {caught}", classify(caught)
            self._drop("failure")
        return Outcome(sent, time.time(), kind, release, status, error, error_kind, reused)

    def _connect(self) -> http.client.HTTPConnection:
        if self._reason:
            self.reconnects[self._reason] += 1
            self._reason = None
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        # The standard library would open a closed connection again by itself, and hide what we are here to see.
        connection.auto_open = 0
        self._connection = connection
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context:
            connection.sock = self._context.wrap_socket(connection.sock, server_hostname=self._server_name)
        return connection

    def _drop(self, reason: str) -> None:
        if self._connection:
            self._connection.close()
        self._connection, self._used, self._reason = None, False, reason

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def classify(error: Exception) -> str:
    # RemoteDisconnected (closed instead of an answer) is a ConnectionResetError too.
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError | http.client.IncompleteRead):
        return "reset"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "reset"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "protocol" if isinstance(error, http.client.HTTPException) else "other"
