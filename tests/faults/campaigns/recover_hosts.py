"""Lost data and a lost system where the application is on three hosts, and the database and the cache have one each, all over SSH."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from . import recover_data, recover_system
from .play import Play
from .record import Record
from .recover_system import VERSION, Lost, remove_project, snapshot_in
from .restores import TOLD
from .stack import Stack, docker
from .world import STATE_HOST, World

PROMISE = (
    "With the application on three hosts over SSH, and the database and the cache on one each, recover_data and recover_system do "
    "what they do on one host, killed and run again, too"
)
#: Where a copy of the backups lies on the host of the database: what is lost is the stack's, not the machine.
ELSEWHERE = "/srv/elsewhere"


class LostHosts(Lost):
    """Of every host but the one that keeps the lock and the journal, all that the stack has there is lost."""

    def __init__(self, world: World, folder: Path, record: Record) -> None:
        super().__init__(world.stack, folder, record)
        self._world = world
        self.database, self.cache, self.hosts = world.database, world.cache, world.hosts

    def ensure_live(self) -> None:
        self._world.ensure_live(VERSION)

    def start(self, playbook: str, variables: dict[str, Any]) -> Play:
        return self._world.start(playbook, variables)

    def unsettled(self) -> list[str]:
        return self._world.unsettled(VERSION)

    def keep(self) -> None:
        self._on_database("mkdir", "-p", ELSEWHERE)
        self._on_database("cp", "-aT", self._backups, f"{ELSEWHERE}/backups")
        self.snapshot_at = snapshot_in(self.database.stack.state / "backups")

    def lose(self) -> str:
        self.lost_at = time.time()
        for stack in self._all():
            remove_project(stack.project)
            docker("exec", stack.project, "find", f"/var/lib/astraldraft/{self.stack.project}/", "-mindepth", "1", "-delete")
        return f"but for {STATE_HOST}"

    def gone(self) -> bool:
        return not any(stack.containers() or list(stack.state.iterdir()) for stack in self._all())

    def hooks(self) -> dict[str, Any]:
        return {"recovery_backups_command": ["cp", "-aT", f"{ELSEWHERE}/backups", self._backups]}

    @property
    def records(self) -> Path:
        return self._world.state_of(STATE_HOST)

    def _all(self) -> list[Stack]:
        return [*self.hosts.values(), self.database.stack, self.cache.stack]

    @property
    def _backups(self) -> str:
        return f"/var/lib/astraldraft/{self.stack.project}/backups"

    def _on_database(self, *command: str) -> None:
        docker("exec", self.database.stack.project, *command)


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("recover_hosts", PROMISE)
    with World(stack, folder, TOLD) as world:
        world.ensure_live(recover_data.OLD)
        world.ensure_live(recover_data.LIVE)
        ground = recover_data.Ground(stack.project, world.database, world.hosts, world.start)
        # Whatever is done at once is done by those that are killed, too.
        recover_data.try_cases(record, ground, folder, [case for case in recover_data.CASES if case.kills or case.hidden and not sample])
        recover_system.try_rounds(LostHosts(world, folder, record), [recover_system.KILLED])
    return record
