"""One run of ansible-playbook: watched task by task, timed, and killed where a campaign wants it dead."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from .stack import ROOT, children_of

TASK = re.compile(r"^TASK \[(?:[\w.]+ : )?(.*)\] \*+")
PLAYBOOK_LIMIT_SECONDS = 420


class Play:
    """Started at once. ``tasks`` holds ``(time, name)``: ansible-playbook prints a task's name when it begins. In the log every line
    has the seconds since the start before it."""

    def __init__(
        self,
        playbook: str,
        variables: dict[str, Any],
        log: Path,
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.log = log
        self.lines: list[tuple[float, str]] = []
        self.tasks: list[tuple[float, str]] = []
        self._news = threading.Condition()
        command = [str(ROOT / ".venv/bin/ansible-playbook"), f"playbooks/{playbook}.yml", "-e", json.dumps(variables), *arguments]
        # Where skipped tasks are not shown, a task's name is printed with its first result, and not when it begins.
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "1", **(environment or {})}
        self.started = time.time()
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.ended: float | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.log.open("w", encoding="utf-8") as log:
            for line in self.process.stdout:
                now = time.time()
                log.write(f"{now - self.started:7.2f}  {line}")
                match = TASK.match(line)
                with self._news:
                    self.lines.append((now, line.rstrip("\n")))
                    if match:
                        self.tasks.append((now, match.group(1)))
                    self._news.notify_all()

    @property
    def output(self) -> str:
        return "\n".join(text for _, text in self.lines)

    @property
    def seconds(self) -> float:
        return (self.ended or time.time()) - self.started

    def wait(self) -> int:
        """-> exit code. A playbook that exceeds every limit is ended, and that is its exit code then."""
        try:
            self.process.wait(PLAYBOOK_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self.ended = self.ended or time.time()
        # A worker that outlives its parent would keep the pipe open.
        self._reader.join(2)
        return self.process.returncode

    def wait_for_task(self, name: str, occurrence: int = 1, timeout: float = 180) -> bool:
        """Until the ``occurrence``-th task of that name begins; False when the playbook ends before."""
        deadline = time.monotonic() + timeout
        with self._news:
            while sum(task == name for _, task in self.tasks) < occurrence:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    return False
                self._news.wait(0.2)
        return True

    def began(self, name: str) -> float | None:
        """When the first task of that name began (seconds since the epoch)."""
        return next((moment for moment, task in self.tasks if task == name), None)

    def kill(self, everything: bool = True) -> list[int]:
        """SIGKILL: the controller and its workers, and with ``everything`` whatever they started.

        -> the processes that were left alive: modules that the controller had started, when not ``everything``.
        """
        root = self.process.pid
        # Frozen first, so that nothing new is started between looking and killing.
        controllers = [root, *children_of(root)]
        for pid in controllers:
            send(pid, signal.SIGSTOP)
        controllers = [root, *children_of(root)]
        started = [pid for pid in family(root) if pid not in controllers]
        for pid in controllers + (started if everything else []):
            send(pid, signal.SIGKILL)
        self.process.wait()
        self.ended = time.time()
        return [] if everything else [pid for pid in started if alive(pid)]


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def family(pid: int) -> list[int]:
    """``pid`` and all its descendants."""
    found = [pid]
    for current in found:
        found += sorted(children_of(current))
    return found


def wait_gone(pids: list[int], timeout: float) -> float | None:
    """-> the seconds until all had ended, None when they had not within ``timeout``."""
    started = time.monotonic()
    while any(alive(pid) for pid in pids):
        if time.monotonic() - started > timeout:
            return None
        time.sleep(0.05)
    return time.monotonic() - started
