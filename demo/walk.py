"""The demonstration: releases, a bad release and a rollback on the running stack, under load, and a table of what happened.

Run by `demo/run`, which sets up and starts the stack before. Exit code 0 when everything went as it should and no request failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from demo.load import Load, Options, window

ROOT = Path(__file__).resolve().parent.parent
BAD_RELEASE = "v1.2.5-slow"
WARM_UP_SECONDS = 3
#: Requests that an idle client sends on a connection of before the last step are part of that step.
COOL_DOWN_SECONDS = 10


@dataclass
class Step:
    """One command of the walk. ``release`` is the one that should answer afterwards, None where it is known only then."""

    title: str
    playbook: str
    variables: dict
    expected_code: int = 0
    started: float = 0.0
    ended: float = 0.0
    code: int | None = None
    seen: dict = field(default_factory=dict)

    @property
    def as_expected(self) -> bool:
        return self.code == self.expected_code


def walk() -> list[Step]:
    why = {"ops_reason": "the demonstration"}
    return [
        Step("deploy v1.2.2", "deploy", {"release_version": "v1.2.2"}),
        Step("deploy v1.2.3", "deploy", {"release_version": "v1.2.3"}),
        # Quarantined since the first demonstration: it is deployed all the same, and the override is recorded with its reason.
        Step(f"deploy {BAD_RELEASE}", "deploy", {"release_version": BAD_RELEASE, "ops_override": ["quarantine"], **why}, expected_code=2),
        Step("deploy v1.2.4", "deploy", {"release_version": "v1.2.4"}),
        Step("roll back by hand", "rollback", why),
    ]


def run(step: Step, logs: Path) -> None:
    """Run the step's playbook; its output goes to a file of its own."""
    command = [
        str(ROOT / ".venv/bin/ansible-playbook"),
        "-i",
        "inventories/demo",
        f"playbooks/{step.playbook}.yml",
        "-e",
        json.dumps(step.variables),
    ]
    step.started = time.time()
    with open(logs / f"{step.title.replace(' ', '-')}.log", "w", encoding="utf-8") as log:
        step.code = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    step.ended = time.time()


def arrivals(step: Step, report: dict) -> list[str]:
    """``v1.2.3 after 9.1 s`` for every release that answered first during the step, in order."""
    before = {row["release"] for row in report["timeline"] if step.started - 2 <= row["last"] and row["first"] < step.started}
    first: dict[str, float] = {}
    for row in report["timeline"]:
        if row["release"] and row["release"] not in before and step.started <= row["first"] <= step.ended:
            first.setdefault(row["release"], row["first"] - step.started)
    return [f"{release} after {seconds:.1f} s" for release, seconds in sorted(first.items(), key=lambda item: item[1])]


def outcome(step: Step) -> str:
    if not step.as_expected:
        return f"NOT AS EXPECTED (exit {step.code})"
    return "done" if step.code == 0 else "taken back by itself"


def table(steps: list[Step], report: dict) -> str:
    rows = [("step", "outcome", "traffic switched", "took", "requests", "failed")]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        step.seen = window(report, step.started, following.started if following else time.time())
        switched = ", ".join(arrivals(step, report)) or "was live already"
        rows.append(
            (
                step.title,
                outcome(step),
                switched,
                f"{step.ended - step.started:.0f} s",
                str(step.seen["requests"]),
                str(step.seen["failed"]),
            )
        )
    rows.append(("in all", "", "", f"{report['seconds']:.0f} s", str(report["requests"]), str(report["failed"])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the load balancer (%(default)s)")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second of the busy clients (%(default)s)")
    parser.add_argument("--logs", type=Path, default=ROOT / ".cache/demo", help="where the playbooks' output goes (%(default)s)")
    options = parser.parse_args()
    options.logs.mkdir(parents=True, exist_ok=True)
    steps = walk()
    load = Load(Options(url=options.url, rate=options.rate))
    load.start()
    print(
        f"Load: {options.rate:.0f} requests a second and more, kept-alive connections, no retries. Output of the playbooks: {options.logs}",
        flush=True,
    )
    try:
        time.sleep(WARM_UP_SECONDS)
        for step in steps:
            print(f"  {step.title:<22} ...", end="", flush=True)
            run(step, options.logs)
            print(f" {outcome(step)} ({step.ended - step.started:.0f} s)", flush=True)
        time.sleep(COOL_DOWN_SECONDS)
    finally:
        load.stop()
    report = load.report()
    print("\n" + table(steps, report))
    for failure in report["failures"][:5]:
        print(f"  failed: {failure['time']} {failure['kind']} {failure['error']}")
    good = report["failed"] == 0 and all(step.as_expected for step in steps)
    print(
        f"\n{report['requests']} requests, {report['failed']} failed, {report['resets']} reset connections, "
        f"{report['rate']:.0f} requests a second."
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
