"""What a new version costs in requests: by recreating the live containers, as one does without a release engine, and by a deploy."""

from __future__ import annotations

import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from .operations import Operations
from .record import Record
from .stack import ROOT, Stack, docker
from .traffic import COOL_DOWN_SECONDS, Traffic, longest_silence

PROMISE = "Requests lost to a new version: docker compose up --force-recreate of the live colour against a deploy, in one run"
FULL = 3
VERSIONS = ("v1.2.2", "v1.2.3")


def by_name(colour: str) -> str:
    """The upstream as people write it by hand: Docker's names, which nginx resolves when it loads its configuration."""
    return f"upstream app {{\n    zone app 64k;\n    keepalive 32;\n    server {colour}:3000; # {colour}-1\n}}\n"


def recreate(stack: Stack, colour: str) -> None:
    """The baseline: new containers in place of the live ones, then a reload, because their addresses may be others."""
    nginx = next(container["name"] for container in stack.containers() if container["service"] == "nginx")
    compose = ["docker", "compose", "--project-name", stack.project, "--file", str(ROOT / "demo/compose.yml")]
    compose += ["--env-file", str(stack.state / "compose.env"), "up", "--detach", "--no-deps", "--force-recreate", "--wait", colour]
    subprocess.run(compose, check=True, capture_output=True)
    docker("exec", nginx, "nginx", "-s", "reload")


def measure(traffic: Traffic, action: Any) -> float:
    """-> the seconds that ``action`` took; afterwards the traffic's report is complete."""
    with traffic:
        started = time.monotonic()
        action()
        seconds = time.monotonic() - started
        time.sleep(COOL_DOWN_SECONDS)
    return seconds


def run(stack: Stack, folder: Path, count: int) -> Record:
    record = Record("switch_cost", PROMISE)
    operations = Operations(stack, folder)
    operations.ensure_live(VERSIONS[0])
    lost: dict[str, list[int]] = {"force-recreate": [], "deploy": []}
    rows = []

    def note(how: str, traffic: Traffic, seconds: float) -> None:
        report = traffic.report
        lost[how].append(report["failed"])
        silence = longest_silence(traffic.requests)
        rows.append([how, report["requests"], report["failed"], report["resets"], f"{silence:.2f}", f"{seconds:.1f}"])

    for number in range(count):
        colour, file, written = stack.live_colour() or "", stack.upstream_path, stack.upstream_path.read_text()
        nginx = next(container["name"] for container in stack.containers() if container["service"] == "nginx")
        traffic = Traffic(stack, folder)
        try:
            file.write_text(by_name(colour))
            docker("exec", nginx, "nginx", "-s", "reload")
            time.sleep(COOL_DOWN_SECONDS)
            note("force-recreate", traffic, measure(traffic, lambda colour=colour: recreate(stack, colour)))
        finally:
            file.write_text(written)
        # The containers are new ones: nginx is told their addresses.
        operations.deploy(stack.live() or VERSIONS[0])
        version = VERSIONS[(number + 1) % 2]
        traffic = Traffic(stack, folder)
        seconds = measure(traffic, lambda version=version: operations.deploy(version))
        note("deploy", traffic, seconds)
        record.check(stack.live() == version, f"run {number + 1}: {version} is live after the deploy", str(stack.live()))
    record.table("One after the other", ["how", "requests", "failed", "of them resets", "longest silence s", "took s"], rows)
    medians = {how: statistics.median(values) for how, values in lost.items()}
    record.check(sum(lost["deploy"]) == 0, "the deploys lose nothing", f"{lost['deploy']}")
    record.check(
        medians["force-recreate"] > 0,
        "the baseline loses something, so the comparison means something",
        f"median {medians['force-recreate']:.0f} against {medians['deploy']:.0f} requests lost; all: {lost['force-recreate']}",
    )
    record.data.update(lost=lost)
    return record
