"""Planned maintenance under load: begun and ended, kept waiting, and ended by nobody."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .leases import Alertmanager, told
from .operations import Operations, last_words
from .record import Record
from .stack import GOOD, Stack
from .traffic import COOL_DOWN_SECONDS, Traffic, longest_silence, shown

PROMISE = (
    "Maintenance begins and ends under load without a reset; health checks and testers get through all the time; with its runner killed it "
    "ends at its deadline; a window of ten seconds that keeps requests waiting loses none"
)
TOKEN = "demo-maintenance-token"  # noqa: S105 - a word of the demo's inventory
MEANT = {"ops_override": ["backup", "rollback"], "maintenance_message": "A campaign tries it.", "maintenance_watch_seconds": 2}
#: Before which task the runner is killed, and whether it is closed then.
KILLS = [
    ("when it has been closed", "Stop where one of them does not", True),
    ("before it is closed", "Close every host", False),
]
LATEST_SECONDS = 2.0
#: A request that was sent so long before the switch, and is on a machine that is short of breath, was begun before it.
BEFORE_SECONDS = 0.5
#: So long a window of those that wait is at least, and so long their clients are ready to wait.
QUEUE_SECONDS, PATIENCE = 10, 40
#: What anybody asks for, and the application has.
ANYTHING = "/api/drafts"


class Visitor(threading.Thread):
    """Asks for one path ten times a second, each time on a new connection. ``seen``: ``(time, status or error)``."""

    def __init__(self, stack: Stack, path: str, **headers: str) -> None:
        super().__init__(daemon=True)
        self._port, self._path, self._headers = stack.port, path, headers
        self._over = threading.Event()
        self.seen: list[tuple[float, Any]] = []

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.seen.append((time.time(), self.ask()))

    def ask(self) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", self._path, headers=self._headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()

    def end(self) -> Counter[Any]:
        self._over.set()
        self.join()
        return Counter(answer for _, answer in self.seen)


def folder_of(stack: Stack) -> Path:
    return stack.upstream_path.parent / "maintenance"


def switched(stack: Stack) -> float:
    """When it was closed."""
    return (folder_of(stack) / "on").stat().st_mtime


def deadline(stack: Stack) -> float:
    """When it ends by itself, by the file that nginx reads."""
    found = re.search(r"^# facts: (.*)$", (folder_of(stack) / "http.conf").read_text(), re.MULTILINE)
    return float(json.loads(found.group(1))["ends_at"]) if found else 0.0


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("maintenance", PROMISE)
    operations = Operations(stack, folder)
    operations.ensure_live(GOOD[0])
    operations.run("maintenance_end", MEANT)
    refused(record, stack, operations, folder)
    waiting(record, stack, operations, folder)
    for what, task, closed in KILLS[:1] if sample else KILLS:
        killed(record, stack, operations, what, task, closed)
    return record


def went(record: Record, operations: Operations, playbook: str, what: str, **variables: Any) -> bool:
    play = operations.run(playbook, {**MEANT, **variables})
    good = play.process.returncode == 0
    return record.check(good, what, f"{play.seconds:.1f} s" if good else last_words(play))


def refused(record: Record, stack: Stack, operations: Operations, folder: Path) -> None:
    (folder / "refused").mkdir()
    alertmanager = Alertmanager(stack)
    traffic = Traffic(stack, folder / "refused")
    always = {path: Visitor(stack, path) for path in ("/api/health", "/__nginx/health")}
    always["a tester"] = Visitor(stack, ANYTHING, Cookie=f"maintenance_bypass={TOKEN}")
    everybody = Visitor(stack, ANYTHING)
    with traffic:
        for visitor in (*always.values(), everybody):
            visitor.start()
        went(record, operations, "maintenance_start", "it begins", maintenance_duration="10m")
        began, closed = time.time(), switched(stack)
        silent = alertmanager.active()
        record.check(len(silent) == 1, "what it raises is silenced", told(silent) or "nothing")
        went(record, operations, "deploy", "a release meanwhile", release_version=GOOD[1], release_emergency=True)
        ended = time.time()
        went(record, operations, "maintenance_end", "it ends")
        record.check(not alertmanager.active(), "nothing is silenced any more", told(alertmanager.active()))
        for name, visitor in always.items():
            seen = visitor.end()
            record.check(set(seen) == {200}, f"{name} is answered throughout", str(dict(seen)))
        within = Counter(answer for moment, answer in everybody.seen if began < moment < ended)
        everybody.end()
        record.check(set(within) == {503}, "everybody else is told that there is maintenance", str(dict(within)))
        time.sleep(COOL_DOWN_SECONDS)
    failures = [request for request in traffic.requests if request.error]
    others = [request for request in failures if request.status != 503]
    record.note(traffic.profile)
    record.check(traffic.report["resets"] == 0, "not one connection is reset", f"{traffic.report['resets']} of {len(traffic.requests)}")
    record.check(not others, "nobody is told anything but 503", shown(others) or f"{len(failures)} were told")
    before = [request for request in traffic.requests if request.sent < closed - BEFORE_SECONDS]
    lost = [request for request in before if request.error]
    underway = sum(request.answered > closed for request in before)
    record.check(underway > 0 and not lost, "what was begun before is finished", shown(lost) or f"{underway} were under way")


def waiting(record: Record, stack: Stack, operations: Operations, folder: Path) -> None:
    (folder / "waiting").mkdir()
    traffic = Traffic(stack, folder / "waiting", more=("--timeout", str(PATIENCE)))
    health = Visitor(stack, "/api/health")
    with traffic:
        health.start()
        went(record, operations, "maintenance_start", "requests are kept waiting", maintenance_duration="50s", maintenance_mode="queue")
        time.sleep(max(0.0, QUEUE_SECONDS - (time.time() - switched(stack))))
        # The switch by hand, as docs/maintenance.md has it: the window is as long as it is meant to be.
        (folder_of(stack) / "on").unlink(missing_ok=True)
        time.sleep(1)
        went(record, operations, "maintenance_end", "it is ended")
        seen = health.end()
        time.sleep(COOL_DOWN_SECONDS)
    failures = [request for request in traffic.requests if request.error]
    longest = max((request.answered - request.sent for request in traffic.requests if request.kind != "slow"), default=0.0)
    record.note(traffic.profile)
    record.check(not failures, "no request is lost", shown(failures) or f"0 of {len(traffic.requests)}")
    silence = longest_silence(traffic.requests)
    record.check(longest >= QUEUE_SECONDS - 1, "they did wait", f"up to {longest:.1f} s; nobody was answered for {silence:.1f} s")
    record.check(set(seen) == {200}, "the health check is answered throughout", str(dict(seen)))


def killed(record: Record, stack: Stack, operations: Operations, what: str, task: str, closed: bool) -> None:
    play = operations.start("maintenance_start", {**MEANT, "maintenance_duration": "45s"})
    there = play.wait_for_task(task)
    if not record.check(there, f"killed {what}: it comes to that", "" if there else last_words(play)):
        play.kill()
        return
    play.kill()
    everybody = Visitor(stack, ANYTHING)
    first, ends = everybody.ask(), deadline(stack)
    expected = 503 if closed else 200
    record.check(first == expected, f"killed {what}: users see {expected}", str(first))
    while closed and everybody.ask() != 200 and time.time() < ends + 20:
        time.sleep(0.1)
    if closed:
        after = time.time() - ends
        record.check(-0.5 < after < LATEST_SECONDS, f"killed {what}: it ends at its deadline", f"{after:+.1f} s")
    went(record, operations, "maintenance_end", f"killed {what}: the next run tidies up")
    left = sorted(path.name for path in folder_of(stack).iterdir()) if folder_of(stack).is_dir() else []
    left += [told([silence]) for silence in Alertmanager(stack).active()]
    record.check(not left, f"killed {what}: nothing is left", ", ".join(left))
