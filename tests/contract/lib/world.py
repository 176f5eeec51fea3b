"""What the cases talk to: the test stack, a small Compose project of their own that they may break, and servers that misbehave."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT

SMALL = ROOT / "tests" / "integration" / "targets" / "setup_throwaway" / "files"
LIMIT_SECONDS = 60
# What the colours answer: their health, with a version under two names, and a route whose answer comes byte by byte.
RESPONDER = """
worker_processes 1;
error_log /dev/stderr notice;
events {}
http {
    access_log off;
    default_type application/json;
    server {
        listen 3000;
        location / { return 404; }
        location /health { return 200 '{"status": "ok", "version": "v1.2.3", "release": "v1.2.2"}'; }
        location /trickle { limit_rate 20; return 200 '{"status": "ok", "version": "v1.2.3", "padding": "                          "}'; }
    }
}
"""


def command(*argv: str) -> str:
    """What a program prints."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout.strip()


@dataclass
class Stack:
    """The test stack that the environment names, as its own compose.env describes it."""

    project: str
    state: Path
    settings: dict[str, str]

    @classmethod
    def of_environment(cls) -> Stack:
        state = Path(os.environ["ASTRAL_DEMO_STATE"])
        lines = (state / "compose.env").read_text(encoding="utf-8").splitlines()
        settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return cls(os.environ["ASTRAL_DEMO_PROJECT"], state, settings)

    def port(self, name: str) -> int:
        return int(self.settings[f"ASTRAL_DEMO_{name}_PORT"])

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port(name)}"

    @property
    def upstream(self) -> str:
        return str(self.state / "nginx" / "upstreams" / "app.conf")

    @property
    def ca(self) -> str:
        return str(self.state / "tls" / "ca.crt")

    def secret(self, name: str) -> str:
        return (self.state / "secrets" / name).read_text(encoding="utf-8").strip()

    def containers(self, service: str) -> list[dict[str, Any]]:
        """`docker inspect` of a service's running containers."""
        ids = command("docker", "ps", "-q", "--filter", f"label=com.docker.compose.project={self.project}",
                      "--filter", f"label=com.docker.compose.service={service}").split()  # fmt: skip
        return json.loads(command("docker", "inspect", *ids)) if ids else []

    @property
    def live(self) -> str:
        """The colour that gets traffic."""
        return "app-blue" if "# app-blue-" in Path(self.upstream).read_text(encoding="utf-8") else "app-green"

    @property
    def live_version(self) -> str:
        return str(self.containers(self.live)[0]["Config"]["Image"]).rpartition(":")[2]


class Small:
    """nginx and two colours that answer with their container's id: the project that integration targets use for what breaks things."""

    def __init__(self, project: str, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.upstream = folder / "nginx" / "upstreams" / "app.conf"

    def compose(self, *arguments: str) -> str:
        return command("docker", "compose", "--project-name", self.project, "--project-directory", str(self.folder),
                       "--env-file", str(self.folder / "compose.env"), *arguments)  # fmt: skip

    def up(self) -> None:
        self.upstream.parent.mkdir(parents=True)
        for source in SMALL.iterdir():
            shutil.copy(source, self.folder / source.name)
        (self.folder / "responder.conf").write_text(RESPONDER, encoding="utf-8")
        variables = [f"COMPOSE_PROJECT_NAME={self.project}", "APP_BLUE_REPLICAS=1", "APP_GREEN_REPLICAS=1"]
        (self.folder / "compose.env").write_text("\n".join(variables) + "\n", encoding="utf-8")
        self.upstream.write_text("upstream app { server 127.0.0.1:1 down; }\n", encoding="utf-8")
        for path in (self.folder, *self.folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        self.start()
        # One that did its work and ended, and one that the engine had to start again.
        self._beside("done", "exit 0")
        self._beside("restarted", "test -e /tmp/again && exec sleep infinity; touch /tmp/again; exit 1")

    def _beside(self, service: str, script: str) -> None:
        """A container that looks as if Compose had made it for ``service``."""
        facts = {"project": self.project, "service": service, "oneoff": "False", "container-number": "1"}
        labels = [f"--label=com.docker.compose.{name}={value}" for name, value in facts.items()]
        labels += [f"--label=org.astraldraft.demo={self.project}", f"--name={self.project}-{service}-1"]
        options = ["--detach", "--restart=on-failure:3", "--network=none", "--entrypoint=sh"]
        command("docker", "run", *options, *labels, "astraldraft/nginx:forky", "-c", script)

    def start(self) -> None:
        """Every container that is missing."""
        self.compose("up", "--detach", "--quiet-pull")

    def down(self) -> None:
        for kind, remove in (("container", ["rm", "--force", "--volumes"]), ("network", ["network", "rm"])):
            listing = ["ps", "--all"] if kind == "container" else ["network", "ls"]
            ids = command("docker", *listing, "--quiet", "--filter", f"label=org.astraldraft.demo={self.project}").split()
            if ids:
                command("docker", *remove, *ids)
        shutil.rmtree(self.folder, ignore_errors=True)

    def addresses(self, service: str) -> list[str]:
        """Of the running containers of a service."""
        ids = self.compose("ps", "--quiet", service).split()
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return command("docker", "inspect", "--format", form, *ids).split()

    @property
    def port(self) -> int:
        return int(self.compose("port", "nginx", "8080").rpartition(":")[2])

    def workers(self) -> list[str]:
        """nginx's worker processes, each as `docker top` shows it."""
        processes = command("docker", "top", f"{self.project}-nginx-1", "-eo", "pid,args").splitlines()
        return [line for line in processes if "worker process" in line]

    def traffic(self, content: str) -> None:
        """The upstream's file with nginx told, and no worker left that served something else."""
        for leftover in self.upstream.parent.glob("app.conf.*"):
            leftover.unlink()
        self.upstream.write_text(content, encoding="utf-8")
        before = self.workers()
        command("docker", "kill", "--signal", "HUP", f"{self.project}-nginx-1")
        ends = time.monotonic() + 10
        while (found := self.workers()) and (set(found) & set(before) or any("shutting down" in line for line in found)):
            assert time.monotonic() < ends, found
            time.sleep(0.05)

    @contextlib.contextmanager
    def half_a_request(self) -> Iterator[None]:
        """A client that never finishes asking: the worker that serves it stays until nginx gives it up (3 s)."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: half\r\n")
            time.sleep(0.05)
            yield


class Hanging:
    """A TCP server that takes every connection and says nothing; ``port`` is where."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._held.append(self._listener.accept()[0])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._held:
            connection.close()


@dataclass
class World:
    stack: Stack
    small: Small
    hanging: Hanging
    closed_port: int
