"""Writes into the recorder's trace where each task begins and how it ended, so that what was recorded belongs to a task."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: contract_trace
type: aggregate
short_description: Tasks and their results as JSON lines beside what the recorder of tests/contract wrote
description:
  - Each task that begins, and each result of a host, is one line in the file that E(ASTRAL_CONTRACT_TASKS) names.
requirements:
  - enabled by E(ANSIBLE_CALLBACKS_ENABLED)
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "contract_trace"
    CALLBACK_NEEDS_ENABLED = True

    def _note(self, do, **facts):
        with open(os.environ["ASTRAL_CONTRACT_TASKS"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(dict(facts, do=do), default=str) + "\n")

    def v2_playbook_on_task_start(self, task, **_more):
        self._note("task", name=task.get_name(), action=task.action, path=task.get_path())

    v2_playbook_on_handler_task_start = v2_playbook_on_cleanup_task_start = v2_playbook_on_task_start

    def _ended(self, result, how):
        found = {name: value for name, value in result.result.items() if name != "invocation" and not name.startswith("_ansible")}
        task = result.task
        self._note("result", host=result.host.get_name(), how=how, name=task.get_name(), action=task.action, path=task.get_path(),
                   changed=bool(found.get("changed")), result=found)  # fmt: skip

    def v2_runner_on_ok(self, result):
        self._ended(result, "ok")

    def v2_runner_on_failed(self, result, **_more):
        self._ended(result, "failed")

    def v2_runner_on_skipped(self, result):
        self._ended(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self._ended(result, "unreachable")
