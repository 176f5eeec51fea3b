"""How much memory a backup and its verification take when the database is ten times as large: no more."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .bare import LEAST_MIB, MARGIN, fill, login, peak_of
from .record import Record
from .server import Server
from .stack import Stack

PROMISE = "the memory that a backup and its verification take stays flat as the database grows tenfold"
#: Times 100,000 accounts.
SCALES, SAMPLE_SCALES = (5, 50), (1, 10)
TOOLS = ("pg_dump", "pg_dumpall", "pg_restore", "psql")
PAUSE_SECONDS = 0.02
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Tools:
    """A context: the most memory (MiB) that each of PostgreSQL's tools had, wherever it ran: a container's processes are this kernel's."""

    def __enter__(self) -> Tools:
        self.peaks: dict[str, float] = dict.fromkeys(TOOLS, 0.0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            for name, peak in _peaks():
                self.peaks[name] = max(self.peaks[name], peak)


def _peaks() -> Iterator[tuple[str, float]]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            if (name := Path(f"/proc/{pid}/comm").read_text().strip()) in TOOLS:
                yield name, int(PEAK.findall(Path(f"/proc/{pid}/status").read_text())[0]) / 1024


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("backup_memory", PROMISE)
    peaks: list[dict[str, float]] = []
    sizes: list[float] = []
    for scale in SAMPLE_SCALES if sample else SCALES:
        with Server(stack, "backup-memory") as server:
            fill(server, scale)
            sizes.append(int(server.psql(f"SELECT pg_database_size('{server.database}')")) / 2**20)
            peaks.append(_peaks_of(record, server, folder, f"{sizes[-1]:.0f} MiB"))
    header = ["whose", *(f"{size:.0f} MiB of data" for size in sizes)]
    record.table(
        "The most memory at a time (MiB)", header, [[whose, *(f"{found.get(whose, 0):.1f}" for found in peaks)] for whose in peaks[-1]]
    )
    record.check(sizes[-1] > 5 * sizes[0], "the database has grown", f"{sizes[0]:.0f}, {sizes[-1]:.0f} MiB")
    for whose, most in peaks[-1].items():
        # With the small database a tool may be over before it is seen, or seen only as it begins: the most that it had there counts.
        tool = whose.partition(": ")[2]
        least = max((found for name, found in peaks[0].items() if name == whose or tool in TOOLS and name.endswith(tool)), default=0.0)
        if least:
            limit = max(least * MARGIN, least + LEAST_MIB)
            record.check(most <= limit, f"{whose}: no more with ten times the data", f"{least:.1f}, {most:.1f} MiB")
    record.data.update(mib=sizes, peaks=peaks)
    return record


def _peaks_of(record: Record, server: Server, folder: Path, size: str) -> dict[str, float]:
    backups, found = folder / "backups", {}
    common = {"path": str(backups), "container": server.name}
    runs: list[tuple[str, str, dict[str, Any]]] = [
        ("backup", "postgres_backup", login(server) | {"environment": "bench", "checksums": True}),
        ("backup_verify, checksum", "postgres_backup_verify", {}),
        ("backup_verify, restore", "postgres_backup_verify", {"level": "restore"}),
    ]
    for what, module, more in runs:
        with Tools() as tools:
            code, peak = peak_of(module, common | more, folder / f"{size}-{what}.json".replace(" ", "-"))
        record.check(code == 0, f"{size}: {what}", f"exit {code}")
        found |= {f"{what}: the module": peak} | {f"{what}: {tool}": most for tool, most in tools.peaks.items() if most}
    shutil.rmtree(backups, ignore_errors=True)
    return found
