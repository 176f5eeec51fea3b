"""A module that is followed while it runs in the background, with a host, a job and a clock of the test's own."""

from __future__ import annotations

import json
import subprocess
import sys
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.playbook.task import Task
from ansible_collections.astraldraft.ops.plugins.plugin_utils import _follow as plugin

JOB = {"ansible_job_id": "j123.45", "results_file": "/root/.ansible_async/j123.45", "started": True, "finished": False}
RUNNING = json.dumps({"started": True, "finished": False, "ansible_job_id": "j123.45"})
ENDED = {"changed": True, "name": "backup_test"}
AWAY = AnsibleConnectionFailure("no route")


class Run:
    """``looks``: what each look at the job finds, ``(line of progress, text of its file)`` or an error; the last one for ever."""

    def __init__(
        self,
        monkeypatch,
        *looks,
        alive=True,
        check_mode=False,
        async_val=0,
        terminal=False,
        job=None,
        after_search=None,
        deadline=None,
        ended=None,
        **options,
    ):
        self.now, self.looks, self.printed, self.modules, self.statuses, self.searches = 0.0, 0, [], [], [], 0
        monkeypatch.setattr(plugin, "time", MagicMock(monotonic=lambda: self.now, time=lambda: 1_000_000 + self.now, sleep=self._sleep))
        monkeypatch.setattr(plugin, "TERMINAL", terminal)
        self.task = MagicMock(spec=Task, args=dict({"path": "/backups"}, **options), check_mode=check_mode, async_val=async_val)
        action = plugin.FollowedModule(self.task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), MagicMock())
        action.subject = "Backing up"
        action._display = MagicMock(columns=60)
        action._display.display = lambda text, **_more: self.printed.append(text)
        action._connection._shell.tmpdir = "/run/it's"
        action._make_tmp_path, self.removed = MagicMock(), []
        action._remove_tmp_path = lambda path, force: self.removed.append((path, force))

        def low_level(command, sudoable):
            assert sudoable
            if "grep" in command:
                self.searches += 1
                return {"stdout": "" if alive else "no-process\n"}
            found = after_search if after_search and self.searches else looks[min(self.looks, len(looks) - 1)]
            self.looks += 1
            self.command = command
            if isinstance(found, Exception):
                raise found
            return {"stdout": "{0}\n{1}".format(*found)}

        def execute(module_args=None, task_vars=None, wrap_async=False):
            assert task_vars
            self.modules.append((module_args, wrap_async, self.task.async_val))
            return dict(JOB if job is None else job) if wrap_async else dict(ENDED)

        def status(_job, mode, _task_vars):
            self.statuses.append(mode)
            return dict(JOB, finished=True, stdout="", **(ended or ENDED))

        action._low_level_execute_command, action._execute_module, action._status = low_level, execute, status
        self.result = action.run(task_vars={"inventory_hostname": "db-1", "ansible_play_batch": ["db-1"], "ops_deadline": deadline})

    def _sleep(self, seconds):
        self.now += seconds


def test_it_runs_in_the_background_and_gives_the_modules_own_result(monkeypatch):
    run = Run(monkeypatch, ("dumping", "\n" + RUNNING), ("", "\n" + json.dumps(ENDED)))
    assert run.result == ENDED and run.statuses == ["status", "cleanup"]
    assert run.modules == [({"path": "/backups", "progress_path": "/run/it's/progress"}, True, plugin.LIMIT_SECONDS)]
    assert run.removed == [("/run/it's", True)], "its options, passwords among them, are gone before the next task"
    assert run.task.async_val == 0, "the task is as it was"
    assert "'/run/it'\"'\"'s/progress'" in run.command, "names are quoted"
    assert run.printed == [], "what is short says nothing"


def test_its_deadline_is_left_to_the_host(monkeypatch):
    run = Run(monkeypatch, ("", "\n" + json.dumps(ENDED)), deadline=1_000_090.5)
    assert run.result == ENDED and run.modules[0][2] == 90


def test_what_the_host_ended_at_the_deadline_says_so(monkeypatch):
    run = Run(
        monkeypatch, ("", "\n" + json.dumps(ENDED)), deadline="1000090", ended={"failed": True, "msg": "Timeout exceeded", "child_pid": 7}
    )
    assert run.result["failed"] and run.result["msg"].startswith("Backing up on db-1 was not over at its deadline, 90 s after it began")


def test_past_its_deadline_nothing_is_begun(monkeypatch):
    run = Run(monkeypatch, deadline=1_000_000)
    assert run.result["failed"] and "The deadline has passed" in run.result["msg"] and not run.modules


@pytest.mark.parametrize("given", [{"check_mode": True}, {"async_val": 60}, {"progress_path": "/mine"}])
def test_in_check_mode_and_where_somebody_else_follows_it_is_any_module(monkeypatch, given):
    run = Run(monkeypatch, **given)
    assert len(run.modules) == 1 and run.modules[0][0] is None and run.looks == 0


def test_what_did_not_begin_is_not_followed(monkeypatch):
    run = Run(monkeypatch, job={"failed": True, "msg": "no disk"})
    assert run.result == {"failed": True, "msg": "no disk"} and run.looks == 0


def test_it_says_how_it_stands_every_ten_seconds_and_on_a_terminal_in_one_line(monkeypatch):
    looks = [("dumping; 1 of 3", "\n" + RUNNING)] * 60 + [("", json.dumps(ENDED))]
    said = Run(monkeypatch, *looks).printed
    assert 2 <= len(said) <= 4 and said[0].startswith("Backing up: 5 s; dumping; 1 of 3")
    shown = Run(monkeypatch, *looks, terminal=True).printed
    assert len(shown) > 20 and all(len(text) < 60 + len(plugin.CLEAR_LINE) for text in shown) and shown[-1] == plugin.CLEAR_LINE


def test_a_host_may_be_away_for_a_while(monkeypatch):
    run = Run(monkeypatch, *[AWAY] * 50, ("", json.dumps(ENDED)))
    assert run.result == ENDED
    with pytest.raises(AnsibleConnectionFailure):
        Run(monkeypatch, AWAY)


@pytest.mark.parametrize("text", ["\n" + RUNNING, ""])
def test_a_job_that_nobody_is_at_any_more_fails_and_says_why(monkeypatch, text):
    run = Run(monkeypatch, ("dumping", text), alive=False)
    assert run.result["failed"] and not run.result["changed"]
    assert "Backing up on db-1 came to no end: its process is gone" in run.result["msg"] and run.result["msg"].endswith("Run it again.")
    assert run.now < 2 * plugin.LOOK_SECONDS and run.removed


def test_a_job_that_ends_while_its_process_is_looked_for_has_ended(monkeypatch):
    run = Run(monkeypatch, ("", "\n" + RUNNING), alive=False, after_search=("", json.dumps(ENDED)))
    assert run.result == ENDED and run.searches == 1


def test_a_job_that_is_slow_is_waited_for(monkeypatch):
    run = Run(monkeypatch, *[("", "\n" + RUNNING)] * 400, ("", json.dumps(ENDED)))
    assert run.result == ENDED and run.searches > 10


def test_the_process_is_found_by_the_jobs_number_and_the_search_is_not():
    action = plugin.FollowedModule(*[MagicMock()] * 6)

    def low_level(command, **_more):
        return {"stdout": subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False).stdout}

    action._low_level_execute_command = low_level
    job = {"ansible_job_id": "j{0}.1".format(987654321012)}
    assert not action._has_process(job)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", job["ansible_job_id"].partition(".")[0]]) as process:
        try:
            assert action._has_process(job)
        finally:
            process.kill()
