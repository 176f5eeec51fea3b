"""What the cases talk to: the test stack, a small Compose project of their own that they may break, and servers that misbehave."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx
from ansible_collections.astraldraft.ops.tests.contract.lib.archived import Archived
from ansible_collections.astraldraft.ops.tests.contract.lib.blocks import Firewall
from ansible_collections.astraldraft.ops.tests.contract.lib.certified import Certified
from ansible_collections.astraldraft.ops.tests.contract.lib.cluster import Pair
from ansible_collections.astraldraft.ops.tests.contract.lib.command import command
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT

SMALL = ROOT / "tests" / "integration" / "targets" / "setup_throwaway" / "files"
NEWCOMER = ROOT / "extensions" / "molecule" / "shared" / "files"
NOBODY = "upstream app { server 127.0.0.1:1 down; }\n"
# As the role traffic writes it.
DIRECTIVES = ["zone app 64k", "keepalive 32", "keepalive_timeout 60s"]
LOG = "log_format who '$upstream_addr'; access_log /dev/stdout who;"
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
        location /trickle { limit_rate 60; return 200 '{"status": "ok", "version": "v1.2.3", "padding": "                          "}'; }
    }
}
"""


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
        return str(self.containers(self.live)[0]["Config"]["Labels"]["org.opencontainers.image.version"])


class Project:
    """A Compose project of the tests' own in a folder of its own: an nginx and two colours."""

    def __init__(self, project: str, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.upstream = folder / "nginx" / "upstreams" / "app.conf"

    def compose(self, *arguments: str) -> str:
        return command("docker", "compose", "--project-name", self.project, "--project-directory", str(self.folder),
                       "--env-file", str(self.folder / "compose.env"), *arguments)  # fmt: skip

    def lay(self, sources: Iterable[Path], files: dict[str, str]) -> None:
        """The folder, with copies of ``sources`` and with ``files`` as they are given. Nothing is left of an earlier run."""
        self.down()
        self.upstream.parent.mkdir(parents=True)
        (self.folder / "environments").mkdir()
        for source in sources:
            shutil.copy(source, self.folder / source.name)
        for name, content in ({"nginx/upstreams/app.conf": NOBODY} | files).items():
            (self.folder / name).write_text(content, encoding="utf-8")
        for path in (self.folder, *self.folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def down(self) -> None:
        ours = ["--filter", f"label=com.docker.compose.project={self.project}", "--quiet"]
        for listing, remove in ((["ps", "--all"], ["rm", "--force", "--volumes"]), (["network", "ls"], ["network", "rm"])):
            ids = command("docker", *listing, *ours).split()
            if ids:
                command("docker", *remove, *ids)
        shutil.rmtree(self.folder, ignore_errors=True)

    def replicas(self, service: str) -> dict[str, str]:
        """The address of each running container of a service, by its short name."""
        ids = self.compose("ps", "--quiet", service).split()
        form = "{{.Name}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        lines = command("docker", "inspect", "--format", form, *ids).splitlines()
        return dict(line.removeprefix(f"/{self.project}-").split() for line in lines)

    def addresses(self, service: str) -> list[str]:
        return list(self.replicas(service).values())

    def hear(self) -> None:
        """Have nginx load its configuration."""
        command("docker", "kill", "--signal", "HUP", f"{self.project}-nginx-1")

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
        self.hear()
        ends = time.monotonic() + 10
        while (found := self.workers()) and (set(found) & set(before) or any("shutting down" in line for line in found)):
            assert time.monotonic() < ends, found
            time.sleep(0.05)

    @property
    def port(self) -> int:
        return int(self.compose("port", "nginx", "8080").rpartition(":")[2])


class Small(Project):
    """Answers with its container's id and may be broken: what integration targets use, with two containers beside it."""

    def up(self) -> None:
        variables = [f"COMPOSE_PROJECT_NAME={self.project}", "APP_BLUE_REPLICAS=1", "APP_GREEN_REPLICAS=1"]
        configuration = (SMALL / "nginx.conf").read_text(encoding="utf-8").replace("access_log off;", LOG)
        files = {"nginx.conf": configuration, "responder.conf": RESPONDER, "compose.env": "\n".join(variables) + "\n"}
        self.lay([SMALL / "compose.yml"], files)
        self.start()
        # One that did its work and ended, and one that the engine had to start again.
        self._beside("done", "exit 0")
        self._beside("restarted", "test -e /tmp/again && exec sleep infinity; touch /tmp/again; exit 1")

    def _beside(self, service: str, script: str) -> None:
        """A container that looks as if Compose had made it for ``service``."""
        facts = {"project": self.project, "service": service, "oneoff": "False", "container-number": "1"}
        labels = [f"--label=com.docker.compose.{name}={value}" for name, value in facts.items()]
        options = ["--detach", "--restart=on-failure:3", "--network=none", "--entrypoint=sh", f"--name={self.project}-{service}-1"]
        command("docker", "run", *options, *labels, "astraldraft/nginx:forky", "-c", script)

    def start(self) -> None:
        """Every container that is missing."""
        self.compose("up", "--detach", "--quiet-pull")

    def blue_serves(self) -> None:
        [address] = self.addresses("app-blue")
        self.traffic(_nginx.render("app", [_nginx.Server(f"{address}:3000", 1, "app-blue-1")], DIRECTIVES))

    @contextlib.contextmanager
    def half_a_request(self) -> Iterator[None]:
        """A client that never finishes asking: the worker that serves it stays until nginx gives it up (3 s)."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: half\r\n")
            time.sleep(0.05)
            yield


class Newcomer(Project):
    """The application of the molecule scenarios: real releases of it start within a second."""

    @property
    def image(self) -> str:
        return f"astraldraft/{self.project}"

    def up(self, **variables: str) -> None:
        """nginx, and of the colours as many replicas as ``variables`` say (APP_BLUE_REPLICAS, APP_BLUE_IMAGE)."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            variables |= {"SCENARIO": self.project, "SCENARIO_PORT": str(free.getsockname()[1])}
        balancer = (NEWCOMER / "balancer.conf").read_text(encoding="utf-8").replace("access_log /dev/stdout;", LOG)
        written = "".join(f"{name}={value}\n" for name, value in variables.items())
        sources = [NEWCOMER / name for name in ("compose.yml", "app.conf", "Dockerfile")]
        self.lay(sources, {"balancer.conf": balancer, "compose.env": written})
        for version in ("v1", "v2"):
            arguments = ["--build-arg", f"VERSION={version}", "--build-arg", "BAD_WHEN=never", "--tag", f"{self.image}:{version}"]
            command("docker", "build", "--quiet", *arguments, str(self.folder))
        if variables.get("APP_BLUE_REPLICAS"):
            self.compose("up", "--detach", "app-blue")  # It has no health check to wait for.
        self.compose("up", "--detach", "--wait", "nginx")

    def up_with_a_release(self) -> None:
        """Two replicas of v1 are live on blue and recorded so."""
        self.up(APP_BLUE_IMAGE=f"{self.image}:v1", APP_BLUE_REPLICAS="2")
        servers = [_nginx.Server(f"{address}:3000", 1, name) for name, address in self.replicas("app-blue").items()]
        self.traffic(_nginx.render("app", servers, DIRECTIVES))
        image = command("docker", "image", "inspect", "--format", "{{.Id}}", f"{self.image}:v1")
        started = {
            "event": "started", "release": "one", "operation": "deploy", "version": "v1", "image": f"{self.image}:v1", "digest": image,
            "environment": "none", "service": "app-blue", "replicas": 2, "operator": "ada", "reason": "", "emergency": False,
            "migration_phase": "none",
        }  # fmt: skip
        events = [started, *({"event": event, "release": "one"} for event in ("switched", "healthy"))]
        record = "".join(json.dumps(event | {"time": "2025-11-24T16:00:00.000Z"}) + "\n" for event in events)
        (self.folder / "releases.jsonl").write_text(record, encoding="utf-8")

    def down(self) -> None:
        super().down()
        images = command("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", self.image).split()
        if images:
            command("docker", "rmi", "--force", *images)


class Database:
    """A database of the tests' own in the stack's server, and a folder for the state of who works on it."""

    def __init__(self, stack: Stack, project: str, folder: Path) -> None:
        self.name, self.project, self.folder = project.replace("-", "_"), project, folder
        self._stack = stack

    def psql(self, *statements: str, database: str = "postgres") -> str:
        client = ["docker", "exec", "--user", "postgres", f"{self._stack.project}-postgres-master-1"]
        return command(*client, "psql", "-XAtqv", "ON_ERROR_STOP=1", "-d", database, *(f"--command={one}" for one in statements))

    @property
    def login(self) -> dict[str, Any]:
        return {
            "login_host": "127.0.0.1", "login_port": self._stack.port("POSTGRES"), "login_user": "postgres", "login_db": self.name,
            "login_password": self._stack.secret("postgres-superuser-password"),
        }  # fmt: skip

    def up(self) -> None:
        self.down()
        self.folder.mkdir(parents=True)
        self.psql(f'CREATE DATABASE "{self.name}"')
        self.psql("CREATE TABLE items AS SELECT n AS id FROM generate_series(1, 100) n", database=self.name)

    def down(self) -> None:
        """Whatever restores made of it, too."""
        for name in filter(lambda name: name.startswith(self.name), self.psql("SELECT datname FROM pg_database").split()):
            self.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
        shutil.rmtree(self.folder, ignore_errors=True)


class Folder:
    """A folder for the state of a stack that has no container."""

    def __init__(self, project: str, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.down()
        folder.mkdir(parents=True)

    def down(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


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


class World:
    """All of it. What is made for the tests is made when it is first needed; ``name`` tells it from that of others at the same time, and
    ``programs`` is a folder in which what is run finds programs first."""

    def __init__(self, stack: Stack, name: str, programs: Path) -> None:
        self.stack, self._name, self._programs = stack, name, programs
        self.hanging = Hanging()
        # Held and not listened on: connections are refused, and nobody else gets it meanwhile.
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        self.closed_port = self._closed.getsockname()[1]
        self._at_end: list[Callable[[], None]] = []

    def name_of(self, what: str) -> str:
        """A name that nobody else uses."""
        return f"{self.stack.project}-contract{self._name}-{what}"

    def at_end(self, remove: Callable[[], None]) -> None:
        """What a case made is removed by ``remove`` when all is done."""
        self._at_end.append(remove)

    def _place(self, what: str) -> tuple[str, Path]:
        project = self.name_of(what)
        return project, self.stack.state.parent / project

    @functools.cached_property
    def small(self) -> Small:
        found = Small(*self._place("small"))
        self.at_end(found.down)
        found.up()
        return found

    @functools.cached_property
    def newcomer(self) -> Newcomer:
        """Without a release."""
        found = Newcomer(*self._place("newcomer"))
        self.at_end(found.down)
        found.up()
        return found

    @functools.cached_property
    def released(self) -> Newcomer:
        """With a live release of two replicas."""
        found = Newcomer(*self._place("released"))
        self.at_end(found.down)
        found.up_with_a_release()
        return found

    @functools.cached_property
    def folder(self) -> Folder:
        found = Folder(*self._place("folder"))
        self.at_end(found.down)
        return found

    @functools.cached_property
    def database(self) -> Database:
        found = Database(self.stack, *self._place("database"))
        self.at_end(found.down)
        found.up()
        return found

    @functools.cached_property
    def pair(self) -> Pair:
        """Two servers of PostgreSQL."""
        found = Pair(*self._place("pair"), self.stack.project)
        self.at_end(found.down)
        return found

    @functools.cached_property
    def archived(self) -> Archived:
        found = Archived(self._place("archived")[0])
        self.at_end(found.down)
        found.up()
        return found

    @functools.cached_property
    def firewall(self) -> Firewall:
        found = Firewall(self._programs)
        self.at_end(found.close)
        return found

    @functools.cached_property
    def certified(self) -> Certified:
        """An nginx with TLS, and pebble."""
        found = Certified(*self._place("certified"))
        self.at_end(found.down)
        found.up()
        return found

    def place(self, variables: dict[str, Any]) -> tuple[str, Path]:
        """The Compose project and the state folder that a playbook with these variables works on."""
        return variables.get("stack_name", self.stack.project), Path(variables.get("stack_state_dir", self.stack.state))

    def close(self) -> None:
        self._closed.close()
        self.hanging.close()
        for remove in self._at_end:
            remove()
