"""Three app hosts over SSH: deploy, bad deploy and rollback, and a second host that fails when the first one has the new release."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .certificates import Seen, ask
from .deploys import MINIMUM_RATE
from .operations import last_words
from .play import Play
from .record import Record
from .stack import Stack
from .traffic import COOL_DOWN_SECONDS, failures, shown
from .world import Loads, World

PROMISE = "On three app hosts over SSH nothing costs a request; when the second host fails, the first is back on the old release"
FIRST, SECOND = "app-1", "app-2"
OLD, NEW, HALF_BAD, BAD = "v1.2.2", "v1.2.3", "v1.2.4", "v1.2.5-errors"

#: As tests/hosts/up publishes the ports of a host.
TLS_ABOVE_HTTP = 10

#: What happens beside a playbook, from when the first host has the new release until the playbook has ended.
Beside = Callable[[World, Record], AbstractContextManager[None]]


@contextmanager
def second_unreachable(world: World, _record: Record) -> Iterator[None]:
    with world.unreachable(SECOND):
        yield


@contextmanager
def second_without_engine(world: World, _record: Record) -> Iterator[None]:
    with world.without_engine(SECOND):
        yield


@contextmanager
def rival(world: World, record: Record) -> Iterator[None]:
    """Somebody else deploys, too: one lock for the stack, whatever the number of its hosts."""
    play = world.run("deploy", {"release_version": HALF_BAD, "ops_operator": "somebody else", "ops_reason": "in a hurry"})
    text = " ".join(play.output.split())
    record.check(
        play.process.returncode not in (0, None) and "deploy" in text and HALF_BAD not in str(world.live()),
        "a second deploy meanwhile is refused", f"exit {play.process.returncode} in {play.seconds:.0f} s: {last_words(play)[:200]}",
    )  # fmt: skip
    started = [name for name, host in world.hosts.items() if any(r["version"] == HALF_BAD for r in host.releases())]
    record.check(not started, "and started nothing on any host", ", ".join(started))
    yield


@dataclass(frozen=True)
class Case:
    """One playbook on all hosts. ``after`` is live everywhere when it has ended, and was before unless it ``succeeds``."""

    title: str
    playbook: str
    variables: dict[str, Any]
    after: str
    succeeds: bool = True
    beside: Beside | None = None
    #: Requests that this release answers may fail: they reached it, which is what a soak is for.
    bad: str | None = None
    sample: bool = False
    silent: str | None = None

    @property
    def version(self) -> str:
        return self.variables.get("release_version", self.after)


CASES = [
    Case("a good release, and a second operation meanwhile", "deploy", {"release_version": NEW}, NEW, beside=rival, sample=True),
    Case("a rollback", "rollback", {}, OLD),
    Case("a bad release", "deploy", {"release_version": BAD}, OLD, succeeds=False, bad=BAD),
    Case(
        "a release that is bad on the second host alone",
        "deploy",
        # Without the smoke tests, which might find it before it gets a request.
        {"release_version": HALF_BAD, "release_skip_smoke": True, "host_faults": {SECOND: {"FAULT_ERROR_RATE": "0.3"}}},
        OLD,
        succeeds=False,
        bad=HALF_BAD,
        sample=True,
    ),
    Case(
        "the second host cannot be reached any more",
        "deploy",
        {"release_version": NEW},
        OLD,
        succeeds=False,
        beside=second_unreachable,
        silent=SECOND,
    ),
    Case("the second host's engine is down", "deploy", {"release_version": NEW}, OLD, succeeds=False, beside=second_without_engine),
    Case("the good release again, all hosts well", "deploy", {"release_version": NEW}, NEW),
    Case("an emergency rollback", "rollback", {"release_version": OLD, "release_emergency": True}, OLD, sample=True),
]


@dataclass
class Run:
    case: Case
    play: Play
    recorded: list[str] = field(default_factory=list)


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("hosts", PROMISE)
    with World(stack, folder) as world:
        world.ensure_live(OLD)
        runs = []
        with Loads(world.hosts, folder) as loads:
            for case in CASES:
                if case.sample or not sample:
                    runs.append(_try(record, world, case))
            one_certificate(record, world)
            time.sleep(COOL_DOWN_SECONDS)
        _judge(record, world, loads, runs)
    return record


def _try(record: Record, world: World, case: Case) -> Run:
    if not case.succeeds:
        world.ensure_live(case.after)
    with ExitStack() as beside:
        play = world.start(case.playbook, {**case.variables, **world.override(case.version)})
        if case.beside:
            met = world.wait_until_live(FIRST, case.version, play)
            record.check(met, f"{case.title}: {FIRST} served {case.version} before the others were done", "" if met else last_words(play))
            beside.enter_context(case.beside(world, record))
        play.wait()
        live = world.live()
    found = Run(case, play, [world.last_release(name) for name in world.hosts])
    code = play.process.returncode
    record.note(f"{case.title}: {play.seconds:.0f} s, exit {code}")
    record.check(
        (code == 0) == case.succeeds and code is not None,
        f"{case.title}: the playbook says that it {'succeeded' if case.succeeds else 'failed'}", f"exit {code}; {last_words(play)}"[:400],
    )  # fmt: skip
    record.check(set(live.values()) == {case.after}, f"{case.title}: {case.after} is live on every host", str(live))
    problems = world.unsettled(case.after, case.silent)
    record.check(not problems, f"{case.title}: every host's record, containers and lock agree with that", "; ".join(problems))
    if case.bad:
        where = SECOND if "host_faults" in case.variables else FIRST
        entry = world.hosts[where].releases()[-1]
        record.check(
            (entry["version"], entry["outcome"]) == (case.bad, "taken_back"),
            f"{case.title}: the record of {where} says that it was taken back",
            f"{entry['version']} {entry['outcome']}: {entry['message'][:160]}",
        )
    return found


def one_certificate(record: Record, world: World) -> None:
    """Ordered of pebble on the first host, through its nginx, and served by all of them, asked of openssl."""
    ca = world.hosts[FIRST].state / "pebble/ca.pem"
    with world.named_to_pebble(FIRST) as name:

        def served() -> dict[str, Seen]:
            return {host: ask(stack.port + TLS_ABOVE_HTTP, ca, name) for host, stack in world.hosts.items()}

        before = served()
        for what, changed in (("ordered once", ["changed=2 ", "changed=1 ", "changed=1 "]), ("not due", ["changed=0 "] * 3)):
            play = world.run("certificate_renew", {"certificate_names": [name]})
            good = play.process.returncode == 0 and sorted(re.findall(r"changed=\d+ ", play.output)) == sorted(changed)
            record.check(good, f"one certificate, {what}: the playbook says so", f"{play.seconds:.0f} s" if good else last_words(play))
            after = served()
            one = {seen.fingerprint for seen in after.values()}
            all_well = len(one) == 1 and all(seen.verified and seen.names == name for seen in after.values())
            fresh = all(after[host].fingerprint != before[host].fingerprint for host in after)
            record.check(all_well and fresh, f"one certificate, {what}: every host serves it, and it verifies", str(after))
        play = world.run("certificates", {"certificate_names": [name]})
        good = play.process.returncode == 0 and play.output.count("healthy") >= len(world.hosts)
        record.check(good, "one certificate: looked at on every host", "" if good else last_words(play))


def _judge(record: Record, world: World, loads: Loads, runs: list[Run]) -> None:
    rows = []
    for number, found in enumerate(runs):
        until = runs[number + 1].play.started if number + 1 < len(runs) else float("inf")
        lost, count, reached = [], 0, 0
        for requests in loads.requests.values():
            served = [request for request in requests if found.play.started <= request.sent < until]
            count += len(served)
            failed = failures(served)
            reached += sum(request.release == found.case.bad for request in failed if found.case.bad)
            lost += [request for request in failed if not (found.case.bad and request.release == found.case.bad)]
        record.check(
            not lost, f"{found.case.title}: no request failed{', those that reached it apart' if found.case.bad else ''}",
            f"{len(lost)} of {count} {shown(lost)}",
        )  # fmt: skip
        rows.append([found.case.title, f"{found.play.seconds:.0f}", count, reached, len(lost), *found.recorded])
    record.table(
        "One operation after another, on all three hosts",
        ["operation", "s", "requests", "failed on the bad one", "failed", *world.hosts],
        rows,
    )
    record.note("The last columns: the last entry of each host's own record when the operation had ended.")
    for profile in loads.profiles:
        record.note(profile)
    record.check(loads.rate >= MINIMUM_RATE, "the load was what was asked for", f"{loads.rate:.0f}/s of at least {MINIMUM_RATE:.0f}")
