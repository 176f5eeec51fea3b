"""What a timer starts: jobs that end well, badly, never, and twice; with a playbook's part played by small programs."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[3] / "roles/schedule/files/run.py"


class Job:
    """A job whose playbook is a piece of Python."""

    def __init__(self, folder, program, **more):
        self.folder = folder
        self.log, self.state, self.metrics = folder / "log", folder / "state", folder / "nightly.prom"
        self.file = folder / "job.json"
        argv = [sys.executable, "-u", "-c", f"import os, signal, sys, time\n{program}"]
        what = {
            "name": "nightly", "stack": "shop", "argv": argv, "cwd": str(folder), "environment": {"WHO": "clock"}, "timeout_seconds": 20,
            "grace_seconds": 0, "delay_seconds": 0, "lock_path": str(folder / "lock"), "state_path": str(self.state),
            "log_path": str(self.log), "log_bytes": 100_000, "metrics_path": str(self.metrics),
        }  # fmt: skip
        self.file.write_text(json.dumps(what | more))

    def start(self):
        return subprocess.Popen([sys.executable, RUN, self.file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self):
        process = self.start()
        self.said, self.complaint = process.communicate(timeout=40)
        return process.returncode

    def measured(self):
        lines = [line.rsplit(" ", 1) for line in self.metrics.read_text().splitlines() if not line.startswith("#")]
        return {name.removeprefix("astraldraft_schedule_").partition("{")[0]: float(value) for name, value in lines}


def wait_for(path, words):
    for _attempt in range(200):
        if path.exists() and words in path.read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} never said {words}")


def test_what_ends_well_says_nothing_and_is_told(tmp_path):
    job = Job(tmp_path, "print('all done by', os.environ['WHO'])")
    begun = time.time()
    assert (job.run(), job.said, job.complaint) == (0, "", "")
    assert "all done by clock" in job.log.read_text() and "ended well" in job.log.read_text()
    measured = job.measured()
    assert (
        measured["last_exit_code"] == 0
        and begun - 1 <= measured["last_run_timestamp_seconds"] <= measured["last_success_timestamp_seconds"]
    )
    assert 'last_exit_code{name="nightly",stack="shop"} 0' in job.metrics.read_text()
    assert oct(job.metrics.stat().st_mode)[-3:] == "644" and oct(job.state.stat().st_mode)[-3:] == "600"


def test_what_is_removed_while_it_runs_leaves_nothing_that_is_told(tmp_path):
    job = Job(tmp_path, "os.unlink('job.json')")
    assert (job.run(), job.complaint) == (0, "")
    assert "ended well" in job.log.read_text()
    assert not job.metrics.exists() and not job.state.exists()


def test_what_is_removed_while_that_is_written_leaves_nothing_either(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("schedule_run", RUN)
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    file, metrics, write = tmp_path / "job.json", tmp_path / "job.prom", run.write_atomically
    file.write_text("{}")
    run.write_while(file, metrics, "1", 0o644)
    assert metrics.read_text() == "1"

    def write_too_late(*what):
        file.unlink()
        write(*what)

    monkeypatch.setattr(run, "write_atomically", write_too_late)
    run.write_while(file, metrics, "2", 0o644)
    assert not metrics.exists()


def test_what_fails_is_loud_and_does_not_forget_when_all_was_well(tmp_path):
    assert Job(tmp_path, "").run() == 0
    before = Job(tmp_path, "").measured()
    job = Job(tmp_path, "print('no such backup'); sys.exit(2)")
    assert job.run() == 2 and job.said == ""
    assert (
        "nightly of shop failed with exit code 2" in job.complaint and "no such backup" in job.complaint and str(job.log) in job.complaint
    )
    after = job.measured()
    assert after["last_exit_code"] == 2 and after["last_success_timestamp_seconds"] == before["last_success_timestamp_seconds"]
    assert after["last_run_timestamp_seconds"] > before["last_run_timestamp_seconds"]


def test_what_never_ended_well_has_zero(tmp_path):
    job = Job(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert job.run() == 128 + signal.SIGKILL and job.measured()["last_success_timestamp_seconds"] == 0


def test_what_cannot_be_started_is_loud(tmp_path):
    job = Job(tmp_path, "", argv=["/nowhere/ansible-playbook"])
    assert job.run() == 127 and "cannot be started" in job.complaint and job.measured()["last_exit_code"] == 127


def test_its_deadline_is_given_to_the_playbook_and_kept(tmp_path):
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(sys.argv[1:])\n"
    child = "os.fork() or time.sleep(600)\ntime.sleep(600)"
    job = Job(tmp_path, child, timeout_seconds=1)
    begun = time.monotonic()
    assert job.run() == 124 and time.monotonic() - begun < 8
    assert "was not over at its deadline, after 1 s" in job.complaint and job.measured()["last_exit_code"] == 124
    job = Job(tmp_path, deaf)
    assert job.run() == 0
    given = job.log.read_text().partition("['--extra-vars', '")[2].partition("']")[0]
    assert abs(json.loads(given)["ops_deadline"] - time.time()) < 25


def test_it_is_not_begun_while_the_last_one_runs_even_if_its_runner_was_killed(tmp_path):
    job = Job(tmp_path, "print('pid', os.getpid()); time.sleep(600)")
    first = job.start()
    wait_for(job.log, "pid ")
    assert job.run() == 75 and "was not begun: the last one has not ended" in job.complaint and not job.metrics.exists()
    first.kill()
    first.communicate()
    assert job.run() == 75, "its playbook still runs"
    os.kill(int(job.log.read_text().partition("pid ")[2].split()[0]), signal.SIGKILL)
    again = Job(tmp_path, "")
    for _attempt in range(100):
        if again.run() == 0:
            return
        time.sleep(0.05)
    pytest.fail("the lock outlives the playbook")


def test_who_ends_it_ends_the_playbook(tmp_path):
    job = Job(tmp_path, "print('pid', os.getpid()); time.sleep(600)")
    process = job.start()
    wait_for(job.log, "pid ")
    process.terminate()
    _said, complaint = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM and "was ended from outside" in complaint
    assert not Path(f"/proc/{job.log.read_text().partition('pid ')[2].split()[0]}").exists()
    assert job.measured()["last_exit_code"] == 128 + signal.SIGTERM


def test_what_is_left_in_the_background_is_not_waited_for(tmp_path):
    job = Job(tmp_path, "import subprocess; subprocess.Popen(['sleep', '15'], start_new_session=True); print('over')")
    begun = time.monotonic()
    assert job.run() == 0 and time.monotonic() - begun < 8 and "over" in job.log.read_text()


def test_its_log_is_bounded(tmp_path):
    job = Job(tmp_path, "for n in range(20000): print('line', n)\nsys.exit(3)", log_bytes=50_000)
    assert job.run() == 3
    assert {path.name for path in tmp_path.iterdir()} >= {"log", "log.1"}
    assert all((tmp_path / name).stat().st_size <= 50_000 for name in ("log", "log.1"))
    assert "line 19999" in job.complaint and "line 18000" not in job.complaint


def test_what_cannot_be_written_down_is_a_failure(tmp_path):
    job = Job(tmp_path, "", metrics_path=str(tmp_path / "nowhere" / "nightly.prom"))
    assert job.run() == 1 and "cannot be written down" in job.complaint
