# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils import _clock


def on_calendar(when):
    """Cron's five fields as systemd spells them. See on_calendar.yml beside this file."""
    if not isinstance(when, str):
        raise AnsibleFilterError("on_calendar wants the five fields of cron as text, not {0}.".format(type(when).__name__))
    try:
        return _clock.on_calendar(when)
    except ValueError as error:
        raise AnsibleFilterError("When is that? {0}.".format(error))


class FilterModule:
    def filters(self):
        return {"on_calendar": on_calendar}
