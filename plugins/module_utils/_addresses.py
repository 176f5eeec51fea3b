# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses that somebody wants blocked, and those that nobody may block. Private: other collections must not import it.

Pure: texts in, networks and refusals out.
"""

from __future__ import annotations

import ipaddress
from collections import namedtuple

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

#: Who is spared: ``guard`` is the name of what refuses, ``whose`` says it to people.
Spared = namedtuple("Spared", "guard network whose")
Refusal = namedtuple("Refusal", "guard address message")

#: Refusals that an operator may override, with a reason. All others stand.
OVERRIDABLE = ("operator", "load_balancer", "management", "allow_list", "private", "breadth")
#: The most addresses that one block may hold without an override, as the shortest prefix.
BROADEST = {4: 16, 6: 32}
_NEVER = (
    ("0.0.0.0/8", "means no host"), ("127.0.0.0/8", "is this host's loopback"), ("224.0.0.0/4", "is for multicast"),
    ("240.0.0.0/4", "is reserved"), ("::/128", "means no host"), ("::1/128", "is this host's loopback"), ("ff00::/8", "is for multicast"),
)  # fmt: skip
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10")


def network(text):
    """The network that a text means, an address or a CIDR. Raises OpsError."""
    text = str(text).strip()
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        message = "{0!r} is no address and no network. Nothing was done. Write for example 203.0.113.7, 203.0.113.0/24 or 2001:db8::/64."
        raise OpsError(message.format(text))
    address, slash, _length = text.partition("/")
    if slash and str(found.network_address) != str(ipaddress.ip_address(address)):
        message = "{0} is neither one address nor a network. Nothing was done. Write {1} for the one or {2} for the other."
        raise OpsError(message.format(text, address, found))
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped is not None and found.prefixlen >= 96:
        return ipaddress.ip_network((mapped, found.prefixlen - 96))
    return found


def networks(texts):
    """Those of many texts, each once, none inside another. Raises OpsError."""
    found = {network(text) for text in texts}
    kept = [one for one in found if not any(one != other and inside(one, other) for other in found)]
    return sorted(kept, key=lambda one: (one.version, one))


def told(one):
    """A network for people: a single address without its length."""
    return str(one.network_address) if one.prefixlen == one.max_prefixlen else str(one)


def inside(one, other):
    """Whether a network lies in another one."""
    return one.version == other.version and one.subnet_of(other)


def overlap(one, other):
    return one.version == other.version and one.overlaps(other)


def is_private(one):
    """Whether a network touches the private ranges, whose addresses mean another host in every site."""
    return any(overlap(one, other) for other in _PRIVATE_NETWORKS)


def spared(protected):
    """The Spared of a module's option, a list of dicts of ``guard`` and ``addresses``. Raises OpsError."""
    named = [(entry["guard"], text) for entry in protected for text in entry["addresses"] if str(text).strip()]
    return [Spared(guard, network(text), _WHOSE[guard]) for guard, text in named]


def refusals(wanted, others, overrides):
    """``(refusals, overridden)``, lists of Refusal, of blocking ``wanted`` (networks). ``others``: Spared beside those of every host."""
    found = [refusal for one in wanted for refusal in _against(one, others)]
    lifted = [refusal for refusal in found if refusal.guard in OVERRIDABLE and refusal.guard in overrides]
    return [refusal for refusal in found if refusal not in lifted], lifted


def _against(one, others):
    for never, why in _NEVER_NETWORKS:
        if overlap(one, never):
            yield Refusal("never", told(one), "{0} touches {1}, which {2}.".format(told(one), never, why))
    for other in others:
        if overlap(one, other.network):
            where = told(other.network) if one != other.network else "it"
            yield Refusal(other.guard, told(one), "{0} is refused: {1} is {2}.".format(told(one), where, other.whose))
    if is_private(one):
        message = "{0} is private: behind a proxy it is the proxy's own address, and in every site another host's.".format(told(one))
        yield Refusal("private", told(one), message)
    if one.prefixlen < BROADEST[one.version]:
        message = "{0} is broader than /{1}: {2} addresses.".format(told(one), BROADEST[one.version], one.num_addresses)
        yield Refusal("breadth", told(one), message)


def refused(found):
    """The OpsError of refusals: what, why, and which overrides there are."""
    guards = list(dict.fromkeys(refusal.guard for refusal in found if refusal.guard in OVERRIDABLE))
    told_all = " ".join(dict.fromkeys(refusal.message for refusal in found))
    if any(refusal.guard not in OVERRIDABLE for refusal in found):
        return OpsError("{0} Nothing was blocked, and no override lifts that. Leave it out.".format(told_all))
    message = "{0} Nothing was blocked. Where that is meant, override {1} (ops_override with ops_reason)."
    return OpsError(message.format(told_all, ", ".join(guards)))


_WHOSE = {
    "operator": "where an operator comes from",
    "load_balancer": "a load balancer, through which everybody comes",
    "management": "a host of the stack, or of the network from which it is managed",
    "allow_list": "on the allow-list",
    "own": "this host's own",
    "gateway": "a gateway of this host's",
    "bridge": "of a bridge of this host's, where its containers are",
}
#: Of these the module finds out by itself; they stand whatever is overridden.
FOUND = ("own", "gateway", "bridge")
_NEVER_NETWORKS = [(ipaddress.ip_network(text), why) for text, why in _NEVER]
_PRIVATE_NETWORKS = [ipaddress.ip_network(text) for text in _PRIVATE]


def found_out(guard, one):
    """The Spared that a look at the host itself gives."""
    return Spared(guard, one, _WHOSE[guard])
