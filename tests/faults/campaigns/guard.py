"""Many deploys at once, the one that got in is killed, and the next one takes over when its time has come."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from .kill import LOOK
from .operations import Operations, last_words
from .play import Play
from .record import Record
from .stack import GOOD, Stack

PROMISE = (
    "Of many deploys started at once one runs and the others are refused with its owner's name and change nothing; its lock is taken over "
    "when its heartbeat has expired, and not before"
)
FULL, SAMPLE = 50, 6
#: So long the one that got in would watch the release: it is killed before.
HOLD_SECONDS = 900
CROWD_LIMIT_SECONDS = 400
#: How long after the expiry the next one may take to notice (guard_lock_wait_interval and a loaded machine).
NOTICE_SECONDS = 5.0
LOWEST_PRIORITY, NORMAL_PRIORITY = 19, 0


def run(stack: Stack, folder: Path, count: int) -> Record:
    record = Record("guard", PROMISE)
    operations = Operations(stack, folder)
    operations.ensure_live(GOOD[0])
    live, idle = operations.places()
    version = next(version for version in GOOD if version not in (live, idle))
    winner, plays = crowd(record, operations, version, count)
    if winner:
        after_death(record, operations, winner, version)
    for play in plays:
        if play.process.poll() is None:
            play.kill()
    return record


def crowd(record: Record, operations: Operations, version: str, count: int) -> tuple[Play | None, list[Play]]:
    """-> ``(the deploy that got in and still runs, all of them)``"""
    stack = operations.stack
    known = {release["release"] for release in stack.releases()}
    variables = {"release_version": version, "release_soak_seconds": HOLD_SECONDS, "release_metrics_url": ""}
    plays = {}
    for number in range(1, count + 1):
        operator = f"operator-{number}"
        plays[operator] = operations.start("deploy", {**variables, "ops_operator": operator})
        # Fifty controllers would be on as many machines: here the one that gets in must not be starved by those that do not.
        os.setpriority(os.PRIO_PGRP, plays[operator].process.pid, LOWEST_PRIORITY)
    owner = _first_holder(stack, plays)
    if not record.check(owner is not None, "one deploy gets in"):
        return None, list(plays.values())
    assert owner
    winner = plays[owner]
    os.setpriority(os.PRIO_PGRP, winner.process.pid, NORMAL_PRIORITY)
    losers = {name: play for name, play in plays.items() if play is not winner}
    deadline = time.monotonic() + CROWD_LIMIT_SECONDS
    seen: set[str] = set()
    while any(play.process.poll() is None for play in losers.values()) and time.monotonic() < deadline:
        seen |= {holder["owner"] for holder in stack.holders()}
        time.sleep(0.2)
    ended = {name: play for name, play in losers.items() if play.process.poll() is not None}
    for play in ended.values():
        play.wait()
    record.check(len(ended) == count - 1, "all others end", f"{len(ended)} of {count - 1}")
    record.check(winner.process.poll() is None, "the one that got in still runs", f"{owner}, {winner.seconds:.0f} s")
    record.check(seen <= {owner}, "nobody else ever held the lock", ", ".join(sorted(seen)))
    refused = {name for name, play in ended.items() if play.process.returncode != 0 and _names(play, owner)}
    others = sorted(set(ended) - refused)
    record.check(
        len(refused) == count - 1,
        "every other is refused with the owner's name",
        f"{len(refused)} of {count - 1}" + (f"; not {others[0]}: {last_words(ended[others[0]])}" if others else ""),
    )
    begun = [name for name, play in losers.items() if play.began(LOOK) is not None]
    record.check(not begun, "none of them half-runs: not one goes on after the lock", ", ".join(begun))
    new = [release for release in stack.releases() if release["release"] not in known]
    record.check([release["operator"] for release in new] == [owner], "one release is recorded", ", ".join(r["operator"] for r in new))
    waits = sorted(play.seconds for play in ended.values())
    if waits:
        record.note(f"{count} deploys: the refused ones ended {waits[0]:.0f} to {waits[-1]:.0f} s after their start")
    return (winner if winner.process.poll() is None else None), list(plays.values())


def _first_holder(stack: Stack, plays: dict[str, Play]) -> str | None:
    deadline = time.monotonic() + CROWD_LIMIT_SECONDS
    while time.monotonic() < deadline and any(play.process.poll() is None for play in plays.values()):
        for holder in stack.holders():
            return str(holder["owner"])
        time.sleep(0.05)
    return None


def _names(play: Play, owner: str) -> bool:
    """Whether a playbook says that it is refused because of ``owner``. YAML wraps long lines."""
    said = re.sub(r"\s+", " ", play.output)
    return "refused:" in said and f"Another operation is running: deploy by {owner} on " in said


def after_death(record: Record, operations: Operations, winner: Play, version: str) -> None:
    """Kill the holder; the next deploy begins at once, and waits for the expiry."""
    stack = operations.stack
    winner.kill()
    (dead,) = stack.holders()
    expires = dead["heartbeat"] + dead["expiry"]
    heir = operations.start("deploy", {"release_version": version, "ops_operator": "heir"})
    taken = _taken(stack, heir)
    asked = heir.began("Take the lock of the stack") or heir.started
    heir.wait()
    if not record.check(taken is not None, "the next deploy takes over", "" if taken else last_words(heir)):
        return
    assert taken
    moment = taken["acquired"]
    record.check(asked < expires, "it asks while the dead one's heartbeat has not expired", f"{expires - asked:.1f} s before")
    record.check(moment >= expires, "it gets in not before the heartbeat expired", f"{moment - expires:+.2f} s")
    record.check(moment <= expires + NOTICE_SECONDS, "and soon after", f"{moment - expires:+.2f} s of at most {NOTICE_SECONDS:.0f}")
    record.check(taken["token"] > dead["token"], "under a higher token", f"{taken['token']} after {dead['token']}")
    record.check(
        heir.process.returncode == 0, "and ends with exit 0", f"{heir.seconds:.0f} s" if not heir.process.returncode else last_words(heir)
    )
    problems = stack.unsettled(version)
    record.check(not problems, "all is as it should be", "; ".join(problems) or f"{version} live and healthy, nothing left over")


def _taken(stack: Stack, heir: Play) -> dict[str, Any] | None:
    """The heir's record in the lock, as soon as it is there."""
    while heir.process.poll() is None and heir.seconds < CROWD_LIMIT_SECONDS:
        for holder in stack.holders():
            if holder["owner"] == "heir":
                return holder
        time.sleep(0.02)
    return None
