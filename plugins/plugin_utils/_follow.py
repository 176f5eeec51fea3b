# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that takes long, and shows how it stands meanwhile. Private: other collections must not import it.

The module runs in the background, as Ansible's own async does, and keeps one line in the file of its option ``progress_path``. That file
is read with a bare command, which costs a hundredth of a module's start.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import shlex
import time

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.astraldraft.ops.plugins.module_utils._watch import SILENT_SECONDS, Cadence
from ansible_collections.astraldraft.ops.plugins.plugin_utils._terminal import CLEAR_LINE, TERMINAL

LIMIT_SECONDS = 7 * 86400
POLL_SECONDS, LINE_SECONDS = 0.5, 10.0
#: So long a host may be out of reach before that is a failure.
PATIENCE_SECONDS = 60.0
#: So often it is seen whether the job still has a process. Who was killed, or whose host was started anew, leaves a job that never ends.
LOOK_SECONDS = 10.0
#: What async says of a module that was killed, below a traceback of its own.
NO_ANSWER = "No start of json char found"
# What async adds to a result.
_ADDED = ("ansible_job_id", "results_file", "started", "finished", "stdout", "stdout_lines", "stderr", "stderr_lines")


def is_running(text):
    """Whether the file of a background job says that it has not ended."""
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        return isinstance(found, dict) and bool(found.get("started")) and not found.get("finished")
    return True


def seconds_left(deadline):
    """Until ``deadline`` (seconds since 1970, or None), for async to keep: the host does, whatever becomes of this process."""
    return min(LIMIT_SECONDS, int(float(deadline) - time.time())) if deadline else LIMIT_SECONDS


class FollowedModule(ActionBase):
    """Run the module of the same name. In check mode, and where the task is async itself, as any other."""

    _supports_check_mode = True
    _supports_async = True
    subject = "Working"

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        if self._task.check_mode or self._task.async_val or self._task.args.get("progress_path"):
            return self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
        several = len((task_vars or {}).get("ansible_play_batch") or []) > 1
        self._name = "{0} [{1}]".format(self.subject, task_vars["inventory_hostname"]) if several else self.subject
        self._cadence, self._said = Cadence(LINE_SECONDS, TERMINAL and not several), False
        limit = seconds_left(task_vars.get("ops_deadline"))
        if limit < 1:
            return {
                "failed": True,
                "changed": False,
                "msg": "The deadline has passed before this was begun, on {0}. Nothing was done.".format(task_vars["inventory_hostname"]),
            }
        self._make_tmp_path()
        folder = self._connection._shell.tmpdir
        progress = posixpath.join(folder, "progress")
        self._task.async_val = limit
        try:
            job = self._execute_module(module_args=dict(self._task.args, progress_path=progress), task_vars=task_vars, wrap_async=True)
        finally:
            self._task.async_val = 0
        if job.get("failed") or "ansible_job_id" not in job:
            return job
        try:
            ended = self._follow(job, progress)
        finally:
            if self._said and self._cadence.terminal:
                self._display.display(CLEAR_LINE, screen_only=True, newline=False)
        result = self._status(job, "status", task_vars) if ended else {}
        if not ended or NO_ANSWER in str(result.get("msg")):
            result = {"failed": True, "changed": False, "msg": self._lost(task_vars)}
        self._status(job, "cleanup", task_vars)
        self._remove(folder)
        if "child_pid" in result:
            result["msg"] = (
                "{0} on {1} was not over at its deadline, {2} s after it began, and was ended by the host. What was half done is not used."
            ).format(self.subject, task_vars["inventory_hostname"], limit)
        return {key: value for key, value in result.items() if key not in _ADDED}

    def _remove(self, folder):
        """What holds the module's options, its passwords among them. Async does that up to five seconds later, and never for one who was
        killed."""
        if not constants.DEFAULT_KEEP_REMOTE_FILES:
            self._remove_tmp_path(folder, force=True)

    def _follow(self, job, progress):
        """Wait until the job has ended. -> whether it has; else nobody is at it any more"""
        started = heard = looked = time.monotonic()
        command = "cat -- {0} 2>/dev/null; echo; cat -- {1}".format(shlex.quote(progress), shlex.quote(job["results_file"]))
        while True:
            try:
                line, _newline, state = self._low_level_execute_command(command, sudoable=True)["stdout"].partition("\n")
                heard = time.monotonic()
            except AnsibleConnectionFailure:
                line, state = "cannot be reached", "{}"
                if time.monotonic() - heard > PATIENCE_SECONDS:
                    raise
            elapsed = time.monotonic() - started
            if state.strip() and state != "{}" and not is_running(state):
                return True
            if state != "{}" and time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                if not self._has_process(job):
                    # Or it has just ended.
                    _line, _newline, state = self._low_level_execute_command(command, sudoable=True)["stdout"].partition("\n")
                    return bool(state.strip()) and not is_running(state)
            if elapsed >= SILENT_SECONDS and self._cadence.due(elapsed, None):
                self._say("{0}: {1:.0f} s; {2}".format(self._name, elapsed, line))
            time.sleep(min(POLL_SECONDS, 0.1 + elapsed / 10))

    def _has_process(self, job):
        """Whether the job's number is in the arguments of a process, which has been given it by Ansible."""
        number = job["ansible_job_id"].partition(".")[0]
        # Brackets, so that the search does not find itself.
        command = "test -r /proc/self/cmdline && ! grep -qsa '[{0}]{1}' /proc/[0-9]*/cmdline && echo no-process".format(
            number[0], number[1:]
        )
        try:
            return "no-process" not in self._low_level_execute_command(command, sudoable=True)["stdout"]
        except AnsibleConnectionFailure:
            return True

    def _lost(self, task_vars):
        return (
            "{0} on {1} came to no end: its process is gone, and left no result. Was it killed (for want of memory?), or was the host "
            "started anew? Its kernel's log tells. What was half done is not used. Run it again."
        ).format(self.subject, task_vars["inventory_hostname"])

    def _say(self, text):
        self._said = True
        if self._cadence.terminal:
            text = text[: max(0, self._display.columns - 1)]
            self._display.display(CLEAR_LINE + text, screen_only=True, newline=False)
        else:
            self._display.display(text)

    def _status(self, job, mode, task_vars):
        """Ask Ansible's own async_status, which knows how a result is written."""
        task = self._task.copy()
        task.action, task.args = "ansible.legacy.async_status", {"jid": job["ansible_job_id"], "mode": mode}
        handler = self._shared_loader_obj.action_loader.get(
            "ansible.legacy.async_status",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return handler.run(task_vars=task_vars)
