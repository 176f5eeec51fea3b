"""The action plugin evidence_info, with modules of its own. The playbook diagnose runs it over real ones."""

from __future__ import annotations

import functools
import threading
import time
from unittest.mock import MagicMock

import pytest
from ansible.playbook.task import Task
from ansible_collections.astraldraft.ops.plugins.action import evidence_info as plugin


class Connection:
    def __init__(self, transport="local", become=None):
        self.transport, self.become = transport, become
        self._shell = MagicMock(tmpdir=None)

    def set_become_plugin(self, become):
        self.become = become


def parts(*names, module="a.b.{0}_info"):
    return [{"name": name, "module": module.format(name), "args": {"of": name}} for name in names]


def run(monkeypatch, execute, connection=None, **options):
    task = MagicMock(spec=Task, args=options, check_mode=False, async_val=0, action="evidence_info", delegate_to=None)
    action = plugin.ActionModule(task, connection or Connection(), MagicMock(), MagicMock(), MagicMock(), MagicMock())
    monkeypatch.setattr(plugin.ActionModule, "_execute_module", execute)
    return action.run(task_vars={"inventory_hostname": "one"})


def test_all_of_them_run_at_the_same_time_each_over_a_connection_of_its_own(monkeypatch):
    together, seen = threading.Barrier(3, timeout=10), []

    def execute(self, module_name, module_args, **_more):
        together.wait()
        seen.append((module_name, module_args["of"], id(self._connection), id(self._connection._shell), id(self._connection.become)))
        return {"verdict": "pass", "of": module_args["of"]}

    found = run(monkeypatch, execute, Connection("ssh", become=MagicMock()), parts=parts("x", "y", "z"))
    assert list(found["evidence"]) == ["x", "y", "z"] and all(found["evidence"][name]["of"] == name for name in "xyz")
    assert found["missing"] == [] and not found["changed"] and not found.get("failed")
    assert all(len({call[column] for call in seen}) == 3 for column in range(5))


def test_one_that_fails_raises_or_hangs_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(plugin, "in_parallel", functools.partial(plugin.in_parallel, grace=0.2))

    def execute(_self, module_args, **_more):
        if module_args["of"] == "raises":
            raise RuntimeError("no route")
        if module_args["of"] == "hangs":
            time.sleep(5)
        if module_args["of"] == "fails":
            return {"failed": True, "msg": "refused"}
        return {"verdict": "pass"}

    found = run(monkeypatch, execute, parts=parts("good", "raises", "hangs", "fails"), timeout=0.3)
    assert found["evidence"]["good"] == {"verdict": "pass"}
    assert {one["name"]: one["message"] for one in found["missing"]} == {
        "raises": "a.b.raises_info could not be run: no route",
        "hangs": "a.b.hangs_info did not answer within 0.3 s, and is not waited for.",
        "fails": "refused",
    }
    assert found["duration"] < 3


def test_over_another_connection_one_after_the_other(monkeypatch):
    running = []

    def execute(_self, **_more):
        assert not running
        running.append(1)
        time.sleep(0.01)
        running.pop()
        return {"verdict": "pass"}

    assert list(run(monkeypatch, execute, Connection("paramiko"), parts=parts("x", "y"))["evidence"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"parts": parts("x", module="ansible.builtin.command")}, "may do more than read"),
        ({"parts": parts("x", "x")}, "Two parts are called x"),
        ({"parts": parts("x"), "timeout": 0}, "timeout is 0"),
    ],
)
def test_what_is_refused(monkeypatch, options, why):
    def execute(_self, **_more):
        raise AssertionError("nothing is to run")

    found = run(monkeypatch, execute, **options)
    assert found["failed"] and why in found["msg"] and "Nothing was run" in found["msg"]
