"""The kernel kills a process in a replica's container, because its limit of memory is reached."""

from __future__ import annotations

import re
import subprocess

from .fault import Fault
from .operations import last_words
from .stack import docker

#: What is left above what the replica uses, and what a worker wants.
ROOM_MIB, WANTED_MIB = 48, 400
WORKER = f"import time; kept = bytearray(b'x' * ({WANTED_MIB} << 20)); time.sleep(5)"
UNITS = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}


class OomKill(Fault):
    cause = "oom_kill"

    def inject(self) -> None:
        self._container = self.scene.live()[-1]
        used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", self._container)
        amount = re.match(r"([\d.]+)([KMG]iB)", used)
        assert amount, f"docker stats says {used!r}"
        limit = f"{float(amount.group(1)) * UNITS[amount.group(2)] + ROOM_MIB:.0f}m"
        docker("update", "--memory", limit, "--memory-swap", limit, self._container)
        command = ["docker", "exec", self._container, "python3", "-c", WORKER]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self._said = f"a worker that wanted {WANTED_MIB} MiB of {limit} ended with {done.returncode}"

    def shows(self) -> str:
        killed = docker("inspect", "--format", "{{.State.OOMKilled}}", self._container).strip() == "true"
        return self._said if killed else ""

    def undo(self) -> None:
        """The engine tells of it until the container is started anew, and its address may be another one then."""
        docker("update", "--memory", "4g", "--memory-swap", "-1", self._container)
        play = self.scene.operations.run("restart_service", {"service_name": self.scene.stack.live_colour()})
        if play.process.returncode != 0:
            raise RuntimeError(f"the replicas were not restarted: {last_words(play)}")
