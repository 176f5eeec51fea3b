from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _processes
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

STACK = f"test-{os.getpid()}"
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"]
PARENT_SCRIPT = (
    "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print(c.pid, flush=True); time.sleep(60)"
)
PARENT = [sys.executable, "-c", PARENT_SCRIPT]


@pytest.fixture
def start():
    """start(command, token) -> a process with the marker of that token, once it is up."""
    started = []

    def begin(command, token):
        environment = {**os.environ, _processes.VARIABLE: _processes.marker(STACK, token)}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        process.first_line = process.stdout.readline().strip()
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
            return stream.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_a_dead_operation_left_is_ended_and_nothing_else(start):
    left, other, longer = start(SLEEP, 7), start(SLEEP, 8), start(SLEEP, 77)
    marker = _processes.marker(STACK, 7)
    ended = _processes.end([marker])
    assert [(process.pid, process.marker) for process in ended] == [(left.pid, marker)]
    assert left.wait(5) == -signal.SIGTERM
    assert other.poll() is None
    assert longer.poll() is None
    assert _processes.end([marker]) == []


def test_its_children_are_found_by_the_same_marker(start):
    parent = start(PARENT, 7)
    child = int(parent.first_line)
    ended = _processes.end([_processes.marker(STACK, 7)])
    assert {process.pid for process in ended} == {parent.pid, child}
    assert gone(child)


def test_what_does_not_listen_is_killed(start, monkeypatch):
    monkeypatch.setattr(_processes, "GRACE_SECONDS", 0.5)
    deaf = start(DEAF, 7)
    started = time.monotonic()
    ended = _processes.end([_processes.marker(STACK, 7)])
    assert [process.pid for process in ended] == [deaf.pid]
    assert deaf.wait(5) == -signal.SIGKILL
    assert time.monotonic() - started >= 0.5


def test_only_the_programs_name_is_told(start):
    left = start([*SLEEP, "--password=secret"], 7)
    ended = _processes.public(_processes.end([_processes.marker(STACK, 7)]))
    assert ended == [{"pid": left.pid, "command": ended[0]["command"], "marker": f"{STACK}/7"}]
    assert ended[0]["command"].startswith("python")


def test_it_never_ends_itself_nor_what_it_descends_from(start):
    """A process that carries the marker looks for it: it finds its sibling, neither itself nor its parent."""
    script = (
        "import subprocess, sys; sys.path[:0] = eval(sys.argv[1]); "
        "from ansible_collections.astraldraft.ops.plugins.module_utils import _processes; "
        "print([p.pid for p in _processes.find([sys.argv[2]])], flush=True)"
    )
    shell = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c'] + sys.argv[1:]))"
    sibling = start(SLEEP, 9)
    marker = _processes.marker(STACK, 9)
    environment = {**os.environ, _processes.VARIABLE: marker}
    found = subprocess.run(
        [sys.executable, "-c", shell, script, repr(sys.path), marker], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == f"[{sibling.pid}]"


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_what_cannot_be_ended_stops_the_operation_after_a_limit():
    clock, sent = Clock(), []
    stuck = _processes.Process(4711, "tar", "demo/7")
    with pytest.raises(OpsError, match=r"process 4711 \(tar\).*Nothing was begun.*try again") as caught:
        _processes.end(
            ["demo/7"], scan=lambda _markers: [stuck], kill=lambda pid, number: sent.append((pid, number)), sleep=clock.sleep, clock=clock
        )
    assert sent == [(4711, signal.SIGTERM), (4711, signal.SIGKILL)]
    assert clock.now <= _processes.GRACE_SECONDS + _processes.KILL_SECONDS + 1
    assert "secret" not in caught.value.message


def test_what_ends_between_the_look_and_the_signal_is_no_error():
    answers = [[_processes.Process(4711, "tar", "demo/7")], []]

    def kill(_pid, _number):
        raise ProcessLookupError

    ended = _processes.end(["demo/7"], scan=lambda _markers: answers.pop(0), kill=kill, sleep=lambda _seconds: None)
    assert [process.pid for process in ended] == [4711]


def test_nothing_is_looked_for_without_a_marker():
    assert _processes.find([]) == []
    assert _processes.end([]) == []
