"""What an operation silences ends with it: by itself when it is killed, at once when it is over. It is marked in dashboards."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from .operations import Operations, last_words
from .play import Play
from .record import Record
from .stack import GOOD, Stack, seconds_of

PROMISE = (
    "What an operation silences is put off while it works, gone when it is over, and gone within two minutes when it is killed; it never "
    "hides an error rate or a latency"
)
LIMIT_SECONDS = 120.0
#: So long it would have waited for a release that never gets healthy: longer than a lease, so that it has to be put off.
START_SECONDS = 600
#: The task before which the deploy is killed, and so many seconds later; whether what it started on the host dies, too.
PROVE = "Wait until every replica is healthy and answers with its version"
KILLS = [
    ("as the idle colour starts", "Write down what the colour runs from now on", 0.0, True),
    ("as its replicas are proved, the controller alone", PROVE, 0.0, False),
    ("after 100 s of that, the lease put off often", PROVE, 100.0, True),
    ("after 20 s of that, the controller alone", PROVE, 20.0, False),
]
SAMPLE = KILLS[:1]
BAD = "v1.2.5-unhealthy"
SOAK = "Watch health, errors and latency of the new release"
FORBIDDEN = ("HighErrorRate", "HighResponseTime", "ErrorBudgetBurn", "ServiceUnavailable")


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
        return json.load(answer)


class Alertmanager:
    """Asked by HTTP; and the stub that stands for Grafana and Sentry."""

    def __init__(self, stack: Stack) -> None:
        port = int(stack.prometheus.rpartition(":")[2])
        self.url = f"http://127.0.0.1:{port + 3}/api/v2/silences"
        self.stub = f"http://127.0.0.1:{port + 9}/__requests?limit=1000&vendor="

    def silences(self) -> list[dict[str, Any]]:
        return ask(self.url)

    def marks(self, play: Play) -> tuple[list[str], list[str]]:
        """What Grafana and Sentry were told by it: the texts of annotations, and the envelopes of events."""
        grafana, sentry = (
            [call for call in ask(self.stub + vendor)["requests"] if call["time"] >= play.started and call["method"] == "POST"]
            for vendor in ("grafana", "sentry")
        )
        return [call["json"]["text"] for call in grafana if call["json"]], [str(call["body"]) for call in sentry]

    def active(self) -> list[dict[str, Any]]:
        return [silence for silence in self.silences() if silence["status"]["state"] == "active"]


def told(silences: list[dict[str, Any]]) -> str:
    return "; ".join(f"{s['createdBy']}: " + ", ".join(f"{m['name']}={m['value']}" for m in s["matchers"]) for s in silences)


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("leases", PROMISE)
    operations, alertmanager = Operations(stack, folder), Alertmanager(stack)
    operations.ensure_live(GOOD[0])
    for moment in SAMPLE if sample else KILLS:
        killed(record, operations, alertmanager, *moment)
    over(record, operations, alertmanager)
    return record


def other(operations: Operations) -> str:
    return next(version for version in GOOD if version not in operations.places())


def killed(
    record: Record, operations: Operations, alertmanager: Alertmanager, what: str, task: str, after: float, everything: bool
) -> None:
    variables = {"release_version": BAD, "release_start_timeout": START_SECONDS, "ops_override": ["quarantine"]}
    play = operations.start("deploy", variables)
    if not record.check(play.wait_for_task(task), f"{what}: it comes to that", "" if play.process.poll() is None else last_words(play)):
        play.kill()
        return
    put_off = watched(alertmanager, after)
    held = alertmanager.active()
    record.check(len(held) == 1, f"{what}: it silences", told(held) or "nothing")
    names = {matcher["value"] for silence in held for matcher in silence["matchers"] if matcher["name"] == "alertname"}
    harmless = bool(names) and not names & set(FORBIDDEN)
    record.check(harmless, f"{what}: nothing by which one sees that it does harm", ", ".join(sorted(names)))
    if after > LIMIT_SECONDS / 2:
        record.check(put_off >= 3, f"{what}: its end was put off", f"{put_off} times in {after:.0f} s")
    left = play.kill(everything)
    gone = seconds_until_gone(alertmanager)
    seen = f"{gone:.0f} s of at most {LIMIT_SECONDS:.0f}, {len(left)} modules outlived the controller"
    record.check(gone <= LIMIT_SECONDS, f"{what}: killed, and it is gone", seen)
    heir = operations.deploy(GOOD[0])
    good = heir.process.returncode == 0
    record.check(good, f"{what}: the next deploy goes through", "" if good else last_words(heir))
    record.check(not alertmanager.active(), f"{what}: and leaves no silence", told(alertmanager.active()))


def watched(alertmanager: Alertmanager, seconds: float) -> int:
    """How often the ends of what is silenced were moved in that time."""
    ends: set[str] = set()
    until = time.monotonic() + seconds
    while True:
        ends |= {silence["endsAt"] for silence in alertmanager.active()}
        if time.monotonic() >= until:
            return len(ends) - 1
        time.sleep(1)


def seconds_until_gone(alertmanager: Alertmanager) -> float:
    started = time.monotonic()
    while alertmanager.active() and time.monotonic() - started < 2 * LIMIT_SECONDS:
        time.sleep(0.5)
    return time.monotonic() - started


def over(record: Record, operations: Operations, alertmanager: Alertmanager) -> None:
    """A good deploy and one that fails: both have silenced, and neither leaves anything."""
    for version, good in ((other(operations), True), (BAD, False)):
        play = operations.start("deploy", {"release_version": version, "ops_override": ["quarantine"]})
        if good and play.wait_for_task(SOAK):
            found = alertmanager.active()
            record.check(not found, f"{version}: nothing of it is silenced once it has traffic", told(found))
        play.wait()
        silenced = of_play(alertmanager, play)
        ends_well = (play.process.returncode == 0) == good
        record.check(ends_well, f"{version}: it ends as it should", "" if ends_well else last_words(play))
        record.check(bool(silenced), f"{version}: it has silenced", told(silenced))
        record.check(not alertmanager.active(), f"{version}: nothing is silenced afterwards", told(alertmanager.active()))
        annotations, events = alertmanager.marks(play)
        marked = [len(found) == 1 and version in found[0] for found in (annotations, events)]
        record.check(all(marked), f"{version}: Grafana and Sentry were told once", " / ".join(annotations))


def of_play(alertmanager: Alertmanager, play: Play) -> list[dict[str, Any]]:
    return [silence for silence in alertmanager.silences() if seconds_of(silence["startsAt"]) >= play.started - 1]
