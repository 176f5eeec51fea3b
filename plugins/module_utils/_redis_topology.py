# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers belong together: a single one, a Sentinel group or a Cluster. Private: other collections must not import it."""

from __future__ import annotations

import collections

from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, no_answer, where
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import Node, addresses, parse_info

ALL_SLOTS = 16384


class Member(collections.namedtuple("Member", "id host port role primary slots moving flags")):
    """One server. ``id``: of a cluster's node, else its address; ``primary``: the id that a replica follows, else "".

    ``slots``: list of (first, last); ``moving``: the slots that are on their way from or to it; ``flags``: the cluster's or Sentinel's.
    """

    __slots__ = ()

    @property
    def name(self):
        return where(self.host, self.port)


#: ``kind``: single, sentinel or cluster; ``asked``: the address of who said so; ``failures``: address to ProbeError of those who did not.
Topology = collections.namedtuple("Topology", "kind members asked failures")


def parse_members(answer):
    """The Members of a cluster from the answer of CLUSTER NODES (bytes or str)."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return [_member(line.split()) for line in text.splitlines() if line.strip()]


def _member(fields):
    address = fields[1].split(",")[0].split("@")[0]
    host, _colon, port = address.rpartition(":")
    flags = tuple(fields[2].split(","))
    slots, moving = [], []
    for word in fields[8:]:
        if word.startswith("["):
            moving.append(int(word.strip("[]").split("-")[0]))
        else:
            first, _dash, last = word.partition("-")
            slots.append((int(first), int(last or first)))
    role = "replica" if "slave" in flags else "primary"
    return Member(fields[0], host, int(port or 0), role, fields[3].strip("-"), slots, moving, flags)


def down(members):
    """Those that the node asked thinks are down, or that have no address."""
    return [member for member in members if set(member.flags) & {"fail", "fail?", "noaddr", "s_down", "o_down"}]


def primaries(topology):
    """Those that own something: of a cluster, whoever has slots. One that is down is among them."""
    return [member for member in topology.members if member.role == "primary" and (topology.kind != "cluster" or member.slots)]


def count_slots(slots):
    return sum(last - first + 1 for first, last in slots)


def discover(redis, login, heartbeat=None):
    """The Topology behind the options CONNECTION_SPEC and ``timeout`` (dict), as the first of the given addresses says that knows it.

    Raises ProbeError when none of them answers.
    """
    seeds = addresses(login)
    answers = in_parallel([(_job(redis, login, host, port), login["timeout"]) for host, port in seeds], heartbeat)
    failures, found = {}, []
    for (host, port), answer in zip(seeds, answers):
        if isinstance(answer, Topology):
            found.append(answer)
        elif isinstance(answer, ProbeError) or answer is None:
            failures[where(host, port)] = answer or no_answer(where(host, port), login["timeout"])
        else:
            raise answer
    if not found:
        raise next(iter(failures.values()))
    if found[0].kind != "single":
        return found[0]._replace(failures=failures)
    # Several single servers are a primary and its replicas, or have nothing to do with each other.
    return Topology("single", [topology.members[0] for topology in found], found[0].asked, failures)


def _job(redis, login, host, port):
    def job():
        sentinel = login["topology"] == "sentinel"
        node = Node(redis, _login_of_sentinel(login) if sentinel else login, host, port)
        try:
            kind = login["topology"]
            info = parse_info(node.ask("INFO"))
            mode = {"standalone": "single"}.get(info.get("redis_mode"), info.get("redis_mode") or "single")
            if kind not in ("auto", mode) and not (kind == "single" and mode == "cluster"):
                sentence = "{0} is a {1}, not a {2}".format(node.name, _NAMES[mode], _NAMES[kind])
                raise ProbeError("wrong_answer", "topology", sentence, "Correct topology, or the address.")
            if mode == "sentinel":
                return Topology("sentinel", _of_sentinel(node, login), node.name, {})
            # Before the data set is loaded it knows who it is, and serves nobody.
            if mode == "cluster" and kind != "single":
                members = parse_members(node.ask("CLUSTER", "NODES"))
                # A cluster of one that was never told its address does not know it.
                members = [member if member.host else member._replace(host=host) for member in members]
                return Topology("cluster", members, node.name, {})
            role = "replica" if info.get("role") == "slave" else "primary"
            primary = where(info.get("master_host"), info.get("master_port")) if role == "replica" else ""
            return Topology("single", [Member(node.name, host, port, role, primary, [], [], ())], node.name, {})
        finally:
            node.close()

    return job


_NAMES = {"single": "single server", "sentinel": "Sentinel", "cluster": "node of a cluster"}


def _login_of_sentinel(login):
    return dict(login, login_user=login["sentinel_user"], login_password=login["sentinel_password"])


def _of_sentinel(node, login):
    """The primary and the replicas of one group that a Sentinel watches. Raises ProbeError."""
    groups = {group["name"]: group for group in map(_pairs, node.ask("SENTINEL", "MASTERS"))}
    name = login["sentinel_name"]
    if not name and len(groups) != 1:
        sentence = "{0} watches {1}".format(node.name, ", ".join(sorted(groups)) or "nothing")
        raise ProbeError("not_configured", "not_configured", sentence, "Say which one is meant: sentinel_name.")
    name = name or next(iter(groups))
    if name not in groups:
        sentence = "{0} does not watch {1}, but {2}".format(node.name, name, ", ".join(sorted(groups)) or "nothing")
        raise ProbeError("wrong_answer", "unknown_group", sentence, "Correct sentinel_name.")
    primary = groups[name]
    found = [_watched(primary, "primary", "")]
    return found + [_watched(_pairs(row), "replica", found[0].id) for row in node.ask("SENTINEL", "REPLICAS", name)]


def _pairs(row):
    words = [word.decode("utf-8", "replace") for word in row]
    return dict(zip(words[::2], words[1::2]))


def _watched(row, role, primary):
    flags = tuple(flag for flag in row["flags"].split(",") if flag not in ("master", "slave"))
    return Member(where(row["ip"], row["port"]), row["ip"], int(row["port"]), role, primary, [], [], flags)
