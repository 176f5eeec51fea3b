"""The collection's modules and playbooks, run against servers of a campaign's own: a PostgreSQL of one has no password."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .server import Server
from .stack import ROOT

#: A module's peak of memory differs by so much between equal runs.
MARGIN, LEAST_MIB = 1.15, 8.0
#: Its peak is written where the third argument says, in KiB: what wait4 tells of a process begins with that of whoever started it.
MODULE = """
import json, pathlib, re, resource, runpy, sys
import ansible.module_utils.testing as testing
try:
    with testing.patch_module_args(json.loads(sys.argv[2])):
        runpy.run_module("ansible_collections.astraldraft.ops.plugins.modules." + sys.argv[1], run_name="__main__")
finally:
    own = int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text()).group(1))
    pathlib.Path(sys.argv[3]).write_text(str(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)))
"""


def login(server: Server) -> dict[str, Any]:
    return {"login_host": "127.0.0.1", "login_port": server.port, "login_user": "postgres", "login_db": server.database}


def fill(server: Server, scale: int) -> None:
    """The database with pgbench's tables in it; ``scale``: times 100,000 accounts."""
    server.inside("createdb", server.database)
    server.inside("pgbench", "--initialize", "--quiet", f"--scale={scale}", server.database)


@dataclass(frozen=True)
class Ran:
    """What a command took, and what it said. ``cpu_seconds`` is what all its processes computed."""

    code: int
    seconds: float
    cpu_seconds: float
    output: str


def run(command: list[str], log: Path | None = None, environment: Mapping[str, str] | None = None) -> Ran:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if log:
        log.write_text(done.stdout + done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(done.returncode, seconds, cpu, done.stdout)


def playbook(path: Path | str, variables: dict[str, Any], log: Path) -> Ran:
    """Of this checkout when ``path`` is relative, against the demo's inventory."""
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/demo", str(path), "-e", json.dumps(variables)]
    return run(command, log)


def module(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the module answers."""
    command = [str(ROOT / ".venv/bin/ansible"), "-i", "localhost,", "all", "-c", "local", "--one-line"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", "-m", f"astraldraft.ops.{name}", "-a", json.dumps(arguments)]
    return json.loads(run(command).output.partition("=> ")[2])


def peak_of(module: str, arguments: dict[str, Any], log: Path) -> tuple[int, float]:
    """-> exit code of the module, the most memory (MiB) that it had, or a process of its own"""
    peak = log.with_suffix(".peak")
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-c", MODULE, module, json.dumps(arguments), str(peak)],
            cwd=ROOT, env=dict(os.environ, PYTHONPATH=str(ROOT / ".ansible/collections")), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    return done.returncode, int(peak.read_text()) / 1024


class Module:
    """A module of the collection, run by its own file. ``wait`` gives what it answered."""

    environment: Mapping[str, str] = {}

    def __init__(self, module: str, /, **arguments: Any) -> None:
        path = ROOT / ".ansible/collections/ansible_collections/astraldraft/ops/plugins/modules" / f"{module}.py"
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / ".ansible/collections"), **self.environment}
        self._process = subprocess.Popen(
            [sys.executable, str(path)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        self._process.stdin.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> dict[str, Any]:
        assert self._process.stdout and self._process.stderr
        said, complaint = self._process.stdout.read(), self._process.stderr.read()
        self._process.wait()
        try:
            return dict(json.loads(said))
        except ValueError:
            return {"failed": True, "msg": said + complaint}


def logged(folder: Path, name: str, answer: dict[str, Any]) -> dict[str, Any]:
    (folder / f"{name.replace(' ', '_')}.json").write_text(json.dumps(answer, indent=1))
    return answer
