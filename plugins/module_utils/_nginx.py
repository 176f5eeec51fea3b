# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An nginx upstream as text and as data, and nginx's processes. Private: other collections must not import it."""

from __future__ import annotations

import collections
import re

#: A line ``server`` of an upstream. ``replica`` names the container (service and number) behind the address.
Server = collections.namedtuple("Server", "address weight replica")

MANAGED = "# Written by astraldraft.ops.nginx_upstream; changes made by hand are lost at the next switch."
KEEPALIVE_MIN_TIMEOUT_SINCE = (1, 27, 4)

# Parameters that we never write are read over: a server that somebody gave max_fails by hand gets traffic all the same.
_SERVER = re.compile(r"^\s*server\s+(?P<address>[^\s;]+)(?P<parameters>[^;]*);\s*(?:#\s*(?P<replica>\S+))?")
_WEIGHT = re.compile(r"\sweight=(\d+)(?:\s|$)")
_KEEPALIVE_MIN_TIMEOUT = re.compile(r"^\s*keepalive_min_timeout\s+(?P<time>[^;]+?)\s*;", re.MULTILINE)
_VERSION = re.compile(r"nginx/(\d+)\.(\d+)\.(\d+)")


def spread(shares):
    """Server weights of services that have shares of the traffic.

    ``shares`` is a list of ``(share, number of replicas)``, shares being whole numbers of any common scale.
    Returns one weight a service, the smallest whole numbers for which every service gets its share whatever its size.
    """
    counts = [count for share, count in shares if share and count]
    common = 1
    for count in counts:
        common = common * count // _gcd(common, count)
    weights = [share * common // count if count else 0 for share, count in shares]
    divisor = 0
    for weight in weights:
        divisor = _gcd(divisor, weight)
    return [weight // divisor if divisor else 0 for weight in weights]


def _gcd(one, other):
    while other:
        one, other = other, one % other
    return one


def render(name, servers, directives):
    """The upstream's file: ``servers`` is a list of Server, ``directives`` further lines without semicolons.

    Without a server the upstream answers 502 by one that is marked down: nginx refuses an empty upstream.
    """
    lines = [MANAGED, "upstream {0} {{".format(name)]
    lines += ["    {0};".format(directive) for directive in directives]
    lines += ["    server {0} weight={1}; # {2}".format(server.address, server.weight, server.replica) for server in servers]
    if not servers:
        lines.append("    server 127.0.0.1:1 down;")
    return "\n".join(lines + ["}", ""])


def parse(text):
    """The servers (list of Server) that an upstream's file sends traffic to; those marked down are left out."""
    servers = []
    for line in (text or "").splitlines():
        match = _SERVER.match(line)
        if match and "down" not in match.group("parameters").split():
            weight = _WEIGHT.search(match.group("parameters"))
            servers.append(Server(match.group("address"), int(weight.group(1)) if weight else 1, match.group("replica") or ""))
    return servers


def services(servers):
    """The names of the services behind ``servers``, without the replica's number, in order of first appearance."""
    names = []
    for server in servers:
        name = server.replica.rpartition("-")[0]
        if name and name not in names:
            names.append(name)
    return names


def workers(titles, rows):
    """The worker processes in the answer of ``docker top`` (``titles``: column names, ``rows``: lists of str).

    Returns ``(active, draining)``: lists of process ids (int). A draining worker finishes its connections under an older
    configuration and then exits; nginx writes so into its process title (ngx_process_cycle.c).
    """
    pid, command = titles.index("PID"), len(titles) - 1
    active, draining = [], []
    for row in rows:
        if "nginx: worker process" in row[command]:
            (draining if "is shutting down" in row[command] else active).append(int(row[pid]))
    return sorted(active), sorted(draining)


def keepalive_min_timeout(dump):
    """The value of the directive in what ``nginx -T`` prints, such as ``10s``; None where it is not set, or set to nothing."""
    match = _KEEPALIVE_MIN_TIMEOUT.search(dump)
    value = match.group("time") if match else None
    return None if value in (None, "0", "0s", "0ms") else value


def reload_cost(running, configured):
    """What a reload costs clients that keep connections, in a sentence; None where it costs nothing.

    ``running`` is nginx's version (tuple or None), ``configured`` the value of keepalive_min_timeout (str or None).
    """
    if configured:
        return None
    known = running and running >= KEEPALIVE_MIN_TIMEOUT_SINCE
    mend = "Set keepalive_min_timeout 10s; in http {}." if known else "nginx 1.27.4 and newer can avoid it by keepalive_min_timeout."
    return "A switch costs about one request for each kept-alive connection of a client that does not retry. " + mend


def version(banner):
    """``(major, minor, patch)`` of what ``nginx -v`` prints, or None."""
    match = _VERSION.search(banner)
    return tuple(int(part) for part in match.groups()) if match else None
