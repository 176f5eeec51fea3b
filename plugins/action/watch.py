# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.astraldraft.ops.plugins.module_utils._watch import FAIL, INCONCLUSIVE, PASS, Watch

SPEC: dict = {
    "seconds": {"type": "float", "required": True},
    "interval": {"type": "float", "default": 10},
    "failure_limit": {"type": "int", "default": 2},
    "inconclusive_seconds": {"type": "float", "default": 60},
    "progress_interval": {"type": "float", "default": 10},
    "subject": {"type": "str", "default": "Watching"},
    "probes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "module": {"type": "str", "required": True},
            "args": {"type": "dict", "default": {}},
        },
    },
    "operation_lock_path": {"type": "path"},
    "operation_token": {"type": "int", "no_log": False},
}


class ActionModule(ActionBase):
    """Run the same read-only modules again and again for a time, and say how it went."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validation, self._args = self.validate_argument_spec(SPEC)
        result: dict = {"changed": False, "verdict": PASS, "rounds": 0, "failures": 0, "probes": {}, "evidence": [], "duration": 0.0}
        if self._task.check_mode:
            return dict(result, msg="{0} for {1:.0f} s: not in check mode.".format(self._args["subject"], self._args["seconds"]))
        watch = Watch(self._args["seconds"], self._args["failure_limit"], self._args["inconclusive_seconds"])
        result["verdict"] = self._watch(watch, result, task_vars)
        result.update(rounds=watch.rounds, failures=watch.failures)
        result["msg"] = "; ".join(result["evidence"][-3:]) if result["verdict"] != PASS else "{0} rounds passed.".format(watch.rounds)
        return result

    def _watch(self, watch, result, task_vars):
        started, said = time.monotonic(), 0.0
        while True:
            round_started = time.monotonic()
            answers = self._ask(result, task_vars)
            elapsed = result["duration"] = round(time.monotonic() - started, 1)
            verdict = watch.add(answers, elapsed)
            if verdict:
                return verdict
            if elapsed - said >= self._args["progress_interval"]:
                said = elapsed
                self._say(watch, elapsed, result)
            time.sleep(max(0.0, self._args["interval"] - (time.monotonic() - round_started)))

    def _ask(self, result, task_vars):
        """One round: every probe's verdict by name. What did not pass is added to the evidence, with the time."""
        answers = {}
        for probe in self._args["probes"]:
            arguments = dict(probe["args"])
            for name in ("operation_lock_path", "operation_token"):
                if self._args[name] is not None:
                    arguments[name] = self._args[name]
            answer = self._execute_module(module_name=probe["module"], module_args=arguments, task_vars=task_vars)
            verdict = answer.get("verdict", INCONCLUSIVE if answer.get("failed") else None)
            if verdict not in (PASS, FAIL, INCONCLUSIVE):
                raise AnsibleActionFail("{0} returns no verdict, so it cannot be watched.".format(probe["module"]))
            summary = answer.get("summary") or answer.get("msg") or ""
            answers[probe["name"]] = verdict
            result["probes"][probe["name"]] = {"verdict": verdict, "summary": summary}
            if verdict != PASS:
                result["evidence"].append("{0}: {1}: {2}".format(probe["name"], verdict, summary))
        return answers

    def _say(self, watch, elapsed, result):
        states = ", ".join(
            "{0}: {1}".format(name, probe["summary"] or probe["verdict"]) for name, probe in sorted(result["probes"].items())
        )
        self._display.display(
            "{0}: {1:.0f} of {2:.0f} s, {3} of at most {4} failures; {5}".format(
                self._args["subject"], elapsed, watch.seconds, watch.failures, watch.failure_limit - 1, states
            )
        )
