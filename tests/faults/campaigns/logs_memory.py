"""How much memory it takes to search a log that is ten times as long: no more."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from .bare import LEAST_MIB, MARGIN, peak_of
from .record import Record
from .stack import Stack, docker

PROMISE = "a log of 2 GB is searched in the memory that one of 200 MB takes, whatever its lines are grouped by"
#: In millions of bytes.
SIZES, SAMPLE_SIZES = (200, 2000), (20, 200)
SERVICE = "chatty"
TIMEOUT = 900
IMAGE = "astraldraft/debian:trixie"
#: Lines of some 1,000 bytes until there are so many bytes; one of a hundred is an error. Shorter ones take the engine most of the time.
WRITE = """BEGIN {
    while (written < size * 1000000) {
        line = sprintf("{\\"status\\":%d,\\"path\\":\\"/api/%d\\",\\"user_agent\\":\\"agent %d\\",\\"request_id\\":\\"request-%012d\\",", \
            number % 100 ? 200 : 502, number % 40, number % 7, number) "\\"padding\\":\\"" padding "\\"}"
        print line
        written += length(line) + 1
        number++
    }
}"""
FAILED = '"status":502'
PADDING = 890


class Log:
    """A context: a container that has written so much and ended, labelled as Compose does it; and the folder of its archive."""

    def __init__(self, stack: Stack, size: int, folder: Path) -> None:
        self.project, self.size, self.archives = f"{stack.project}-logs-memory", size, folder / "archives"
        self.name, self._label = f"{self.project}-{SERVICE}-1", f"org.astraldraft.demo={stack.project}"

    def __enter__(self) -> Log:
        self.__exit__()
        labels = {"project": self.project, "service": SERVICE, "container-number": "1", "oneoff": "False"}
        words = [word for name, value in labels.items() for word in ("--label", f"com.docker.compose.{name}={value}")]
        docker("run", "--name", self.name, "--label", self._label, *words, "--log-driver", "json-file", "--detach", IMAGE,
               "awk", "-v", f"size={self.size}", "-v", f"padding={'x' * PADDING}", WRITE)  # fmt: skip
        docker("wait", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True, check=False)
        shutil.rmtree(self.archives, ignore_errors=True)

    def archive(self) -> Path:
        """As container_archive writes it, of a container that is gone."""
        path = self.archives / f"{SERVICE}-2-{'0' * 12}" / "log.gz"
        path.parent.mkdir(parents=True)
        _shell(f"docker logs --timestamps {self.name} | gzip -1 >'{path}'")
        return path


def _shell(script: str) -> tuple[float, str]:
    """-> the seconds it took, and what it printed"""
    began = time.monotonic()
    said = subprocess.run(["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    return time.monotonic() - began, said


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("logs_memory", PROMISE)
    found: dict[str, dict[int, tuple[float, float]]] = {}
    sizes = SAMPLE_SIZES if sample else SIZES
    rows = []
    for size in sizes:
        with Log(stack, size, folder) as log:
            for what, seconds, peak in _searched(record, log, folder):
                found.setdefault(what, {})[size] = (seconds, peak)
    for what, by_size in found.items():
        rows.append([what, *(f"{by_size[size][0]:.1f}" for size in sizes), *(f"{by_size[size][1]:.1f}" for size in sizes)])
        least, most = (by_size[size][1] for size in sizes)
        if least:
            limit = max(least * MARGIN, least + LEAST_MIB)
            record.check(most <= limit, f"{what}: no more memory for ten times the log", f"{least:.1f}, {most:.1f} MiB")
    header = ["what", *(f"{size} MB: s" for size in sizes), *(f"{size} MB: MiB" for size in sizes)]
    record.table("What it takes to search a log", header, rows)
    rates = [f"{size / found['by a pattern'][size][0]:.0f} MB/s of {size} MB" for size in sizes]
    record.note(f"By a pattern: {', '.join(rates)}. Lines have some 1,000 bytes.")
    record.data.update(seconds_and_mib=found)
    return record


def _searched(record: Record, log: Log, folder: Path) -> list[tuple[str, float, float]]:
    """What was done, the seconds, and the most memory (MiB); 0 where nobody looked at it."""
    grep, said = _shell(f"docker logs {log.name} | grep --count '{FAILED}'")
    base = {"project": log.project, "services": [SERVICE], "since": "1d", "timeout": TIMEOUT}
    found = [("docker logs | grep --count", grep, 0.0)]
    for what, more in (
        ("by a pattern", {"pattern": FAILED}),
        ("by a field, grouped by path", {"where": ["status=502"], "group_by": ["path"]}),
        ("each line a group of its own", {"group_by": ["request_id"], "top": 5}),
    ):
        found.append(_one(record, f"{log.size} MB, {what}", what, base | more, int(said) if "line" not in what else None, folder))
    path = log.archive()
    zgrep, said = _shell(f"zgrep --count '{FAILED}' '{path}'")
    found.append(("zgrep --count", zgrep, 0.0))
    # The container's own log counts, too.
    docker("rm", "--force", log.name)
    options = base | {"pattern": FAILED, "archive_folder": str(log.archives)}
    found.append(_one(record, f"{log.size} MB, its archive", "its archive, by a pattern", options, int(said), folder))
    return found


def _one(record: Record, name: str, what: str, options: dict[str, Any], expected: int | None, folder: Path) -> tuple[str, float, float]:
    output = folder / f"{name.replace(' ', '-')}.json"
    began = time.monotonic()
    code, peak = peak_of("container_logs_info", options, output)
    seconds = time.monotonic() - began
    answer = json.loads(output.read_text()) if code == 0 else {}
    count = answer.get("count")
    good = answer.get("verdict") == "read" and (count == expected if expected is not None else count == answer.get("lines"))
    record.check(good, f"{name}: counted", f"{count}, expected {'all' if expected is None else expected}; {answer.get('summary')}")
    return what, seconds, peak
