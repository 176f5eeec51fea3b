#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: operation_lock
short_description: Take, renew or release the lock of a stack
version_added: 0.1.0
description:
  - The lock is a lease. Its holder renews a heartbeat; when the heartbeat has expired, the holder is taken for dead and the next
    operation takes the lock over with a higher fencing token, so that the former holder is refused should it come back.
  - Operations that do not exclude each other hold it at once. Which exclude each other is written in the collection's guide to its guards;
    of an operation that is not known there the worst is assumed.
  - A holder that gives a sign of life while this module waits is alive, and this operation is refused at once with its name, unless it
    has time to wait for it (O(queue_timeout)).
  - An operation that brings something new is also refused while the stack is frozen (M(astraldraft.ops.operation_freeze) or
    O(freeze_weekly)) and while a SEV-1 or SEV-2 incident is open.
  - A person may lock the stack by hand (O(manual)). Such a lock never expires and is never waited for.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.freezes
attributes:
  check_mode:
    support: full
    details: In check mode the lock is looked at and not taken, and no process is ended. What would be refused is refused all the same.
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
      - V(present) takes the lock, or renews it when O(operation_token) is one that holds it.
      - V(absent) releases the lock if O(operation_token) is one that holds it; otherwise nothing is changed.
    type: str
    choices: [present, absent]
    default: present
  operation:
    description: What the lock is taken for, by the playbook's name. Needed to take it.
    type: str
  owner:
    description: Who runs the operation. Needed to take it.
    type: str
  host:
    description: The machine from which the operation is run.
    type: str
    default: ""
  reason:
    description: Why the operation is run; with O(manual), the message for those who are refused.
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
  queue_timeout:
    description: The longest wait for a holder that is alive, in seconds. For what runs by the clock, and nobody waits for.
    type: float
    default: 0
  wait_interval:
    description: How often to look meanwhile, in seconds.
    type: float
    default: 1
  seize:
    description: The same as V(lock) among the O(overrides).
    type: bool
    default: false
  overrides:
    description:
      - The guards that do not count. V(lock) takes the lock whoever holds it, without waiting, and its holder stops at its next step;
        V(freeze) passes a freeze, V(incident) an open incident. Other names are none of this module's business.
      - What was passed is returned as RV(overridden).
    type: list
    elements: str
    default: []
  emergency:
    description: Whether freezes and open incidents do not count because the operation is the remedy. What was passed is returned likewise.
    type: bool
    default: false
  lease_hosts:
    description:
      - The other hosts on which the operation has a lease (O(lease_token)).
      - Its heartbeat goes on there, so when it has expired here, it is not taken over, but returned as RV(unconfirmed). Use
        O(take_over_tokens) with O(state=absent) on those hosts, and then here.
    type: list
    elements: str
    default: []
  confirm_dead:
    description: Whether the caller will see to what is RV(unconfirmed). Otherwise the module fails.
    type: bool
    default: false
  lease_token:
    description:
      - Place, or renew, a lease on this host for an operation that holds the lock on another host under this token.
      - It is refused when an operation that excludes it has a lease here that is alive, and when a later one had one here.
        Freezes, incidents and locks by hand are not asked here.
    type: int
  take_over_tokens:
    description:
      - Tokens of holders whose heartbeat has expired.
      - With O(state=absent) their leases are removed from this host and what they left running here is ended, and none of them gets a
        lease here again. One that is alive here fails the module, unless V(lock) is among the O(overrides). Whether it is, is seen when it
        gives another sign of life; one that gives none is waited for until its heartbeat has expired here, too (O(wait_timeout)).
      - With O(state=present) they may be taken over in spite of their O(lease_hosts), if their heartbeat is still expired here.
    type: list
    elements: int
    default: []
  marker:
    description:
      - The stack's name. Processes on this host in whose environment E(ASTRALDRAFT_OPERATION) is this name, a slash and the token of a
        holder that is replaced are ended first.
      - Without it no process is looked for.
    type: str
  manual:
    description:
      - With O(state=present), lock the stack by hand for O(owner) with the message O(reason), until O(state=absent) removes that.
      - Whoever holds the lock then is not disturbed.
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.operation_lock_info
  - module: astraldraft.ops.operation_freeze
"""

EXAMPLES = r"""
- name: Take the lock
  astraldraft.ops.operation_lock:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
    operation: deploy
    owner: ada
    reason: v1.2.3
    marker: astral-demo
  register: lock

- name: Place a lease on a host on which the operation works
  astraldraft.ops.operation_lock:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
    operation: deploy
    owner: ada
    lease_token: "{{ lock.token }}"

- name: Release it
  astraldraft.ops.operation_lock:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
    operation_token: "{{ lock.token }}"
    state: absent

- name: Let nobody in while a disk is replaced
  astraldraft.ops.operation_lock:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
    manual: true
    owner: ada
    reason: the disk of db-1 is being replaced
"""

RETURN = r"""
token:
  description: The fencing token under which the lock is held. V(null) in check mode, with O(state=absent) and with O(manual).
  returned: always
  type: int
  sample: 1795459625
before:
  description: The lock as it was found.
  returned: always
  type: dict
  contains: &lock
    holders:
      description: Those who hold it.
      type: list
      elements: dict
      contains: &holder
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
after:
  description: The lock as it is now.
  returned: always
  type: dict
  contains: *lock
taken_over:
  description: Whether a holder was replaced.
  returned: always
  type: bool
taken_over_from:
  description: The holders that were replaced or, with O(take_over_tokens) and O(state=absent), removed.
  returned: always
  type: list
  elements: dict
  contains: *holder
ended_processes:
  description: What they had left running on this host, and was ended.
  returned: always
  type: list
  elements: dict
  contains:
    pid:
      description: The number of the process.
      type: int
    command:
      description: The name of its program, without arguments.
      type: str
    marker:
      description: The stack's name and the token, as found in its environment.
      type: str
overridden:
  description: The guards that would have refused the operation, and did not count.
  returned: always
  type: list
  elements: dict
  contains: &refusal
    guard:
      description: V(lock), V(freeze) or V(incident).
      type: str
    message:
      description: What it had to say.
      type: str
refusals:
  description: The guards that refused the operation. The module has failed then.
  returned: always
  type: list
  elements: dict
  contains: *refusal
unconfirmed:
  description: Holders whose heartbeat has expired here and that may be alive on another host. The lock was not taken then.
  returned: always
  type: list
  elements: dict
  contains: *holder
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _freeze
from ansible_collections.astraldraft.ops.plugins.module_utils._lock_call import Call
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = dict(
    _freeze.SPEC,
    path={"type": "path", "required": True},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    operation={"type": "str"},
    owner={"type": "str"},
    host={"type": "str", "default": ""},
    reason={"type": "str", "default": ""},
    expiry={"type": "float", "default": 45},
    wait_timeout={"type": "float", "default": 60},
    queue_timeout={"type": "float", "default": 0},
    wait_interval={"type": "float", "default": 1},
    seize={"type": "bool", "default": False},
    overrides={"type": "list", "elements": "str", "default": []},
    emergency={"type": "bool", "default": False},
    lease_hosts={"type": "list", "elements": "str", "default": []},
    confirm_dead={"type": "bool", "default": False},
    lease_token={"type": "int", "no_log": False},
    take_over_tokens={"type": "list", "elements": "int", "default": [], "no_log": False},
    marker={"type": "str"},
    manual={"type": "bool", "default": False},
)
RESULT = {
    "token": None,
    "before": None,
    "after": None,
    "taken_over": False,
    "taken_over_from": [],
    "ended_processes": [],
    "overridden": [],
    "refusals": [],
    "unconfirmed": [],
}


def work(module, result):
    Call(module.params, module.check_mode, result).carry_out()


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
