"""The threads: busy clients on one common timetable, idle ones with long pauses, slow ones one request after the other."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from .client import Client
from .options import Options
from .report import Recorder

# Further behind than this, turns are given up instead of sent in a burst: a burst is not the load that was asked for.
MAX_BEHIND_SECONDS = 1.0
# The clients' first requests are spread over this time.
RAMP_SECONDS = 1.0


class Timetable:
    """Turn n is due at start + n / rate, whoever takes it: an open loop as far as there are free clients."""

    def __init__(self, rate: float, start: float) -> None:
        self._interval = 1 / rate
        self._next = start
        self._lock = threading.Lock()

    def take(self, now: float) -> tuple[float, int]:
        """-> (when the turn is due, how many turns were given up for being too late)"""
        with self._lock:
            skipped = 0
            behind = now - self._next
            if behind > MAX_BEHIND_SECONDS:
                skipped = int(behind / self._interval)
                self._next += skipped * self._interval
            due = self._next
            self._next += self._interval
            return due, skipped


class Load:
    """``start``, then ``stop`` and ``report``; the counters of ``recorder`` may be read at any time in between."""

    def __init__(self, options: Options, log: TextIO | None = None) -> None:
        self.options = options
        self.recorder = Recorder(log)
        self._stop = threading.Event()
        self._clients: list[Client] = []
        self._threads: list[threading.Thread] = []
        self._started = self._ended = 0.0

    def start(self) -> None:
        options = self.options
        self._started = time.time()
        timetable = Timetable(options.rate or 1, time.monotonic())
        work: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
            *[(self._busy, (timetable,))] * options.clients,
            *[(self._idle, ())] * options.idle_clients,
            *[(self._slow, ())] * options.slow_clients,
        ]
        context = options.context()
        for number, (target, arguments) in enumerate(work):
            extra = options.slow_seconds if target == self._slow else 0
            client = Client(options.host, options.port, options.timeout + extra, context, options.server_name)
            thread = threading.Thread(target=target, args=(client, *arguments), name=f"client-{number}", daemon=True)
            self._clients.append(client)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Requests under way are finished, so that none of ours counts as failed for being cut by ourselves."""
        self._stop.set()
        deadline = time.monotonic() + self.options.timeout + self.options.slow_seconds + 1
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        self._ended = time.time()
        for client in self._clients:
            client.close()
        self.recorder.flush()

    def wait(self, seconds: float) -> bool:
        """True when told to stop within ``seconds``."""
        return self._stop.wait(seconds)

    def request_stop(self) -> None:
        """From a signal handler: ``stop`` is still to be called."""
        self._stop.set()

    def report(self) -> dict[str, Any]:
        reconnects = {reason: sum(client.reconnects[reason] for client in self._clients) for reason in ("announced", "failure")}
        return self.recorder.report(self._started, self._ended or time.time(), bool(self._ended), reconnects)

    def _busy(self, client: Client, timetable: Timetable) -> None:
        while not self._stop.is_set():
            due, skipped = timetable.take(time.monotonic())
            if skipped:
                self.recorder.skip(skipped)
            pause = due - time.monotonic()
            # sleep, not the event: a waiting Event costs twice the processor time, and these pauses are short.
            if pause > 0:
                time.sleep(pause)
            if random.random() < self.options.post_share:
                self._post(client)
            else:
                self.recorder.add(client.request("get", "GET", self.options.path, 200))

    def _post(self, client: Client) -> None:
        body = json.dumps({"name": f"load {random.getrandbits(32):08x}"}).encode()
        self.recorder.add(client.request("post", "POST", "/api/drafts", 201, body))

    def _idle(self, client: Client) -> None:
        pause = random.uniform(0, RAMP_SECONDS)
        while not self._stop.wait(pause):
            self.recorder.add(client.request("idle", "GET", self.options.path, 200))
            pause = random.uniform(self.options.idle_from, self.options.idle_to)

    def _slow(self, client: Client) -> None:
        path = f"/api/slow?seconds={self.options.slow_seconds:g}"
        pause = random.uniform(0, RAMP_SECONDS)
        while not self._stop.wait(pause):
            outcome = client.request("slow", "GET", path, 200)
            self.recorder.add(outcome)
            pause = 0.5 if outcome.error else 0


def run(options: Options, stop: threading.Event | None = None, log: TextIO | None = None) -> dict[str, Any]:
    """Runs until ``options.seconds`` are over or ``stop`` is set; -> the report."""
    load = Load(options, log)
    deadline = time.monotonic() + options.seconds if options.seconds is not None else None
    load.start()
    while not (stop and stop.is_set()) and (deadline is None or time.monotonic() < deadline):
        left = 0.2 if deadline is None else min(0.2, max(0, deadline - time.monotonic()))
        if load.wait(left):
            break
    load.stop()
    return load.report()
