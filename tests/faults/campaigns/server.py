"""A PostgreSQL of a campaign's own, which may be killed, and clients of it that note what they were told."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg2

from .stack import Stack, docker

IMAGE = "astraldraft/postgres:17"
START = """
set -e
if [ ! -e /tmp/data/PG_VERSION ]; then
    initdb --pgdata /tmp/data --username postgres --auth trust --no-sync >/dev/null
    echo 'host all all all trust' >>/tmp/data/pg_hba.conf
fi
exec postgres -D /tmp/data -c listen_addresses='*' -c unix_socket_directories=/run/postgresql -c shared_buffers=128MB \
    -c maintenance_work_mem=64MB -c max_wal_size=2GB -c jit=off -c log_checkpoints=off "$@"
"""
ANSWER_SECONDS = 60


class Server:
    """A context: the server runs in a container that is removed at the end."""

    def __init__(self, stack: Stack, name: str, database: str = "bench", settings: tuple[str, ...] = ()) -> None:
        self.name, self.database = f"{stack.project}-{name}", database
        self._settings = [word for setting in settings for word in ("-c", setting)]
        self._label = f"org.astraldraft.demo={stack.project}"

    def __enter__(self) -> Server:
        self.__exit__()
        # The same port after a restart.
        with contextlib.closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        docker("run", "--detach", "--name", self.name, "--label", self._label, "--user", "postgres", "--no-healthcheck",
               "--publish", f"127.0.0.1:{self.port}:5432", "--entrypoint", "bash", IMAGE, "-c", START, "server",
               *self._settings)  # fmt: skip
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True, check=False)

    def wait(self) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg2.OperationalError):
                self.connect("postgres").close()
                return
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} does not answer")

    def kill(self) -> None:
        docker("kill", "--signal", "KILL", self.name)

    def start(self) -> None:
        docker("start", self.name)
        self.wait()

    def connect(self, database: str | None = None, autocommit: bool = True, user: str = "postgres") -> Any:
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=user, dbname=database or self.database, application_name="campaign", connect_timeout=5
        )
        connection.autocommit = autocommit
        return connection

    def ask(self, question: str, database: str | None = None) -> list[Any]:
        """The rows that a question gives, on a connection of its own."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(question)
            return list(cursor.fetchall())

    def inside(self, *argv: str) -> str:
        return docker("exec", "--user", "postgres", self.name, *argv)

    def psql(self, *statements: str, database: str | None = None) -> str:
        command = ["psql", "-XAtqv", "ON_ERROR_STOP=1", "-d", database or self.database]
        return self.inside(*command, *(word for statement in statements for word in ("-c", statement))).strip()


class Ledger:
    """A context: writers who commit one row at a time at a steady rate, and note for each database, known by its oid, which rows they
    sent it and which of them it acknowledged. They come back whenever they are sent away."""

    WRITERS, RATE = 4, 200
    TABLE = "CREATE TABLE ledger (writer int, number bigint, told timestamptz DEFAULT clock_timestamp(), PRIMARY KEY (writer, number))"
    RETRY_SECONDS, STATEMENT_MS = 0.02, 5000
    #: Each writer has a number of its own, also in the next ledger of the same database.
    _numbers = itertools.count()

    def __init__(self, server: Server, user: str) -> None:
        self._server, self._user = server, user
        self._over, self._lock = threading.Event(), threading.Lock()
        self.sent: dict[int, set[tuple[int, int]]] = {}
        self.told: dict[int, set[tuple[int, int]]] = {}
        self.moments: list[float] = []
        self.refused = 0
        self._threads = [threading.Thread(target=self._write, args=(next(self._numbers),), daemon=True) for _writer in range(self.WRITERS)]

    def __enter__(self) -> Ledger:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(10)

    def _write(self, writer: int) -> None:
        # What was sent last is not sent again: nobody knows what became of it.
        numbers = itertools.count(1)
        while not self._over.is_set():
            try:
                with contextlib.closing(self._server.connect(user=self._user)) as connection, connection.cursor() as cursor:
                    cursor.execute(f"SET statement_timeout = {self.STATEMENT_MS}")
                    cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
                    self._steadily(writer, numbers, cursor, int(cursor.fetchone()[0]))
            except psycopg2.Error:
                self.refused += 1
                self._over.wait(self.RETRY_SECONDS)

    def _steadily(self, writer: int, numbers: Iterator[int], cursor: Any, oid: int) -> None:
        with self._lock:
            sent, told = self.sent.setdefault(oid, set()), self.told.setdefault(oid, set())
        pause, due = self.WRITERS / self.RATE, time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due = max(due + pause, time.monotonic())
            row = (writer, next(numbers))
            sent.add(row)
            cursor.execute("INSERT INTO ledger (writer, number) VALUES (%s, %s)", row)
            told.add(row)
            self.moments.append(time.monotonic())

    def silence(self, since: float, until: float | None = None) -> float:
        """The longest time without a commit, in seconds, between two moments of the monotonic clock."""
        before, after = self.longest_silence(since, until)
        return after - before

    def longest_silence(self, since: float, until: float | None = None) -> tuple[float, float]:
        """When that began and ended."""
        return longest_silence(self.moments, since, until)

    def rate(self, since: float, until: float) -> float:
        return sum(since <= moment <= until for moment in list(self.moments)) / (until - since)


def longest_silence(moments: list[float], since: float, until: float | None = None) -> tuple[float, float]:
    """Between two moments of the monotonic clock: when the longest time without any of ``moments`` began and ended."""
    until = until or time.monotonic()
    found = sorted(moment for moment in list(moments) if since <= moment <= until)
    return max(itertools.pairwise([since, *found, until]), key=lambda pair: pair[1] - pair[0])


class Reader:
    """A context: somebody who connects anew and reads a row, again and again, and notes when that went well."""

    PAUSE_SECONDS = 0.02

    def __init__(self, server: Server, question: str) -> None:
        self._server, self._question, self._over = server, question, threading.Event()
        self.moments: list[float] = []
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.wait(self.PAUSE_SECONDS):
            with contextlib.suppress(psycopg2.Error):
                self._server.ask(self._question)
                self.moments.append(time.monotonic())


class Superuser:
    """A context: a superuser's session with an open transaction, which is there again as soon as it may be."""

    def __init__(self, server: Server) -> None:
        self._server, self._over = server, threading.Event()
        self.ended = 0
        self._thread = threading.Thread(target=self._sit, daemon=True)

    def __enter__(self) -> Superuser:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _sit(self) -> None:
        while not self._over.is_set():
            connected = False
            try:
                with contextlib.closing(self._server.connect(autocommit=False)) as connection, connection.cursor() as cursor:
                    connected = True
                    while not self._over.wait(0.1):
                        cursor.execute("SELECT count(*) FROM pg_class")
            except psycopg2.Error:
                self.ended += connected
                self._over.wait(0.02)
