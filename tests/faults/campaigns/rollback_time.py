"""How long an emergency rollback takes, from pressing Enter until the former release answers a new connection."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .operations import Operations, last_words, path_taken
from .play import Play
from .record import Record
from .stack import GOOD, Stack
from .traffic import Poller, Traffic

PROMISE = "An emergency rollback to the warm colour has traffic back within 5 seconds of pressing Enter, as the median of ten"
FULL, SAMPLE = 10, 3
LIMIT_SECONDS = 5.0
#: The load generator, the whole stack and Ansible on the same two cores: it is measured, and promised is only that it is bounded.
LOOSE_LIMIT_SECONDS = 30.0
#: The tasks at which one part ends and the next begins, in order.
PARTS = [
    ("Ansible's start", None, "Begin"),
    ("guard: variables, reason, lock", "Begin", "Release"),
    ("plan: what is live, whether it may, every warm replica asked", "Release", "Bring the release back into production"),
    ("begin: notes for the way back", "Bring the release back into production", "Send traffic to it"),
    ("switch: write, test, reload, first answer", "Send traffic to it", None),
]


def warm_pair(operations: Operations) -> tuple[str, str]:
    """``(live, warm)``: two good versions, both proved, one in each colour. Raises RuntimeError when that cannot be had."""
    live = operations.stack.live()
    operations.ensure_live(live if live in GOOD else GOOD[0])
    live, warm = operations.places()
    healthy = {release["version"] for release in operations.stack.releases() if release["outcome"] == "healthy"}
    if warm not in healthy or warm not in GOOD:
        operations.ensure_live(next(version for version in GOOD if version != live))
        live, warm = operations.places()
    assert warm, "the former colour is not warm"
    return live, warm


def parts_of(play: Play, switched: float) -> list[float]:
    """Seconds of each of PARTS; they add up to the whole."""
    found = []
    for _, begin, end in PARTS:
        started = play.started if begin is None else play.began(begin)
        ended = switched if end is None else play.began(end)
        if started is None or ended is None:
            raise RuntimeError(
                f"the playbook had no task {begin!r} or {end!r}: its tasks were renamed, and PARTS must follow. See {play.log}"
            )
        found.append(ended - started)
    return found


def measure(operations: Operations, pair: tuple[str, str], count: int, record: Record) -> list[dict[str, Any]]:
    """``count`` rollbacks, to and fro between the two colours."""
    runs: list[dict[str, Any]] = []
    for _ in range(count):
        target = pair[1] if operations.stack.live() == pair[0] else pair[0]
        with Poller(operations.stack) as poller:
            play = operations.start("rollback", {"release_version": target, "release_emergency": True})
            play.wait()
        first = poller.first(target.__eq__)
        if play.process.returncode != 0 or first is None or path_taken(play) != "warm":
            record.check(False, f"rollback to {target}", f"exit {play.process.returncode}, {path_taken(play)} start; {last_words(play)}")
            continue
        runs.append(
            {
                "target": target,
                "seconds": first - play.started,
                "parts": parts_of(play, first),
                "playbook": play.seconds,
                "failed": len(poller.failed),
            }
        )
        print(f"         rollback to {target}: {runs[-1]['seconds']:.2f} s", flush=True)
    return runs


def report(record: Record, title: str, runs: list[dict[str, Any]], limit: float) -> None:
    if not runs:
        record.check(False, f"{title}: there is something to measure")
        return
    totals = sorted(run["seconds"] for run in runs)
    median = statistics.median(totals)
    rows = [
        [name, f"{statistics.median(column):.2f}", f"{min(column):.2f}", f"{max(column):.2f}"]
        for (name, *_), column in zip(PARTS, zip(*[run["parts"] for run in runs], strict=True), strict=True)
    ]
    rows.append(["from Enter to the first answer", f"{median:.2f}", f"{totals[0]:.2f}", f"{totals[-1]:.2f}"])
    whole = [run["playbook"] for run in runs]
    rows.append(["the whole playbook, drained and recorded", f"{statistics.median(whole):.2f}", f"{min(whole):.2f}", f"{max(whole):.2f}"])
    record.table(f"{title}: which part takes what (s, {len(runs)} runs)", ["part", "median", "least", "most"], rows)
    record.check(
        median <= limit, f"{title}: the median is at most {limit:g} s", f"{median:.2f} s; all: {', '.join(f'{t:.2f}' for t in totals)}"
    )
    failed = sum(run["failed"] for run in runs)
    record.check(failed == 0, f"{title}: every new connection was answered meanwhile", f"{failed} failed")
    record.data[title] = runs


def run(stack: Stack, folder: Path, count: int, loose: bool) -> Record:
    record = Record("rollback_time", PROMISE)
    operations = Operations(stack, folder)
    pair = warm_pair(operations)
    limits = {"without load": LIMIT_SECONDS, "with load": LOOSE_LIMIT_SECONDS}
    for title in ("without load", "with load")[1 if loose else 0 :]:
        with ExitStack() as context:
            traffic = context.enter_context(Traffic(stack, folder)) if title == "with load" else None
            runs = measure(operations, pair, count, record)
        report(record, title, runs, limits[title])
        if traffic:
            record.check(not traffic.report["failed"], "no request of the load failed", traffic.profile)
    record.note(
        "Measured by a client that asks every 20 ms on a new connection; the parts by the moments at which ansible-playbook prints the "
        "names of its tasks. The clock starts before ansible-playbook is executed."
    )
    return record
