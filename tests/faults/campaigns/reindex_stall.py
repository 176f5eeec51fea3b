"""Maintenance under writes: how long a write waits for it, with transactions and DDL in the way, and beside the runbook's own commands."""

from __future__ import annotations

import contextlib
import functools
import json
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2

from .record import Record
from .stack import ROOT, Stack, docker

PROMISE = "Maintenance keeps no write waiting for longer than the lock timeout and 100 ms, and leaves no invalid index"
#: In 100,000 rows: pgbench's own scale.
FULL, SAMPLE = 30, 2
IMAGE = "astraldraft/postgres:17"
LOCK_TIMEOUT, MARGIN = 0.5, 0.1
WRITERS, WRITES_A_SECOND = 4, 200
SHARE = 20
#: How long the transaction in the way stays.
BLOCK_SECONDS = 8
START = """
set -e
initdb --pgdata /tmp/data --username postgres --auth trust --no-sync >/dev/null
echo 'host all all all trust' >>/tmp/data/pg_hba.conf
exec postgres -D /tmp/data -c listen_addresses='*' -c unix_socket_directories=/run/postgresql -c shared_buffers=128MB \
    -c maintenance_work_mem=64MB -c max_wal_size=2GB -c log_checkpoints=off
"""
INVALID = "SELECT coalesce(string_agg(indexrelid::regclass::text, ', '), '') FROM pg_index WHERE NOT indisvalid"


class Server:
    """A PostgreSQL of its own, in a container that is removed at the end."""

    def __init__(self, stack: Stack) -> None:
        self.name = f"{stack.project}-reindex"
        self._label = f"org.astraldraft.demo={stack.project}"

    def __enter__(self) -> Server:
        self.__exit__()
        docker("run", "--detach", "--name", self.name, "--label", self._label, "--user", "postgres", "--no-healthcheck",
               "--publish", "127.0.0.1::5432", "--entrypoint", "bash", IMAGE, "-c", START)  # fmt: skip
        self.port = int(docker("port", self.name, "5432").splitlines()[0].rpartition(":")[2])
        for _second in range(60):
            with contextlib.suppress(psycopg2.OperationalError):
                self.connect("postgres").close()
                return self
            time.sleep(1)
        raise RuntimeError(f"{self.name} does not answer")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True, check=False)

    def connect(self, database: str = "bench", autocommit: bool = True) -> Any:
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="postgres", dbname=database, application_name="campaign")
        connection.autocommit = autocommit
        return connection

    def psql(self, *statements: str) -> str:
        command = ["exec", "--user", "postgres", self.name, "psql", "-Atqv", "ON_ERROR_STOP=1", "-d", "bench"]
        return docker(*command, *(word for statement in statements for word in ("-c", statement))).strip()

    def fill(self, scale: int) -> None:
        docker("exec", "--user", "postgres", self.name, "createdb", "bench")
        docker("exec", "--user", "postgres", self.name, "pgbench", "--initialize", "--quiet", f"--scale={scale}", "bench")
        self.psql("CREATE INDEX accounts_text ON pgbench_accounts (md5(aid::text))")


class Writes:
    """Writers at a steady rate; ``taken`` holds the seconds of every write with its start."""

    def __init__(self, server: Server, rows: int) -> None:
        self._server, self._rows = server, rows
        self.taken: list[tuple[float, float]] = []
        self.errors: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _number in range(WRITERS)]

    def __enter__(self) -> Writes:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        pause, due = WRITERS / WRITES_A_SECOND, time.monotonic()
        with contextlib.closing(self._server.connect()) as connection, connection.cursor() as cursor:
            while not self._over.wait(max(0.0, due - time.monotonic())):
                due = max(due + pause, time.monotonic())
                began = time.monotonic()
                try:
                    cursor.execute("UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = %s", (random.randint(2, self._rows),))
                except psycopg2.Error as error:
                    self.errors.append(str(error))
                    return
                self.taken.append((began, time.monotonic() - began))

    @property
    def worst(self) -> float:
        return max(seconds for _began, seconds in self.taken)

    def row(self, what: str, seconds: float) -> list[Any]:
        middle, high = (statistics.quantiles([taken for _began, taken in self.taken], n=1000)[place] * 1000 for place in (499, 989))
        return [what, f"{seconds:.1f}", len(self.taken), f"{middle:.1f}", f"{high:.1f}", f"{self.worst * 1000:.0f}"]


def maintain(server: Server, **options: Any) -> dict[str, Any]:
    """What the module answers."""
    arguments = {"login_host": "127.0.0.1", "login_port": server.port, "login_db": "bench", "lock_timeout": LOCK_TIMEOUT,
                 "lock_retry_interval": 1, "lock_retries": 6, "free_bytes": 10**12, "objects": ["public.pgbench_accounts"]}  # fmt: skip
    command = [str(ROOT / ".venv/bin/ansible"), "-i", "localhost,", "all", "-c", "local"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", "-m", "astraldraft.ops.postgres_maintenance"]
    command += ["-a", json.dumps(arguments | options), "--one-line"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return json.loads(done.stdout.partition("=> ")[2])


@contextlib.contextmanager
def blocker(server: Server, seconds: float) -> Iterator[None]:
    """A transaction that has written to the table, and stays."""
    with contextlib.closing(server.connect(autocommit=False)) as connection:
        connection.cursor().execute("UPDATE pgbench_accounts SET abalance = 0 WHERE aid = 1")
        ends = threading.Timer(seconds, connection.rollback)
        ends.start()
        try:
            yield
        finally:
            ends.cancel()
            ends.join()


@contextlib.contextmanager
def ddl(server: Server, waited: list[float]) -> Iterator[None]:
    """Somebody alters the table as soon as an index of it is being built, and waits for as long as it takes."""

    def alter() -> None:
        with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
            for _time in range(600):
                cursor.execute("SELECT count(*) FROM pg_stat_progress_create_index")
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.05)
            began = time.monotonic()
            cursor.execute("ALTER TABLE pgbench_accounts ADD COLUMN note text")
            waited.append(time.monotonic() - began)

    thread = threading.Thread(target=alter)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def measure(server: Server, rows: int, what: str, action: Callable[[], Any], table: list[list[Any]]) -> tuple[Writes, Any]:
    with Writes(server, rows) as writes:
        time.sleep(2)
        began = time.monotonic()
        answer = action()
        seconds = time.monotonic() - began
        time.sleep(1)
    table.append(writes.row(what, seconds))
    return writes, answer


def run(stack: Stack, folder: Path, scale: int) -> Record:
    record, rows = Record("reindex_stall", PROMISE), scale * 100_000
    table: list[list[Any]] = []
    limit = LOCK_TIMEOUT + MARGIN

    def judged(what: str, writes: Writes, answer: dict[str, Any]) -> None:
        (folder / f"{what.replace(' ', '_')}.json").write_text(json.dumps(answer, indent=1))
        record.check(not writes.errors, f"{what}: no write fails", "; ".join(writes.errors))
        record.check(writes.worst <= limit, f"{what}: no write waits for longer than {limit:.1f} s", f"worst {writes.worst * 1000:.0f} ms")
        outcomes = sorted({step["outcome"] for step in answer.get("steps", [])})
        record.check(outcomes == ["done"], f"{what}: everything is done", f"{outcomes} {answer.get('failures') or answer.get('msg', '')}")
        record.check(server.psql(INVALID) == "", f"{what}: no invalid index is left", server.psql(INVALID))

    with Server(stack) as server:
        server.fill(scale)
        measure(server, rows, "nothing", lambda: time.sleep(5), table)
        writes, answer = measure(server, rows, "vacuum, analyze, reindex", lambda: maintain(server), table)
        judged("vacuum, analyze, reindex", writes, answer)
        ours, answer = measure(server, rows, "reindex", lambda: maintain(server, operations=["reindex"]), table)
        judged("reindex", ours, answer)

        for patience, what in ((60, "behind a transaction"), (2, "giving way to a transaction")):
            with blocker(server, BLOCK_SECONDS):
                rebuild = functools.partial(maintain, server, operations=["reindex"], wait_timeout=patience)
                writes, answer = measure(server, rows, what, rebuild, table)
            judged(what, writes, answer)

        waited: list[float] = []
        with ddl(server, waited):
            writes, answer = measure(server, rows, "with DDL behind it", lambda: maintain(server, operations=["reindex"]), table)
        judged("with DDL behind it", writes, answer)
        record.check(bool(waited) and waited[0] <= limit, "the DDL waits no longer either", f"{waited}")

        runbook, _answer = measure(server, rows, "runbook: REINDEX DATABASE", lambda: server.psql("REINDEX DATABASE bench"), table)
        measure(server, rows, "runbook: VACUUM (ANALYZE)", lambda: server.psql("VACUUM (ANALYZE)"), table)
    header = ["what", "took s", "writes", "median ms", "99 % ms", "worst ms"]
    record.table(f"Writes during maintenance, {rows} rows, {WRITES_A_SECOND} writes/s", header, table)
    ratio = runbook.worst / ours.worst
    record.check(ratio >= SHARE, f"the worst write of the runbook's REINDEX waits {SHARE} times as long", f"{ratio:.0f} times")
    record.data.update(ours=ours.worst, runbook=runbook.worst, ratio=ratio)
    return record
