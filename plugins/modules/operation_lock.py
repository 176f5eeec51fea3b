#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: operation_lock
short_description: Take or release the lock that lets one operation run on a stack at a time
version_added: 0.1.0
description:
  - The lock is a lease. Its holder renews a heartbeat; when the heartbeat has expired, the holder is taken for dead and the next
    operation takes the lock over with a higher fencing token, so that the former holder is refused should it come back.
  - A holder that gives a sign of life while this module waits is alive, and this operation is refused at once with its name.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: In check mode the lock is looked at and not taken. A lock that somebody else holds is refused all the same.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: With O(operation_token) of the lock one holds, O(state=present) renews the heartbeat and reports no change.
options:
  path:
    description: The lock's file. Its folder is created when missing.
    type: path
    required: true
  state:
    description:
      - V(present) takes the lock, or renews it when O(operation_token) is the one that holds it.
      - V(absent) releases the lock if O(operation_token) is the one that holds it; otherwise nothing is changed.
    type: str
    choices: [present, absent]
    default: present
  operation:
    description: What the lock is taken for. Needed to take it.
    type: str
  owner:
    description: Who runs the operation. Needed to take it.
    type: str
  host:
    description: The machine from which the operation is run.
    type: str
    default: ""
  reason:
    description: Why the operation is run.
    type: str
    default: ""
  expiry:
    description:
      - How long after its last heartbeat the holder is taken for dead, in seconds.
      - Given again with O(operation_token) it is changed, for example before a step that cannot give a sign of life.
    type: float
    default: 45
  wait_timeout:
    description: The longest wait for a holder that gives no sign of life, in seconds.
    type: float
    default: 60
  wait_interval:
    description: How often to look meanwhile, in seconds.
    type: float
    default: 1
  seize:
    description: Take the lock whoever holds it, without waiting. Its holder stops at its next step.
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.operation_lock_info
"""

EXAMPLES = r"""
- name: Take the lock
  astraldraft.ops.operation_lock:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
    operation: deploy
    owner: ada
    reason: v1.2.3
  register: lock

- name: Release it
  astraldraft.ops.operation_lock:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
    operation_token: "{{ lock.token }}"
    state: absent
"""

RETURN = r"""
token:
  description: The fencing token under which the lock is held. V(null) in check mode and with O(state=absent).
  returned: always
  type: int
  sample: 17
before:
  description: The lock as it was found, or V(null) when it was free.
  returned: always
  type: dict
  contains:
    token:
      description: Its fencing token.
      type: int
    operation:
      description: What it was taken for.
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
      description: The last sign of life (ISO 8601, UTC).
      type: str
    expires_at:
      description: When its holder is taken for dead (ISO 8601, UTC).
      type: str
after:
  description: The lock as it is now, in the same form as RV(before).
  returned: always
  type: dict
taken_over:
  description: Whether a holder that gave no sign of life was replaced.
  returned: always
  type: bool
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _lock
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "operation": {"type": "str"},
    "owner": {"type": "str"},
    "host": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": ""},
    "expiry": {"type": "float", "default": 45},
    "wait_timeout": {"type": "float", "default": 60},
    "wait_interval": {"type": "float", "default": 1},
    "seize": {"type": "bool", "default": False},
}
RESULT = {"token": None, "before": None, "after": None, "taken_over": False}


def refuse(found, now):
    raise OpsError(
        "Another operation is running: {0}. Wait for it, or talk to {1}. If it is certainly dead, ops_override: [lock] "
        "with ops_reason takes the lock.".format(_lock.describe(found, now), found["owner"]),
        before=_lock.public(found),
        after=_lock.public(found),
    )


def shows_life(first, now):
    """Whether the holder found ``now`` (a record or None) did something since the ``first`` look."""
    return bool(now) and (not first or now["token"] != first["token"] or now["heartbeat"] > first["heartbeat"])


def take(module, lock, result):
    """Take the lock; wait only for a holder that gives no sign of life. Raises OpsError when it is held."""
    params = module.params
    if not (params["operation"] and params["owner"]):
        raise OpsError("To take the lock {0}, say what for and who: operation and owner.".format(lock.path))
    request = {name: params[name] for name in ("operation", "owner", "host", "reason", "expiry")}
    first = lock.read()

    def attempt():
        record, previous = lock.acquire(request, params["seize"])
        return record, previous, shows_life(first, previous)

    (record, previous, _alive), _done, _attempts = poll(
        attempt, lambda answer: answer[0] is not None or answer[2], params["wait_timeout"], params["wait_interval"]
    )
    if record is None:
        refuse(previous, lock.now())
    result.update(
        changed=True, token=record["token"], before=_lock.public(previous), after=_lock.public(record), taken_over=previous is not None
    )


def work(module, result):
    params = module.params
    lock, token = _lock.LockFile(params["path"]), params["operation_token"]
    current, now = lock.read(), lock.now()
    state = _lock.judge(current, token, now)
    result["before"] = result["after"] = _lock.public(current)
    if params["state"] == "absent":
        result["changed"] = state == _lock.MINE
        result["after"] = None if result["changed"] else result["before"]
        if not module.check_mode:
            lock.release(token)
    elif module.check_mode:
        result["changed"] = state != _lock.MINE
        if state == _lock.HELD and not params["seize"]:
            refuse(current, now)
    elif state == _lock.MINE:
        result.update(token=token, after=_lock.public(lock.renew(token, params["expiry"])))
    else:
        take(module, lock, result)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
