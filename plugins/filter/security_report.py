# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils import _security_report
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError


def security_report(hosts, limits, allowed=(), proxies=()):
    """What the audit of a stack's security found, for people. See security_report.yml beside this file."""
    try:
        return _security_report.report(hosts, limits, allowed, proxies)
    except OpsError as error:
        raise AnsibleFilterError("security_report: {0}".format(error.message))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise AnsibleFilterError("security_report: these are no findings of hosts: {0!r}".format(error))


class FilterModule:
    def filters(self):
        return {"security_report": security_report}
