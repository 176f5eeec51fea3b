"""kill -9 at every step of a deploy: traffic goes on, and the next operation puts everything right."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .operations import Operations, last_words, path_taken
from .play import Play, alive, children_of, family, send, wait_gone
from .record import Record
from .stack import GOOD, Stack, docker
from .traffic import Traffic, failures, longest_silence, shown

PROMISE = (
    "kill -9 of ansible-playbook at any step of a deploy: traffic never breaks, and the next deploy or rollback converges without a hand"
)
#: A dead controller's lock is taken over after this time; the default, 45 s, is waited for at one point only.
LOCK_EXPIRY_SECONDS = 10
SETTLE_SECONDS = 1.0
#: How long a module that outlived its controller may take to end (it knows limits of its own).
ORPHAN_LIMIT_SECONDS = 60
WATCH_LIMIT_SECONDS = 150
BAD = "v1.2.5-errors"

EVERYTHING, CONTROLLER, MODULE = "the whole process tree", "the controller and its workers", "the module alone"

Watch = Callable[[Stack, Play], bool]


def task(name: str, occurrence: int = 1, delay: float = 0.0) -> Watch:
    """``delay`` seconds after a task begins: the name is printed a moment before its module starts."""

    def watch(_stack: Stack, play: Play) -> bool:
        found = play.wait_for_task(name, occurrence, WATCH_LIMIT_SECONDS)
        if found and delay:
            time.sleep(delay)
        return found and play.process.poll() is None

    return watch


def _until(play: Play, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WATCH_LIMIT_SECONDS
    while time.monotonic() < deadline and play.process.poll() is None:
        if condition():
            return True
        time.sleep(0.001)
    return False


def between_write_and_reload(stack: Stack, play: Play) -> bool:
    """The marker of a switch under way appears before the upstream's file is replaced, and goes when nginx serves by it."""
    before = stack.upstream_path.read_bytes()
    return _until(play, lambda: stack.pending_path.exists() and stack.upstream_path.read_bytes() != before)


def second_write(stack: Stack, play: Play) -> bool:
    """The same, when a deploy in steps goes to its second share."""
    return play.wait_for_task("Give it more traffic", 1, WATCH_LIMIT_SECONDS) and between_write_and_reload(stack, play)


def during_reload(stack: Stack, play: Play) -> bool:
    """nginx has begun to start new workers, and nobody has noted yet that it did."""
    name = next(container["name"] for container in stack.containers() if container["service"] == "nginx")
    master = stack.nginx_master(name)
    if not _until(play, stack.pending_path.exists):
        return False
    before = children_of(master)
    return _until(play, lambda: bool(children_of(master) - before) and reloading(master, before))


def reloading(master: int, before: set[int]) -> bool:
    """A child of nginx that is a worker; `nginx -t`, run by docker exec, is no child of the master."""
    fresh = children_of(master) - before
    return any("worker process" in _command(pid) for pid in fresh)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def first_replica_up(stack: Stack, play: Play) -> bool:
    """Compose has made a container of the idle colour; the others, and some starts, are still to come."""
    if not play.wait_for_task("Start the idle colour", 2, WATCH_LIMIT_SECONDS):
        return False
    idle = "app-green" if stack.live_colour() == "app-blue" else "app-blue"
    label = f"label=com.docker.compose.service={idle}"
    names = ["ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={stack.project}", "--filter", label]
    return _until(play, lambda: bool(docker(*names).split()))


def migration_runs(stack: Stack, play: Play) -> bool:
    """The one-off container of the migration has been made."""
    one_off = ["ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={stack.project}"]
    return _until(play, lambda: bool(docker(*one_off, "--filter", "label=com.docker.compose.oneoff=True").split()))


@dataclass(frozen=True)
class Point:
    """``next``: what puts it right: again (the same version), other, back (rollback), home (rollback to what was live, without naming
    it) or override (again, in spite of the quarantine)."""

    name: str
    watch: Watch
    next: str
    victim: str = EVERYTHING
    variables: dict[str, Any] = field(default_factory=dict)
    bad: bool = False


LOOK = "Look at the engine, the Compose file, the load balancer and the disk"
PROVE = "Wait until every replica is healthy and answers with its version"
WATCH = "Watch health, errors and latency of the new release"
STEP = "Watch the new release at this share"
STEPS = {"release_traffic_steps": [20, 50, 100], "release_traffic_step_seconds": 8}
DRAIN = "See interrupted switches through and wait until the former servers have no connection left"
POINTS = [
    Point("guard: taking the lock", task("Take the lock of the stack", delay=0.3), "again"),
    Point("preflight: looking at the engine", task(LOOK, delay=0.3), "other", variables={"guard_lock_expiry": 45}),
    Point("plan", task("Work out what would be done", delay=0.3), "again", CONTROLLER),
    Point("begin: recording the release", task("Keep its id"), "other"),
    Point("migrate: while the expand migration runs", migration_runs, "again", variables={"release_migration_phase": "expand"}),
    Point("start: removing what was in the idle colour", task("Keep what the idle colour leaves behind, and remove it", delay=0.6), "back"),
    Point("start: compose at work, not all replicas up", first_replica_up, "again"),
    Point("start: the controller dead, compose goes on", first_replica_up, "other", CONTROLLER),
    Point("verify: waiting for healthy replicas", task(PROVE, delay=0.5), "again"),
    Point("switch: before the upstream is written", task("Switch traffic"), "back"),
    Point("switch: between the write and the reload", between_write_and_reload, "other"),
    Point("switch: while nginx reloads", during_reload, "again"),
    Point("switch: the module alone, between the write and the reload", between_write_and_reload, "override", MODULE),
    Point("record: traffic moved, not yet written down", task("Record that it gets traffic"), "back"),
    Point("soak: watching", task(WATCH, delay=2.0), "again"),
    Point("step: a part of the traffic, watching", task(STEP, delay=2.0), "again", variables=STEPS),
    Point("step: a part of the traffic, and away from it", task(STEP, 2, 2.0), "home", variables=STEPS),
    Point("step: between the write and the reload of the next", second_write, "other", variables=STEPS),
    Point("drain: old workers still serve", task(DRAIN, 2, 0.5), "other", CONTROLLER),
    Point("finish: about to be recorded as healthy", task("Record that the release is healthy"), "again"),
    Point(
        "undo: a bad release being taken back",
        task("Switch traffic", 2),
        "back",
        bad=True,
        variables={"release_version": BAD, "release_skip_smoke": True},
    ),
]
SAMPLE = (
    "switch: between the write and the reload",
    "step: a part of the traffic, and away from it",
)


def run(stack: Stack, folder: Path, points: list[Point], minutes: float | None = None) -> Record:
    """``minutes``: after so many no further point is begun, and the record says which ones were left out."""
    record = Record("kill", PROMISE)
    operations = Operations(stack, folder)
    operations.ensure_known()
    rows: list[list[Any]] = []
    spans: list[tuple[Point, float, float]] = []
    deadline = time.time() + minutes * 60 if minutes else float("inf")
    with Traffic(stack, folder) as traffic:
        for point in points:
            started = time.time()
            if started > deadline:
                record.note(f"not tried for want of time: {point.name}")
                continue
            rows.append(_try(record, operations, point))
            spans.append((point, started, time.time()))
            if record.failed and not _usable(stack):
                record.note("the stack is no longer usable: the campaign ends here")
                break
        time.sleep(2)
    for row, (point, started, ended) in zip(rows, spans, strict=True):
        failed = failures(traffic.requests, started, ended)
        excused = [request for request in failed if point.bad and request.release == BAD]
        row[-1] = f"{len(failed)}" + (f" ({len(excused)} by {BAD})" if excused else "")
        rest = [request for request in failed if request not in excused]
        served = [request for request in traffic.requests if started <= request.sent < ended]
        numbers = f"{len(rest)} of {len(served)}, longest time without an answer {longest_silence(served):.2f} s {shown(rest)}"
        record.check(not rest, f"{point.name}: no request fails", numbers)
    record.table(
        "Killed, and put right",
        ["step", "killed", "after s", "live then", "left alive", "put right by", "start", "in s", "requests failed"],
        rows,
    )
    record.note(traffic.profile)
    record.note(
        f"A killed run's lock expires {LOCK_EXPIRY_SECONDS} s after its last heartbeat here (45 s, the default, at the preflight); the "
        "next operation begins at once and waits for that."
    )
    record.data["report"] = {key: value for key, value in traffic.report.items() if key != "timeline"}
    return record


def _usable(stack: Stack) -> bool:
    return stack.live() in GOOD


def _try(record: Record, operations: Operations, point: Point) -> list[Any]:
    stack = operations.stack
    live, idle = operations.places()
    # Never the version that is warm: every deploy goes all the way.
    version = point.variables.get("release_version") or next(v for v in GOOD if v not in (live, idle))
    variables = {"release_version": version, "guard_lock_expiry": LOCK_EXPIRY_SECONDS, **point.variables}
    if stack.quarantined(version):
        variables["ops_override"] = ["quarantine"]
    known = {release["release"] for release in stack.releases()}
    play = operations.start("deploy", variables)
    if not point.watch(stack, play):
        play.wait()
        record.check(False, f"{point.name}: the step was met", f"the playbook ended before: {last_words(play)}")
        return [point.name, "-", "-", "-", "-", "-", "-", "-", "-"]
    after = time.time() - play.started
    left = strike(play, point.victim)
    time.sleep(SETTLE_SECONDS)
    begun = [release["release"] for release in stack.releases() if release["release"] not in known]
    then = stack.live()
    record.check(
        then in (live, version),
        f"{point.name}: killed after {after:.1f} s, somebody answers",
        f"{then}; live was {live}, deployed {version}",
    )
    orphans = [_command(pid)[-60:] for pid in left if alive(pid)]
    ended = wait_gone(left, ORPHAN_LIMIT_SECONDS)
    record.check(
        ended is not None, f"{point.name}: what the controller left running ends by itself", f"{len(orphans)} left, {ended or 0:.1f} s"
    )
    if point.victim == MODULE:
        record.check(
            play.wait() != 0 and stack.live() == live, f"{point.name}: the playbook itself puts everything back", f"{stack.live()} is live"
        )
    repair, expected = put_right(operations, point, version, live, idle)
    title = f"{point.name}: put right by {repair.log.stem[3:]}"
    good = repair.process.returncode == 0
    record.check(good, f"{title}, exit 0", f"{repair.seconds:.0f} s, {path_taken(repair)} start" if good else last_words(repair))
    problems = stack.unsettled(expected)
    record.check(
        not problems,
        f"{title}: all is as it should be",
        "; ".join(problems) or f"{expected} live and healthy, record whole, nothing left over",
    )
    record.check(*_recorded(stack, begun, point))
    return [
        point.name,
        point.victim,
        f"{after:.1f}",
        then,
        f"{len(orphans)}",
        repair.log.stem[3:],
        path_taken(repair),
        f"{repair.seconds:.0f}",
        "",
    ]


def strike(play: Play, victim: str) -> list[int]:
    """Kill; -> the processes left alive that only the controller had a hand in."""
    if victim != MODULE:
        return play.kill(everything=victim == EVERYTHING)
    root = play.process.pid
    controllers = {root, *children_of(root)}
    for pid in family(root):
        if pid not in controllers:
            send(pid, signal.SIGKILL)
    return []


def put_right(operations: Operations, point: Point, version: str, live: str, idle: str | None) -> tuple[Play, str]:
    """``(the operation that follows, the version that is live after it)``"""
    if point.next == "home":
        return operations.run("rollback", {}), live
    if point.next == "back":
        if operations.stack.live() == version:
            # Without a version: to the last one that was healthy here.
            return operations.run("rollback", {}), live
        target = idle or next(v for v in GOOD if v not in (live, version))
        return operations.run("rollback", {"release_version": target}), target
    target = next(v for v in GOOD if v not in (version, operations.stack.live())) if point.next == "other" else version
    override = {"ops_override": ["quarantine"]} if point.next == "override" else {}
    return operations.deploy(target, **override), target


def _recorded(stack: Stack, begun: list[str], point: Point) -> tuple[bool, str, str]:
    """The killed release is either not in the record, or closed: interrupted, taken up again to its healthy end, or put back.

    ``begun``: the ids of the releases that were new in the record when the playbook was dead.
    """
    what = f"{point.name}: the record tells of the killed release"
    killed = next((release for release in stack.releases() if release["release"] in begun), None)
    if killed is None:
        return True, what, "it had not begun"
    expected = {"interrupted", "healthy"} if point.victim != MODULE else {"taken_back", "failed"}
    return killed["outcome"] in expected, what, str(killed["outcome"])
