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
  - A holder that gives a sign of life while this module waits is alive, and this operation is refused at once with its name.
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
        lease here again. One that is alive here fails the module, unless V(lock) is among the O(overrides).
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

from ansible_collections.astraldraft.ops.plugins.module_utils import _freeze, _lock, _processes
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

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


class Call:
    """One call of the module: what was asked for, of which lock, and the result that is filled."""

    def __init__(self, module, result):
        self.params, self.check, self.result = module.params, module.check_mode, result
        self.lock = _lock.LockFile(self.params["path"])
        self.held = self.lock.read()
        self.lifted = set(self.params["overrides"]) | ({"lock"} if self.params["seize"] else set())
        if self.params["emergency"]:
            self.lifted |= {"freeze", "incident"}

    def say(self, key, held):
        self.result[key] = _lock.public_all(held, self.lock.now())

    def person(self):
        if not self.params["owner"]:
            raise OpsError("To take the lock {0}, say who: owner.".format(self.lock.path))
        return {name: self.params[name] for name in ("owner", "host", "reason")}

    def bury(self, tokens):
        """End what dead holders left running on this host."""
        if self.params["marker"]:
            markers = [_processes.marker(self.params["marker"], token) for token in tokens]
            self.result["ended_processes"] = _processes.public(_processes.end(markers))

    def replaced(self, records):
        now = self.lock.now()
        self.result.update(taken_over=bool(records), taken_over_from=[_lock.public(record, now) for record in records])

    def pass_or_refuse(self, refusals):
        """Note what is overridden; raises OpsError for the rest."""
        self.result["overridden"] += [
            {"guard": refusal["guard"], "message": refusal["fact"]} for refusal in refusals if refusal["guard"] in self.lifted
        ]
        left = [refusal for refusal in refusals if refusal["guard"] not in self.lifted]
        if left:
            told = [_lock.public_refusal(refusal) for refusal in left]
            raise OpsError(" ".join(refusal["message"] for refusal in told), refusals=told)

    def by_hand(self):
        """Lock or unlock for a person."""
        before = self.held["manual"]
        present = self.params["state"] == "present"
        plan = _lock.plan_manual(before, self.person(), self.lock.now()) if present else None
        self.result["changed"] = plan != before
        if not self.check:
            before, plan = self.lock.lock_by_hand(self.person()) if present else (self.lock.unlock(), None)
        self.say("after", dict(self.held, manual=plan))

    def give_back(self):
        """Release the lock, or remove the leases of dead holders."""
        dead, token = self.params["take_over_tokens"], self.params["operation_token"]
        going = [record for record in self.held["holders"] if record["token"] in (dead or [token])]
        if self.check and "lock" not in self.lifted:
            _lock.refuse_alive(going if dead else [], self.lock.now())
        elif not self.check and dead:
            going = self.lock.declare_dead(dead, "lock" in self.lifted, self.bury)
        elif not self.check:
            self.lock.release(token)
        self.result["changed"] = bool(going)
        self.replaced(going if dead else [])
        self.say("after", dict(self.held, holders=[record for record in self.held["holders"] if record not in going]))

    def begin(self):
        """Take the lock, or place a lease, once no guard refuses it."""
        params, operation = self.params, self.params["operation"]
        if not operation:
            raise OpsError("To take the lock {0}, say what for: operation.".format(self.lock.path))
        request = dict(self.person(), operation=operation, expiry=params["expiry"], lease_hosts=params["lease_hosts"])
        if not params["lease_token"]:
            self.pass_or_refuse(_freeze.Freezes.of(params).refusals(operation, utc_now()))
        self.result["changed"] = _lock.mine(self.held, params["lease_token"]) is None
        if self.check:
            self.pass_or_refuse(_lock.refusals(self.held, operation, self.lock.now(), params["lease_token"]))
            return
        self.take(request)
        self.say("after", self.lock.read())

    def take(self, request):
        """Wait for the lock, but only for a holder that gives no sign of life."""
        params, first = self.params, self.held["holders"]

        def attempt():
            return self.lock.acquire(request, "lock" in self.lifted, params["take_over_tokens"], self.bury, params["lease_token"])

        def is_decided(taken):
            return taken.record or taken.by_hand or not taken.blocking or _lock.shows_life(first, taken.blocking)

        taken, _done, _attempts = poll(attempt, is_decided, params["wait_timeout"], params["wait_interval"])
        self.pass_or_refuse(_lock.refusals_of(taken, params["operation"], self.lock.now()))
        if taken.record:
            self.result["token"] = taken.record["token"]
            self.replaced(taken.replaced)
        else:
            self.ask_elsewhere(taken.unconfirmed)

    def ask_elsewhere(self, records):
        """Nobody here can tell whether these are dead. Raises OpsError unless the caller said that it would ask."""
        now = self.lock.now()
        unconfirmed = [_lock.public(record, now) for record in records]
        self.result.update(changed=False, unconfirmed=unconfirmed)
        if not self.params["confirm_dead"]:
            raise OpsError(
                "Another operation gives no sign of life on this host: {0}. Whether it is dead must be asked there. Nothing was "
                "begun.".format("; ".join(_lock.describe(record, now) for record in records))
            )


def work(module, result):
    call = Call(module, result)
    params, token = module.params, module.params["operation_token"]
    call.say("before", call.held)
    call.say("after", call.held)
    if params["manual"]:
        call.by_hand()
    elif params["state"] == "absent":
        call.give_back()
    elif params["lease_token"] or not _lock.mine(call.held, token):
        call.begin()
    elif not module.check_mode:
        call.lock.renew(token, params["expiry"])
        result["token"] = token
        call.say("after", call.lock.read())


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
