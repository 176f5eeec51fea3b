"""run.py JOB.json: run one job by the clock. The role schedule writes the job's file, and a systemd timer or cron starts this.

One at a time, with a deadline, its output in a log that is bounded, what became of it in a file for Prometheus. When all is well it says
nothing; else it says on stderr what went wrong, and ends with the exit code of the job: 124 past its deadline, 75 while the last one runs.
"""

from __future__ import annotations

import collections
import contextlib
import fcntl
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNNING, DEADLINE, CANNOT_START = 75, 124, 127
TAIL_BYTES = 4096
#: Between asking politely and not.
GRACE_SECONDS = 10
METRICS = (
    ("last_success_timestamp_seconds", "When the job last ended well. 0: never.", "last_success"),
    ("last_run_timestamp_seconds", "When the job last began.", "last_run"),
    ("last_exit_code", "How it ended then: 0 is well.", "last_exit"),
    ("last_duration_seconds", "How long it took.", "last_duration"),
)


class Stopped(Exception):
    """Somebody wants this to end."""


class Log:
    """A file that is appended to and, when it is full, becomes FILE.1 in place of the one before."""

    def __init__(self, path, limit):
        self.path, self.limit = Path(path), limit
        self.tail = collections.deque(maxlen=TAIL_BYTES)
        self.stream = self.path.open("ab")

    def write(self, data):
        if self.stream.tell() + len(data) > self.limit:
            self.stream.close()
            self.path.replace(f"{self.path}.1")
            self.stream = self.path.open("ab")
        self.stream.write(data[-self.limit :])
        self.stream.flush()
        self.tail.extend(data)

    def say(self, text):
        self.write(f"--- {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n".encode())

    def last_lines(self):
        return bytes(self.tail).decode("utf-8", "replace").splitlines()[-30:]


def write_atomically(path, text, mode):
    """As a whole or not at all. The file beside it has a name that node_exporter does not read."""
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_while(file, path, text, mode):
    """Only as long as the job's ``file`` is there: whoever removes that removes ``path`` afterwards."""
    if file.exists():
        write_atomically(path, text, mode)
    if not file.exists():
        path.unlink(missing_ok=True)


def told(job, state):
    """The text of the file for Prometheus."""
    labels = ",".join(f"{key}={json.dumps(job[key], ensure_ascii=False)}" for key in ("name", "stack"))
    lines = []
    for name, description, key in METRICS:
        name = f"astraldraft_schedule_{name}"
        lines += [f"# HELP {name} {description}", f"# TYPE {name} gauge", f"{name}{{{labels}}} {state[key]}"]
    return "\n".join(lines) + "\n"


def drain(pipe, log):
    """What there is to read. -> whether there can be more"""
    with contextlib.suppress(BlockingIOError):
        while data := os.read(pipe, 65536):
            log.write(data)
        return False
    return True


def follow(process, log, deadline):
    """Keep what it says until it ends. -> its exit code; raises TimeoutError at the deadline

    Its end is not the end of its pipe: what it has left running in the background may hold that for long.
    """
    pipe, is_open = process.stdout.fileno(), True
    os.set_blocking(pipe, False)
    while process.poll() is None:
        if time.monotonic() >= deadline:
            raise TimeoutError
        if is_open and select.select([pipe], [], [], 0.5)[0]:
            is_open = drain(pipe, log)
        elif not is_open:
            time.sleep(0.1)
    if is_open:
        drain(pipe, log)
    return process.returncode


def end(process, log):
    """It and everything that it has started."""
    for name in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, name)
        with contextlib.suppress(TimeoutError):
            follow(process, log, time.monotonic() + GRACE_SECONDS)
            return


def work(job, log, lock):
    """Run it. -> exit code and, unless that is 0, what is to be said of it"""
    # The hosts end what they do at the deadline by themselves; a minute later the playbook is ended, too.
    told_to_end = json.dumps({"ops_deadline": round(time.time() + job["timeout_seconds"])})
    deadline = time.monotonic() + job["timeout_seconds"] + job["grace_seconds"]
    try:
        process = subprocess.Popen(
            [*job["argv"], "--extra-vars", told_to_end], cwd=job["cwd"], env=os.environ | job["environment"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=[lock],
        )  # fmt: skip
    except OSError as error:
        return CANNOT_START, f"cannot be started: {error}"
    try:
        code = follow(process, log, deadline)
    except TimeoutError:
        end(process, log)
        return DEADLINE, f"was not over at its deadline, after {job['timeout_seconds']} s, and was ended"
    except Stopped:
        end(process, log)
        return 128 + signal.SIGTERM, "was ended from outside"
    code = code if code >= 0 else 128 - code
    return code, f"failed with exit code {code}" if code else ""


def remembered(path):
    with contextlib.suppress(OSError, ValueError):
        return float(json.loads(path.read_text(encoding="utf-8"))["last_success"])
    return 0.0


def carry_out(job, lock, file):
    """Run it, and write down what became of it, unless its ``file`` has been removed meanwhile: nobody would ever remove that.
    -> exit code"""
    log, state_path = Log(job["log_path"], job["log_bytes"]), Path(job["state_path"])
    begun, clock = time.time(), time.monotonic()
    log.say("begins: " + " ".join(job["argv"]))
    code, why = work(job, log, lock)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    duration, now = round(time.monotonic() - clock, 3), time.time()
    last_lines = log.last_lines()
    log.say(f"{why or 'ended well'} ({duration} s)")
    state = {
        "last_success": round(now, 3) if code == 0 else remembered(state_path),
        "last_run": round(begun, 3), "last_exit": code, "last_duration": duration,
    }  # fmt: skip
    write_while(file, state_path, json.dumps(state) + "\n", 0o600)
    if job["metrics_path"]:
        write_while(file, Path(job["metrics_path"]), told(job, state), 0o644)
    if code:
        print(f"{job['name']} of {job['stack']} {why} ({duration} s). All it said is in {log.path}. It ended with:", file=sys.stderr)
        print("\n".join(last_lines), file=sys.stderr)
    return code


def stop(number, _frame):
    # Once is enough: what follows is not to be broken off.
    signal.signal(number, signal.SIG_IGN)
    raise Stopped


def main(file):
    job = json.loads(file.read_text(encoding="utf-8"))
    lock = os.open(job["lock_path"], os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{job['name']} of {job['stack']} was not begun: the last one has not ended. See {job['log_path']}", file=sys.stderr)
        return RUNNING
    signal.signal(signal.SIGTERM, stop)
    try:
        time.sleep(random.uniform(0, job["delay_seconds"]))
        return carry_out(job, lock, file)
    except Stopped:
        print(f"{job['name']} of {job['stack']} was ended from outside before it began", file=sys.stderr)
        return 128 + signal.SIGTERM
    except OSError as error:
        print(f"{job['name']} of {job['stack']}: what became of it cannot be written down: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
