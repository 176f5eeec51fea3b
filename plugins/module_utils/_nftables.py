# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's own nftables table, by nft's JSON interface. Private: other collections must not import it.

A chain at prerouting with the priority of raw sees each packet before connections are tracked and before Docker's destination NAT: what it
drops reaches neither a port of the host nor one that a container publishes, whether its connection is new or not.
"""

from __future__ import annotations

import ipaddress
import json

from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall import Block, State

FAMILY, CHAIN = "inet", "prerouting"
SETS = {4: ("blocked4", "ipv4_addr", "ip"), 6: ("blocked6", "ipv6_addr", "ip6")}
RAW = -300
_HOOK = {"type": "filter", "hook": "prerouting", "prio": RAW, "policy": "accept"}
_INSTALL = "Install it (Debian: apt-get install nftables), or use the backend nginx."


def _rule(version):
    name, _type, protocol = SETS[version]
    match = {"op": "==", "left": {"payload": {"protocol": protocol, "field": "saddr"}}, "right": "@" + name}
    return [{"match": match}, {"counter": None}, {"drop": None}]


# -- what is there


def parse(answer, now):
    """The State of what ``nft -j list table`` prints (a dict)."""
    chain, rules, sets = None, [], {}
    for entry in answer.get("nftables", []):
        if "set" in entry:
            sets[entry["set"]["name"]] = entry["set"]
        elif "chain" in entry and entry["chain"]["name"] == CHAIN:
            chain = entry["chain"]
        elif "rule" in entry and entry["rule"]["chain"] == CHAIN:
            rules.append(_without_counts(entry["rule"]["expr"]))
    blocks, problems = [], []
    for name, kind, _protocol in SETS.values():
        found = sets.get(name, {})
        if found.get("type") != kind or not {"interval", "timeout"} <= set(found.get("flags", [])):
            problems.append("the set {0} is missing or another one".format(name))
        for element in found.get("elem", []) if found.get("type") == kind else []:
            own, exact = _blocks(element, now)
            blocks += own
            problems += [] if exact else ["{0} was added by hand, as a range".format(_addresses.told(own[0].network))]
    if chain is None or any(chain.get(key) != value for key, value in _HOOK.items()):
        problems.append("the chain {0} is missing or hooked elsewhere".format(CHAIN))
    elif rules != [_rule(version) for version in SETS]:
        problems.append("the rules that drop are missing or others")
    return State(blocks, problems, True)


def _without_counts(expressions):
    return [{"counter": None} if "counter" in one else one for one in expressions]


def _blocks(element, now):
    """``(blocks, whether it is one network as we add them)`` of one element of a set."""
    more = element["elem"] if isinstance(element, dict) and "elem" in element else {"val": element}
    value, counter = more["val"], more.get("counter") or {}
    exact = True
    if isinstance(value, dict) and "prefix" in value:
        networks = [ipaddress.ip_network("{0}/{1}".format(value["prefix"]["addr"], value["prefix"]["len"]), strict=False)]
    elif isinstance(value, dict):
        networks = list(ipaddress.summarize_address_range(*(ipaddress.ip_address(end) for end in value["range"])))
        exact = False
    else:
        networks = [ipaddress.ip_network(value)]
    ends = now + more["expires"] if "expires" in more else None
    counts = counter.get("packets", 0), counter.get("bytes", 0)
    return [Block(one, ends, more.get("comment", ""), *counts) for one in networks], exact


# -- what to do


def commands(table, state, plan, now):
    """The commands (list of dicts) that make of a State what a Plan wants, all of them or none. A table that is not as it should be is
    made anew, with the blocks that it had."""
    found = []
    if not state.ready or state.problems:
        found += [{"add": {"table": {"family": FAMILY, "name": table}}}, {"delete": {"table": {"family": FAMILY, "name": table}}}]
        found += _table(table)
        return found + _elements("add", table, plan.after, now)
    return _elements("delete", table, plan.remove, now) + _elements("add", table, plan.add, now)


def _table(table):
    of_table = {"family": FAMILY, "table": table}
    found = [{"add": {"table": {"family": FAMILY, "name": table}}}]
    for name, kind, _protocol in SETS.values():
        fields = {"name": name, "type": kind, "flags": ["interval", "timeout"], "stmt": [{"counter": None}]}
        found.append({"add": {"set": dict(of_table, **fields)}})
    found.append({"add": {"chain": dict(of_table, name=CHAIN, **_HOOK)}})
    return found + [{"add": {"rule": dict(of_table, chain=CHAIN, expr=_rule(version))}} for version in SETS]


def _elements(verb, table, blocks, now):
    found = []
    for version, (name, _type, _protocol) in SETS.items():
        elements = [_element(verb, block, now) for block in blocks if block.network.version == version]
        if elements:
            found.append({verb: {"element": {"family": FAMILY, "table": table, "name": name, "elem": elements}}})
    return found


def _element(verb, block, now):
    one = block.network
    single = one.prefixlen == one.max_prefixlen
    value = str(one.network_address) if single else {"prefix": {"addr": str(one.network_address), "len": one.prefixlen}}
    if verb == "delete":
        return value
    found = {"val": value}
    if block.expires_at is not None:
        found["timeout"] = max(1, round(block.expires_at - now))
    if block.comment:
        found["comment"] = block.comment
    return {"elem": found}


# -- nft and conntrack themselves


class Nftables:
    """``run(argv, data)`` starts a program and returns ``(exit code, output, errors)``; ``path(name)`` finds one, or None."""

    name, uncounted = "nftables", 0

    def __init__(self, run, path, table):
        self._run, self._path, self.table = run, path, table

    def read(self, now):
        """The State of the table. Raises OpsError when nft cannot say."""
        code, output, errors = self._nft(["list", "table", FAMILY, self.table])
        if code != 0 and "No such file or directory" in errors:
            return State([], [], False)
        if code != 0:
            raise self._trouble("was not read", errors)
        return parse(json.loads(output), now)

    def apply(self, state, plan, now):
        """Have the kernel do it, in one transaction. Raises OpsError."""
        document = json.dumps({"nftables": commands(self.table, state, plan, now)})
        code, _output, errors = self._nft(["-f", "-"], document)
        if code != 0:
            raise self._trouble("was not changed", errors)

    def real_addresses(self):
        """None: the kernel sees who sends the packet, and nobody else."""

    def forget(self, networks):
        """End the kernel's record of the connections from and to ``networks``: how many there were, None without conntrack.

        A connection that goes past prerouting by a flow table, or over which a container goes on sending, ends only with it.
        """
        conntrack = self._path("conntrack")
        if not conntrack:
            return None
        ended = 0
        for one in networks:
            for side in ("--orig-src", "--orig-dst"):
                argv = [conntrack, "-D", "-f", "ipv{0}".format(one.version), side, str(one)]
                ended += _ended(self._run(argv, None)[2])
        return ended

    def _nft(self, arguments, data=None):
        nft = self._path("nft")
        if not nft:
            raise OpsError("nft is not installed on this host, so nothing is known of blocks and none was changed. " + _INSTALL)
        return self._run([nft, "-j"] + arguments, data)

    def _trouble(self, what, errors):
        first = (errors.strip().splitlines() or ["it says nothing"])[0]
        hint = "Look at: nft list table {0} {1}".format(FAMILY, self.table)
        hint = "Run it as root (become: true)." if "not permitted" in errors else hint
        return OpsError("The table {0} {1} {2}: nft says {3!r}. {4}".format(FAMILY, self.table, what, first, hint))


def _ended(errors):
    """The number in what conntrack prints: ``conntrack v1.4.7 (conntrack-tools): 3 flow entries have been deleted.``"""
    words = errors.rpartition("): ")[2].split()
    return int(words[0]) if words and words[0].isdigit() else 0
