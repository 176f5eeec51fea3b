# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils import _monitoring_report

REPORTS = {
    "health": _monitoring_report.health,
    "alerts": lambda answers: _monitoring_report.alerts(**answers),
    "pipeline": lambda answers: _monitoring_report.pipeline(**answers),
}


def monitoring_report(answers, about):
    """What the watchers said, for people. See monitoring_report.yml beside this file."""
    if about not in REPORTS:
        raise AnsibleFilterError("monitoring_report: there is no report about {0}. Reports: {1}.".format(about, ", ".join(REPORTS)))
    try:
        return REPORTS[about](answers)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise AnsibleFilterError("monitoring_report: these are no answers about {0}: {1!r}".format(about, error))


class FilterModule:
    def filters(self):
        return {"monitoring_report": monitoring_report}
