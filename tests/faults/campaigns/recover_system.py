"""The stack with its containers, volumes, networks, images and its state folder removed, brought back from a backup that lay elsewhere."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from .fault import REDIS_NODES, Scene, post
from .operations import Operations, last_words
from .play import Play
from .record import Record
from .restores import TOLD, evidence
from .stack import GOOD, Stack, docker, seconds_of, wait_for_the_rest

PROMISE = (
    "A stack of which nothing is left but a backup elsewhere comes back with every row and every key, on the release that was live; killed "
    "half-way and run again, too; and it is said how long that took and how old the data is"
)
VERSION = GOOD[1]
DRAFTS, LOGINS = 40, 5
#: One line about all that is in each table.
TABLES = "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
CONTENT = "SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {0} t"
#: Where a run is killed: the task, and which of its occurrences. The restore is looked at once before it is done.
RESTORING = "Restore beside the live database, prove it, and swap"
KILLED = ((RESTORING, 2), ("Prove every replica", 1))
SECOND = 1.5


class Lost:
    """A stack, what is kept of it elsewhere, and what was in it. ``hosts`` are those that serve the application, by their names."""

    def __init__(self, stack: Stack, folder: Path, record: Record) -> None:
        self.stack, self.record, self.elsewhere = stack, record, folder / "elsewhere"
        self.operations = Operations(stack, folder, TOLD)
        self.database = self.cache = Scene(self.operations)
        self.hosts = {"stack": stack}
        self.told = folder / "dns"
        self.lost_at = self.snapshot_at = 0.0
        self.images: list[str] = []

    def ensure_live(self) -> None:
        self.operations.ensure_live(VERSION)

    def start(self, playbook: str, variables: dict[str, Any]) -> Play:
        return self.operations.start(playbook, variables)

    @property
    def front(self) -> Stack:
        """One of those that people ask."""
        return next(iter(self.hosts.values()))

    # -- what is in it, asked without the collection

    def rows(self) -> dict[str, str]:
        return {table: self.database.psql(CONTENT.format(table)) for table in self.database.psql(TABLES).split()}

    def keys(self) -> dict[str, str]:
        """What each key holds, by a hash. What the application caches comes and goes."""
        found = {}
        for number in range(1, REDIS_NODES + 1):
            node = self.cache.redis(number)
            if node.info("replication")["role"] == "master":
                for key in node.scan_iter(count=500):
                    if not key.startswith(b"cache:"):
                        found[key.decode()] = hashlib.sha256(node.dump(key) or b"").hexdigest()
        return found

    def unsettled(self) -> list[str]:
        return [f"{name}: {problem}" for name, host in self.hosts.items() for problem in host.unsettled(VERSION)]

    # -- what is kept

    def keep(self) -> None:
        """The backups and the images, outside of the stack."""
        shutil.rmtree(self.elsewhere, ignore_errors=True)
        shutil.copytree(self.stack.state / "backups", self.elsewhere / "backups")
        self.snapshot_at = snapshot_in(self.elsewhere / "backups")
        self.images = sorted({container["image"] for container in self.stack.containers()})
        docker("save", "--output", str(self.elsewhere / "images.tar"), *self.images)

    # -- how it is lost

    def lose(self) -> str:
        """Everything of it. -> what others on this machine use, and what stays therefore."""
        self.lost_at = time.time()
        remove_project(self.stack.project)
        shutil.rmtree(self.stack.state)
        removing = {name: subprocess.run(["docker", "image", "rm", name], capture_output=True, check=False) for name in self.images}
        stay = [name for name, done in removing.items() if done.returncode]
        return f"used by others, so they stay: {', '.join(stay)}" if stay else "images neither"

    def gone(self) -> bool:
        return not self.stack.containers() and not self.stack.state.exists()

    # -- how it comes back

    def hooks(self) -> dict[str, Any]:
        return {
            "recovery_backups_command": ["cp", "-aT", str(self.elsewhere / "backups"), str(self.stack.state / "backups")],
            "recovery_images_command": ["docker", "load", "--input", str(self.elsewhere / "images.tar")],
        }

    def recover(self) -> Play:
        iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.lost_at))
        more = {"recovery_lost_at": iso, "recovery_dns_command": ["sh", "-c", f"echo moved >>{self.told}"]}
        return self.start("recover_system", {"ops_confirm": self.stack.project, **more, **self.hooks()})

    @property
    def records(self) -> Path:
        """The folder of the stack's state on the host that keeps the journal and the reports."""
        return self.stack.state


def remove_project(project: str) -> None:
    """Containers, volumes and networks of a Compose project."""
    label = f"label=com.docker.compose.project={project}"
    for kind, all_of_them, more in (("container", ["--all"], ["--force", "--volumes"]), ("volume", [], []), ("network", [], [])):
        if found := docker(kind, "ls", "--quiet", "--filter", label, *all_of_them).split():
            docker(kind, "rm", *more, *found)


def snapshot_in(backups: Path) -> float:
    """When the newest set was taken."""
    entries = json.loads((backups / "catalog.json").read_text())["backups"]
    return max(seconds_of(entry["snapshot_at"]) for entry in entries if entry["kind"] == "stack")


def run(stack: Stack, folder: Path, rounds: int) -> Record:
    record = Record("recover_system", PROMISE)
    lost = Lost(stack, folder, record)
    try_rounds(lost, [() for _ in range(rounds - 1)] + [KILLED])
    record.note(f"The images were loaded from an archive of {len(lost.images)}.")
    return record


def try_rounds(lost: Lost, rounds: list[tuple[tuple[str, int], ...]]) -> None:
    """It is filled, backed up, and lost once a round: at which tasks the recovery is killed."""
    record = lost.record
    _fill(lost)
    rows, keys = lost.rows(), lost.keys()
    _backed_up(lost)
    record.check(lost.rows() == rows and lost.keys() == keys, "nobody wrote meanwhile, so what was there is what the backup holds")
    _refused(lost)
    table = [_round(lost, rows, keys, kills) for kills in rounds]
    record.table("A lost system", ["killed", "runs", "RTO, s", "by the clock, s", "RPO, s", "tables", "keys"], table)


def _fill(lost: Lost) -> None:
    lost.ensure_live()
    for number in range(DRAFTS):
        post(f"{lost.front.url}/api/drafts", {"name": f"recovered {number}"})
    password = (lost.stack.state / "secrets/demo-user-password").read_text().strip()
    for _ in range(LOGINS):
        post(f"{lost.front.url}/api/login", {"username": "demo", "password": password})
    lost.told.unlink(missing_ok=True)


def _backed_up(lost: Lost) -> None:
    for playbook, more in (("backup", {}), ("backup_verify", {"backup_verify_level": "restore"})):
        play = lost.start(playbook, {"backup_kind": "stack", **more})
        play.wait()
        lost.record.check(play.process.returncode == 0, f"{playbook} of the stack", f"{play.seconds:.0f} s")
    lost.keep()


def _refused(lost: Lost) -> None:
    """What is there is never overwritten."""
    lost.lost_at = time.time()
    before = lost.rows()
    play = lost.recover()
    play.wait()
    words = " ".join(play.output.split())
    well = play.process.returncode != 0 and "so the stack is not lost" in words and lost.rows() == before
    lost.record.check(well, "while it is there, it is refused", last_words(play)[:200])


def _round(lost: Lost, rows: dict[str, str], keys: dict[str, str], kills: tuple[tuple[str, int], ...]) -> list[Any]:
    record, stack, what = lost.record, lost.stack, "killed" if kills else "at once"
    lost.told.unlink(missing_ok=True)
    stays = lost.lose()
    record.check(lost.gone(), f"{what}: nothing of it is left", stays)
    began = time.time()
    for task, occurrence in kills:
        play = lost.recover()
        met = play.wait_for_task(task, occurrence)
        time.sleep(SECOND)
        play.kill()
        wait_for_the_rest(stack.project)
        record.check(met, f"{what}: killed at {task!r}", f"{play.seconds:.0f} s" if met else last_words(play))
    play = lost.recover()
    code = play.wait()
    ended = time.time()
    record.check(code == 0, f"{what}: it comes back", f"{play.seconds:.0f} s" if code == 0 else last_words(play))
    if code != 0:
        return [what, len(kills) + 1, "-", f"{ended - began:.0f}", "-", "-", "-"]
    found = evidence(play, lost.hosts)
    same_rows, same_keys = lost.rows(), lost.keys()
    record.check(same_rows == rows, f"{what}: every row is there", _first(rows, same_rows))
    record.check(same_keys == keys, f"{what}: every key is there", _first(keys, same_keys))
    problems = lost.unsettled()
    record.check(not problems, f"{what}: {VERSION} is live, and all agrees with that", "; ".join(problems))
    rto, rpo = float(found["rto_seconds"]), float(found["rpo_seconds"])
    clock, real = ended - began, lost.lost_at - lost.snapshot_at
    record.check(0 < rto <= clock + 1, f"{what}: how long it took is in the result", f"{rto:.0f} s; by the clock {clock:.0f} s")
    record.check(abs(rpo - real) <= 2, f"{what}: and how old the data is", f"{rpo:.0f} s; by the clock {real:.0f} s")
    record.check(int(found["runs"]) == len(kills) + 1, f"{what}: it went on with what was begun", f"{found['runs']} runs")
    told = lost.told.read_text().split() if lost.told.exists() else []
    record.check(told == ["moved"], f"{what}: the world was told once", " ".join(told))
    report = lost.records / "recovery" / Path(found["report"]).name
    record.check(report.is_file() and "time to recover (RTO)" in report.read_text(), f"{what}: a report for people", str(report))
    last = json.loads((lost.records / "journal.jsonl").read_text().splitlines()[-1])
    well = (last["operation"], last["verdict"]) == ("recover_system", "pass") and last["after"].get("rto_seconds") == int(rto)
    record.check(well, f"{what}: and the journal has it", str(last.get("after")))
    again = lost.recover()
    again.wait()
    same = again.process.returncode == 0 and "changed=0" in again.output
    record.check(same, f"{what}: once more changes nothing", "" if same else last_words(again)[:200])
    return [what, found["runs"], f"{rto:.0f}", f"{ended - began:.0f}", f"{rpo:.0f}", len(same_rows), len(same_keys)]


def _first(wanted: dict[str, str], found: dict[str, str]) -> str:
    """The first few differences."""
    different = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
    return ", ".join(f"{name}: {found.get(name, 'gone')[:40]}" for name in different[:3]) or f"{len(wanted)} compared"
