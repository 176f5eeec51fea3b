"""What a fault is, and what faults have in common: the ways into the stack that do not lead through the collection."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import redis

from .operations import Operations
from .stack import docker

DATABASE = "astral_draft_v4"
REDIS_NODES = 6


class Scene:
    """The stack that faults are put into."""

    def __init__(self, operations: Operations) -> None:
        self.operations, self.stack, self.folder = operations, operations.stack, operations.folder

    # -- where things are

    def container(self, service: str, number: int = 1) -> str:
        return f"{self.stack.project}-{service}-{number}"

    def live(self) -> list[str]:
        """The containers that get the traffic."""
        return [f"{self.stack.project}-{replica}" for replica in self.stack.upstream()]

    def port(self, name: str) -> int:
        """A published port, as compose.env has it: ``LB_TLS``, ``STUB``, ``REDIS_1``."""
        found = re.search(rf"^ASTRAL_DEMO_{name}_PORT=(\d+)$", (self.stack.state / "compose.env").read_text(), re.MULTILINE)
        assert found, f"compose.env names no port {name}"
        return int(found.group(1))

    def secret(self, name: str) -> str:
        return (self.stack.state / "secrets" / name).read_text().strip()

    # -- what they say

    def psql(self, sql: str, service: str = "postgres-master") -> str:
        """As the superuser, who gets in when all others are refused."""
        command = ["exec", "--user", "postgres", self.container(service), "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", DATABASE]
        return docker(*command, "-c", sql).strip()

    def redis(self, number: int) -> redis.Redis:
        password = self.secret("redis-password") or None
        return redis.Redis("127.0.0.1", self.port(f"REDIS_{number}"), password=password, decode_responses=False, socket_timeout=5)

    def nginx(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "exec", self.container("nginx"), "nginx", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def reload_nginx(self) -> None:
        said = self.nginx("-s", "reload")
        if said.returncode != 0:
            raise RuntimeError(f"nginx was not reloaded: {said.stderr.strip()}")

    def measured(self, query: str) -> float:
        """The sum of what Prometheus answers; 0 when it has nothing."""
        answer = ask(f"{self.stack.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        return sum(float(series["value"][1]) for series in answer["data"]["result"])

    def status(self, path: str) -> int | None:
        """None when nobody answers."""
        try:
            return self.stack.answer(path)[0]
        except (OSError, http.client.HTTPException):
            return None

    def login(self) -> int | None:
        """The status of the demo user's login."""
        return post(f"{self.stack.url}/api/login", {"username": "demo", "password": self.secret("demo-user-password")})

    def control_stub(self, message: dict[str, Any]) -> None:
        status = post(f"http://127.0.0.1:{self.port('STUB')}/__control", message)
        if status != 200:
            raise RuntimeError(f"the stub answered {status} to {message}")


class Fault:
    """``inject`` may be called once, ``undo`` at any time after it began; it leaves the stack as it was, or raises."""

    #: The name that the diagnosis has for it.
    cause = ""
    #: How long it may take until it can be seen.
    patience = 60.0

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def inject(self) -> None:
        raise NotImplementedError

    def shows(self) -> str:
        """What is to be seen of it, by another way than the collection's; empty while nothing is."""
        raise NotImplementedError

    def undo(self) -> None:
        raise NotImplementedError


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
        return json.load(answer)


def post(url: str, body: dict[str, Any]) -> int | None:
    """The status of the answer; None without one."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return None


def wait_for(condition: Callable[[], object], seconds: float, every: float = 0.5) -> Any:
    """What the condition says as soon as it says something; else what it said last."""
    deadline = time.monotonic() + seconds
    while not (said := condition()) and time.monotonic() < deadline:
        time.sleep(every)
    return said
