"""The action plugin watch, with modules and a clock of its own. The target of the same name tries it through a pipe and on a terminal."""

from __future__ import annotations

import io
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.playbook.task import Task
from ansible_collections.astraldraft.ops.plugins.action import watch as plugin
from ansible_collections.astraldraft.ops.plugins.plugin_utils._terminal import is_terminal

UP, DOWN, UNKNOWN = {"verdict": "pass", "summary": "up"}, {"verdict": "fail", "summary": "down"}, {"verdict": "inconclusive"}


class Clock:
    """A clock that sleeping moves, and every module by the seconds it takes."""

    now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Run:
    """One run of the plugin: ``answers`` are what the modules give one after the other, the last one for ever."""

    def __init__(self, monkeypatch, *answers, terminal=False, check_mode=False, took=0.4, batch=("one",), **options):
        self.clock, self.calls, self.printed = Clock(), [], []
        monkeypatch.setattr(plugin, "time", self.clock)
        monkeypatch.setattr(plugin, "TERMINAL", terminal)
        options = dict({"seconds": 20, "interval": 5, "subject": "Soaking", "probes": [{"name": "app", "module": "a.b.c"}]}, **options)
        task = MagicMock(spec=Task, args=options, check_mode=check_mode, async_val=0, action="watch", delegate_to=None)
        action = plugin.ActionModule(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), MagicMock())
        action._display = MagicMock(columns=60)
        action._display.display = lambda text, **_more: self.printed.append((round(self.clock.now, 1), text))

        def execute(module_name, module_args, task_vars):
            self.calls.append((module_name, module_args))
            self.clock.now += took
            answer = answers[min(len(self.calls), len(answers)) - 1]
            if isinstance(answer, Exception):
                raise answer
            assert task_vars
            return answer

        action._execute_module = execute
        self.result = action.run(task_vars={"inventory_hostname": "one", "ansible_play_batch": list(batch)})

    @property
    def verdict(self):
        return self.result["verdict"]

    @property
    def texts(self):
        return [text for _moment, text in self.printed]


KEYS = {"changed", "verdict", "rounds", "failures", "probes", "evidence", "duration", "msg"}


def test_it_holds_for_the_whole_time(monkeypatch):
    run = Run(monkeypatch, UP)
    assert (run.verdict, run.result["rounds"], run.result["failures"], run.result["evidence"]) == ("pass", 5, 0, [])
    assert run.result["duration"] == 20.4
    assert run.result["probes"] == {"app": {"verdict": "pass", "summary": "up"}}
    assert set(run.result) == KEYS


def test_two_failures_in_all_end_it_with_what_was_seen(monkeypatch):
    run = Run(monkeypatch, DOWN, UP, DOWN)
    assert (run.verdict, run.result["rounds"], run.result["failures"]) == ("fail", 3, 2)
    assert run.result["evidence"] == ["app: fail: down"] * 2
    assert run.result["msg"] == "app: fail: down; app: fail: down"
    assert set(run.result) == KEYS


def test_a_certain_failure_ends_it_at_once(monkeypatch):
    assert Run(monkeypatch, dict(DOWN, certain=True)).result["rounds"] == 1
    assert Run(monkeypatch, dict(UP, certain=True), UP).verdict == "pass"


def test_the_gate_fails_the_task(monkeypatch):
    assert "failed" not in Run(monkeypatch, DOWN).result
    run = Run(monkeypatch, DOWN, gate=True)
    assert run.result["failed"]
    assert set(run.result) == KEYS | {"failed"}
    assert "failed" not in Run(monkeypatch, UP, gate=True).result


def test_a_module_that_fails_and_a_host_out_of_reach_say_nothing_about_what_is_watched(monkeypatch):
    for answer in ({"failed": True, "verdict": "fail", "msg": "no library"}, AnsibleConnectionFailure("ssh: timed out")):
        run = Run(monkeypatch, answer, inconclusive_seconds=10)
        assert (run.verdict, run.result["failures"]) == ("inconclusive", 0)
        assert Run(monkeypatch, answer, UP).verdict == "pass"
    assert run.result["evidence"][0] == "app: inconclusive: one cannot be reached: ssh: timed out"


def test_a_module_without_a_verdict_cannot_be_watched(monkeypatch):
    result = Run(monkeypatch, {"changed": False}).result
    assert result["failed"]
    assert result["verdict"] == "fail"
    assert "a.b.c returns no verdict as verdict" in result["msg"]


def test_the_lock_is_renewed_by_every_module(monkeypatch):
    run = Run(monkeypatch, UP, operation_lock_path="/l", operation_token=7, probes=[{"name": "a", "module": "m", "args": {"x": 1}}])
    assert run.calls[0] == ("m", {"x": 1, "operation_lock_path": "/l", "operation_token": 7})


def test_evidence_is_bounded(monkeypatch):
    run = Run(monkeypatch, UNKNOWN, seconds=100000, inconclusive_seconds=1000)
    assert run.result["rounds"] > 100
    assert len(run.result["evidence"]) == plugin.MOST_EVIDENCE


def test_it_waits_until_a_key_holds(monkeypatch):
    probe = {"name": "nginx", "module": "m", "key": "drained", "show": ["draining_workers"]}
    left = {"drained": False, "draining_workers": 2, "changed": True}
    run = Run(monkeypatch, left, left, dict(left, drained=True, changed=False), took=4.4, mode="until", interval=0, probes=[probe])
    assert (run.verdict, run.result["rounds"], run.result["changed"], run.clock.now) == ("pass", 3, True, pytest.approx(13.2))
    assert run.texts == ["Soaking: 9/20 s; nginx: draining workers 2"]
    run = Run(monkeypatch, left, took=4.4, mode="until", interval=0, probes=[probe], gate=True)
    assert (run.verdict, run.result["failed"]) == ("fail", True)
    assert run.result["msg"] == "Soaking: not within 20 s: nginx: fail: draining workers 2"


def test_what_is_waited_for_and_fails_for_good_ends_at_once(monkeypatch):
    run = Run(monkeypatch, {"failed": True, "msg": "nginx is gone"}, mode="until")
    assert (run.verdict, run.result["failed"], run.result["msg"], len(run.calls)) == ("fail", True, "nginx is gone", 1)
    assert set(run.result) == KEYS | {"failed"}


def test_check_mode_asks_what_would_change_and_waits_for_nothing(monkeypatch):
    run = Run(monkeypatch, DOWN, check_mode=True)
    assert (run.verdict, run.calls, run.clock.now) == ("pass", [], 0)
    run = Run(monkeypatch, dict(DOWN, changed=True), check_mode=True, mode="until", gate=True)
    assert (run.verdict, run.result["changed"], len(run.calls)) == ("pass", True, 1)
    assert set(run.result) == KEYS
    assert Run(monkeypatch, {"failed": True, "msg": "no"}, check_mode=True, mode="until").result["failed"]


# -- what is said meanwhile


def test_elsewhere_a_plain_line_an_interval_and_at_each_change(monkeypatch):
    run = Run(monkeypatch, UP, UP, UP, UNKNOWN, UP, seconds=40, interval=4, progress_interval=20)
    assert [moment for moment, _text in run.printed] == [5.4, 12.4, 16.4, 36.4]
    assert run.texts[0] == "Soaking: 5/40 s, 0/2 failures; app: up"
    assert run.texts[1].startswith("Soaking: 12/40 s, held: nothing known for 0/60 s")
    assert not any("\r" in text or "\x1b" in text for text in run.texts)


def test_what_is_short_says_nothing(monkeypatch):
    assert Run(monkeypatch, UP, seconds=4, interval=1).texts == []
    assert Run(monkeypatch, UP, seconds=4, interval=1, terminal=True).texts == []


def test_on_a_terminal_one_line_that_changes_and_goes(monkeypatch):
    run = Run(monkeypatch, dict(UP, summary="u" * 200), terminal=True)
    assert [moment for moment, _text in run.printed][:4] == [5.0, 5.4, 6.4, 7.4]
    assert all(text.startswith(plugin.CLEAR_LINE) for text in run.texts)
    assert run.texts[1].startswith(plugin.CLEAR_LINE + "Soaking: 5/20 s, ")
    assert max(len(text) - len(plugin.CLEAR_LINE) for text in run.texts) == 60
    assert run.texts[-1] == plugin.CLEAR_LINE
    assert "\n" not in "".join(run.texts)


def test_several_hosts_do_not_write_over_each_other(monkeypatch):
    run = Run(monkeypatch, UP, terminal=True, batch=("one", "two"))
    assert run.texts[0].startswith("Soaking [one]: ")
    assert plugin.CLEAR_LINE not in "".join(run.texts)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {}, False),
        (Terminal(), {"TERM": "xterm", "AWX_ISOLATED_DATA_DIR": "/runner"}, False),
        (Terminal(), {"TERM": "xterm", "CI": "true"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
        (None, {"TERM": "xterm"}, False),
    ],
)
def test_what_is_a_terminal(stream, environment, expected):
    assert is_terminal(stream, environment) is expected
