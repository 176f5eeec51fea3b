"""A session that locks a table which every request needs, and then does nothing more."""

from __future__ import annotations

import subprocess

from .fault import DATABASE, Fault, wait_for

NAME = "nightly-report"
LEAST = 5


class LockStorm(Fault):
    cause = "lock_storm"

    def inject(self) -> None:
        command = ["docker", "exec", "--interactive", "--user", "postgres", "--env", f"PGAPPNAME={NAME}"]
        command += [self.scene.container("postgres-master"), "psql", "-XAtq", "-d", DATABASE]
        quiet = subprocess.DEVNULL
        self._session = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, text=True, start_new_session=True)
        assert self._session.stdin
        self._session.stdin.write("BEGIN; LOCK TABLE drafts;\n")
        self._session.stdin.flush()

    def shows(self) -> str:
        waiting = int(self.scene.psql("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        return f"{waiting} sessions wait for a lock" if waiting >= LEAST else ""

    def undo(self) -> None:
        # psql ends with its input, and its transaction with it.
        self._session.communicate(timeout=10)
        if not wait_for(lambda: self.scene.psql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0", 10):
            raise RuntimeError(f"{NAME} has ended, and still somebody waits for a lock")
