# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of the collection has in common. Private: other collections must not import it.

The order of a module: a spec, a ``work(module, result)`` function that fills the result in place, one call of
:func:`run`. Only ``run`` exits or fails, so every path returns the same keys.
"""

from __future__ import annotations

import importlib
import time
import traceback

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib
from ansible_collections.astraldraft.ops.plugins.module_utils import _silence_lease
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._lock_file import Lease

OPERATION_SPEC = {
    "operation_lock_path": {"type": "path", "fallback": (env_fallback, ["ASTRALDRAFT_OPERATION_LOCK"])},
    "operation_token": {"type": "int", "no_log": False, "fallback": (env_fallback, ["ASTRALDRAFT_OPERATION_TOKEN"])},
}
HEARTBEAT_SECONDS = 2.0


class OpsModule(AnsibleModule):
    """An AnsibleModule that keeps the running operation's lock alive and fails by raising :class:`OpsError`."""

    def __init__(self, argument_spec, **kwargs):
        super().__init__(argument_spec=dict(OPERATION_SPEC, **argument_spec), **kwargs)
        path, token = self.params["operation_lock_path"], self.params["operation_token"]
        self._lease = Lease(path, token) if path and token else None
        self.silences_path = _silence_lease.path_of(path, token) if path and token else None
        self._last_heartbeat = None

    def heartbeat(self):
        """Renew the operation's lock, and what it silences, at most every two seconds. Call it from every wait loop.

        Raises OpsError when the lock has meanwhile been taken over: whoever took it over is now the one who acts.
        """
        if not self._lease or self.check_mode:
            return
        now = time.monotonic()
        if self._last_heartbeat is None or now - self._last_heartbeat >= HEARTBEAT_SECONDS:
            self._lease.renew()
            _silence_lease.renew(self.silences_path)
            self._last_heartbeat = now

    def fence(self):
        """Check the fencing token right before an irreversible step; raises OpsError when the lock is no longer ours."""
        if self._lease and not self.check_mode:
            self._lease.renew()


def load(library, package=None):
    """Import an optional library when it is first needed. Raises OpsError that says how to install it."""
    try:
        return importlib.import_module(library)
    except ImportError:
        raise OpsError(missing_required_lib(package or library), exception=traceback.format_exc())


def run(work, argument_spec, result, needs_lock=True, **kwargs):
    """Build the module, let ``work(module, result)`` fill ``result`` (it holds the documented keys already), exit or fail once.

    A module that does not need the operation's lock renews it, and goes on all the same when somebody else has it.
    """
    module = OpsModule(argument_spec, **kwargs)
    result = dict({"changed": False}, **result)
    started = time.monotonic()
    try:
        try:
            module.heartbeat()
        except OpsError as error:
            if needs_lock:
                raise
            module.warn(error.message)
        work(module, result)
    except (OpsError, OSError) as error:
        if isinstance(error, OSError):
            error = OpsError("{0}: {1}. Nothing more was done.".format(error.filename or "A file", error.strerror or error))
        result.update(error.evidence, duration=round(time.monotonic() - started, 3))
        module.fail_json(msg=error.message, **result)
    result["duration"] = round(time.monotonic() - started, 3)
    module.exit_json(**result)
