# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils import _diagnosis, _diagnosis_report


def diagnosis(hosts, rules, symptom="", about=None):
    """Causes ranked by rules. See diagnosis.yml beside this file."""
    try:
        found = _diagnosis.diagnose(hosts, rules, symptom)
        lines, told = _diagnosis_report.report(found), _diagnosis_report.summary(found)
        return dict(found, lines=lines, summary=told, bundle=_diagnosis_report.bundle(hosts, found, about or {}))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise AnsibleFilterError("diagnosis: {0}: {1}".format(type(error).__name__, error))


class FilterModule:
    def filters(self):
        return {"diagnosis": diagnosis}
