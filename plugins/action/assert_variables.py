# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible_collections.astraldraft.ops.plugins.module_utils._names import unknown

# Where the command line puts words that belong to no variable: `-e "state=idle in transaction"` gives `state` the value `idle`.
LOST = "_raw_params"
ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "roles")


def role_variables(folder):
    """The options that the roles under ``folder`` declare: role name to a set of variable names."""
    declared = {}
    for role in sorted(os.listdir(folder)):
        path = os.path.join(folder, role, "meta", "argument_specs.yml")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                entry_points = yaml_load(stream)["argument_specs"].values()
            declared[role] = {name for entry_point in entry_points for name in entry_point.get("options") or {}}
    return declared


class ActionModule(ActionBase):
    """Refuse variables with one of the collection's prefixes that no role and no playbook declares."""

    _supports_check_mode = True
    _requires_connection = False
    _VALID_ARGS = frozenset(("also_known", "prefixes", "operation_lock_path", "operation_token"))

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        if (task_vars or {}).get(LOST):
            raise AnsibleActionFail(
                "Of what was given with -e, these words belong to no variable: {0}. A value with spaces needs quotes of its own, as in "
                "-e 'ops_reason=\"two words\"'. Nothing was done.".format(task_vars[LOST])
            )
        declared = role_variables(ROLES)
        known = set().union(*declared.values()) | set(self._task.args.get("also_known") or [])
        prefixes = [role + "_" for role in declared] + list(self._task.args.get("prefixes") or [])
        found = unknown(self._given(task_vars or {}), known, prefixes)
        if found:
            sentences = ["{0} (did you mean {1}?)".format(name, nearest) if nearest else name for name, nearest in found]
            raise AnsibleActionFail("No playbook knows the variable {0}. Nothing was done.".format(", ".join(sentences)))
        return {"changed": False, "known": sorted(known)}

    def _given(self, task_vars):
        """The names of the host's variables; run once for a whole play, those of all its hosts."""
        names = set(task_vars)
        for host in task_vars.get("ansible_play_hosts_all", []) if self._task.run_once else []:
            names |= set(task_vars["hostvars"][host])
        return names
