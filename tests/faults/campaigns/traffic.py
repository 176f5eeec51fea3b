"""The load beside a campaign: the strict generator as a process of its own, and its log, request by request."""

from __future__ import annotations

import http.client
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from .stack import ROOT, Stack

#: 200 are asked for; a little more, so that what is measured does not fall below it when the machine is short of breath.
RATE = 220
#: Enough to keep the rate when answers take a while on a busy machine.
CLIENTS = 40
CLIENTS = 40
WARM_UP_SECONDS = 3
#: An idle client's next request is at most 9 s away.
COOL_DOWN_SECONDS = 11


class Request(NamedTuple):
    """Times in seconds since the epoch."""

    sent: float
    answered: float
    kind: str
    status: int | None
    release: str | None
    error: str | None


class Traffic:
    """A context: load from entry to exit; afterwards ``report`` and ``requests``."""

    def __init__(self, stack: Stack, folder: Path, rate: float = RATE, more: tuple[str, ...] = ()) -> None:
        """``more``: words of the generator's command line, which count before ours."""
        self._report, self._log = folder / "load.json", folder / "load.jsonl"
        self._command = [sys.executable, "-m", "demo.load", "--url", stack.url, "--rate", str(rate), "--clients", str(CLIENTS)]
        self._command += ["--report", str(self._report), "--log", str(self._log), *more]
        self.report: dict[str, Any] = {}
        self.requests: list[Request] = []

    def __enter__(self) -> Traffic:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(WARM_UP_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self.report = json.loads(self._report.read_text())
        self.requests = read_log(self._log)

    def failed_so_far(self) -> int:
        """As of at most five seconds ago."""
        try:
            return json.loads(self._report.read_text())["failed"]
        except (FileNotFoundError, ValueError):
            return 0

    @property
    def profile(self) -> str:
        report = self.report
        kinds = ", ".join(f"{counts['requests']} {kind}" for kind, counts in sorted(report["by_kind"].items()))
        return (
            f"{report['requests']} requests ({kinds}) in {report['seconds']:.0f} s, {report['rate']:.0f}/s, {report['failed']} failed,"
            f" {report['resets']} resets; latency {report['latency_ms']}"
        )


def read_log(path: Path) -> list[Request]:
    found = []
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            entry = json.loads(line)
            answered = entry["t"] + entry["ms"] / 1000
            found.append(Request(entry["t"], answered, entry["kind"], entry["status"], entry["release"], entry["error"]))
    return found


def failures(requests: Iterable[Request], since: float = 0.0, until: float = float("inf")) -> list[Request]:
    """The failed requests that were sent in ``[since, until)``."""
    return [request for request in requests if request.error and since <= request.sent < until]


def longest_silence(requests: Iterable[Request]) -> float:
    """The longest time without a good answer, in seconds; 5 s requests, which end when they end, say nothing about it."""
    moments = sorted(request.answered for request in requests if not request.error and request.kind != "slow")
    return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0.0)


def shown(requests: list[Request], count: int = 3) -> str:
    return "; ".join(f"{r.kind} sent {r.sent:.3f}, {r.release or 'no release'}: {r.error}" for r in requests[:count])


class Poller:
    """A context: asks the load balancer again and again, each time on a new connection, until told to stop.

    ``seen`` holds ``(time answered, release)``; what failed is in ``failed``.
    """

    def __init__(self, stack: Stack, interval: float = 0.02) -> None:
        self._stack, self._interval = stack, interval
        self._stop = threading.Event()
        self.seen: list[tuple[float, str | None]] = []
        self.failed: list[str] = []

    def __enter__(self) -> Poller:
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                release = self._stack.answer(timeout=5)[1]
                self.seen.append((time.time(), release))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))

    def first(self, matches: Callable[[str | None], bool]) -> float | None:
        return next((moment for moment, release in self.seen if matches(release)), None)
