# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils import _notification
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError


def notification_fields(fields, kind):
    """The fields of a message of a kind. See notification_fields.yml beside this file."""
    if not isinstance(fields, Mapping):
        raise AnsibleFilterError("notification_fields wants the fields of a message as a dict, not {0}.".format(type(fields).__name__))
    try:
        return _notification.fields_of(kind, fields)
    except OpsError as error:
        raise AnsibleFilterError(error.message)


class FilterModule:
    def filters(self):
        return {"notification_fields": notification_fields}
