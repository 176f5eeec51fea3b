"""Set-up a second time, and the removal of a stack."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from .record import Record
from .stack import ROOT, Stack, docker

PROMISE = "A second make setup takes under 10 seconds; make stack-down leaves nothing of the stack"
LIMIT_SECONDS = 10.0


def traces(stack: Stack) -> list[str]:
    """Containers, networks, volumes and files of the stack, by label, by name and by path."""
    found = [str(stack.state)] if stack.state.exists() else []
    for kind, listing in (("container", ["ps", "--all"]), ("network", ["network", "ls"]), ("volume", ["volume", "ls"])):
        shape = "{{.Names}}" if kind == "container" else "{{.Name}}"
        for label in (f"com.docker.compose.project={stack.project}", f"org.astraldraft.demo={stack.project}"):
            found += [f"{kind} {name}" for name in docker(*listing, "--filter", f"label={label}", "--format", shape).splitlines()]
        names = docker(*listing, "--format", shape).splitlines()
        found += [f"{kind} {name}" for name in names if name.startswith((f"{stack.project}-", f"{stack.project}_"))]
    return sorted(set(found))


def run(stack: Stack, folder: Path, remove: bool) -> Record:
    record = Record("setup_down", PROMISE)
    started = time.monotonic()
    done = subprocess.run(["make", "setup"], cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    (folder / "setup.log").write_text(done.stdout + done.stderr)
    record.check(done.returncode == 0, "make setup succeeds", f"exit {done.returncode}")
    record.check(seconds < LIMIT_SECONDS, f"the second time it takes under {LIMIT_SECONDS:.0f} s", f"{seconds:.1f} s")
    if not remove:
        return record
    before = traces(stack)
    record.check(bool(before), "the stack was there before", f"{len(before)} containers, networks, volumes and folders")
    started = time.monotonic()
    done = subprocess.run(["make", "stack-down"], cwd=ROOT, capture_output=True, text=True, check=False)
    record.check(done.returncode == 0, "make stack-down succeeds", f"exit {done.returncode} in {time.monotonic() - started:.1f} s")
    left = traces(stack)
    record.check(not left, "nothing of the stack is left", ", ".join(left))
    return record
