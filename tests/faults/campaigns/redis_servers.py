"""Redis servers of a campaign's own, their content, and a client of theirs that notes what it feels."""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from typing import Any

import redis

from .stack import ROOT, Stack, docker

IMAGE = "astraldraft/redis:8"
GROUP = ROOT / "tests/integration/targets/setup_redis/files/group"
SINGLE, PRIMARIES, CLUSTER = 6379, (7001, 7002, 7003), tuple(range(7001, 7007))
#: In the container.
FOLDER = "/data/group"
READY_SECONDS = 60
READY = f"test -e {FOLDER}/ready && redis-cli -p 7003 cluster info | grep -q cluster_state:ok"
PIPELINE = 5000
#: The password of the single server's user who may do all.
WARDEN = ("warden", "throwaway-warden")


class RedisServers:
    """A context: a single server and a Cluster of three primaries with a replica each, in one container that is removed at the end."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.name, self._label = f"{stack.project}-{name}", f"org.astraldraft.demo={stack.project}"

    def __enter__(self) -> RedisServers:
        self.__exit__()
        docker("run", "--detach", "--init", "--name", self.name, "--label", self._label, "--user", "redis", "--no-healthcheck",
               "--entrypoint", "bash", IMAGE, "-c", GROUP.read_text(), "group", FOLDER, "", "0", "foreground")  # fmt: skip
        self.address = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.name).strip()
        deadline = time.monotonic() + READY_SECONDS
        while subprocess.run(["docker", "exec", self.name, "bash", "-c", READY], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready")
            time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True, check=False)

    def inside(self, script: str) -> str:
        return docker("exec", self.name, "bash", "-c", "set -o pipefail; " + script).strip()

    def cli(self, port: int, *words: str) -> str:
        login = ["--user", WARDEN[0], "--pass", WARDEN[1], "--no-auth-warning"] if port == SINGLE else []
        return docker("exec", self.name, "redis-cli", "-e", "-p", str(port), *login, *words).strip()

    def living_primaries(self) -> list[int]:
        """The ports of those that say so themselves."""
        found = []
        for port in CLUSTER:
            with contextlib.suppress(RuntimeError, subprocess.CalledProcessError):
                if self.cli(port, "role").split()[0] == "master":
                    found.append(port)
        return found

    def settled_primaries(self) -> list[int]:
        """The same, once there are as many as there have to be, or after a while."""
        deadline = time.monotonic() + READY_SECONDS
        while len(found := self.living_primaries()) != len(PRIMARIES) and time.monotonic() < deadline:
            time.sleep(0.5)
        return found

    def keys(self, ports: Iterable[int]) -> int:
        return sum(int(self.cli(port, "dbsize")) for port in ports)

    def matching(self, ports: Iterable[int], pattern: str) -> int:
        """By redis-cli, node by node."""
        login = f"--user {WARDEN[0]} --pass {WARDEN[1]} --no-auth-warning"
        commands = [f"redis-cli -p {port} {login if port == SINGLE else ''}" for port in ports]
        return sum(int(self.inside(f"{command} --scan --pattern '{pattern}' | wc -l")) for command in commands)

    def client(self, port: int) -> Any:
        """redis-py's own."""
        if port in CLUSTER:
            return redis.RedisCluster(host=self.address, port=port)
        return redis.Redis(host=self.address, port=port, username=WARDEN[0], password=WARDEN[1])

    def login(self, port: int) -> dict[str, Any]:
        user = {"login_user": WARDEN[0], "login_password": WARDEN[1]} if port == SINGLE else {}
        return {"login_host": self.address, "login_port": port, **user}

    def fill(self, port: int, begin: int, end: int, name: Callable[[int], bytes]) -> None:
        """A small value under ``name(number)`` for each number."""
        client = self.client(port)
        for first in range(begin, end, PIPELINE):
            pipeline = client.pipeline() if port in CLUSTER else client.pipeline(transaction=False)
            for number in range(first, min(first + PIPELINE, end)):
                pipeline.set(name(number), b"x" * 20)
            pipeline.execute()
        client.close()


def _feel(address: str, port: int, every: float, over: Any, found: Any) -> None:
    user: dict[str, Any] = {"username": WARDEN[0], "password": WARDEN[1]} if port == SINGLE else {}
    client = redis.Redis(host=address, port=port, socket_timeout=10, **user)
    taken: list[tuple[float, float]] = []
    while not over.wait(every):
        began = time.monotonic()
        with contextlib.suppress(redis.RedisError):
            client.ping()
            taken.append((began, time.monotonic() - began))
    found.put(taken)


class Others:
    """A context: on each of the servers somebody asks all the time, in a process of its own. ``taken``: when, and how long it took."""

    EVERY = 0.002

    def __init__(self, address: str, ports: Iterable[int]) -> None:
        context = multiprocessing.get_context("spawn")
        self._over, self._found = context.Event(), context.Queue()
        arguments = (self.EVERY, self._over, self._found)
        self._processes = [context.Process(target=_feel, args=(address, port, *arguments), daemon=True) for port in ports]
        self.taken: list[tuple[float, float]] = []

    def __enter__(self) -> Others:
        for process in self._processes:
            process.start()
        time.sleep(2)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for _process in self._processes:
            self.taken += self._found.get(timeout=30)
        for process in self._processes:
            process.join()

    def p99(self, since: float = 0.0, until: float = float("inf")) -> float:
        """In seconds."""
        return statistics.quantiles(self._between(since, until), n=100)[98]

    def worst(self, since: float = 0.0, until: float = float("inf")) -> float:
        return max(self._between(since, until))

    def _between(self, since: float, until: float) -> list[float]:
        return [seconds for began, seconds in self.taken if since <= began <= until]


def quiet(address: str, ports: Iterable[int], seconds: float = 5.0) -> Others:
    """What somebody feels when nothing else is done."""
    with Others(address, ports) as others:
        time.sleep(seconds)
    return others
