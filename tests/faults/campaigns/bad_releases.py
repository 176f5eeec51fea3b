"""Every kind of bad release: the ones that can be known beforehand never get a request, the others are taken back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from .operations import Operations
from .record import Record
from .stack import COLOURS, GOOD, Stack
from .traffic import Traffic, failures, shown

PROMISE = "Each bad release is caught: before its first request where it can be known, else taken back without a hand"
#: What the mislabelled one really is, so it cannot be live when that one is tried.
INSIDE_MISLABELLED = "v1.2.4"
#: Version -> the outcome that the record must show.
BAD = {
    "v1.2.5-unhealthy": "failed",
    "v1.2.5-mislabelled": "failed",
    "v1.2.5-errors": "taken_back",
    "v1.2.5-slow": "taken_back",
    "v1.2.5-crash": "taken_back",
}
SAMPLE = ("v1.2.5-unhealthy", "v1.2.5-errors")


def archived(stack: Stack, digest: str, before: set[str]) -> tuple[list[str], set[str]]:
    """``(folders written since of that image, addresses that the containers had)``; a folder without log and state is not counted."""
    folders, addresses = [], set()
    for path in sorted((stack.state / "logs").iterdir()):
        if path.name in before or not (path / "log.gz").exists() or not (path / "state.json").exists():
            continue
        state = json.loads((path / "state.json").read_text())
        if state["Image"] != digest:
            continue
        networks = state["NetworkSettings"]["Networks"]
        folders.append(path.name)
        addresses |= {network["IPAddress"] for network in networks.values() if network.get("IPAddress")}
    return folders, addresses


def run(stack: Stack, folder: Path, versions: tuple[str, ...]) -> Record:
    record = Record("bad_releases", PROMISE)
    operations = Operations(stack, folder)
    found = stack.live()
    good = found if found in GOOD and found != INSIDE_MISLABELLED else "v1.2.3"
    rows = [_try(record, operations, version, good) for version in versions]
    record.table(
        "The bad releases", ["version", "outcome", "playbook s", "live s", "requests it got", "failed", "of others failed", "why"], rows
    )
    return record


def _try(record: Record, operations: Operations, version: str, live: str) -> list[Any]:
    stack = operations.stack
    operations.ensure_live(live)
    known = {path.name for path in (stack.state / "logs").iterdir()}
    override = {"ops_override": ["quarantine"]} if stack.quarantined(version) else {}
    folder = operations.folder / version
    folder.mkdir()
    with Traffic(stack, folder) as traffic:
        # A smoke test meets an error in twenty now and then, and stops the release before the soak that is tried here.
        play = operations.deploy(version, release_skip_smoke=BAD[version] == "taken_back", **override)
        time.sleep(2)
    # Read before anything else happens: the container keeps only so much of its log.
    lines = stack.nginx_lines(play.started - 1)
    release = stack.releases()[-1]
    folders, addresses = archived(stack, release["digest"], known)
    expected = BAD[version]
    record.check(
        play.process.returncode not in (0, None), f"{version}: the playbook says that it failed", f"exit {play.process.returncode}"
    )
    record.check(stack.live() == live, f"{version}: {live} is live afterwards", str(stack.live()))
    record.check(
        release["version"] == version and release["outcome"] == expected and bool(release["message"]),
        f"{version}: the record says {expected}, and why", f"{release['outcome']}: {release['message'][:160]}",
    )  # fmt: skip
    record.check(len(folders) == 2 and len(addresses) == 2, f"{version}: logs and state of both replicas are kept", ", ".join(folders))
    gone = stack.unsettled(live)
    record.check(not gone, f"{version}: nothing else is left of it", "; ".join(gone))
    row = _judge_requests(record, traffic, lines, addresses, version, live)
    if expected == "taken_back":
        _check_quarantine(record, operations, version)
    return [version, release["outcome"], f"{play.seconds:.0f}", *row, release["message"][:80]]


def _judge_requests(
    record: Record, traffic: Traffic, lines: list[dict[str, Any]], addresses: set[str], version: str, live: str
) -> list[Any]:
    def of_bad(line: dict[str, Any]) -> bool:
        return any(address.rpartition(":")[0] in addresses for address in line["upstream_addr"].replace(",", " ").split())

    got = [line for line in lines if of_bad(line)]
    # When both replicas are down at once nginx has nobody left to ask, and names the upstream instead of an address.
    # Monitoring asks for the health through the load balancer too; what it is told is no client's request.
    errors = [line for line in lines if int(line["status"]) >= 500 and line["uri"] != "/api/health"]
    others = [line for line in errors if not of_bad(line) and not (got and line["upstream_addr"] == "app")]
    lost = [request for request in failures(traffic.requests) if request.status is None]
    answers = [request for request in traffic.requests if request.release == version]
    if BAD[version] == "failed":
        record.check(
            bool(addresses) and not got,
            f"{version}: it never gets a request (nginx's log)",
            f"{len(got)} of {len(lines)} at {sorted(addresses)}",
        )
        # The mislabelled one calls itself by another version's name.
        strangers = {release for release in traffic.report["by_release"] if release not in (live, "none")}
        record.check(not strangers, f"{version}: only {live} answers the clients", str(traffic.report["by_release"]))
        record.check(
            not traffic.report["failed"], f"{version}: no request fails", f"{traffic.report['failed']} of {traffic.report['requests']}"
        )
        return ["0", len(got), 0, traffic.report["failed"]]
    record.check(bool(got), f"{version}: it did get traffic, so taking it back means something", f"{len(got)} requests")
    record.check(not others and not lost, f"{version}: only requests that reached it fail",
                 f"{len(errors)} errors, {len(others)} of them elsewhere, {len(lost)} connections lost {shown(lost)}")  # fmt: skip
    spell = max(a.answered for a in answers) - min(a.answered for a in answers) if answers else 0.0
    return [f"{spell:.0f}", len(got), len(failures(traffic.requests)), len(others) + len(lost)]


def _check_quarantine(record: Record, operations: Operations, version: str) -> None:
    again = operations.deploy(version)
    refused = again.process.returncode not in (0, None) and "taken back by itself before" in again.output.replace("\n", " ")
    record.check(
        refused, f"{version}: a second deploy is refused, it is quarantined", f"exit {again.process.returncode} in {again.seconds:.0f} s"
    )
    idle = next(colour for colour in COLOURS if colour != operations.stack.live_colour())
    record.check(operations.stack.version_of(idle) is None, f"{version}: the refusal started nothing", idle)
