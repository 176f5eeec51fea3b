#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: operation_freeze
short_description: Hold back what would bring something new into production, for a time
version_added: 0.1.0
description:
  - Keeps a list of freezes, each with its start, its end, its reason and who asked for it. M(astraldraft.ops.operation_lock) refuses
    operations that bring something new while one is in force. Freezes that are over are forgotten.
  - A freeze is found again by its O(reason) and its O(starts_at), or without that by its O(reason) and by being in force.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A freeze that starts now and is found again is prolonged only when less than 90 % of the O(duration) asked for is left of it.
options:
  path:
    description: The file of the freezes, C(freezes.json) beside the lock. Its folder is created when missing.
    type: path
    required: true
  state:
    description:
      - V(present) freezes.
      - V(absent) lifts what is in force, or the one freeze O(id).
    type: str
    choices: [present, absent]
    default: present
  starts_at:
    description: When it starts, ISO 8601 with a zone, such as V(2026-12-24T18:00:00Z). By default now.
    type: str
  ends_at:
    description: When it ends, likewise. Give this or O(duration).
    type: str
  duration:
    description: How long it lasts, in seconds or such as V(30m), V(24h), V(7d), V(1h30m).
    type: str
  reason:
    description: Why, for those who are refused.
    type: str
    default: ""
  owner:
    description: Who asks for it. Needed with O(state=present).
    type: str
  id:
    description: With O(state=absent) the number of the freeze to lift.
    type: int
seealso:
  - module: astraldraft.ops.operation_lock
  - module: astraldraft.ops.operation_lock_info
"""

EXAMPLES = r"""
- name: Nothing new over Christmas
  astraldraft.ops.operation_freeze:
    path: /var/lib/astraldraft/astral-demo/lock/freezes.json
    starts_at: "2026-12-23T16:00:00Z"
    ends_at: "2026-12-28T06:00:00Z"
    reason: Christmas
    owner: ada

- name: Lift what is in force
  astraldraft.ops.operation_freeze:
    path: /var/lib/astraldraft/astral-demo/lock/freezes.json
    state: absent
"""

RETURN = r"""
freeze:
  description: The freeze that is in force or will be; V(null) with O(state=absent).
  returned: always
  type: dict
  contains: &freeze
    id:
      description: Its number.
      type: int
    starts_at:
      description: When it starts (ISO 8601, UTC).
      type: str
    ends_at:
      description: When it ends (ISO 8601, UTC).
      type: str
    reason:
      description: Why.
      type: str
    owner:
      description: Who asked for it.
      type: str
lifted:
  description: The freezes that were lifted.
  returned: always
  type: list
  elements: dict
  contains: *freeze
before:
  description: All freezes that were not over, as they were found.
  returned: always
  type: list
  elements: dict
  contains: *freeze
after:
  description: All freezes that are not over, as they are now.
  returned: always
  type: list
  elements: dict
  contains: *freeze
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _freeze
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "starts_at": {"type": "str"},
    "ends_at": {"type": "str"},
    "duration": {"type": "str"},
    "reason": {"type": "str", "default": ""},
    "owner": {"type": "str"},
    "id": {"type": "int"},
}
RESULT = {"freeze": None, "lifted": [], "before": [], "after": []}


def work(module, result):
    params, now = module.params, utc_now()
    present = params["state"] == "present"
    request = _freeze.request(params, now) if present else None

    def plan(known):
        return _freeze.plan_present(known, request, now) if present else _freeze.plan_absent(known, params["id"], now)

    before, after, answer = _freeze.FreezeFile(params["path"]).change(plan, write=not module.check_mode)
    result.update(
        {"freeze" if present else "lifted": answer},
        before=_freeze.in_force_or_upcoming(before["freezes"], now),
        after=after["freezes"],
    )
    result["changed"] = result["before"] != result["after"]


def main():
    run(
        work,
        SPEC,
        RESULT,
        supports_check_mode=True,
        mutually_exclusive=[("ends_at", "duration")],
        required_if=[("state", "present", ("owner",)), ("state", "present", ("ends_at", "duration"), True)],
    )


if __name__ == "__main__":
    main()
