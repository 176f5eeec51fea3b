"""A restore beside the runbook's own way, ``gunzip | psql`` into the live database: how long it is away, and what memory it takes."""

from __future__ import annotations

import contextlib
import datetime
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .record import Record
from .restores import WRITER, Peak, Restores, evidence
from .server import Ledger, Reader, Server, longest_silence
from .stack import Stack

PROMISE = (
    "A restore takes the database away for under a second, not for as long as it lasts; its load is at least 1.3 times faster than "
    "gunzip | psql; its memory stays flat as the database grows tenfold"
)
FULL = 3
#: Times 100,000 accounts of pgbench and 10,000 documents: the database, and one a tenth of it.
SCALE, SAMPLE_SCALE, TENTH = 50, 10, 10
FASTER, AWAY_SECONDS = 1.3, 1.0
#: More than this of the smaller one's peak is not flat any more.
FLAT = 1.25
MODULE, CONTROLLER = "AnsiballZ_postgres_restore", "ansible-playbook"


class Bench:
    """A context: a database of that scale on a server of its own."""

    def __init__(self, stack: Stack, folder: Path, scale: int) -> None:
        self.folder, self.scale = folder, scale
        folder.mkdir(exist_ok=True)
        self._server = Server(stack, "restore-cost", "shop")
        self._stack = stack

    def __enter__(self) -> Bench:
        self._server.__enter__()
        self.restores = Restores(self._stack, self.folder, self._server, restore_keep_previous_hours=0.001)
        self.restores.fill(self.scale)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def mib(self) -> float:
        return float(self._server.psql(f"SELECT pg_database_size('{self._server.database}')")) / 2**20

    @contextlib.contextmanager
    def traffic(self) -> Iterator[tuple[Ledger, Reader]]:
        """Commits, and a reader that connects each time, for a second before what is measured."""
        with Ledger(self._server, WRITER) as ledger, Reader(self._server, "SELECT id FROM documents LIMIT 1") as reader:
            time.sleep(1)
            yield ledger, reader

    def runbook(self) -> dict[str, float]:
        """The plain dump into an empty database, beside the same traffic as ours: for that long nobody could use it. -> seconds"""
        path, client = self.folder / "runbook.sql.gz", f"docker exec -i -u postgres {self._server.name}"
        _shell(f"{client} pg_dump {self._server.database} | gzip >{path}")
        self._server.inside("createdb", "by_hand")
        with self.traffic():
            started = time.monotonic()
            _shell(f"gunzip -c {path} | {client} psql -q by_hand")
            seconds = time.monotonic() - started
        self._server.inside("dropdb", "--force", "by_hand")
        return {"runbook load": seconds}

    def restore(self, record: Record, number: int) -> tuple[dict[str, float], dict[str, float | None]]:
        """-> seconds of each part as measured by the module, and from outside; peaks in MiB"""
        with self.traffic() as (ledger, reader), Peak(MODULE, CONTROLLER) as peak:
            began = time.monotonic()
            play = self.restores.run("restore")
            ended = time.monotonic()
            time.sleep(1)
            (unread, read), (stalled, committed) = longest_silence(reader.moments, began), ledger.longest_silence(began)
        done = evidence(play)
        swapped = time.monotonic() - (time.time() - datetime.datetime.fromisoformat(done["swapped_at"]).timestamp())
        record.check(play.process.returncode == 0, f"scale {self.scale}, run {number}: restored", f"{ended - began:.1f} s")
        parts = {name.removesuffix("_seconds"): float(seconds) for name, seconds in done["parts"].items()}
        record.note(f"run {number}: no commit for {committed - stalled:.2f} s at most, {stalled - swapped:+.1f} s from the swap")
        outside = {
            "unavailable (module)": done["unavailable_seconds"],
            "nobody could connect and read": read - unread,
            "no commit": committed - stalled,
            "playbook restore": ended - began,
        }
        return parts | outside, peak.of


def _shell(line: str) -> None:
    subprocess.run(["bash", "-c", "set -o pipefail; " + line], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def run(stack: Stack, folder: Path, count: int, sample: bool) -> Record:
    record = Record("restore_cost", PROMISE)
    scale = SAMPLE_SCALE if sample else SCALE
    peaks: dict[int, dict[str, float | None]] = {}
    sizes: dict[int, float] = {}
    with Bench(stack, folder / "tenth", scale // TENTH) as tenth:
        sizes[tenth.scale] = tenth.mib
        _backed_up(record, tenth)
        _parts, peaks[tenth.scale] = tenth.restore(record, 1)
    found: dict[str, list[float]] = {}
    with Bench(stack, folder / "whole", scale) as bench:
        sizes[scale] = bench.mib
        _backed_up(record, bench)
        for number in range(1, count + 1):
            by_hand = bench.runbook()
            parts, peaks[scale] = bench.restore(record, number)
            for name, value in (by_hand | parts).items():
                found.setdefault(name, []).append(value)
    _compare(record, found, sizes[scale])
    _flat(record, peaks, sizes)
    return record


def _backed_up(record: Record, bench: Bench) -> None:
    play = bench.restores.run("backup")
    record.check(play.process.returncode == 0, f"scale {bench.scale}: a backup to begin with", f"{bench.mib:.0f} MiB, {play.seconds:.1f} s")


def _compare(record: Record, found: dict[str, list[float]], mib: float) -> None:
    medians = {name: statistics.median(values) for name, values in found.items()}
    record.table(
        f"A restore of {mib:.0f} MiB and the runbook's load, each under {Ledger.RATE} commits/s (s)",
        ["part", "median", "least", "most"],
        [[name, f"{medians[name]:.2f}", f"{min(values):.2f}", f"{max(values):.2f}"] for name, values in found.items()],
    )
    faster, away = medians["runbook load"] / medians["load"], max(found["nobody could connect and read"])
    record.check(faster >= FASTER, f"the load is at least {FASTER} times faster", f"{faster:.2f} times")
    record.check(
        away < AWAY_SECONDS, "away for under a second; by hand all the time",
        f"at most {away:.2f} s, {medians['runbook load']:.1f} s by hand",
    )  # fmt: skip
    record.note(
        "Away is when nobody can connect and read. A commit waits longer where the disk that takes the load has the log on it, too."
    )
    record.data.update(seconds=found, medians=medians)


def _flat(record: Record, peaks: dict[int, dict[str, float | None]], sizes: dict[int, float]) -> None:
    small, large = sorted(peaks)
    rows: list[list[Any]] = []
    for program, what in ((MODULE, "the module"), (CONTROLLER, "the controller")):
        before, after = peaks[small][program], peaks[large][program]
        if not record.check(before is not None and after is not None, f"{what} was seen"):
            continue
        assert before is not None and after is not None
        rows.append([what, f"{before:.0f}", f"{after:.0f}"])
        record.check(after <= before * FLAT, f"memory of {what} stays flat", f"{before:.0f} and {after:.0f} MiB at most")
    record.table("Most memory (MiB)", ["of", *(f"database of {sizes[scale]:.0f} MiB" for scale in (small, large))], rows)
    record.data.update(peaks={str(scale): found for scale, found in peaks.items()}, sizes=sizes)
