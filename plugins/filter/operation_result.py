# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils._outcome import combine


def operation_result(outcomes):
    """One result of what every host noted. See operation_result.yml beside this file."""
    try:
        return combine(outcomes)
    except (ValueError, AttributeError, TypeError) as error:
        raise AnsibleFilterError("operation_result: {0}".format(error))


class FilterModule:
    def filters(self):
        return {"operation_result": operation_result}
