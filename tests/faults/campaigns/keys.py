"""Removing half of the keys of a Cluster: whole, killed half-way, with a primary that is killed, and with slots that move."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .bare import Module, logged
from .record import Record
from .redis_servers import FOLDER, PRIMARIES, Others, RedisServers, quiet
from .stack import Stack

PROMISE = (
    "Of the keys of a Cluster all that match are removed, and only those, whatever is killed or moved meanwhile, and nobody else feels it"
)
#: Keys that match, and as many that do not.
FULL, SAMPLE = 1_000_000, 20_000
#: Names that are no text. One key has as many fields as there are keys.
ODD = 1000
PATTERN = "cache:board:*"
LIMIT_SECONDS, IDLE_TIMES = 0.002, 3.0
SLOTS = 300
PATIENCE_SECONDS = 600


def meant(number: int) -> bytes:
    return b"cache:board:%d" % number


def other(number: int) -> bytes:
    return b"other:%d" % number


def odd(number: int) -> bytes:
    """With every byte there is, a line break and a tag among them."""
    return b"cache:board:" + bytes([number % 256, 255 - number % 256]) + b" \n'\"{t%d}\x00" % number


class Keys:
    """The servers, and what is in them."""

    def __init__(self, servers: RedisServers, count: int, record: Record, folder: Path) -> None:
        self.servers, self.count, self.record, self.folder = servers, count, record, folder

    def fill_others(self) -> None:
        self._fill(other)

    def fill_meant(self) -> int:
        """-> how many there are"""
        self._fill(meant)
        self.servers.fill(PRIMARIES[1], 0, min(ODD, self.count), odd)
        client = self.servers.client(PRIMARIES[1])
        for first in range(0, self.count, 10_000):
            client.hset("cache:board:hash", mapping={f"field {n}": "value" for n in range(first, first + 10_000)})
        client.close()
        return self.count + min(ODD, self.count) + 1

    def _fill(self, name: Callable[[int], bytes]) -> None:
        # Two processes: one alone computes for longer than the servers do.
        children = []
        for half in (0, 1):
            child = os.fork()
            if not child:
                code = 1
                try:
                    self.servers.fill(PRIMARIES[1], half * self.count // 2, (half + 1) * self.count // 2, name)
                    code = 0
                finally:
                    os._exit(code)
            children.append(child)
        failed = [child for child in children if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]
        if failed:
            raise RuntimeError("The keys could not be written.")

    def begin(self) -> Module:
        return Module("redis_keys", **self.servers.login(PRIMARIES[1]), pattern=PATTERN, maximum=10 * self.count)

    def wait_until_half(self, module: Module) -> bool:
        """Whether it is half-way."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while module.running and time.monotonic() < deadline:
            if self.servers.keys(PRIMARIES) < 1.5 * self.count:
                return True
        return False

    def judge(self, name: str, answer: dict[str, Any]) -> None:
        """All that match are gone, by redis-cli, and all others are there."""
        logged(self.folder, name, answer)
        record, servers = self.record, self.servers
        told = f"{answer.get('removed')} removed in {answer.get('duration')} s, {answer.get('passes')} passes {answer.get('msg', '')}"
        record.check(not answer.get("failed") and answer.get("left") == 0, f"{name}: it completes", told)
        ports = servers.settled_primaries()
        left = servers.matching(ports, PATTERN)
        record.check(len(ports) == len(PRIMARIES) and left == 0, f"{name}: none is left", f"{left} of {PATTERN} on {ports}")
        there = servers.keys(ports)
        record.check(there == self.count, f"{name}: all others are there", f"{there} of {self.count}")


def run(stack: Stack, folder: Path, count: int) -> Record:
    record = Record("keys", PROMISE)
    with RedisServers(stack, "keys") as servers:
        keys = Keys(servers, count, record, folder)
        keys.fill_others()
        _whole(keys)
        _killed(keys)
        _moved(keys)
        _failed_over(keys)
    return record


def _whole(keys: Keys) -> None:
    there = keys.fill_meant()
    idle = quiet(keys.servers.address, PRIMARIES)
    with Others(keys.servers.address, PRIMARIES) as others:
        began = time.monotonic()
        answer = keys.begin().wait()
        ended = time.monotonic()
        time.sleep(1)
    after = quiet(keys.servers.address, PRIMARIES)
    keys.judge("whole", answer)
    keys.record.check(answer.get("removed") == there, "whole: as many as there were", f"{answer.get('removed')} of {there}")
    # A shared machine is not as quiet all the time: what others feel without us is asked before and after.
    felt, alone = others.p99(began, ended), max(idle.p99(), after.p99())
    limit = max(LIMIT_SECONDS, IDLE_TIMES * alone)
    told = ", ".join(
        f"{name} {seconds * 1000:.2f} ms"
        for name, seconds in {"p99": felt, "worst": others.worst(began, ended), "idle p99": alone, "idle worst": idle.worst()}.items()
    )
    keys.record.check(felt <= limit, f"whole: others wait for at most {limit * 1000:.1f} ms (p99)", told)
    keys.record.data["whole"] = {"seconds": ended - began, "p99": felt, "idle": alone, "keys": there}


def _killed(keys: Keys) -> None:
    keys.fill_meant()
    module = keys.begin()
    half = keys.wait_until_half(module)
    module.kill()
    left = keys.servers.keys(PRIMARIES) - keys.count
    keys.record.check(half and left > 0, "killed half-way: it was half-way", f"{left} are left")
    keys.judge("killed half-way and run again", keys.begin().wait())


def _moved(keys: Keys) -> None:
    """To the third primary from the first one, while both are swept."""
    keys.fill_meant()
    module = keys.begin()
    half = keys.wait_until_half(module)
    first, third = (keys.servers.cli(port, "cluster", "myid") for port in (7001, 7003))
    move = (
        f"redis-cli --cluster reshard 127.0.0.1:7002 --cluster-from {first} --cluster-to {third} --cluster-slots {SLOTS} --cluster-yes "
        "--cluster-pipeline 100 >/dev/null"
    )
    moved = subprocess.run(["docker", "exec", keys.servers.name, "bash", "-c", move], capture_output=True, text=True, check=False)
    keys.record.check(half and moved.returncode == 0, f"{SLOTS} slots moved half-way", moved.stderr.strip())
    keys.judge("slots moved half-way", module.wait())


def _failed_over(keys: Keys) -> None:
    keys.fill_meant()
    module = keys.begin()
    half = keys.wait_until_half(module)
    keys.servers.inside(f"kill -9 $(cat {FOLDER}/7001/pid)")
    keys.record.check(half and module.running, "a primary killed half-way")
    keys.judge("a primary killed half-way", module.wait())
