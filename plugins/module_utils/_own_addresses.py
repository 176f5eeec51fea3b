# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This host's own addresses, gateways and bridges, and where its operator comes from. Private: other collections must not import it.

Read from /proc and /sys: no program has to be there for it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import struct

from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses, _processes

_BRIDGE = re.compile(r"docker0|docker_gwbridge|br-[0-9a-f]{12}")
_GATEWAY = 0x2  # RTF_GATEWAY
#: What sshd puts into the environment of what it starts, the client's address first.
_SSH = ("SSH_CONNECTION", "SSH_CLIENT")


def here(proc="/proc", sys="/sys"):
    """The Spared of this host (list): its addresses, its gateways, the networks of its bridges, and the operator's address."""
    found = [("own", ipaddress.ip_network(one)) for one in _own4(proc) | _own6(proc)]
    for interface, network, gateway in list(_routes4(proc)) + list(_routes6(proc)):
        if gateway is not None:
            found.append(("gateway", ipaddress.ip_network(gateway)))
        elif network.prefixlen and (_BRIDGE.fullmatch(interface) or os.path.isdir(os.path.join(sys, "class/net", interface, "bridge"))):
            found.append(("bridge", network))
    spared = [_addresses.found_out(guard, one) for guard, one in dict.fromkeys(found)]
    return spared + _addresses.spared([{"guard": "operator", "addresses": operators(proc)}])


def operators(proc="/proc", own=None):
    """The addresses (list of str) of the SSH clients that this process descends from. sudo takes the variable away, not the ancestors."""
    found = []
    for pid in _processes.ancestors(own or os.getpid(), proc):
        for entry in _processes.read(os.path.join(proc, str(pid), "environ")).split(b"\0"):
            name, _equals, value = entry.decode("utf-8", "replace").partition("=")
            if name in _SSH and value.split():
                found.append(value.split()[0].partition("%")[0])
    return list(dict.fromkeys(one for one in found if _is_address(one)))


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _lines(proc, name):
    return _processes.read(os.path.join(proc, "net", name)).decode("ascii", "replace").splitlines()


def _own4(proc):
    found, last = set(), None
    for line in _lines(proc, "fib_trie"):
        words = line.split()
        if "|--" in words:
            last = words[-1]
        elif words[-2:] == ["host", "LOCAL"] and last:
            found.add(ipaddress.ip_address(last))
    return found


def _own6(proc):
    return {ipaddress.IPv6Address(int(line.split()[0], 16)) for line in _lines(proc, "if_inet6") if len(line.split()) == 6}


def _routes4(proc):
    """``(interface, network, gateway or None)``; the numbers are in the host's byte order."""
    for line in _lines(proc, "route")[1:]:
        with contextlib.suppress(ValueError, IndexError, struct.error, OSError):
            words = line.split()
            target, gateway, mask = (socket.inet_ntoa(struct.pack("=L", int(words[place], 16))) for place in (1, 2, 7))
            network = ipaddress.ip_network("{0}/{1}".format(target, mask), strict=False)
            yield words[0], network, ipaddress.ip_address(gateway) if int(words[3], 16) & _GATEWAY else None


def _routes6(proc):
    for line in _lines(proc, "ipv6_route"):
        with contextlib.suppress(ValueError, IndexError):
            words = line.split()
            network = ipaddress.IPv6Network((int(words[0], 16), int(words[1], 16)), strict=False)
            gateway = ipaddress.IPv6Address(int(words[4], 16))
            yield words[9], network, gateway if int(words[8], 16) & _GATEWAY and int(gateway) else None
