# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils._env_file import render, seal


def to_env_file(variables, sealed=False):
    """Text of an environment file. See to_env_file.yml beside this file."""
    if not isinstance(variables, dict):
        raise AnsibleFilterError("to_env_file wants a dictionary of environment variables, not {0}.".format(type(variables).__name__))
    try:
        text = render(variables)
    except ValueError as error:
        raise AnsibleFilterError(str(error))
    return seal(text) if sealed else text


class FilterModule:
    def filters(self):
        return {"to_env_file": to_env_file}
