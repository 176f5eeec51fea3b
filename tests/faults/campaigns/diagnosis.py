"""Faults put into the stack, one after the other: the diagnosis names each, in time, and changes nothing."""

from __future__ import annotations

import re
import time
import traceback
from pathlib import Path
from typing import Any

from . import fingerprint
from .faults import FAULTS, Fault, Scene, wait_for
from .operations import Operations, last_words
from .play import Play
from .record import Record
from .restores import TOLD, evidence
from .stack import GOOD, Stack, docker
from .traffic import Traffic

PROMISE = "The diagnosis ranks the right cause of an injected fault first, within 20 s, changes nothing, and claims none without a fault"
LIMIT_SECONDS = 20.0
#: Of twelve one may be ranked wrongly.
WRONG = 1
SAMPLE = ("stale_upstream", "redis_out_of_memory")
#: So many requests a second: enough to be measured, few enough to leave the machine to the diagnosis. GET alone, for the database's counts.
RATE, SEASON_RATE = 20.0, 4.0
QUIET = ("--post-share", "0", "--clients", "6", "--idle-clients", "0", "--slow-clients", "0", "--timeout", "10")
WELL_SECONDS, LATE_SECONDS = 90.0, 0.5
#: What clients ask for, in Prometheus' words.
CLIENTS = 'route!~"/api/health|/metrics|/api/slow"'
HEADER = ["fault", "what showed", "ranked first", "right", "seconds", "changed"]


def chosen(match: str | None, sample: bool) -> list[type[Fault]]:
    if match:
        return [fault for fault in FAULTS if re.search(match, fault.cause)]
    return [fault for fault in FAULTS if not sample or fault.cause in SAMPLE]


class Patient:
    """The stack, looked at with and without a fault."""

    def __init__(self, record: Record, stack: Stack, folder: Path) -> None:
        self.record = record
        self.operations = Operations(stack, folder)
        self._diagnoses = Operations(stack, folder, TOLD)
        self.scene = Scene(self.operations)
        self.rows: list[list[str]] = []

    def diagnose(self) -> tuple[Play, list[dict[str, Any]] | None, list[str]]:
        """``(the run, its causes or None where it told none, what was changed meanwhile)``"""
        before = fingerprint.taken(self.scene)
        play = self._diagnoses.run("diagnose", {})
        changed = fingerprint.differences(before, fingerprint.taken(self.scene))
        try:
            return play, evidence(play)["hypotheses"], changed
        except (ValueError, KeyError):
            return play, None, changed

    def healthy(self, when: str) -> None:
        well = wait_for(lambda: not (self.ill() or self._lately()), WELL_SECONDS, 1)
        self.record.check(bool(well), f"{when}: the stack is well, and has been for a minute", self.ill() or self._lately())
        play, causes, changed = self.diagnose()
        told = "no result" if causes is None else ", ".join(cause["cause"] for cause in causes) or "none"
        self.record.check(causes == [], f"{when}: no cause is claimed", told if causes is not None else last_words(play))
        self._common(when, play, changed)

    def _common(self, what: str, play: Play, changed: list[str]) -> None:
        self.record.check(play.seconds < LIMIT_SECONDS, f"{what}: diagnosed within {LIMIT_SECONDS:.0f} s", f"{play.seconds:.1f} s")
        self.record.check(not changed, f"{what}: nothing is changed by it", "; ".join(changed[:5]))

    def suffers(self, kind: type[Fault]) -> bool:
        """Whether the fault's cause was ranked first."""
        fault = kind(self.scene)
        try:
            fault.inject()
            seen = wait_for(fault.shows, fault.patience)
            if not self.record.check(bool(seen), f"{fault.cause}: the fault is there", seen):
                return False
            play, causes, changed = self.diagnose()
            first = causes[0]["cause"] if causes else "none" if causes is not None else "no result"
            self._common(fault.cause, play, changed)
            stays = wait_for(fault.shows, 10)
            self.record.check(bool(stays), f"{fault.cause}: the fault is still there afterwards", stays)
            right = first == fault.cause
            others = ", ".join(cause["cause"] for cause in (causes or [])[1:])
            self.record.note(f"{fault.cause}: ranked first is {first}" + (f", then {others}" if others else "") + f" ({play.log})")
            self.rows.append(
                [fault.cause, seen, first, "yes" if right else "NO", f"{play.seconds:.1f}", "; ".join(changed[:2]) or "nothing"]
            )
            return right
        except Exception as error:
            traceback.print_exc()
            return self.record.check(False, f"{fault.cause}: it could be tried", repr(error)[:300])
        finally:
            self._undo(fault)

    def _undo(self, fault: Fault) -> None:
        try:
            fault.undo()
        except Exception:
            traceback.print_exc()
        well = wait_for(lambda: not self.ill(), WELL_SECONDS, 1)
        self.record.check(bool(well), f"{fault.cause}: undone, and the stack is well again", self.ill())

    def _lately(self) -> str:
        """What Prometheus still sees of the last minute, which is what a diagnosis looks at; empty when all was well."""
        errors = self.scene.measured(f'increase(http_requests_total{{status=~"5..",{CLIENTS}}}[1m])')
        late = self.scene.measured(f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{CLIENTS}}}[1m])))")
        told = f"{errors:.0f} errors, 95 % of the answers within {late:.2f} s in the last minute"
        return told if errors > 0 or late > LATE_SECONDS else ""

    def ill(self) -> str:
        """What is not as it is on a good day; empty when all is well."""
        stack = self.scene.stack
        live = stack.live()
        problems = stack.unsettled(live) if live else ["no release answers"]
        problems += [f"{path} ends with {status}" for path in ("/api/drafts", "/api/season") if (status := self.scene.status(path)) != 200]
        if live and live not in GOOD:
            problems.append(f"{live} is live")
        shown = docker("ps", "--filter", f"label=com.docker.compose.project={stack.project}", "--format", "{{.Names}}: {{.Status}}")
        problems += [line for line in shown.splitlines() if "unhealthy" in line or "starting" in line]
        return "; ".join(problems)


def run(stack: Stack, folder: Path, faults: list[type[Fault]], minutes: float | None = None) -> Record:
    """``minutes``: after so many no further fault is begun, and the rest is named."""
    record = Record("diagnosis", PROMISE)
    patient = Patient(record, stack, folder)
    began = time.monotonic()
    patient.operations.ensure_live(GOOD[0])
    if patient.scene.status("/api/season") == 404:
        raise RuntimeError("the live release knows no API outside: it is of an older image. Deploy another version and this one again")
    for name in ("visitors", "season"):
        (folder / name).mkdir()
    with (
        Traffic(stack, folder / "visitors", RATE, QUIET),
        Traffic(stack, folder / "season", SEASON_RATE, (*QUIET, "--path", "/api/season")),
    ):
        patient.healthy("before")
        right = tried = 0
        for fault in faults:
            if minutes and time.monotonic() - began > 60 * minutes:
                record.note(f"Not tried, for lack of time: {', '.join(fault.cause for fault in faults[tried:])}")
                break
            right, tried = right + patient.suffers(fault), tried + 1
        patient.healthy("after")
    least = tried - WRONG if tried == len(FAULTS) else tried
    record.check(right >= least, "the right cause is ranked first", f"{right} of {tried}, at least {least} are asked for")
    record.table("The faults", HEADER, patient.rows)
    return record
