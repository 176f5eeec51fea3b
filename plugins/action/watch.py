# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.astraldraft.ops.plugins.module_utils._watch import (
    FAIL,
    HOLD,
    INCONCLUSIVE,
    PASS,
    UNTIL,
    VERDICTS,
    Cadence,
    Watch,
    line,
)
from ansible_collections.astraldraft.ops.plugins.plugin_utils._terminal import CLEAR_LINE, TERMINAL

SPEC: dict = {
    "seconds": {"type": "float", "required": True},
    "mode": {"type": "str", "choices": [HOLD, UNTIL], "default": HOLD},
    "interval": {"type": "float", "default": 10},
    "failure_limit": {"type": "int", "default": 2},
    "success_limit": {"type": "int", "default": 1},
    "inconclusive_seconds": {"type": "float", "default": 60},
    "progress_interval": {"type": "float", "default": 10},
    "subject": {"type": "str", "default": "Watching"},
    "gate": {"type": "bool", "default": False},
    "probes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "module": {"type": "str", "required": True},
            "args": {"type": "dict", "default": {}},
            "key": {"type": "str", "default": "verdict", "no_log": False},
            "show": {"type": "list", "elements": "str", "default": []},
        },
    },
    "operation_lock_path": {"type": "path"},
    "operation_token": {"type": "int", "no_log": False},
}
TICK_SECONDS = 1.0
MOST_EVIDENCE = 50


class ModuleFailed(Exception):
    """A module that was waited for cannot answer at all."""


class ActionModule(ActionBase):
    """Run the same modules again and again, say how it stands meanwhile, and how it went."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validation, self._args = self.validate_argument_spec(SPEC)
        result: dict = {"changed": False, "verdict": PASS, "rounds": 0, "failures": 0, "probes": {}, "evidence": [], "duration": 0.0}
        several = len((task_vars or {}).get("ansible_play_batch") or []) > 1
        self._subject = "{0} [{1}]".format(self._args["subject"], task_vars["inventory_hostname"]) if several else self._args["subject"]
        # Several hosts would overwrite each other's line.
        self._cadence = Cadence(self._args["progress_interval"], TERMINAL and not several)
        self._said = False
        if self._task.check_mode:
            return self._check(result, task_vars)
        names = ("seconds", "failure_limit", "inconclusive_seconds", "success_limit", "mode")
        watch = Watch(*[self._args[name] for name in names])
        try:
            result["verdict"] = self._watch(watch, result, task_vars)
        except (AnsibleActionFail, ModuleFailed) as error:
            result.update(verdict=FAIL, failed=True, msg=str(error))
        finally:
            if self._said and self._cadence.terminal:
                self._display.display(CLEAR_LINE, screen_only=True, newline=False)
        result.update(rounds=watch.rounds, failures=watch.failures)
        result["msg"] = result.get("msg") or self._message(result)
        if self._args["gate"] and result["verdict"] != PASS:
            result["failed"] = True
        return result

    def _check(self, result, task_vars):
        """Nothing is watched in check mode; what is waited for is asked once, for what it would change."""
        if self._args["mode"] == UNTIL:
            try:
                self._ask(result, task_vars)
            except ModuleFailed as error:
                return dict(result, verdict=FAIL, failed=True, msg=str(error))
        return dict(result, msg="{0} for {1:.0f} s: not in check mode.".format(self._args["subject"], self._args["seconds"]))

    def _message(self, result):
        if result["verdict"] == PASS:
            return "{0} rounds passed.".format(result["rounds"])
        if self._args["mode"] == UNTIL:
            return "{0}: not within {1:.0f} s: {2}".format(self._args["subject"], self._args["seconds"], result["evidence"][-1])
        return "; ".join(result["evidence"][-3:])

    def _watch(self, watch, result, task_vars):
        started = time.monotonic()
        while True:
            round_started = time.monotonic()
            answers, certain = self._ask(result, task_vars)
            result["duration"] = round(time.monotonic() - started, 1)
            verdict = watch.add(answers, result["duration"], certain)
            if verdict:
                return verdict
            self._pause(watch, result, started, round_started + self._args["interval"])

    def _pause(self, watch, result, started, until):
        """Wait for the next round; on a terminal the line goes on counting."""
        while True:
            elapsed = time.monotonic() - started
            if self._cadence.due(elapsed, watch.last):
                self._say(watch, elapsed, result)
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, TICK_SECONDS))

    def _ask(self, result, task_vars):
        """One round: ``(every probe's verdict by name, whether a failure is certain)``. What did not pass is added to the evidence."""
        answers, certain = {}, False
        for probe in self._args["probes"]:
            verdict, answer = self._run_probe(probe, task_vars)
            summary = answer.get("summary") or answer.get("msg") or ""
            shown = ", ".join("{0} {1}".format(key.replace("_", " "), answer.get(key)) for key in probe["show"])
            answers[probe["name"]] = verdict
            certain = certain or (verdict == FAIL and bool(answer.get("certain")))
            result["changed"] = result["changed"] or bool(answer.get("changed"))
            result["probes"][probe["name"]] = {"verdict": verdict, "summary": ", ".join(filter(None, [summary, shown]))}
            if verdict != PASS:
                said = result["probes"][probe["name"]]["summary"]
                result["evidence"] = (result["evidence"] + ["{0}: {1}: {2}".format(probe["name"], verdict, said)])[-MOST_EVIDENCE:]
        return answers, certain

    def _run_probe(self, probe, task_vars):
        """``(verdict, answer)`` of one module. A host that cannot be reached for a while is not known to be bad."""
        arguments = dict(probe["args"])
        for name in ("operation_lock_path", "operation_token"):
            if self._args[name] is not None:
                arguments[name] = self._args[name]
        try:
            answer = self._execute_module(module_name=probe["module"], module_args=arguments, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            return INCONCLUSIVE, {"summary": "{0} cannot be reached: {1}".format(task_vars["inventory_hostname"], error)}
        if answer.get("failed"):
            if self._args["mode"] == UNTIL:
                raise ModuleFailed(answer.get("msg") or "{0} failed.".format(probe["module"]))
            # Whatever is wrong with the module says nothing about what it was to look at.
            return INCONCLUSIVE, dict(answer, summary=answer.get("msg"))
        value = answer.get(probe["key"])
        verdict = (PASS if value else FAIL) if isinstance(value, bool) else value
        if verdict not in VERDICTS:
            raise AnsibleActionFail("{0} returns no verdict as {1}, so it cannot be watched.".format(probe["module"], probe["key"]))
        return verdict, answer

    def _say(self, watch, elapsed, result):
        summaries = ["{0}: {1}".format(name, probe["summary"] or probe["verdict"]) for name, probe in sorted(result["probes"].items())]
        self._said = True
        if self._cadence.terminal:
            text = line(self._subject, watch, elapsed, summaries, self._display.columns)
            self._display.display(CLEAR_LINE + text, screen_only=True, newline=False)
        else:
            self._display.display(line(self._subject, watch, elapsed, summaries))
