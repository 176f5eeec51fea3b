"""A second process of the live release, beside its first replica's own, that never closes a connection to the database."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

from .fault import Fault
from .stack import docker

#: An address of its own inside the container; no traffic gets there but ours.
PORT = 3999
PER_SECOND = 100
#: Of the slots that are not the superuser's, so many stay free: a leak is to be found before it is over.
LEFT = 4
ASK = """for number in $(seq "$1"); do curl -sS -o /dev/null --max-time 5 --json '{"name":"leak"}' "$2" || exit 0; done"""
USABLE = """SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())"""
LEAKED = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name LIKE 'astraldraft-app/%'"


class ConnectionLeak(Fault):
    cause = "connection_leak"

    def inject(self) -> None:
        self._container = self.scene.live()[0]
        command = ["docker", "exec", "--env", f"FAULT_CONNECTION_LEAK={PER_SECOND}", "--env", f"APP_PORT={PORT}", self._container]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [*command, "python3", "-m", "app", "serve"], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )

    def shows(self) -> str:
        free, leaked = int(self.scene.psql(USABLE)), int(self.scene.psql(LEAKED))
        if free <= LEFT:
            return f"{leaked} idle in transaction, {free} slots free"
        # Each request leaks one.
        docker("exec", self._container, "sh", "-c", ASK, "sh", str(free - LEFT), f"http://127.0.0.1:{PORT}/api/drafts")
        return ""

    def undo(self) -> None:
        own = docker("inspect", "--format", "{{.State.Pid}}", self._container).strip()
        for line in docker("top", self._container, "-o", "pid,args").splitlines()[1:]:
            pid, _, words = line.strip().partition(" ")
            if pid != own and words.strip().endswith("-m app serve"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        self._process.wait(10)
