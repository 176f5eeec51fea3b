"""Removing and counting keys beside what one would do instead: how long it takes, and how long nobody else is served."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .bare import Module, logged, module
from .keys import meant, other
from .record import Record
from .redis_servers import PRIMARIES, SINGLE, WARDEN, Others, RedisServers
from .stack import Stack

PROMISE = (
    "Keys are removed at least 3 times faster than by the runbook on one server, and at least 4 times faster than by redis-py's cluster "
    "client; counting them blocks nobody for more than 10 ms"
)
FULL = 5
#: Of keys that match, and as many that do not.
ON_ONE, ON_CLUSTER = 500_000, 150_000
TIMES_ONE, TIMES_CLUSTER, COUNT_BLOCKS = 3, 4, 0.010
SLOW_MICROSECONDS = 500
COUNTS = 3
PATTERN = "cache:board:*"
LOGIN = f"--user {WARDEN[0]} --pass {WARDEN[1]} --no-auth-warning"
RUNBOOK = f"redis-cli -p {SINGLE} {LOGIN} --scan --pattern '{PATTERN}' | xargs redis-cli -p {SINGLE} {LOGIN} del >/dev/null"


class Bench:
    def __init__(self, servers: RedisServers, record: Record, folder: Path) -> None:
        self.servers, self.record, self.folder = servers, record, folder
        self.rows: list[list[Any]] = []

    def measure(self, what: str, ports: tuple[int, ...], action: Callable[[], Any]) -> tuple[float, Any, Others]:
        """-> seconds, what ``action`` gives, what others felt"""
        with Others(self.servers.address, ports) as others:
            began = time.monotonic()
            answer = action()
            ended = time.monotonic()
        p99, worst = others.p99(began, ended), others.worst(began, ended)
        self.rows.append([what, f"{ended - began:.2f}", f"{p99 * 1000:.2f}", f"{worst * 1000:.1f}"])
        others.taken = [one for one in others.taken if began <= one[0] <= ended]
        return ended - began, answer, others

    def by_module(self, name: str, port: int) -> dict[str, Any]:
        return logged(self.folder, name, Module("redis_keys", **self.servers.login(port), pattern=PATTERN).wait())

    def demand(self, what: str, ports: tuple[int, ...], count: int) -> None:
        left, there = self.servers.matching(ports, PATTERN), self.servers.keys(ports)
        self.record.check(left == 0 and there == count, f"{what}: all that match are gone, and only those", f"{left} left, {there} others")


def by_client(servers: RedisServers) -> None:
    client = servers.client(PRIMARIES[0])
    for name in client.scan_iter(PATTERN, count=1000):
        client.unlink(name)


def run(stack: Stack, folder: Path, count: int, sample: bool) -> Record:
    record = Record("keys_cost", PROMISE)
    one, cluster = (ON_ONE // 20, ON_CLUSTER // 20) if sample else (ON_ONE, ON_CLUSTER)
    with RedisServers(stack, "keys-cost") as servers:
        bench = Bench(servers, record, folder)
        servers.fill(SINGLE, 0, one, other)
        servers.fill(PRIMARIES[0], 0, cluster, other)
        _counting(bench, one)
        found: dict[str, list[float]] = {}
        for number in range(1, count + 1):
            for name, value in (_one(bench, number, one) | _cluster(bench, number, cluster)).items():
                found.setdefault(name, []).append(value)
        start = module("redis_keys", servers.login(SINGLE) | {"pattern": PATTERN})
        record.note(f"Ansible's own start and a module that finds nothing: the module says {start['duration']} s")
    record.table("What others felt meanwhile", ["what", "s", "p99 ms", "worst ms"], bench.rows)
    _compare(record, found, one, cluster)
    return record


def _counting(bench: Bench, one: int) -> None:
    servers = bench.servers
    servers.fill(SINGLE, 0, one, meant)
    keys = ["docker", "exec", servers.name, "bash", "-c", f"redis-cli -p {SINGLE} {LOGIN} keys '{PATTERN}' | wc -l"]
    said, by_keys = _blocked(bench, "KEYS", lambda: subprocess.run(keys, capture_output=True, text=True, check=True))
    # The longest command of each: what takes the processor away from the server for a moment is in one of them, what we do in all.
    counted = [_blocked(bench, "redis_keys_info", lambda: Module("redis_keys_info", **servers.login(SINGLE), pattern=PATTERN).wait())
               for _number in range(COUNTS)]  # fmt: skip
    answer, by_module = min(counted, key=lambda one: one[1])
    logged(bench.folder, "counted", answer)
    bench.record.check(
        answer.get("count") == one == int(said.stdout), "both count the same", f"{answer.get('count')}, {said.stdout.strip()}"
    )
    bench.record.check(
        by_module <= COUNT_BLOCKS < by_keys, f"counting blocks nobody for more than {COUNT_BLOCKS * 1000:.0f} ms, and KEYS does",
        f"the longest command took {', '.join(f'{seconds * 1000:.1f}' for _answer, seconds in counted)} ms, KEYS {by_keys * 1000:.0f} ms",
    )  # fmt: skip


def _blocked(bench: Bench, what: str, action: Callable[[], Any]) -> tuple[Any, float]:
    """-> what ``action`` gives, and for how many seconds it kept the server from serving others at most, by the server's own slow log: what
    a client waits for includes that it was not woken."""
    cli = bench.servers.cli
    cli(SINGLE, "config", "set", "slowlog-log-slower-than", str(SLOW_MICROSECONDS))
    cli(SINGLE, "slowlog", "reset")
    _seconds, answer, _felt = bench.measure(what, (SINGLE,), action)
    with contextlib.closing(bench.servers.client(SINGLE)) as client:
        return answer, max([row["duration"] for row in client.slowlog_get(128)], default=SLOW_MICROSECONDS) / 1e6


def _one(bench: Bench, number: int, one: int) -> dict[str, float]:
    servers = bench.servers
    servers.fill(SINGLE, 0, one, meant)
    runbook, _answer, _felt = bench.measure(f"runbook, {number}", (SINGLE,), lambda: servers.inside(RUNBOOK))
    servers.fill(SINGLE, 0, one, meant)
    whole, answer, _felt = bench.measure(f"redis_keys, {number}", (SINGLE,), lambda: bench.by_module(f"one {number}", SINGLE))
    bench.demand(f"one server, {number}", (SINGLE,), one)
    return {"runbook": runbook, "module": whole} | _parts("module", answer)


def _cluster(bench: Bench, number: int, cluster: int) -> dict[str, float]:
    servers = bench.servers
    servers.fill(PRIMARIES[0], 0, cluster, meant)
    client, _answer, _felt = bench.measure(f"redis-py's cluster client, {number}", PRIMARIES, lambda: by_client(servers))
    servers.fill(PRIMARIES[0], 0, cluster, meant)
    whole, answer, _felt = bench.measure(
        f"redis_keys, cluster, {number}", PRIMARIES, lambda: bench.by_module(f"cluster {number}", PRIMARIES[0])
    )
    bench.demand(f"cluster, {number}", PRIMARIES, cluster)
    return {"cluster client": client, "module on the cluster": whole} | _parts("module on the cluster", answer)


def _parts(name: str, answer: dict[str, Any]) -> dict[str, float]:
    return {f"{name}, {part.removesuffix('_seconds')}": float(seconds) for part, seconds in answer.get("parts", {}).items()}


def _compare(record: Record, found: dict[str, list[float]], one: int, cluster: int) -> None:
    medians = {name: statistics.median(values) for name, values in found.items()}
    record.table(
        f"Removing {one} of {2 * one} keys of one server, {cluster} of {2 * cluster} of a cluster (s)",
        ["what", "median", "least", "most"],
        [[name, f"{medians[name]:.2f}", f"{min(values):.2f}", f"{max(values):.2f}"] for name, values in found.items()],
    )
    for times, theirs, ours in ((TIMES_ONE, "runbook", "module"), (TIMES_CLUSTER, "cluster client", "module on the cluster")):
        ratio = medians[theirs] / medians[f"{ours}, remove"]
        told = f"{medians[theirs]:.2f} s, {medians[f'{ours}, remove']:.2f} s; with the proof and the module's start {medians[ours]:.2f} s"
        record.check(ratio >= times, f"at least {times} times faster than the {theirs}", f"{ratio:.1f} times: {told}")
    record.data.update(seconds=found, medians=medians)
