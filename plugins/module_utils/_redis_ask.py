# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking every node of a Redis group how it is, all at once and in time. Private: other collections must not import it."""

from __future__ import annotations

import functools
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, no_answer
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import Node, parse_info
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import prefix_of
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import discover, parse_members

PINGS = 20  # a node; the median, since the machine that asks may be busy itself
BATCH = 50  # keys asked about in one round trip

#: What a node cannot be asked by everybody, and what is lost without.
REFUSABLE = (
    ("slow_log", ("SLOWLOG", "GET", "128"), "the slow log"),
    ("latency", ("LATENCY", "LATEST"), "the latency events"),
    ("config", ("CONFIG", "GET", "save"), "when it saves"),
)


class Answers:
    """What a node said: ``member``, ``failure`` (ProbeError or None), ``first`` and ``info`` (INFO before and after the window), the
    seconds between them, ``pings``, ``cluster``, ``members``, what REFUSABLE names, ``keys`` (sampled), ``problems``."""

    def __init__(self, member):
        self.member, self.failure = member, None
        self.first, self.info, self.window, self.pings = {}, {}, 0.0, []
        self.cluster, self.members, self.keys, self.problems = None, None, [], []
        self.slow_log, self.latency, self.config = None, None, None


def ask_all(redis, login, window, sample, heartbeat=None):
    """-> (Topology, list of Answers). ``window``: seconds between two looks at the counters; ``sample``: keys a primary that are measured.

    A node that does not answer, or not to the end, has its failure in its Answers. Raises ProbeError when nobody says who there is.
    """
    topology = discover(redis, login, heartbeat)
    answers = [Answers(member) for member in topology.members]
    seconds = login["timeout"] + window
    jobs = [(functools.partial(_ask, redis, login, topology.kind, window, sample, answer), seconds) for answer in answers]
    for answer, came in zip(answers, in_parallel(jobs, heartbeat)):
        if isinstance(came, ProbeError):
            answer.failure = came
        elif isinstance(came, Exception):
            raise came
        elif came is None and not answer.info:
            answer.failure = no_answer(answer.member.name, login["timeout"])
        elif came is None:
            answer.problems.append("the sample of its keys: no answer within {0:g} s".format(seconds))
    return topology, answers


def _ask(redis, login, kind, window, sample, found):
    node = Node(redis, login, found.member.host, found.member.port, **({} if kind == "cluster" else {"db": login["db"]}))
    try:
        # A node that loads its data set answers INFO, and nobody else.
        if node.ask("PING") != b"PONG":
            raise ProbeError("wrong_answer", "not_pong", "{0} did not answer PING with PONG".format(node.name), "Is this Redis?")
        begun = time.monotonic()
        found.first = parse_info(node.ask("INFO"))
        for _number in range(PINGS):
            started = time.monotonic()
            node.ask("PING")
            found.pings.append(time.monotonic() - started)
        for (name, _command, what), answer in zip(REFUSABLE, node.ask_all([command for _name, command, _what in REFUSABLE])):
            if isinstance(answer, Exception):
                found.problems.append("{0}: {1}".format(what, node.failure(answer).message))
            else:
                setattr(found, name, answer)
        if kind == "cluster":
            found.cluster = parse_info(node.ask("CLUSTER", "INFO"))
            found.members = parse_members(node.ask("CLUSTER", "NODES"))
        time.sleep(max(0.0, begun + window - time.monotonic()))
        info = parse_info(node.ask("INFO"))
        found.window, found.info = time.monotonic() - begun, info
        if sample and info.get("role") != "slave":
            _sample(node, sample, found)
        return True
    finally:
        node.close()


def _sample(node, number, found):
    """The sizes of so many keys, picked at random: (name, type, bytes)."""
    for begin in range(0, number, BATCH):
        names = node.ask_all([("RANDOMKEY",)] * min(BATCH, number - begin))
        refused = next((name for name in names if isinstance(name, Exception)), None)
        names = [name for name in names if isinstance(name, bytes)]
        keys, problem = sizes_of(node, names)
        refused = refused or problem
        found.keys += keys
        if refused is not None:
            found.problems.append("the sizes of keys: {0}".format(node.failure(refused).message))
            return


def sizes_of(node, names):
    """-> ((name, type, bytes) of those that are there, the exception where one may not be asked)."""
    found, refused = [], None
    for begin in range(0, len(names), BATCH):
        some = names[begin : begin + BATCH]
        sizes = node.ask_all([("MEMORY", "USAGE", name) for name in some])
        kinds = node.ask_all([("TYPE", name) for name in some])
        refused = refused or next((answer for answer in sizes + kinds if isinstance(answer, Exception)), None)
        found += [
            (name, kind.decode(), size) for name, kind, size in zip(some, kinds, sizes) if isinstance(size, int) and isinstance(kind, bytes)
        ]
    return found, refused


def by_prefix(keys):
    """Sampled keys by what stands before the first colon: prefix (bytes) to (number, bytes in all, the largest)."""
    found = {}
    for name, _kind, size in keys:
        number, total, largest = found.get(prefix_of(name), (0, 0, 0))
        found[prefix_of(name)] = (number + 1, total + size, max(largest, size))
    return found
