#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_policy_info
short_description: Find contradictions and placeholders in an escalation policy
version_added: 0.1.0
description:
  - Reads the policy by which people are told of incidents, and names what contradicts itself in it, what is not defined, and what was never
    filled in. It asks nobody and reads no file.
  - M(astraldraft.ops.incident_info) says what is due by the same policy.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  policy:
    description:
      - The policy, with C(severities), C(chains), C(contacts), C(conditions) and C(business_hours). The defaults of the role C(incident)
        are one; docs/incidents.md says its form.
    type: dict
    required: true
  addresses:
    description: Further addresses that must have been filled in, by any name, for example of the status page. They may be nested.
    type: dict
    default: {}
seealso:
  - module: astraldraft.ops.incident_info
"""

EXAMPLES = r"""
- name: Is the policy sound, and can everybody be reached?
  astraldraft.ops.incident_policy_info:
    policy: "{{ incident_policy }}"
    addresses:
      status_page: https://status.astraldraft.com
  register: policy
  failed_when: policy.verdict != 'pass'
"""

RETURN = r"""
verdict:
  description: V(pass) when there is no finding, else V(fail).
  returned: always
  type: str
usable:
  description:
    - Whether it says what is due at all, if only in one of two ways. It does not while anything is not in its form, or names what is not
      defined.
  returned: always
  type: bool
findings:
  description: What is wrong.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description:
        - V(form), V(undefined), for which the policy cannot be used.
        - V(order) (minutes of a chain that do not rise), V(told_twice), V(two_response_times), V(twice), V(too_late) (nobody is told before
          an answer is due), V(rank) (what is worse is answered later), V(cadence) (of updates), V(unused).
        - V(placeholder), V(unreachable), among contacts and addresses.
      type: str
    where:
      description: Where in the policy.
      type: str
    message:
      description: What is wrong, and what to do about it.
      type: str
severities:
  description: What the policy says of each severity, one line each, for people. Empty when it cannot be used.
  returned: always
  type: list
  elements: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident_policy
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_policy_lint import lint, placeholders, unusable
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "policy": {"type": "dict", "required": True},
    "addresses": {"type": "dict", "default": {}},
}
RESULT = {"verdict": "fail", "usable": False, "findings": [], "severities": []}


def work(module, result):
    policy, addresses = module.params["policy"], module.params["addresses"]
    wrong = lint(policy)
    result.update(findings=wrong + placeholders(addresses, "addresses"), usable=not unusable(wrong))
    result["verdict"] = "fail" if result["findings"] else "pass"
    if result["usable"]:
        result["severities"] = _incident_policy.lines(policy)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
