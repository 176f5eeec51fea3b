"""Maintenance under writes: how long a write waits for it, with transactions and DDL in the way, and beside the runbook's own commands."""

from __future__ import annotations

import contextlib
import functools
import json
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2

from .bare import fill, login, module
from .record import Record
from .server import Server
from .stack import Stack

PROMISE = "Maintenance keeps no write waiting for longer than the lock timeout and 100 ms, and leaves no invalid index"
#: In 100,000 rows: pgbench's own scale.
FULL, SAMPLE = 60, 2
LOCK_TIMEOUT, MARGIN = 0.5, 0.1
WRITERS, WRITES_A_SECOND = 4, 200
SHARE = 20
#: One after the other, ours and the runbook's: one slow moment of the machine decides nothing.
ROUNDS = 3
#: How long the transaction in the way stays.
BLOCK_SECONDS = 8
INVALID = "SELECT coalesce(string_agg(indexrelid::regclass::text, ', '), '') FROM pg_index WHERE NOT indisvalid"


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
    given = {"lock_timeout": LOCK_TIMEOUT, "lock_retry_interval": 1, "lock_retries": 6, "free_bytes": 10**12}
    return module("postgres_maintenance", login(server) | given | {"objects": ["public.pgbench_accounts"]} | options)


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

    with Server(stack, "reindex") as server:
        fill(server, scale)
        server.psql("CREATE INDEX accounts_text ON pgbench_accounts (md5(aid::text))", "CHECKPOINT")
        measure(server, rows, "nothing", lambda: time.sleep(5), table)
        writes, answer = measure(server, rows, "vacuum, analyze, reindex", lambda: maintain(server), table)
        judged("vacuum, analyze, reindex", writes, answer)
        worst: dict[str, list[float]] = {"ours": [], "runbook": []}
        for number in range(1, ROUNDS + 1):
            writes, answer = measure(server, rows, f"reindex, {number}", lambda: maintain(server, operations=["reindex"]), table)
            judged(f"reindex, {number}", writes, answer)
            worst["ours"].append(writes.worst)
            runbook = functools.partial(server.psql, f"REINDEX DATABASE {server.database}")
            writes, _answer = measure(server, rows, f"runbook: REINDEX DATABASE, {number}", runbook, table)
            worst["runbook"].append(writes.worst)

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

        measure(server, rows, "runbook: VACUUM (ANALYZE)", lambda: server.psql("VACUUM (ANALYZE)"), table)
    header = ["what", "took s", "writes", "median ms", "99 % ms", "worst ms"]
    record.table(f"Writes during maintenance, {rows} rows, {WRITES_A_SECOND} writes/s", header, table)
    ours, runbooks = (statistics.median(worst[whose]) for whose in ("ours", "runbook"))
    told = f"{runbooks * 1000:.0f} and {ours * 1000:.0f} ms, {runbooks / ours:.0f} times"
    record.check(runbooks / ours >= SHARE, f"the runbook's worst write (median of {ROUNDS}) waits {SHARE} times as long", told)
    record.data.update(worst=worst, ratio=runbooks / ours)
    return record
