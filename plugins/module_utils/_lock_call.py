# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one call of the module operation_lock does: ask the guards, take, renew or give back. Private: other collections must not
import it."""

from __future__ import annotations

import functools

from ansible_collections.astraldraft.ops.plugins.module_utils import _freeze, _lock, _processes
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._lock_file import LockFile
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline, poll


class Call:
    """What was asked for (the module's ``params``), of which lock, and the ``result`` that is filled. With ``check`` nothing is done."""

    def __init__(self, params, check, result):
        self.params, self.check, self.result = params, check, result
        self.lock = LockFile(params["path"])
        self.held = self.lock.read()
        self.lifted = set(self.params["overrides"]) | ({"lock"} if self.params["seize"] else set())
        if self.params["emergency"]:
            self.lifted |= {"freeze", "incident"}

    def carry_out(self):
        """Raises OpsError when a guard refuses it."""
        params, token = self.params, self.params["operation_token"]
        self.say("before", self.held)
        self.say("after", self.held)
        if params["manual"]:
            self.by_hand()
        elif params["state"] == "absent":
            self.give_back()
        elif params["lease_token"] or not _lock.mine(self.held, token):
            self.begin()
        elif not self.check:
            self.lock.renew(token, params["expiry"])
            self.result["token"] = token
            self.say("after", self.lock.read())

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
            if "lock" not in self.lifted:
                self.wait_out(dead)
            going = self.lock.declare_dead(dead, "lock" in self.lifted, self.bury)
        elif not self.check:
            self.lock.release(token)
        self.result["changed"] = bool(going)
        self.replaced(going if dead else [])
        self.say("after", dict(self.held, holders=[record for record in self.held["holders"] if record not in going]))

    def wait_out(self, tokens):
        """Wait for holders that are silent elsewhere: until the heartbeat of each has expired here, too, or one shows life."""

        def alive():
            now, holders = self.lock.now(), self.lock.read()["holders"]
            return [record for record in holders if record["token"] in tokens and _lock.judge(record, now) == _lock.HELD]

        first = self.held["holders"]
        poll(alive, lambda left: not left or _lock.shows_life(first, left), self.params["wait_timeout"], self.params["wait_interval"])

    def begin(self):
        """Take the lock, or place a lease, once no guard refuses it."""
        params, operation = self.params, self.params["operation"]
        if not operation:
            raise OpsError("To take the lock {0}, say what for: operation.".format(self.lock.path))
        request = dict(self.person(), operation=operation, expiry=params["expiry"], lease_hosts=params["lease_hosts"])
        if not params["lease_token"]:
            self.pass_or_refuse(_freeze.Freezes.of(params).refusals(operation, utc_now()))
        taken = self.attempt(request)
        self.pass_or_refuse(_lock.refusals_of(taken, operation, self.lock.now()))
        if not taken.record:
            self.ask_elsewhere(taken.unconfirmed)
            return
        self.result["changed"] = _lock.mine(self.held, params["lease_token"]) is None
        self.replaced(taken.replaced)
        if not self.check:
            self.result["token"] = taken.record["token"]
            self.say("after", self.lock.read())

    def attempt(self, request):
        """Take the lock, or in check mode look whether it would be taken. Waits for a holder without a sign of life, and for one that is
        alive as long as it was told to."""
        params, first = self.params, self.held["holders"]
        how = {"seize": "lock" in self.lifted, "confirmed": params["take_over_tokens"], "token": params["lease_token"]}
        if self.check:
            return self.lock.look(request, **how)

        queue = Deadline(params["queue_timeout"])

        def is_decided(taken):
            alive = queue.passed and _lock.shows_life(first, taken.blocking)
            return taken.record or taken.by_hand or not taken.blocking or alive

        acquire = functools.partial(self.lock.acquire, request, bury=self.bury, **how)
        return poll(acquire, is_decided, max(params["wait_timeout"], queue.seconds), params["wait_interval"])[0]

    def ask_elsewhere(self, records):
        """Nobody here can tell whether these are dead. Raises OpsError unless the caller said that it would ask."""
        now = self.lock.now()
        unconfirmed = [_lock.public(record, now) for record in records]
        self.result["unconfirmed"] = unconfirmed
        if not self.params["confirm_dead"]:
            raise OpsError(
                "Another operation gives no sign of life on this host: {0}. Whether it is dead must be asked there. Nothing was "
                "begun.".format("; ".join(_lock.describe(record, now) for record in records))
            )
