#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: operation_lock_info
short_description: Say who holds the lock of a stack, what is frozen, and whether an operation may begin
version_added: 0.1.0
description:
  - Reads the lock, the freezes and the open incidents, and says who is at work, who has locked the stack by hand, and what holds back.
  - With O(operation) it says whether that one would be let in now, and why not.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.freezes
options:
  path:
    description: The lock's file.
    type: path
    required: true
  operation:
    description: The operation that somebody wants to run.
    type: str
seealso:
  - module: astraldraft.ops.operation_lock
  - module: astraldraft.ops.operation_freeze
"""

EXAMPLES = r"""
- name: May a deploy begin?
  astraldraft.ops.operation_lock_info:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
    operation: deploy
  register: lock
"""

RETURN = r"""
status:
  description: V(free), V(held), V(expired) when all who hold it give no sign of life any more, or V(locked) by hand.
  returned: always
  type: str
  sample: held
holders:
  description: The operations that hold the lock.
  returned: always
  type: list
  elements: dict
  contains:
    token:
      description: Its fencing token.
      type: int
    status:
      description: V(held), or V(expired) when it has given no sign of life on this host for too long.
      type: str
    operation:
      description: What the lock was taken for.
      type: str
    owner:
      description: By whom.
      type: str
    host:
      description: From which machine.
      type: str
    reason:
      description: Why.
      type: str
    acquired_at:
      description: When it was taken (ISO 8601, UTC).
      type: str
    heartbeat_at:
      description: The last sign of life on this host (ISO 8601, UTC).
      type: str
    expires_at:
      description: When the holder is taken for dead (ISO 8601, UTC).
      type: str
    lease_hosts:
      description: The other hosts on which it has leases.
      type: list
      elements: str
manual:
  description: The lock by hand, or V(null).
  returned: always
  type: dict
  contains:
    owner:
      description: Who locked.
      type: str
    host:
      description: From which machine.
      type: str
    reason:
      description: The message for those who are refused.
      type: str
    since:
      description: Since when (ISO 8601, UTC).
      type: str
freezes:
  description: The freezes that are in force or will be.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its number.
      type: int
    active:
      description: Whether it is in force.
      type: bool
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
weekly_freezes:
  description: The freezes of every week.
  returned: always
  type: list
  elements: dict
  contains:
    active:
      description: Whether it is in force.
      type: bool
    starts:
      description: Day and time of its start.
      type: str
    ends:
      description: Day and time of its end.
      type: str
    timezone:
      description: The time zone of both.
      type: str
    ends_at:
      description: When it ends (ISO 8601, UTC), or V(null) where it is not in force.
      type: str
    reason:
      description: Why.
      type: str
incidents:
  description: The open incidents that hold back, SEV-1 and SEV-2.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its name.
      type: str
    severity:
      description: V(SEV-1) or V(SEV-2).
      type: str
    status:
      description: How far it is.
      type: str
    title:
      description: What it is about.
      type: str
unreadable:
  description: What could not be read of the freezes and the incidents. It holds back, too.
  returned: always
  type: list
  elements: str
may_begin:
  description: Whether O(operation) would be let in, or V(null) where none was given. It may have to take over from a dead holder.
  returned: always
  type: bool
refusals:
  description: What holds O(operation) back.
  returned: always
  type: list
  elements: dict
  contains:
    guard:
      description: V(lock), V(freeze) or V(incident), which is also the name by which it is overridden.
      type: str
    message:
      description: The fact, its limit, and the way past it.
      type: str
description:
  description: All of it for people, one line each.
  returned: always
  type: list
  elements: str
  sample: ["deploy by ada on laptop, since 2026-11-23T18:47:05.123Z, last sign of life 3 s ago (expires after 45 s) (alive)"]
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _freeze, _lock
from ansible_collections.astraldraft.ops.plugins.module_utils._lock_file import LockFile
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

SPEC = dict(_freeze.SPEC, path={"type": "path", "required": True}, operation={"type": "str"})
RESULT = {
    "status": _lock.FREE,
    "holders": [],
    "manual": None,
    "freezes": [],
    "weekly_freezes": [],
    "incidents": [],
    "unreadable": [],
    "may_begin": None,
    "refusals": [],
    "description": [],
}


def work(module, result):
    params, now = module.params, utc_now()
    lock, freezes = LockFile(params["path"]), _freeze.Freezes.of(params)
    held, seconds = lock.read(), lock.now()
    result.update(_lock.public_all(held, seconds), status=_lock.status(held, seconds), **freezes.public(now))
    result["description"] = _lock.lines(held, seconds) + freezes.lines(now)
    if params["operation"]:
        refusals = freezes.refusals(params["operation"], now) + _lock.refusals(held, params["operation"], seconds)
        result.update(may_begin=not refusals, refusals=[_lock.public_refusal(refusal) for refusal in refusals])


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
