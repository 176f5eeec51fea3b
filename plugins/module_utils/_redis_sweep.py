# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Going through all keys of every primary at once, beside its users. Private: other collections must not import it."""

from __future__ import annotations

import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import PASSING, REPLIES, Node, key_counts, parse_info
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_ask import sizes_of
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_pace import LISTEN, Pace
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_step import step_of
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import (
    ALL_SLOTS,
    Topology,
    count_slots,
    discover,
    primaries,
)

PING_EVERY = 0.002
LOOK_AGAIN = 0.5
MOST_PASSES = 5
MOST_TRIES = 20  # of one pass, while servers change places
CLOCK = 1  # second: the resolution of OBJECT IDLETIME


class Part:
    """What became of one primary in a pass. ``error``: ProbeError that broke it off, or any other exception."""

    def __init__(self, member, prefixes):
        self.member, self.meant, self.spared, self.capped = member, 0, [0] * len(prefixes), False
        self.error, self.done, self.scripts, self.runs, self.slowed, self.p99, self.limit = None, False, True, (None, None), 0, 0.0, 0.0


class Sweep:
    """``login``: of CONNECTION_SPEC with ``timeout`` and ``db``; ``patience``: the seconds for which a failover may take."""

    def __init__(self, redis, login, batch, limit, patience, progress):
        self._redis, self._login, self._batch, self._limit = redis, login, batch, limit
        self._patience, self._progress, self._stop = patience, progress, threading.Event()
        self.topology, self._parts = Topology("", [], "", {}), []
        #: Whether reading a key counts as a use of it.
        self._touches = False

    def look(self):
        """Find out which servers there are. Raises OpsError."""
        try:
            self._discover()
        except ProbeError as error:
            raise OpsError("{0}. {1}".format(error.message, error.next))

    def _discover(self):
        self.topology = discover(self._redis, self._known(), self._progress.tick)
        slots = sum(count_slots(member.slots) for member in primaries(self.topology))
        if self.topology.kind == "cluster" and slots < ALL_SLOTS:
            # Whoever had the others may still have their keys, and is not asked.
            sentence = "{0} {1}: only {2} of {3} slots have a primary".format(
                self.topology.asked, REPLIES["CLUSTERDOWN"][1], slots, ALL_SLOTS)  # fmt: skip
            raise ProbeError("wrong_answer", "cluster_down", sentence, "See redis-cli --cluster check, and give them one.")
        if not primaries(self.topology):
            names = ", ".join(member.name for member in self.topology.members)
            raise ProbeError(
                "wrong_answer", "read_only", "{0} is a replica; nothing may be changed there".format(names), "Name its primary."
            )

    def _settle(self, why=None):
        """Wait until every slot has a primary that answers as one. Raises ProbeError after the patience: ``why`` it waits, if that is known
        (ProbeError), whatever it met last."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._discover()
                for member in primaries(self.topology):
                    self._one(member, self._awake)
                return
            except ProbeError as error:
                if error.reason not in PASSING or time.monotonic() > deadline:
                    told = why or error
                    message = "{0}, for over {1:g} s".format(told.message, self._patience)
                    raise ProbeError(told.verdict, told.reason, message, told.next)
            self._wait(LOOK_AGAIN)

    def _awake(self, node):
        node.ask("PING")
        if parse_info(node.ask("INFO", "replication")).get("role") != "master":
            raise ProbeError("wrong_answer", "read_only", "{0} has become a replica".format(node.name), "Wait for the failover.")

    def _known(self):
        """The login, with every member known so far as an address to ask."""
        if self.topology.kind != "cluster":
            return self._login
        return dict(self._login, nodes=(self._login["nodes"] or []) + [member.name for member in self.topology.members if member.host])

    def sizes(self, every=False):
        """How many keys each primary has, of any name, in the database or in every one."""

        def ask(node):
            return sum(_keyspace(node).values()) if every else node.ask("DBSIZE")

        return self._of_primaries(ask)

    def databases(self):
        """The databases that have keys."""
        return sorted({db for found in self._of_primaries(_keyspace).values() for db in found})

    def on(self, db):
        """The same for another database."""
        other = Sweep(self._redis, dict(self._login, db=db), self._batch, self._limit, self._patience, self._progress)
        other.topology = self.topology
        return other

    def flush(self, emptied, every=False):
        """Empty the database, or every one, of each primary. Raises OpsError.

        ``emptied`` (dict) is told the name of each that was, with True, and of each that may have been, with False.
        """

        def ask(node):
            emptied.setdefault(node.name, False)
            try:
                node.ask("FLUSHALL" if every else "FLUSHDB", "ASYNC")
            except ProbeError as error:
                if error.reason not in ("timed_out", "reset") and not emptied[node.name]:
                    del emptied[node.name]
                raise
            emptied[node.name] = True

        self._of_primaries(ask)

    def _of_primaries(self, ask):
        """The name of each primary to what ``ask(node)`` says, once all of them answer. Raises OpsError."""
        for patient in (True, False):
            try:
                return {member.name: self._one(member, ask) for member in primaries(self.topology)}
            except ProbeError as error:
                if not patient or error.reason not in PASSING:
                    raise OpsError("{0}. {1}".format(error.message, error.next))
                try:
                    self._settle(error)
                except ProbeError as lasting:
                    raise OpsError("{0}. {1}".format(lasting.message, lasting.next))
        return {}

    def _one(self, member, ask):
        node = self._node(member)
        try:
            return ask(node)
        finally:
            node.close()

    def measure(self, member, names):
        """(name, type, bytes) of those that are there and may be measured."""
        node = self._node(member)
        try:
            return sizes_of(node, names)[0]
        except ProbeError:
            return []
        finally:
            node.close()

    def count(self, job):
        """A pass that only counts, and is complete. Raises OpsError."""
        return self._patiently(job)[0]

    def _patiently(self, job, fence=None):
        """-> (the Parts of a complete pass during which nothing moved, those of the passes that were broken off or overtaken)."""
        before = []
        for _number in range(MOST_TRIES):
            if job.where:
                self._demand_still()
            owners = self._owners()
            if fence:
                fence()
            parts = self._pass(job)
            error = next((part.error for part in parts if part.error), None)
            if error is not None and not isinstance(error, ProbeError):
                raise error
            if any(part.capped for part in parts):
                return parts, before
            try:
                if error is not None and error.reason not in PASSING:
                    raise error
                self._settle(error)
            except ProbeError as lasting:
                advice = "Nothing is lost: run it again when that is over."
                raise Broken("{0}. {1} {2}".format(lasting.message, lasting.next, advice), before + parts)
            if error is None and owners == self._owners() and all(part.runs[0] == part.runs[1] for part in parts):
                return parts, before
            before += parts
        message = "The servers have changed places during each of {0} passes. Run it again when they have settled.".format(MOST_TRIES)
        raise Broken(message, before)

    def _demand_still(self):
        """Of a slot that is moving nobody can tell what is in the keys that have arrived. Raises OpsError after the patience."""
        deadline = time.monotonic() + self._patience
        while any(member.moving for member in primaries(self.topology)):
            if time.monotonic() > deadline:
                raise OpsError(
                    "Slots are moving from one server to another, and have been for over {0:g} s: what is in their keys cannot be told. "
                    "Run it again when redis-cli --cluster check finds none that is open.".format(self._patience)
                )
            self._wait(LOOK_AGAIN)
            self._settle()

    def _owners(self):
        return sorted((member.id, tuple(member.slots), tuple(member.moving)) for member in primaries(self.topology))

    def remove(self, job, fence, seconds):
        """Passes until one has seen all and another one proves it. -> dict of what became of it. Raises Broken or OpsError.

        ``seconds`` (dict) is told where the time went.
        """
        removed, passes = [], 0
        while True:
            passes += 1
            started = time.monotonic()
            self._progress.phase("Removing, pass {0}".format(passes), lambda: self.told)
            with timed(seconds, "remove_seconds"):
                parts, before = self._patiently(job, fence)
            removed += before + parts
            capped = any(part.capped for part in parts)
            found = {"removed": removed, "passes": passes, "created": 0, "left": 0, "capped": capped}
            if capped:
                return found
            self._progress.phase("Proving that none is left", lambda: self.told)
            with timed(seconds, "prove_seconds"):
                there, old = self._there_again(job, started)
            if not there:
                return found
            found.update(created=max(0, there - old), left=old)
            if not old or passes >= MOST_PASSES:
                return found

    def _there_again(self, job, since):
        """-> (how many match, how many of them were there before the moment ``since`` of the monotonic clock)"""
        there = sum(part.meant for part in self.count(job.counting()))
        if job.where and self._touches:
            return there, there  # nobody knows any more
        if not there or self.counts_uses():
            return there, 0
        # Whoever was not touched since then was there before.
        age = int(time.monotonic() - since) + 1 + CLOCK
        return there, sum(part.meant for part in self.count(job.counting(age)))

    def counts_uses(self):
        """Whether a server counts how often a key is used, and does not know when it was last."""
        policies = self._of_primaries(lambda node: parse_info(node.ask("INFO", "memory")).get("maxmemory_policy", ""))
        return any(policy.endswith("-lfu") for policy in policies.values())

    @property
    def told(self):
        return "{0} keys".format(sum(part.meant for part in self._parts))

    def _node(self, member):
        more = {} if self.topology.kind == "cluster" else {"db": self._login["db"]}
        return Node(self._redis, self._login, member.host, member.port, **more)

    def _wait(self, seconds):
        self._progress.tick()
        if seconds:
            time.sleep(seconds)

    def _pass(self, job):
        parts = self._parts = [Part(member, job.prefixes) for member in primaries(self.topology)]
        threads = [threading.Thread(target=self._guarded, args=(job, part), daemon=True) for part in parts]
        self._stop.clear()
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    self._progress.tick()
                    thread.join(0.2)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(self._login["timeout"] * 2 + 1)
        return parts

    def _guarded(self, job, part):
        try:
            self._walk(job, part)
        except Exception as error:  # told to whoever waits
            part.error = error

    def _walk(self, job, part):
        node, feeler = self._node(part.member), self._node(part.member)
        over = threading.Event()
        pace = Pace(self._batch, self._limit)
        try:
            server = parse_info(node.ask("INFO", "server"))
            watcher = threading.Thread(target=_feel, args=(feeler, pace, over), daemon=True)
            watcher.start()
            if job.where:
                self._look_unseen(node)
            step, part.scripts = step_of(node, job, server.get("redis_mode") == "cluster")
            cursor = b"0"
            while not self._stop.is_set():
                _pause(pace, over)
                batch = self._take_a_step(job, part, step, cursor, pace.count)
                if part.capped:
                    return
                cursor = batch.cursor
                if cursor == b"0":
                    part.runs = (server.get("run_id"), parse_info(node.ask("INFO", "server")).get("run_id"))
                    part.done = True
                    return
        finally:
            over.set()
            part.slowed, part.p99, part.limit = pace.slowed, pace.p99() or 0.0, pace.limit
            node.close()
            feeler.close()

    def _look_unseen(self, node):
        """Have what is read here not count as a use, from Redis 7.2 on."""
        try:
            node.ask("CLIENT", "NO-TOUCH", "ON")
        except ProbeError as error:
            if error.reason not in ("our_credentials", "error_reply"):
                raise
            self._touches = True

    def _take_a_step(self, job, part, step, cursor, count):
        if job.budget is None:
            batch = step(cursor, count, None)
            with job.lock:
                for name in batch.names:
                    job.sample.add((name, part.member))
        else:
            # A bucket is never cut in two: a step may find more than it was told to look at.
            given, used = job.budget.take(count * 2), 0
            try:
                batch = step(cursor, count, given)
                used = batch.meant
            finally:
                job.budget.settle(given, used)
            part.capped = bool(batch.names)
        part.meant += batch.meant
        part.spared = [old + new for old, new in zip(part.spared, batch.spared)]
        return batch


class Broken(OpsError):
    """A pass that could not be finished. ``parts``: what had been done until then."""

    def __init__(self, message, parts):
        super().__init__(message)
        self.parts = parts


def _keyspace(node):
    return key_counts(parse_info(node.ask("INFO", "keyspace")))


def _pause(pace, over):
    pace.listening = pace.must_listen(time.monotonic())
    if pace.listening or pace.pause:
        over.wait(LISTEN if pace.listening else pace.pause)
    pace.listening = False


def _feel(node, pace, over):
    """What somebody else feels, told to the pace until it is over."""
    while not over.wait(PING_EVERY):
        started, listening = time.monotonic(), pace.listening
        try:
            node.ask("PING")
        except ProbeError:
            return  # whoever works there meets the same
        pace.felt(time.monotonic() - started, alone=listening and pace.listening)
