"""How long an emergency rollback takes, from pressing Enter until the former release answers a new connection."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from .bare import Module
from .operations import Operations, last_words, path_taken
from .play import Play
from .record import Record
from .stack import GOOD, Stack, seconds_of
from .traffic import Poller, Traffic

PROMISE = (
    "An emergency rollback to the warm colour has traffic back within 5 seconds of pressing Enter, as the median of ten; while a SEV-1 "
    "incident is open, too, and then it is in its timeline"
)
FULL, SAMPLE = 10, 3
LIMIT_SECONDS = 5.0
#: The load generator, the whole stack and Ansible on the same two cores: it is measured, and promised is only that it is bounded.
LOOSE_LIMIT_SECONDS = 30.0


class Part(NamedTuple):
    """A series of runs: what is the case besides, and the limit of their median."""

    title: str
    load: bool
    incident: bool
    limit: float


SERIES = [
    Part("without load", False, False, LIMIT_SECONDS),
    Part("while a SEV-1 is open", False, True, LIMIT_SECONDS),
    Part("with load", True, False, LOOSE_LIMIT_SECONDS),
]
LOOSE_SERIES = [Part("with load, while a SEV-1 is open", True, True, LOOSE_LIMIT_SECONDS)]
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


class Incident:
    """A context: a SEV-1 incident that is open on the stack."""

    def __init__(self, stack: Stack) -> None:
        self._path, self._journal = str(stack.state / "incidents"), str(stack.state / "journal.jsonl")
        self._identity = ""

    def __enter__(self) -> Incident:
        answer = self._record("open", title="The campaign rollback_time needs an incident", severity="SEV-1")
        self._identity = answer["id"]
        return self

    def __exit__(self, *_: object) -> None:
        self._record("resolved", id=self._identity)

    def _record(self, state: str, **more: Any) -> dict[str, Any]:
        answer = Module("incident_record", path=self._path, state=state, operator="campaign", **more).wait()
        if answer.get("failed"):
            raise RuntimeError(f"the incident could not be {state}: {answer['msg']}")
        return answer

    def rollbacks(self) -> list[dict[str, Any]]:
        """Those in its timeline, which the journal is merged into."""
        answer = Module("incident_info", path=self._path, id=self._identity, journal_path=self._journal).wait()
        (found,) = answer["incidents"]
        return [item for item in found["timeline"] if item["source"] == "journal" and item["kind"] == "rollback"]


def told(record: Record, title: str, incident: Incident, runs: list[dict[str, Any]]) -> None:
    """Every rollback is in the incident's timeline, with the release that it went to."""
    items = incident.rollbacks()

    def is_told(run: dict[str, Any]) -> bool:
        return any(
            item["text"].startswith(f"pass: {run['target']} ") and run["started"] <= seconds_of(item["time"]) <= run["ended"]
            for item in items
        )

    found = sum(map(is_told, runs))
    record.check(bool(runs) and found == len(runs), f"{title}: each is in the incident's timeline", f"{found} of {len(runs)}")
    record.data[f"{title}: timeline"] = items


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
                "started": play.started,
                "ended": play.started + play.seconds,
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
    for title, load, incident, limit in LOOSE_SERIES if loose else SERIES:
        with ExitStack() as context:
            traffic = context.enter_context(Traffic(stack, folder)) if load else None
            opened = context.enter_context(Incident(stack)) if incident else None
            runs = measure(operations, pair, count, record)
            if opened:
                told(record, title, opened, runs)
        report(record, title, runs, limit)
        if traffic:
            record.check(not traffic.report["failed"], "no request of the load failed", traffic.profile)
    record.note(
        "Measured by a client that asks every 20 ms on a new connection; the parts by the moments at which ansible-playbook prints the "
        "names of its tasks. The clock starts before ansible-playbook is executed."
    )
    return record
