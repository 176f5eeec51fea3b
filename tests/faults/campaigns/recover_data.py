"""A DELETE without WHERE, under load: the state of a backup comes back, nobody writes in between, and the live colour alone serves it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from .fault import DATABASE, Scene
from .operations import Operations, last_words
from .play import Play
from .record import Record
from .restores import TOLD, evidence
from .stack import COLOURS, GOOD, Stack, seconds_of, wait_for_the_rest
from .traffic import Request
from .world import Loads

PROMISE = (
    "After a DELETE without WHERE, under load, what a chosen backup holds is back; from when the application is kept out until it is "
    "let in again no write is accepted, by nobody; only the live colour runs afterwards; and so it is when it was killed and run again"
)
OLD, LIVE = GOOD[0], GOOD[1]
RATE, BEFORE_SECONDS, DAMAGED_SECONDS, AFTER_SECONDS = 60.0, 4.0, 3.0, 4.0
KNOCK_SECONDS, KILL_SECONDS = 0.1, 1.0
CLOSING, RESTORING = "Stop both colours", "Restore beside the live database, prove it, and swap"
FORGET, STARTING = "Forget what was cached", "Start it"
#: What is said of a recovery that stopped when everything was closed, and nothing restored.
STOPPED = (
    "is in maintenance on {0}; no colour is seen to run; astral cannot log in; the database is as it was. Go on: run recover_data again."
)
#: The tables and their rows, at one moment.
ROWS = """
SELECT json_object_agg(relname, rows)
  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace,
       LATERAL (SELECT query_to_xml(format('SELECT count(*) AS c FROM %I.%I', nspname, relname), false, true, '') AS found) asked,
       LATERAL (SELECT (xpath('/row/c/text()', found))[1]::text::int AS rows) counted
 WHERE nspname = 'public' AND relkind = 'r'
"""
#: Drafts that were written after a moment, and before another one.
BETWEEN = "SELECT count(*) FROM drafts WHERE created_at > to_timestamp({0}) AND created_at < to_timestamp({1})"
KEPT = "SELECT count(*) FROM pg_database WHERE datname = '{0}'"


@dataclass(frozen=True)
class Case:
    """``kills``: the tasks at which a run is killed, and which of their occurrences, one run after the other. ``hidden``: the first run
    does not find the backup any more when everything is closed."""

    title: str
    kills: tuple[tuple[str, int], ...] = ()
    hidden: bool = False


# The restore is looked at once before it is done.
CASES = (Case("at once"), Case("stopped", hidden=True), Case("killed", ((RESTORING, 2), (STARTING, 1))))


@dataclass(frozen=True)
class Ground:
    """Where it happens. ``name`` is the stack's, ``hosts`` are those that serve the application, ``start`` begins a playbook there."""

    name: str
    database: Scene
    hosts: dict[str, Stack]
    start: Callable[[str, dict[str, Any]], Play]

    def statuses(self, path: str) -> set[int]:
        return {host.answer(path)[0] for host in self.hosts.values()}

    def others(self) -> list[str]:
        """The containers of a colour that is not live, those that have ended, too."""
        found = ((host.live_colour(), container) for host in self.hosts.values() for container in host.containers())
        return [container["name"] for live, container in found if container["service"] in COLOURS and container["service"] != live]


@dataclass
class Knocker:
    """A context: somebody who has the application's password tries to write past nginx, all the time. ``written`` are the moments."""

    scene: Scene
    written: list[float] = field(default_factory=list)
    refused: int = 0

    def __enter__(self) -> Knocker:
        self._stop = threading.Event()
        self._login: dict[str, Any] = {
            "host": "127.0.0.1", "port": self.scene.port("POSTGRES"), "user": "astral", "dbname": DATABASE, "connect_timeout": 3,
            "password": self.scene.secret("postgres-app-password"),
        }  # fmt: skip
        self._thread = threading.Thread(target=self._knock, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _knock(self) -> None:
        while not self._stop.wait(KNOCK_SECONDS):
            try:
                with contextlib.closing(psycopg2.connect(**self._login)) as connection:
                    connection.cursor().execute("INSERT INTO drafts (name) VALUES ('past nginx')")
                    connection.commit()
                    self.written.append(time.time())
            except psycopg2.Error:
                self.refused += 1


@dataclass
class Attempt:
    """What was seen of one case."""

    name: str
    manifest: dict[str, Any]
    before: set[str]
    inside: dict[str, int] = field(default_factory=dict)
    play: Play | None = None


def run(stack: Stack, folder: Path, cases: int) -> Record:
    record = Record("recover_data", PROMISE)
    operations = Operations(stack, folder, TOLD)
    operations.ensure_live(OLD)
    operations.ensure_live(LIVE)
    try_cases(record, Ground(stack.project, Scene(operations), {"demo": stack}, operations.start), folder, CASES[-cases:])
    return record


def try_cases(record: Record, ground: Ground, folder: Path, cases: Sequence[Case]) -> None:
    """``LIVE`` is live, and ``OLD`` was before."""
    table = [_case(record, ground, case, folder) for case in cases]
    record.table("Lost data", ["killed", "runs", "RTO, s", "RPO, s", "knocks refused", "POSTs refused meanwhile"], table)


def _case(record: Record, ground: Ground, case: Case, folder: Path) -> list[Any]:
    logs = folder / case.title.replace(" ", "-")
    logs.mkdir()
    with Loads(ground.hosts, logs, RATE) as loads, Knocker(ground.database) as knocker:
        time.sleep(BEFORE_SECONDS)
        attempt = _backed_up(record, ground, case)
        time.sleep(DAMAGED_SECONDS)
        ground.database.psql("DELETE FROM drafts")
        time.sleep(DAMAGED_SECONDS)
        _recovered(record, ground, case, attempt)
        time.sleep(AFTER_SECONDS)
    return _judge(record, ground, case, attempt, [one for found in loads.requests.values() for one in found], knocker)


def _backed_up(record: Record, ground: Ground, case: Case) -> Attempt:
    scene = ground.database
    before = set(scene.psql("SELECT id FROM drafts").split())
    play = ground.start("backup", {"backup_checksums": True})
    play.wait()
    record.check(play.process.returncode == 0, f"{case.title}: a backup under load", f"{play.seconds:.0f} s")
    name = evidence(play)["backup"]["name"]
    return Attempt(name, json.loads((scene.stack.state / "backups" / name / "manifest.json").read_text()), before)


def _recovered(record: Record, ground: Ground, case: Case, attempt: Attempt) -> None:
    variables = {"restore_backup": attempt.name, "ops_confirm": DATABASE}
    if case.hidden:
        _stopped(record, ground, case, attempt, variables)
    for task, occurrence in case.kills:
        play = ground.start("recover_data", variables)
        if task == STARTING:
            _seen(ground.database, play, attempt)
        met = play.wait_for_task(task, occurrence)
        time.sleep(KILL_SECONDS)
        play.kill()
        wait_for_the_rest(ground.name)
        record.check(met, f"{case.title}: killed at {task!r}", f"{play.seconds:.0f} s" if met else last_words(play))
        if task == RESTORING:
            record.check(ground.statuses("/api/drafts") == {503}, f"{case.title}: and people are told that there is maintenance")
    play = attempt.play = ground.start("recover_data", variables)
    if not attempt.inside:
        _seen(ground.database, play, attempt)
    code = play.wait()
    record.check(code == 0, f"{case.title}: it comes back", f"{play.seconds:.0f} s" if code == 0 else last_words(play))


def _stopped(record: Record, ground: Ground, case: Case, attempt: Attempt, variables: dict[str, Any]) -> None:
    """Half-way, with nobody killed: it says in which state it stops."""
    backup = ground.database.stack.state / "backups" / attempt.name
    play = ground.start("recover_data", variables)
    met = play.wait_for_task(CLOSING)
    elsewhere = backup.rename(backup.with_name("elsewhere"))
    code = play.wait()
    elsewhere.rename(backup)
    record.check(met and code != 0, f"{case.title}: it stops when everything is closed", f"{play.seconds:.0f} s; {last_words(play)}")
    words, wanted = " ".join(play.output.split()), STOPPED.format(", ".join(ground.hosts))
    record.check(wanted in words, f"{case.title}: it says what is closed, what the database is, and how to go on", wanted)
    record.check(ground.statuses("/api/drafts") == {503}, f"{case.title}: and people are told that there is maintenance")


def _seen(scene: Scene, play: Play, attempt: Attempt) -> None:
    """What is there between the restore and the first request."""
    if play.wait_for_task(FORGET):
        attempt.inside = json.loads(scene.psql(ROWS))


def _judge(record: Record, ground: Ground, case: Case, attempt: Attempt, requests: list[Request], knocker: Knocker) -> list[Any]:
    what, scene = case.title, ground.database
    assert attempt.play
    try:
        found = evidence(attempt.play, ground.hosts)
        fenced, opening = seconds_of(found["steps"]["fenced"]), seconds_of(found["steps"]["opening"])
    except (ValueError, KeyError) as error:
        record.check(False, f"{what}: the result says when nobody wrote", repr(error))
        return [what, "-", "-", "-", "-", "-"]
    wanted = {table["name"]: table["rows"] for table in attempt.manifest["tables"]}
    record.check(attempt.inside == wanted, f"{what}: what the backup holds is back, before people are let in", f"{attempt.inside}")
    now = set(scene.psql("SELECT id FROM drafts").split())
    lack = f"{len(attempt.before - now)} of {len(attempt.before)} lack"
    record.check(attempt.before <= now, f"{what}: every draft from before the backup is there", lack)
    # Who began before the snapshot was over a moment later.
    late = scene.psql(BETWEEN.format(seconds_of(attempt.manifest["snapshot_at"]) + 0.5, opening))
    record.check(late == "0", f"{what}: and nothing that was written later", late)
    past = [moment for moment in knocker.written if fenced < moment < opening]
    knocks = f"{len(past)} written, {knocker.refused} refused"
    record.check(not past and knocker.refused > 0, f"{what}: who knows the password is kept out, too", knocks)
    meanwhile = [one for one in requests if one.kind == "post" and fenced <= one.sent < opening]
    accepted = [one for one in meanwhile if one.status and one.status < 300]
    record.check(not accepted, f"{what}: no write is accepted meanwhile", f"{len(accepted)} of {len(meanwhile)}")
    problems = [f"{name}: {problem}" for name, host in ground.hosts.items() for problem in host.unsettled(LIVE)]
    record.check(not problems, f"{what}: {LIVE} is live, and all agrees with that", "; ".join(problems))
    others = ground.others()
    record.check(not others, f"{what}: the live colour alone runs", ", ".join(others))
    again = [one for one in requests if one.kind == "post" and one.sent > opening and one.status == 201]
    record.check(bool(again), f"{what}: people write again", f"{len(again)} drafts")
    kept = scene.psql(KEPT.format(found["previous"]))
    record.check(kept == "1", f"{what}: the database before is kept", str(found["previous"]))
    return [what, found["runs"], found["rto_seconds"], found["rpo_seconds"], knocker.refused, len(meanwhile)]
