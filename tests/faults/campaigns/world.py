"""The SSH hosts of tests/hosts, each app host seen from outside as a stack of its own."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .fault import Scene
from .operations import Operations
from .play import Play
from .stack import ROOT, Stack, docker
from .traffic import RATE, Request, Traffic

APP_HOSTS = ("app-1", "app-2", "app-3")
DATABASE_HOST, CACHE_HOST, STATE_HOST = "db-1", "cache-1", "monitoring-1"
INVENTORY = ("-i", "tests/hosts/inventory")
SSH_SECONDS = 30


def script(name: str, log: Path, *arguments: str) -> None:
    """One of tests/hosts. Raises RuntimeError with its last words."""
    done = subprocess.run([ROOT / "tests/hosts" / name, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(done.stdout + done.stderr)
    if done.returncode != 0:
        raise RuntimeError(f"tests/hosts/{name}: exit {done.returncode}: {(done.stdout + done.stderr)[-500:]} (see {log})")


class World:
    """A context: the hosts from entry to exit. The stack whose monitoring they share stays."""

    def __init__(self, stack: Stack, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.stack, self._log = stack, folder / "hosts.log"
        self._operations = Operations(stack, folder, environment)
        self.hosts: dict[str, Stack] = {}

    def __enter__(self) -> World:
        script("up", self._log)
        for name in APP_HOSTS:
            port = re.search(r"^ASTRAL_DEMO_LB_PORT=(\d+)", (self.state_of(name) / "compose.env").read_text(), re.MULTILINE)
            assert port, f"{self.state_of(name)}/compose.env names no port"
            self.hosts[name] = replace(self._host(name), port=int(port.group(1)))
        self.database, self.cache = (Scene(Operations(self._host(name), self._log.parent)) for name in (DATABASE_HOST, CACHE_HOST))
        return self

    def __exit__(self, *_: object) -> None:
        script("down", self._log)

    def state_of(self, name: str) -> Path:
        """The folder of the stack's state on a host, as this machine sees it."""
        return self.stack.state / "hosts" / name

    def _host(self, name: str) -> Stack:
        """A host that people do not ask for anything."""
        return replace(self.stack, project=f"{self.stack.project}-{name}", state=self.state_of(name), port=0)

    # -- operations on all hosts

    def start(self, playbook: str, variables: dict[str, Any]) -> Play:
        return self._operations.start(playbook, variables, *INVENTORY)

    def run(self, playbook: str, variables: dict[str, Any]) -> Play:
        return self._operations.run(playbook, variables, *INVENTORY)

    def ensure_live(self, version: str) -> None:
        """``version`` live and proved on every host. Raises RuntimeError when that cannot be had."""
        if not self.unsettled(version):
            return
        # To begin with nobody asks for anything, so there is nothing to measure; and the database is empty.
        first = {"release_metrics_url": "", "release_migration_phase": "none" if any(self.live().values()) else "expand"}
        play = self.run("deploy", {"release_version": version, **first, **self.override(version)})
        if play.process.returncode != 0:
            raise RuntimeError(f"{version} could not be made live on all hosts. See {play.log}")

    def override(self, version: str) -> dict[str, Any]:
        """What a deploy of ``version`` needs because a host had to take it back before."""
        return {"ops_override": ["quarantine"]} if any(host.quarantined(version) for host in self.hosts.values()) else {}

    # -- how it is

    def live(self) -> dict[str, str | None]:
        return {name: host.live() for name, host in self.hosts.items()}

    def unsettled(self, version: str, silent: str | None = None) -> list[str]:
        """What is not as it should be after an operation that left ``version`` live everywhere. Empty when all is well.

        The host ``silent`` could not be reached at the end, so the operation's lease on it may not have been given back.
        """
        found = []
        for name, host in self.hosts.items():
            if host.live_colour() is None:
                found.append(f"{name}: no release is live")
                continue
            found += [f"{name}: {problem}" for problem in host.unsettled(version) if not (name == silent and "lock" in problem)]
        if (self.state_of(STATE_HOST) / "lock/operation.json").exists():
            found.append(f"{STATE_HOST}: the lock is held")
        return found

    def last_release(self, name: str) -> str:
        """The last entry of a host's record, as ``v1.2.3 healthy``."""
        releases = self.hosts[name].releases()
        return f"{releases[-1]['version']} {releases[-1]['outcome']}" if releases else "nothing"

    def wait_until_live(self, name: str, version: str, play: Play) -> bool:
        """False when the playbook ends before ``version`` answers on the host."""
        while self.hosts[name].live() != version:
            if play.process.poll() is not None:
                return False
            time.sleep(0.2)
        return True

    # -- what can befall a host

    def _container(self, name: str) -> str:
        return f"{self.stack.project}-{name}"

    @contextmanager
    def unreachable(self, name: str) -> Iterator[None]:
        """Nobody reaches the host by SSH, and what was running there over SSH is dead. Its application goes on."""
        docker("kill", self._container(name))
        try:
            yield
        finally:
            docker("start", self._container(name))
            deadline = time.monotonic() + SSH_SECONDS
            while "listening" not in docker("logs", "--since", "5s", self._container(name)) and time.monotonic() < deadline:
                time.sleep(0.3)

    @contextmanager
    def named_to_pebble(self, name: str) -> Iterator[str]:
        """A name under which the stack's pebble reaches the host's nginx, as it does one that is public."""
        network, pebble = f"{self.stack.project}-{name}", f"{self.stack.project}-pebble-1"
        docker("network", "connect", network, pebble)
        try:
            yield f"{network}.test"
        finally:
            docker("network", "disconnect", network, pebble)

    @contextmanager
    def without_engine(self, name: str) -> Iterator[None]:
        """The host's Docker Engine answers nobody. What it runs goes on."""
        docker("exec", self._container(name), "rm", "/var/run/docker.sock")
        try:
            yield
        finally:
            docker("exec", self._container(name), "ln", "-s", "/run/engine/docker.sock", "/var/run/docker.sock")


class Loads:
    """A context: the load of one Traffic, spread over the load balancers of all hosts. Afterwards ``requests`` by host."""

    def __init__(self, hosts: dict[str, Stack], folder: Path, rate: float = RATE) -> None:
        self._traffics = {}
        for name, host in hosts.items():
            (folder / name).mkdir()
            self._traffics[name] = Traffic(host, folder / name, rate=rate / len(hosts))
        self.requests: dict[str, list[Request]] = {}

    def __enter__(self) -> Loads:
        self._open = ExitStack()
        for traffic in self._traffics.values():
            self._open.enter_context(traffic)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self.requests = {name: traffic.requests for name, traffic in self._traffics.items()}

    @property
    def profiles(self) -> list[str]:
        return [f"{name}: {traffic.profile}" for name, traffic in self._traffics.items()]

    @property
    def rate(self) -> float:
        return sum(traffic.report["rate"] for traffic in self._traffics.values())
