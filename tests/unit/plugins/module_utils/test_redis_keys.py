# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Batches of keys, and how large they may be, without a server."""

from __future__ import annotations

import os
import threading

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_keys as keys
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_sweep
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_step import Job
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_sweep import Broken, Part, Sweep
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_sweep_options import estimate, refuse_protected, spared_by
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import Member, Topology


def test_a_budget_is_never_exceeded():
    budget, used, lock = keys.Budget(1000), [], threading.Lock()

    def work():
        while True:
            given = budget.take(70)
            if not given:
                return
            done = min(given, 33)
            with lock:
                used.append(done)
            budget.settle(given, done)

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(used) == 1000


@pytest.mark.parametrize(
    ("names", "meant", "spared"), [([], [], [0, 0]), ([b"session:1", b"a", b"lock:\xff", b"session:"], [b"a"], [2, 1])]
)
def test_who_is_spared(names, meant, spared):
    assert keys.sort_out(names, [b"session:", b"lock:"]) == (meant, spared)


def test_what_is_in_the_way():
    protected = [b"session:", b"lock:", b""]
    assert keys.in_the_way(b"*", protected, []) == [b"session:", b"lock:"]
    assert keys.in_the_way(b"*", protected, [b"session:"]) == [b"lock:"]
    assert keys.in_the_way(b"cache:*", protected, []) == []


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        (b'{"user": "ada", "user_id": 7}', b"ada", True),
        (b'{"user": "adam"}', b"ada", False),
        (b'{"user": 7}', b"7", True),
        (b'{"user": 7.0}', b"7", True),
        (b'{"user": 12345678901234}', b"12345678901234", True),
        (b'{"user": true}', b"true", True),
        (b'{"user": null}', b"null", False),
        (b'{"user": ["ada"]}', b"ada", False),
        ('{"user": "Größe"}'.encode(), "Größe".encode(), True),
        (b"{}", b"", False),
        (b'["user"]', b"user", False),
        (b"no JSON \xff", b"ada", False),
    ],
)
def test_what_a_key_holds(text, value, expected):
    assert keys.holds(text, b"user", value) is expected


def test_what_is_left_of_a_job_is_counted_by_the_same_rules():
    job = Job(b"session:*", [b"lock:"], 60, keys.Budget(5), where=(b"user", b"ada"))
    left = job.counting(90)
    assert (left.pattern, left.prefixes, left.idle, left.budget, left.where) == (b"session:*", [b"lock:"], 90, None, (b"user", b"ada"))


def test_a_sample_is_of_all():
    sample = keys.Sample(10)
    for number in range(10000):
        sample.add(number)
    assert len(set(sample.names)) == 10
    assert max(sample.names) > 100
    empty = keys.Sample(0)
    empty.add(1)
    assert empty.names == []


def test_an_estimate():
    found = estimate([(b"cache:a", "string", 100), (b"cache:b", "string", 50), (b"x", "hash", 30)], 300, 1)
    assert found == {"bytes": 18000, "prefixes": [{"prefix": "cache:", "keys": 200, "bytes": 15000, "largest": 100}]}
    assert estimate([], 0, 5) == {"bytes": 0, "prefixes": []}
    assert estimate([], 7, 5)["bytes"] is None


def test_what_is_protected_is_named():
    part = Part(member("a"), [b"session:", b"lock:"])
    part.spared = [3, 0]
    assert spared_by([part, part], [b"session:", b"lock:"]) == {"session:": 6}
    with pytest.raises(OpsError, match="6 of session:"):
        refuse_protected({"session:": 6}, "*")
    refuse_protected({}, "*")


def member(name, slots=((0, 16383),)):
    return Member(name, name, 6379, "primary", "", list(slots), [], ())


class Rehearsed(Sweep):
    """A sweep whose passes are given: lists of Parts; after each of them the members are as given."""

    def __init__(self, *passes, after=(), patience=0.0):
        login = {"timeout": 1, "nodes": None, "login_host": "a", "login_port": 1, "db": 0}
        super().__init__(None, login, 200, 0.002, patience, Progress(path=os.devnull + "/nowhere"))
        self.topology, self._passes, self._after = Topology("cluster", [member("a")], "a", {}), list(passes), list(after)

    def _pass(self, _job):
        return self._passes.pop(0)

    def _settle(self, _why):
        if self._after:
            found = self._after.pop(0)
            if isinstance(found, Exception):
                raise found
            self.topology = self.topology._replace(members=found)

    def counts_uses(self):
        return False


def part(meant, error=None, capped=False, runs=("1", "1"), name="a"):
    found = Part(member(name), [])
    found.meant, found.error, found.done, found.capped, found.runs = meant, error, error is None, capped, runs
    return [found]


GONE = ProbeError("refused", "refused", "connection to a:6379 refused", "Start it.")


def removed(sweep):
    found = sweep.remove(Job(b"*", budget=keys.Budget(10)), lambda: None, {})
    return sum(one.meant for one in found["removed"]), found["passes"], found["created"], found["left"]


@pytest.mark.parametrize(
    ("sweep", "expected"),
    [
        (Rehearsed(part(5), part(0)), (5, 1, 0, 0)),
        # Broken off, and then complete.
        (Rehearsed(part(2, GONE), part(3), part(0)), (5, 1, 0, 0)),
        # A server that was restarted, and slots that have moved meanwhile: seen once more.
        (Rehearsed(part(5, runs=("1", "2")), part(1), part(0)), (6, 1, 0, 0)),
        (Rehearsed(part(5), part(1), part(0), after=[[member("b")], [member("b")], [member("b")]]), (6, 1, 0, 0)),
        # There again, and young; there again, and old, until the last pass.
        (Rehearsed(part(5), part(2), part(0)), (5, 1, 2, 0)),
        (Rehearsed(part(5), part(2), part(2), part(2), part(0)), (7, 2, 0, 0)),
        (Rehearsed(*[part(1) for _number in range(15)]), (5, 5, 0, 1)),
    ],
)
def test_passes_and_proof(sweep, expected):
    assert removed(sweep) == expected


def test_a_cap_ends_it():
    found = Rehearsed(part(5, capped=True)).remove(Job(b"*", budget=keys.Budget(5)), lambda: None, {})
    assert found["capped"] is True


def test_what_lasts_is_told_with_what_was_done():
    with pytest.raises(Broken, match="for over 1 s") as caught:
        removed(
            Rehearsed(part(2, GONE), after=[ProbeError("refused", "refused", "connection to a:6379 refused, for over 1 s", "Start it.")])
        )
    assert sum(one.meant for one in caught.value.parts) == 2
    with pytest.raises(Broken, match="changed places"):
        removed(Rehearsed(*[part(1, GONE) for _number in range(30)]))
    denied = ProbeError("wrong_answer", "our_credentials", "a:6379 does not allow this", "Give it.")
    with pytest.raises(Broken, match="does not allow"):
        removed(Rehearsed(part(0, denied)))
    with pytest.raises(ZeroDivisionError):
        removed(Rehearsed(part(0, ZeroDivisionError())))


class Servers:
    """Primaries whose names are given, and what FLUSHDB of each comes to: an exception, or one for each time."""

    def __init__(self, **answers):
        self.answers = answers

    def sweep(self):
        sweep = Rehearsed(after=[[member(name) for name in self.answers]])
        sweep.topology = sweep.topology._replace(members=[member(name) for name in self.answers])
        sweep._node = self.node
        return sweep

    def node(self, one):
        outcomes = self.answers[one.host]

        class Node:
            name = one.name

            def ask(self, *_words):
                outcome = outcomes.pop(0) if isinstance(outcomes, list) else outcomes
                if isinstance(outcome, Exception):
                    raise outcome
                return b"OK"

            def close(self):
                pass

        return Node()


DENIED = ProbeError("wrong_answer", "our_credentials", "it does not allow this", "Give it.")
SILENT = ProbeError("timed_out", "timed_out", "no answer", "Look.")


@pytest.mark.parametrize(
    ("servers", "error", "emptied"),
    [
        (Servers(a=None, b=None), None, {"a:6379": True, "b:6379": True}),
        (Servers(a=DENIED, b=None), "does not allow", {}),
        (Servers(a=None, b=DENIED), "does not allow", {"a:6379": True}),
        (Servers(a=None, b=SILENT), "no answer", {"a:6379": True, "b:6379": False}),
        (Servers(a=None, b=[GONE, None]), None, {"a:6379": True, "b:6379": True}),
        (Servers(a=[None, DENIED], b=[SILENT]), "does not allow", {"a:6379": True, "b:6379": False}),
    ],
)
def test_who_was_emptied(servers, error, emptied):
    found = {}
    if error:
        with pytest.raises(OpsError, match=error):
            servers.sweep().flush(found)
    else:
        servers.sweep().flush(found)
    assert found == emptied


def test_keys_of_slots_that_nobody_has_are_not_none(monkeypatch):
    sweep = Rehearsed()
    half = Topology("cluster", [member("a", [(0, 9)])], "a:6379", {})
    monkeypatch.setattr(_redis_sweep, "discover", lambda *_arguments: half)
    with pytest.raises(OpsError, match="a:6379 says that the cluster is down: only 10 of 16384 slots have a primary"):
        sweep.look()
