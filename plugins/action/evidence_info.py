# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextvars
import copy
import threading
import time

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel

SPEC: dict = {
    "parts": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "module": {"type": "str", "required": True},
            "args": {"type": "dict", "default": {}},
        },
    },
    "timeout": {"type": "float", "default": 12.0},
    "operation_lock_path": {"type": "path"},
    "operation_token": {"type": "int", "no_log": False},
}
#: What only reads by its name.
READING = "_info"
ALSO_READING = ("astraldraft.ops.health_check",)
#: Connections that several threads may use at the same time: each command is a process of its own.
SHARED = ("local", "ssh")


class ActionModule(ActionBase):
    """Run modules that only read, all at the same time, and hand back each one's answer."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(SPEC)
        started, parts = time.monotonic(), args["parts"]
        result: dict = {"changed": False, "evidence": {}, "missing": [], "duration": 0.0}
        wrong = self._refused(parts, args["timeout"])
        if wrong:
            return dict(result, failed=True, msg=wrong)
        more = {name: args[name] for name in ("operation_lock_path", "operation_token") if args[name] is not None}
        if self._connection.transport in SHARED:
            self._building = threading.Lock()
            jobs = [(self._job(part, more, task_vars), args["timeout"]) for part in parts]
            answers = in_parallel(jobs)
        else:
            answers = [self._caught(part, more, task_vars) for part in parts]
        for part, answer in zip(parts, answers):
            told = answer if isinstance(answer, dict) else self._silent(part, answer, args["timeout"])
            result["evidence"][part["name"]] = told
            if told.get("failed"):
                result["missing"].append({"name": part["name"], "message": str(told.get("msg") or "it failed and did not say why")})
        result["duration"] = round(time.monotonic() - started, 3)
        return result

    @staticmethod
    def _refused(parts, timeout):
        names = [part["name"] for part in parts]
        twice = sorted({name for name in names if names.count(name) > 1})
        writing = [part["module"] for part in parts if not part["module"].endswith(READING) and part["module"] not in ALSO_READING]
        if writing:
            message = "{0} may do more than read. Nothing was run. Give modules whose names end in {1}, or {2}."
            return message.format(", ".join(writing), READING, " or ".join(ALSO_READING))
        if twice:
            return "Two parts are called {0}. Nothing was run. Give each a name of its own.".format(", ".join(twice))
        if timeout <= 0:
            return "timeout is {0:g}. Nothing was run. Give a positive number of seconds.".format(timeout)
        return ""

    def _job(self, part, more, task_vars):
        """A job of a thread: a module over a connection that nobody else uses, in the context that the task has."""
        worker, context = self._alone(), contextvars.copy_context()
        return lambda: context.run(self._answer, worker, part, more, dict(task_vars))

    def _alone(self):
        """This action once more, with what a running module keeps (its folder, its password prompt) apart from that of the others."""
        worker = copy.copy(self)
        worker._connection = copy.copy(self._connection)
        worker._connection._shell = copy.copy(self._connection._shell)
        become = self._connection.become
        if become:
            worker._connection.set_become_plugin(copy.copy(become))
        return worker

    def _caught(self, part, more, task_vars):
        try:
            return self._answer(self, part, more, task_vars)
        except AnsibleError as error:
            return error

    def _answer(self, worker, part, more, task_vars):
        folder = worker._connection._shell.tmpdir
        try:
            arguments = dict(part["args"], **more)
            return worker._execute_module(module_name=part["module"], module_args=arguments, task_vars=task_vars)
        finally:
            made = worker._connection._shell.tmpdir
            if made and made != folder:
                worker._remove_tmp_path(made)

    def _configure_module(self, *args, **kwargs):
        """Modules are put together one after the other: that is work of this process, and not made for threads."""
        lock = getattr(self, "_building", None)
        if lock is None:
            return super()._configure_module(*args, **kwargs)
        with lock:
            return super()._configure_module(*args, **kwargs)

    @staticmethod
    def _silent(part, answer, timeout):
        if isinstance(answer, Exception):
            return {"failed": True, "msg": "{0} could not be run: {1}".format(part["module"], answer)}
        return {"failed": True, "msg": "{0} did not answer within {1:g} s, and is not waited for.".format(part["module"], timeout)}
