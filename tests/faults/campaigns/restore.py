"""kill -9 at every step of a restore, under writers and a superuser's session: the live database is the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from .operations import last_words
from .play import Play, send, wait_gone
from .record import Record
from .restores import DATABASE, WRITER, Restores, wait_for
from .server import Ledger, Server, Superuser
from .stack import Stack

PROMISE = (
    "kill -9 of the controller, of the restore or of PostgreSQL at any step of a restore: the live database is the old one or the new one, "
    "never a mix, running it again converges, and restore_undo gives back every row that was acknowledged"
)
#: Times 100,000 accounts of pgbench and 10,000 documents: large enough for each step to last.
SCALE, SAMPLE_SCALE = 20, 5
LOCK_EXPIRY_SECONDS = 10
WATCH_LIMIT_SECONDS, ORPHAN_LIMIT_SECONDS = 120, 180
#: A point so short that a run may pass it unseen is tried so often.
TRIES = 4
SLICE_SECONDS, SETTLE_SECONDS = 0.001, 0.15
SERVER_DOWN_SECONDS = 1.0
#: Of the rate that is wanted, on a busy machine.
LEAST_RATE = 0.8
#: What an operation that ended must have let in within this time.
OPEN_SECONDS = 10.0

EVERYTHING, CONTROLLER = "everything but PostgreSQL", "the controller and its workers"
MODULE, TOOL, SERVER = "the module alone", "pg_restore alone", "PostgreSQL"
RESTORE, UNDO = "restore", "restore_undo"
OLD, NEW = "old", "new"
MODULE_FILE = "AnsiballZ_postgres_restore"


FENCE = """
SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.objid
 WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND l.mode = 'AccessExclusiveLock' AND d.datname = %s
"""


class Eye:
    """Looks at the server by a connection of its own, as fast as that answers; dead when the server is."""

    def __init__(self, server: Server) -> None:
        self._connection = server.connect("postgres")
        self._cursor = self._connection.cursor()
        self._database = server.database

    def close(self) -> None:
        self._connection.close()

    def live(self) -> int:
        """The oid of the live database."""
        self._cursor.execute("SELECT oid FROM pg_database WHERE datname = %s", (self._database,))
        return int(self._cursor.fetchone()[0])

    def fenced(self) -> bool:
        """Whether somebody has, or waits for, the lock for which everybody waits who connects to the live database."""
        self._cursor.execute(FENCE, (self._database,))
        return bool(self._cursor.fetchone()[0])

    def runs(self, pattern: str) -> bool:
        """Whether a statement like that is running anywhere."""
        self._cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query ~* %s", (pattern,)
        )
        return bool(self._cursor.fetchone()[0])


@dataclass
class Scene:
    """What a point needs. ``old`` is the oid of the database of the beginning; ``before`` is what is in it and ``after`` what is in the
    backup, beside the ledger, which has ``base`` in both."""

    stack: Stack
    restores: Restores
    ledger: Ledger
    old: int
    before: dict[str, Any]
    after: dict[str, Any]
    base: set[tuple[int, int]]

    @property
    def server(self) -> Server:
        return self.restores.server

    def ours(self, name: str = "") -> list[int]:
        """The processes of the operation, in containers too, without the controller's own, by a part of their command."""
        mark = f"ASTRALDRAFT_OPERATION={self.stack.project}/".encode()
        found = []
        for pid in (int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if name in command and "async_wrapper" not in command and mark in Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(pid)
        return found

    def progress(self) -> str:
        """The line that a module in the background keeps about how it stands."""
        found = []
        for path in self.restores.remote.glob("*/progress"):
            with contextlib.suppress(OSError):
                found.append(path.read_text())
        return " ".join(found)

    def judge(self) -> tuple[str, list[str]]:
        """``(which database is live, what is not as it should be in it)``. Raises psycopg2.Error when nobody gets in."""
        oid = self.restores.live()
        which = OLD if oid == self.old else NEW
        told = self.base | self.ledger.told.get(oid, set()).copy()
        there = self.restores.ledger()
        sent = self.base | self.ledger.sent.get(oid, set()).copy()
        found = self.restores.fingerprint()
        expected = self.before if which == OLD else self.after
        problems = [f"{name}: {found[name]} instead of {expected[name]}" for name in expected if found[name] != expected[name]]
        if told - there:
            problems.append(f"{len(told - there)} acknowledged rows are missing, the first {min(told - there)}")
        if there - sent:
            problems.append(f"{len(there - sent)} rows are of another database, the first {min(there - sent)}")
        return which, problems


Watch = Callable[[Scene, Play], bool]


@contextlib.contextmanager
def looking(scene: Scene) -> Iterator[Eye]:
    eye = Eye(scene.server)
    try:
        yield eye
    finally:
        eye.close()


def _until(play: Play, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WATCH_LIMIT_SECONDS
    while time.monotonic() < deadline and play.process.poll() is None:
        if condition():
            return True
        time.sleep(0.001)
    return False


def task(name: str, occurrence: int = 1, delay: float = 0.0) -> Watch:
    """``delay`` seconds after a task begins."""

    def watch(_scene: Scene, play: Play) -> bool:
        found = play.wait_for_task(name, occurrence, WATCH_LIMIT_SECONDS)
        if found and delay:
            time.sleep(delay)
        return found and play.process.poll() is None

    return watch


def statement(pattern: str, delay: float = 0.0) -> Watch:
    """While a statement like that runs on the server."""

    def watch(scene: Scene, play: Play) -> bool:
        with looking(scene) as eye:
            found = _until(play, lambda: eye.runs(pattern))
        if found and delay:
            time.sleep(delay)
        return found

    return watch


def phase(words: str, delay: float = 0.0) -> Watch:
    """While the module says of itself that it does that."""

    def watch(scene: Scene, play: Play) -> bool:
        found = _until(play, lambda: words in scene.progress())
        if found and delay:
            time.sleep(delay)
        return found

    return watch


def fenced(scene: Scene, play: Play) -> bool:
    """Nobody gets into the live database, and it is still the one that it was. The module is stopped there."""
    with looking(scene) as eye:
        before = eye.live()
        return _until(play, eye.fenced) and stopped(scene) and eye.live() == before


def renamed(scene: Scene, play: Play) -> bool:
    """The names are exchanged, and the module has not heard of it. It goes on in slices until then: each is too short for an answer."""
    with looking(scene) as eye:
        before = eye.live()
        if not _until(play, eye.fenced):
            return False
        deadline = time.monotonic() + WATCH_LIMIT_SECONDS
        while stopped(scene) and time.monotonic() < deadline and play.process.poll() is None:
            # The server goes on by itself once the sessions have ended.
            if wait_for(lambda: eye.live() != before, SETTLE_SECONDS, 0.001):
                return True
            for pid in scene.ours(MODULE_FILE):
                send(pid, signal.SIGCONT)
            time.sleep(SLICE_SECONDS)
    return False


def stopped(scene: Scene) -> bool:
    """Stop the module; -> whether there is one."""
    pids = scene.ours(MODULE_FILE)
    for pid in pids:
        send(pid, signal.SIGSTOP)
    return bool(pids)


@dataclass(frozen=True)
class Point:
    name: str
    watch: Watch
    victim: str
    operation: str = RESTORE

    def __str__(self) -> str:
        return f"{self.name}, {self.victim}"


POINTS = [
    Point("lock: taking it", task("Take the lock of the stack", delay=0.3), EVERYTHING),
    Point("safety backup: dumping", statement("^COPY .* TO stdout"), EVERYTHING),
    Point("load: rows", statement("^COPY .* FROM stdin", 0.3), TOOL),
    Point("load: rows", statement("^COPY .* FROM stdin", 0.3), MODULE),
    Point("load: rows", statement("^COPY .* FROM stdin", 0.3), SERVER),
    Point("load: rows, the controller dead", statement("^COPY .* FROM stdin"), CONTROLLER),
    Point("load: indexes", statement("CREATE INDEX|ADD CONSTRAINT"), EVERYTHING),
    Point("load: indexes", statement("CREATE INDEX|ADD CONSTRAINT"), SERVER),
    Point("compare", phase("compar"), MODULE),
    Point("fenced, before the names change", fenced, MODULE),
    Point("fenced, before the names change", fenced, SERVER),
    Point("fenced, before the names change", fenced, EVERYTHING),
    Point("names changed", renamed, MODULE),
    Point("names changed", renamed, SERVER),
    Point("names changed", renamed, EVERYTHING),
    Point("swapped, before the end", task("Remove the databases of earlier restores that are kept no longer"), EVERYTHING),
    Point("undo: fenced, before the names change", fenced, MODULE, UNDO),
    Point("undo: fenced, before the names change", fenced, SERVER, UNDO),
    Point("undo: names changed", renamed, EVERYTHING, UNDO),
]
HEADER = ["step", "killed", "after s", "live then", "live at rest", "again s", "no commit s", "undo s", "rows kept"]
SAMPLE = (("names changed", MODULE),)


def chosen(match: str | None, sample: bool) -> list[Point]:
    if match:
        return [point for point in POINTS if re.search(match, str(point))]
    return [point for point in POINTS if not sample or (point.name, point.victim) in SAMPLE]


def run(stack: Stack, folder: Path, points: list[Point], scale: int, minutes: float | None = None) -> Record:
    """``minutes``: after so many no further point is begun, and the record says which ones were left out."""
    record = Record("restore", PROMISE)
    rows: list[list[Any]] = []
    deadline = time.monotonic() + minutes * 60 if minutes else float("inf")
    with Server(stack, "restore", DATABASE) as server:
        restores = Restores(stack, folder, server, guard_lock_expiry=LOCK_EXPIRY_SECONDS)
        restores.fill(scale)
        before, after = damaged(record, restores)
        base = restores.ledger()
        with Ledger(server, WRITER) as ledger, Superuser(server) as superuser:
            scene = Scene(stack, restores, ledger, restores.live(), before, after, base)
            started = time.monotonic()
            time.sleep(3)
            rate = ledger.rate(started + 1, time.monotonic())
            record.check(rate > Ledger.RATE * LEAST_RATE, f"{Ledger.RATE} commits/s, undisturbed", f"{rate:.0f}/s")
            refused_by_application(record, scene)
            for point in points:
                if time.monotonic() > deadline:
                    record.note(f"not tried for want of time: {point}")
                    continue
                if not attempt(record, scene, point, rows):
                    record.note("the database of the beginning is not live any more: the campaign ends here")
                    break
            record.check(superuser.ended > 0, "the superuser's session was ended, too", f"{superuser.ended} times")
    record.table("Killed, run again, and undone", HEADER, rows)
    record.note(
        f"{Ledger.WRITERS} writers, {Ledger.RATE} commits/s in all; {sum(map(len, ledger.told.values()))} acknowledged. 'no commit' is the "
        "longest time without one while it was run again; by hand it is as long as the restore."
    )
    return record


def damaged(record: Record, restores: Restores) -> tuple[dict[str, Any], dict[str, Any]]:
    """A backup, and then some damage: what is live and what is in the backup differ in every table. -> both"""
    server = restores.server
    server.psql("INSERT INTO ledger (writer, number) SELECT -1, n FROM generate_series(1, 5000) n")
    backup = restores.run("backup")
    record.check(backup.process.returncode == 0, "a backup to begin with", f"{backup.seconds:.0f} s")
    after = restores.fingerprint()
    server.psql(
        "DELETE FROM documents WHERE id % 10 = 0", "UPDATE pgbench_accounts SET abalance = 1 WHERE aid % 100 = 0",
        "UPDATE pgbench_tellers SET tbalance = 1", "UPDATE pgbench_branches SET bbalance = 1", "CREATE TABLE later (id int)",
    )  # fmt: skip
    before = restores.fingerprint()
    record.check(all(before[name] != after[name] for name in after), "live and backup differ in every table")
    return before, after


def refused_by_application(record: Record, scene: Scene) -> None:
    """The application does not work with what was restored: swapped back by itself."""
    nobody = {"name": "application", "type": "tcp", "host": "127.0.0.1", "port": 1}
    play = scene.restores.run(RESTORE, restore_checks=[nobody], restore_check_timeout=2)
    said = "does not work with" in play.output and "is live again" in play.output
    record.check(play.process.returncode > 0 and said, "an application that says no: the playbook fails, and says so", last_words(play))
    record.check(judged(record, scene, "an application that says no") == OLD, "an application that says no: swapped back by itself")
    record.check(writes(scene), "an application that says no: the writers are back")


def attempt(record: Record, scene: Scene, point: Point, rows: list[list[Any]]) -> bool:
    """Kill, run again, undo. -> whether the database of the beginning is live, so that there can be a next one"""
    if point.operation == UNDO:
        first = scene.restores.run(RESTORE)
        record.check(first.process.returncode == 0, f"{point}: restored, to be undone", words(first))
    for _try in range(TRIES):
        play = scene.restores.start(point.operation)
        met = point.watch(scene, play)
        if met:
            break
        # Whatever it stopped goes on.
        for pid in scene.ours(MODULE_FILE):
            send(pid, signal.SIGCONT)
        play.wait()
        if point.operation == RESTORE and scene.restores.live() != scene.old:
            scene.restores.run(UNDO)
        elif point.operation == UNDO and scene.restores.live() == scene.old:
            scene.restores.run(RESTORE)
    if not record.check(met, f"{point}: the step was met", "" if met else words(play)):
        return back(scene)
    after = time.time() - play.started
    then = strike(scene, play, point.victim)
    ended = wait_gone(scene.ours(), ORPHAN_LIMIT_SECONDS)
    record.check(ended is not None, f"{point}: what was left running ends by itself", f"{ended or 0:.1f} s")
    if point.victim in (MODULE, TOOL, SERVER):
        # Nobody killed the controller: it says what it found.
        play.wait()
        record.check(play.process.returncode > 0, f"{point}: the playbook fails", f"exit {play.process.returncode}")
    record.check(then in (OLD, NEW), f"{point}: killed after {after:.1f} s, one of both has the name", then)
    killed = judged(record, scene, f"{point}: killed")
    record.check(writes(scene), f"{point}: killed, the writers are back")

    began = time.monotonic()
    again = scene.restores.run(point.operation)
    away, seconds = scene.ledger.silence(began), time.monotonic() - began
    record.check(again.process.returncode == 0, f"{point}: run again, exit 0", words(again))
    expected = NEW if point.operation == RESTORE else OLD
    found = judged(record, scene, f"{point}: run again")
    record.check(found == expected, f"{point}: run again, the {expected} one is live", found)
    record.check(writes(scene), f"{point}: run again, the writers are back")
    given_back, undone = "-", 0.0
    if point.operation == RESTORE:
        undo = scene.restores.run(UNDO)
        undone = undo.seconds
        record.check(undo.process.returncode == 0, f"{point}: undone, exit 0", words(undo))
        record.check(judged(record, scene, f"{point}: undone") == OLD, f"{point}: undone, the old one is live")
        record.check(writes(scene), f"{point}: undone, the writers are back")
    given_back = str(len(scene.ledger.told.get(scene.old, set())))
    rows.append(
        [
            point.name,
            point.victim,
            f"{after:.1f}",
            then,
            killed,
            f"{seconds:.0f}",
            f"{away:.2f}",
            f"{undone:.0f}" if undone else "-",
            given_back,
        ]
    )
    return back(scene)


def strike(scene: Scene, play: Play, victim: str) -> str:
    """Kill; -> which database has the name then."""
    if victim == SERVER:
        scene.server.kill()
        time.sleep(SERVER_DOWN_SECONDS)
    elif victim in (MODULE, TOOL):
        for pid in scene.ours(MODULE_FILE if victim == MODULE else "pg_restore"):
            send(pid, signal.SIGKILL)
    else:
        play.kill(everything=victim == EVERYTHING)
        for pid in scene.ours() if victim == EVERYTHING else ():
            send(pid, signal.SIGKILL)
    # What was stopped to be met goes on, unless it is dead.
    for pid in scene.ours(MODULE_FILE):
        send(pid, signal.SIGCONT)
    if victim == SERVER:
        scene.server.start()
    try:
        return OLD if scene.restores.live() == scene.old else NEW
    except KeyError:
        return "none has the name"


def judged(record: Record, scene: Scene, what: str) -> str:
    """Whether the live database lets people in and is whole; -> which it is."""
    try:
        which, problems = scene.judge()
    except psycopg2.OperationalError as error:
        record.check(False, f"{what}: somebody gets in", str(error).strip()[-200:])
        return "shut"
    record.check(not problems, f"{what}: the live database is the {which} one, whole", "; ".join(problems))
    return which


def writes(scene: Scene) -> bool:
    """Whether the writers commit, in the database that is live."""
    oid = scene.restores.live()
    before = len(scene.ledger.told.get(oid, ()))
    return wait_for(lambda: len(scene.ledger.told.get(oid, ())) > before, OPEN_SECONDS)


def back(scene: Scene) -> bool:
    """The database of the beginning is live, as it has to be for the next point; -> whether that could be had."""
    if scene.restores.live() != scene.old:
        scene.restores.run(UNDO)
    return scene.restores.live() == scene.old


def words(play: Play) -> str:
    """How long a playbook took, or what it says why it failed."""
    return f"{play.seconds:.0f} s" if play.process.poll() == 0 else last_words(play)
