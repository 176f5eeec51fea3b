"""Counting what the clients saw, and reading it again afterwards."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from array import array
from typing import Any, TextIO

from .client import Outcome

KEPT_FAILURES = 50


def iso(seconds: float) -> str:
    """Seconds since the epoch -> ``2026-01-02T03:04:05.678Z``."""
    milliseconds = round(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"


def percentiles(values: array) -> dict[str, float] | None:
    """Milliseconds by nearest rank; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    found = {f"p{share:g}": ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)] for share in (50, 90, 99, 99.9)}
    return {name: round(value, 2) for name, value in {**found, "max": ordered[-1]}.items()}


class Recorder:
    """Thread-safe. ``timeline`` has one row a second and release: enough to say, exactly, when a release answered last
    before or first after any instant, without keeping every request."""

    def __init__(self, log: TextIO | None = None) -> None:
        self._lock = threading.Lock()
        self._log = log
        self.requests = self.failed = self.skipped = 0
        self.by_status: dict[str, int] = {}
        self.by_kind: dict[str, dict[str, int]] = {}
        self.by_error: dict[str, int] = {}
        self.last_release: str | None = None
        self._failures: list[dict[str, Any]] = []
        self._latencies: dict[str, array] = {}
        self._releases: dict[str, list[float]] = {}
        self._timeline: dict[tuple[int, str], list[float]] = {}

    def add(self, outcome: Outcome) -> None:
        milliseconds = (outcome.answered - outcome.sent) * 1000
        release, status = outcome.release or "none", str(outcome.status or "none")
        with self._lock:
            self.requests += 1
            self.by_status[status] = self.by_status.get(status, 0) + 1
            kind = self.by_kind.setdefault(outcome.kind, {"requests": 0, "failed": 0})
            kind["requests"] += 1
            row = self._timeline.setdefault((int(outcome.answered), release), [0, 0, outcome.answered, outcome.answered, outcome.sent])
            row[0] += 1
            row[3], row[4] = max(row[3], outcome.answered), max(row[4], outcome.sent)
            if outcome.status is not None:
                seen = self._releases.setdefault(release, [0, outcome.answered, outcome.answered])
                seen[0] += 1
                seen[2] = max(seen[2], outcome.answered)
                self.last_release = release
                self._latencies.setdefault(outcome.kind, array("f")).append(milliseconds)
            if outcome.error:
                self._fail(outcome, milliseconds, kind, row)
            if self._log:
                self._log.write(json.dumps(_line(outcome, milliseconds)) + "\n")

    def _fail(self, outcome: Outcome, milliseconds: float, kind: dict[str, int], row: list[float]) -> None:
        self.failed += 1
        kind["failed"] += 1
        row[1] += 1
        name = outcome.error_kind or "other"
        self.by_error[name] = self.by_error.get(name, 0) + 1
        if len(self._failures) < KEPT_FAILURES:
            self._failures.append(_line(outcome, milliseconds))

    def skip(self, count: int) -> None:
        with self._lock:
            self.skipped += count

    def flush(self) -> None:
        with self._lock:
            if self._log:
                self._log.flush()

    def report(self, started: float, ended: float, finished: bool, reconnects: dict[str, int]) -> dict[str, Any]:
        with self._lock:
            seconds = max(ended - started, 0.001)
            every = array("f", (value for values in self._latencies.values() for value in values))
            kinds = {kind: percentiles(values) for kind, values in self._latencies.items()}
            return {
                "started": iso(started),
                "ended": iso(ended),
                "finished": finished,
                "seconds": round(seconds, 3),
                "requests": self.requests,
                "failed": self.failed,
                "resets": self.by_error.get("reset", 0),
                "rate": round(self.requests / seconds, 1),
                # Turns of the busy clients that nobody was free to take: the rate asked for was not reached.
                "skipped": self.skipped,
                "reconnects": reconnects,
                "by_release": {release: int(seen[0]) for release, seen in self._releases.items()},
                "by_status": dict(self.by_status),
                "by_kind": {kind: dict(counts) for kind, counts in self.by_kind.items()},
                "by_error": dict(self.by_error),
                "failures": list(self._failures),
                "latency_ms": percentiles(every),
                "latency_ms_by_kind": kinds,
                "first_seen_by_release": {release: iso(seen[1]) for release, seen in self._releases.items()},
                "last_seen_by_release": {release: iso(seen[2]) for release, seen in self._releases.items()},
                "timeline": [
                    {
                        "release": None if release == "none" else release,
                        "requests": int(row[0]),
                        "failed": int(row[1]),
                        "first": round(row[2], 4),
                        "last": round(row[3], 4),
                        "last_sent": round(row[4], 4),
                    }
                    for (_, release), row in sorted(self._timeline.items())
                ],
            }


def _line(outcome: Outcome, milliseconds: float) -> dict[str, Any]:
    """``t``: when it was sent; ``ms``: until it was answered, or failed."""
    return {
        "t": round(outcome.sent, 4),
        "time": iso(outcome.sent),
        "kind": outcome.kind,
        "ms": round(milliseconds, 2),
        "status": outcome.status,
        "release": outcome.release,
        "error": outcome.error,
        "reused": outcome.reused,
    }


def write(path: str, report: dict[str, Any]) -> None:
    """A reader sees the whole old report or the whole new one."""
    partial = f"{path}.{os.getpid()}.tmp"
    with open(partial, "w", encoding="utf-8") as stream:
        json.dump(report, stream, indent=1)
        stream.write("\n")
    os.replace(partial, path)


def answers_of(report: dict[str, Any], release: str, after: float, before: float = math.inf) -> dict[str, Any] | None:
    """Answers of ``release`` that arrived in ``(after, before]``, both seconds since the epoch.

    -> ``{"first", "last", "at_most"}`` or None if there was none. The instants are exact inside the range wherever the
    timeline can tell (it always can when a boundary does not fall between two answers of one second); ``at_most`` counts
    the whole of a second that the range cuts.
    """
    rows = [row for row in report["timeline"] if row["release"] == release and row["last"] > after and row["first"] <= before]
    if not rows:
        return None
    return {
        "first": max(rows[0]["first"], after),
        "last": min(max(row["last"] for row in rows), before),
        "at_most": sum(row["requests"] for row in rows),
    }


def window(report: dict[str, Any], after: float, before: float) -> dict[str, Any]:
    """Requests, failures and answers by release in the seconds from ``after`` to ``before`` (whole seconds of the timeline)."""
    rows = [row for row in report["timeline"] if int(after) <= int(row["first"]) < max(int(before), int(after) + 1)]
    by_release: dict[str, int] = {}
    for row in rows:
        if row["release"]:
            by_release[row["release"]] = by_release.get(row["release"], 0) + row["requests"]
    return {"requests": sum(row["requests"] for row in rows), "failed": sum(row["failed"] for row in rows), "by_release": by_release}
