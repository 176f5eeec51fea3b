"""Replicas come and go under a load that never retries: nothing is lost, nothing else is touched, too many are refused."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from .operations import Operations, last_words
from .play import Play
from .record import Record
from .stack import COLOURS, Stack, docker
from .traffic import COOL_DOWN_SECONDS, Traffic, longest_silence, shown

PROMISE = "2 -> 5 -> 2 replicas under load: no failed request, every replica serves, no other container is touched, 50 are refused"
FULL, SAMPLE = 3, 1
SMALL, LARGE, TOO_MANY = 2, 5, 50
LIVE, WARM = "v1.2.2", "v1.2.3"
#: How long a size is kept, so that every replica of it is seen.
STAY_SECONDS = 3
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+:\d+")


class Census:
    """What runs, as Docker tells it: short name (app-blue-1) to id, start and address."""

    def __init__(self, stack: Stack) -> None:
        names = [c["name"] for c in stack.containers() if c["oneoff"] == "False" and c["state"] == "running"]
        self.found: dict[str, dict[str, str]] = {}
        for inspection in json.loads(docker("inspect", *names)):
            labels = inspection["Config"]["Labels"]
            name = f"{labels['com.docker.compose.service']}-{labels['com.docker.compose.container-number']}"
            address = next(iter(inspection["NetworkSettings"]["Networks"].values()))["IPAddress"]
            self.found[name] = {"id": inspection["Id"], "started": inspection["State"]["StartedAt"], "address": f"{address}:3000"}

    def of(self, colour: str) -> list[str]:
        return sorted(name for name in self.found if name.rpartition("-")[0] == colour)

    def touched(self, later: Census, apart: tuple[str, ...] = ()) -> list[str]:
        """Who is gone, or was started again, until ``later``; those of the services ``apart`` do not count."""
        same = ("id", "started")
        return [
            name
            for name, was in self.found.items()
            if name.rpartition("-")[0] not in apart and (name not in later.found or any(was[key] != later.found[name][key] for key in same))
        ]


def served(stack: Stack, since: float, until: float = float("inf")) -> dict[str, int]:
    """How many requests each address answered, by nginx's own log."""
    counts: dict[str, int] = {}
    for line in stack.nginx_lines(since):
        moment = time.mktime(time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        addresses = ADDRESS.findall(line["upstream_addr"])
        if addresses and moment < until:
            counts[addresses[-1]] = counts.get(addresses[-1], 0) + 1
    return counts


def largest(play: Play) -> int | None:
    found = re.search(r"largest\s+number\s+that\s+fits\s+is\s+(\d+)", re.sub(r"\s+", " ", play.output))
    return int(found.group(1)) if found else None


def run(stack: Stack, folder: Path, count: int) -> Record:
    record = Record("scale", PROMISE)
    operations = Operations(stack, folder)
    operations.ensure_live(WARM)
    operations.ensure_live(LIVE)
    operations.run("scale", {"scale_replicas": SMALL})
    colour = stack.live_colour()
    assert colour, "no colour is live"
    before = Census(stack)
    rows: list[list[Any]] = []
    with Traffic(stack, folder) as traffic:
        for number in range(count):
            _round(record, operations, colour, f"round {number + 1}", rows)
        others = Census(stack)
        touched = before.touched(others)
        record.check(not touched, "no other container was recreated or restarted, nor those that were there", ", ".join(touched))
        if count >= FULL:
            _weights(record, operations, colour)
            _restart(record, operations, colour)
        time.sleep(COOL_DOWN_SECONDS)
    failed = [request for request in traffic.requests if request.error]
    record.check(not failed, "no request failed", f"{len(failed)} of {len(traffic.requests)} {shown(failed)}")
    record.check(traffic.report["resets"] == 0, "no connection was reset", str(traffic.report["resets"]))
    record.table("One size after another", ["step", "s", "replicas of the live colour", "requests each answered"], rows)
    _refused(record, operations)
    if count >= FULL:
        _topped_up(record, operations)
    problems = stack.unsettled(stack.live() or LIVE)
    record.check(not problems, "all is as it should be in the end", "; ".join(problems))
    record.note(traffic.profile)
    record.note(f"longest time without a good answer: {longest_silence(traffic.requests):.2f} s")
    record.data["report"] = {key: value for key, value in traffic.report.items() if key != "timeline"}
    return record


def _round(record: Record, operations: Operations, colour: str, title: str, rows: list[list[Any]]) -> None:
    stack = operations.stack
    for size in (LARGE, SMALL):
        play = operations.run("scale", {"scale_replicas": size})
        what = f"{title}: to {size}"
        good = play.process.returncode == 0
        record.check(good, f"{what}: succeeds", f"{play.seconds:.0f} s" if good else last_words(play))
        ended = time.time()
        time.sleep(STAY_SECONDS)
        census = Census(stack)
        sizes = {name: len(census.of(name)) for name in COLOURS}
        record.check(set(sizes.values()) == {size}, f"{what}: both colours have {size}", str(sizes))
        record.check(sorted(stack.upstream()) == census.of(colour), f"{what}: nginx names exactly those", ", ".join(stack.upstream()))
        counts = served(stack, ended)
        seen = {name: counts.get(census.found[name]["address"], 0) for name in census.of(colour)}
        record.check(min(seen.values(), default=0) > 0, f"{what}: every replica is seen in the access log", str(seen))
        rows.append([what, f"{play.seconds:.0f}", len(seen), " ".join(map(str, seen.values()))])


def _weights(record: Record, operations: Operations, colour: str) -> None:
    stack, census = operations.stack, Census(operations.stack)
    name = census.of(colour)[-1]
    play = operations.run("weights", {"traffic_weights": {name: 0}})
    record.check(play.process.returncode == 0, f"weights: {name} gets none", f"{play.seconds:.0f} s")
    since = time.time() + 1  # the log has whole seconds
    time.sleep(STAY_SECONDS)
    counts = {other: served(stack, since).get(census.found[other]["address"], 0) for other in census.of(colour)}
    record.check(counts[name] == 0 and sum(counts.values()) > 0, f"weights: {name} got no request any more", str(counts))
    play = operations.run("weights", {"traffic_weights": {}})
    since = time.time()
    time.sleep(STAY_SECONDS)
    counts = {other: served(stack, since).get(census.found[other]["address"], 0) for other in census.of(colour)}
    record.check(play.process.returncode == 0 and min(counts.values()) > 0, "weights: all get requests again", str(counts))


def _restart(record: Record, operations: Operations, colour: str) -> None:
    before = Census(operations.stack)
    play = operations.run("restart_service", {"service_name": colour})
    record.check(play.process.returncode == 0, f"restart_service {colour}: succeeds", f"{play.seconds:.0f} s")
    after = Census(operations.stack)
    touched = before.touched(after)
    record.check(sorted(touched) == before.of(colour), "restart_service: every replica was restarted, nobody else", ", ".join(touched))
    kept = [before.found[name]["id"] == after.found.get(name, {}).get("id") for name in before.of(colour)]
    record.check(all(kept), "restart_service: the containers are the same ones", f"{sum(kept)} of {len(kept)}")


def _refused(record: Record, operations: Operations) -> None:
    stack = operations.stack
    before = Census(stack)
    play = operations.run("scale", {"scale_replicas": TOO_MANY})
    most = largest(play)
    record.check(play.process.returncode != 0 and most is not None, f"{TOO_MANY} are refused with the largest number that fits", str(most))
    record.check("refused" in play.output, "it is called refused", last_words(play))
    record.check(not before.touched(Census(stack)) and len(before.found) == len(Census(stack).found), "nothing was started for it")
    if most:
        fits = operations.run("scale", {"scale_replicas": most}, "--check")
        beyond = operations.run("scale", {"scale_replicas": most + 1}, "--check")
        record.check(
            fits.process.returncode == 0 and beyond.process.returncode != 0,
            f"{most} would be taken, {most + 1} would not",
            f"exit {fits.process.returncode} and {beyond.process.returncode}",
        )


def _topped_up(record: Record, operations: Operations) -> None:
    """A rollback to a warm colour that was left small."""
    stack = operations.stack
    operations.run("scale", {"scale_replicas": SMALL + 1, "scale_warm": False})
    play = operations.run("rollback", {"release_version": WARM})
    sizes = {name: len(Census(stack).of(name)) for name in COLOURS}
    record.check(
        play.process.returncode == 0 and "topped up before" in re.sub(r"\s+", " ", play.output),
        "a rollback to a smaller warm colour tops it up first, and says so",
        f"{play.seconds:.0f} s, {sizes}",
    )
    record.check(stack.live() == WARM and sizes[stack.live_colour() or ""] == SMALL + 1, "it has the size of its predecessor", str(sizes))
    operations.run("scale", {"scale_replicas": SMALL + 2, "scale_warm": False})
    play = operations.run("rollback", {"release_version": LIVE, "release_emergency": True})
    sizes = {name: len(Census(stack).of(name)) for name in COLOURS}
    record.check(
        play.process.returncode == 0 and "topped up after" in re.sub(r"\s+", " ", play.output),
        "an emergency sends traffic first and tops up afterwards",
        f"{play.seconds:.0f} s, {sizes}",
    )
    record.check(stack.live() == LIVE and sizes[stack.live_colour() or ""] == SMALL + 2, "it has the size, too", str(sizes))
    operations.run("scale", {"scale_replicas": SMALL})
