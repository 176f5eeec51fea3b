"""A PostgreSQL server in a container with a volume, for cases that stop it, fence it and promote it."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.astraldraft.ops.tests.contract.lib.command import command
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT

if TYPE_CHECKING:
    from ansible_collections.astraldraft.ops.tests.contract.lib.world import World

START = ROOT / "tests" / "integration" / "targets" / "setup_replication" / "files" / "server"
MARKER = '{"fenced_at": "2026-01-01T00:00:00.000Z", "reason": "", "timeline": 1}'


class Server:
    """One server: a primary, or a replica of ``primary``. It belongs to a Compose project of one service as far as labels say."""

    def __init__(self, project: str, label: str, service: str = "db", primary: str = "", network: str = "bridge") -> None:
        self.project, self.service, self.container = project, service, f"{project}-{service}-1"
        # Its own address may be another one whenever it is started.
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command("docker", "rm", "--force", "--volumes", self.container)
        labels = {"com.docker.compose.project": self.project, "com.docker.compose.service": self.service,
                  "com.docker.compose.oneoff": "False", "com.docker.compose.container-number": "1",
                  "org.astraldraft.demo": label}  # fmt: skip
        command("docker", "run", "--detach", "--name", self.container, "--user", "postgres", "--no-healthcheck", "--hostname", "replica",
                "--publish", f"127.0.0.1:{self.port}:5432",
                *(f"--label={key}={value}" for key, value in labels.items()), "--volume", "/var/lib/postgresql/data",
                "--env", f"THROWAWAY_PRIMARY={primary}",
                "--network", network, *(["--network-alias", service] if network != "bridge" else []),
                "--entrypoint", "bash", "astraldraft/postgres:17", "-c", START.read_text(encoding="utf-8"))  # fmt: skip
        self.wait()

    @classmethod
    def alone(cls, world: World, name: str, primary: str = "") -> Server:
        """In the engine's own network, for as long as the tests run."""
        found = cls(world.name_of(name), world.stack.project, primary=primary)
        world.at_end(found.remove)
        return found

    def remove(self) -> None:
        command("docker", "rm", "--force", "--volumes", self.container)

    def inspect(self) -> dict:
        return json.loads(command("docker", "inspect", self.container))[0]

    @property
    def address(self) -> str:
        return next(iter(self.inspect()["NetworkSettings"]["Networks"].values()))["IPAddress"]

    @property
    def login(self) -> dict:
        return {"login_host": "127.0.0.1", "login_port": self.port, "login_password": "throwaway-postgres"}

    def psql(self, text: str) -> str:
        return command("docker", "exec", self.container, "psql", "-XAtqU", "postgres", "-c", text)

    def wait(self) -> None:
        for _attempt in range(150):
            with contextlib.suppress(AssertionError):
                self.psql("SELECT 1")
                command("docker", "exec", self.container, "pg_isready", "--quiet", "--host", "127.0.0.1")
                return
            time.sleep(0.2)
        raise AssertionError(f"{self.container} did not come up: {command('docker', 'logs', '--tail', '5', self.container)}")

    def inside(self, script: str) -> None:
        """A script that sees its files, whether it runs or not."""
        command("docker", "run", "--rm", "--volumes-from", self.container, "--user", "postgres", "--network", "none",
                "--entrypoint", "bash", "astraldraft/postgres:17", "-c", f"cd $PGDATA; {script}")  # fmt: skip

    @contextlib.contextmanager
    def primary(self, _work: Path | None = None) -> Iterator[None]:
        """It runs and takes writes."""
        if self.inspect()["State"]["Status"] != "running" or self.psql("SELECT pg_is_in_recovery()") == "t":
            command("docker", "stop", self.container)
            self.inside("rm -f standby.signal astraldraft.fenced")
            command("docker", "start", self.container)
            self.wait()
        yield

    @contextlib.contextmanager
    def standby(self, _work: Path | None = None, marker: str = "") -> Iterator[None]:
        """It runs and is a standby, fenced where there is a marker."""
        running = self.inspect()["State"]["Status"] == "running"
        if not running or self.psql("SELECT pg_is_in_recovery()") == "f":
            command("docker", "stop", self.container)
            self.inside("touch standby.signal")
            command("docker", "start", self.container)
            self.wait()
        self.inside(f"echo '{marker}' >astraldraft.fenced" if marker else "rm -f astraldraft.fenced")
        yield

    def fenced(self, _work: Path | None = None) -> contextlib.AbstractContextManager[None]:
        return self.standby(marker=MARKER)

    @contextlib.contextmanager
    def killed(self, _work: Path | None = None) -> Iterator[None]:
        """It took writes, and was killed."""
        with self.primary():
            self.psql("CHECKPOINT")
            command("docker", "kill", self.container)
            yield


class Pair:
    """A primary ``one`` and its replica ``two``, which know each other by these names, and a folder for the state of their stack."""

    def __init__(self, project: str, folder: Path, label: str) -> None:
        self.project, self.folder = project, folder
        folder.mkdir(parents=True, exist_ok=True)
        command("docker", "network", "create", "--label", f"org.astraldraft.demo={label}", project)
        self.servers = [Server(project, label, "one", network=project)]
        self.servers.append(Server(project, label, "two", primary="one", network=project))

    def down(self) -> None:
        for server in self.servers:
            server.remove()
        command("docker", "network", "rm", self.project)
        shutil.rmtree(self.folder, ignore_errors=True)
