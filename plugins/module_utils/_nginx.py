# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An nginx upstream as text and as data, and nginx's processes. Private: other collections must not import it."""

from __future__ import annotations

import collections
import fnmatch
import posixpath
import re

#: A line ``server`` of an upstream. ``replica`` names the container (service and number) behind the address.
Server = collections.namedtuple("Server", "address weight replica")

MANAGED = "# Written by astraldraft.ops.nginx_upstream; changes made by hand are lost at the next switch."
KEEPALIVE_MIN_TIMEOUT_SINCE = (1, 27, 4)

# Parameters that we never write are read over: a server that somebody gave max_fails by hand gets traffic all the same.
_SERVER = re.compile(r"^\s*server\s+(?P<address>[^\s;]+)(?P<parameters>[^;]*);\s*(?:#\s*(?P<replica>\S+))?")
_WEIGHT = re.compile(r"\sweight=(\d+)(?:\s|$)")
_KEEPALIVE_MIN_TIMEOUT = re.compile(r"^\s*keepalive_min_timeout\s+(?P<time>[^;]+?)\s*;", re.MULTILINE)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}:\d+")
_INCLUDE = re.compile(r"^\s*include\s+\"?([^\s;\"]+)\"?\s*;", re.MULTILINE)
_VERSION = re.compile(r"nginx/(\d+)\.(\d+)\.(\d+)")


def spread(shares):
    """Server weights of services that have shares of the traffic.

    ``shares`` is a list of ``(share, parts)``, shares being whole numbers of any common scale, and parts the number of replicas, or the
    sum of their own weights. Returns the weight of one part of each service, the smallest whole numbers for which every service gets
    its share whatever its size.
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


def weigh(replicas, given, kept):
    """The weights (dict) of ``replicas`` (names) of one service.

    ``given`` is the whole truth where it is not None: whoever it does not name has 1. Else they keep the weights of ``kept``, and new
    ones get the greatest of these: a smaller one was given to a replica for a reason of its own.
    """
    if given is not None:
        return {name: int(given.get(name, 1)) for name in replicas}
    usual = max([kept[name] for name in replicas if name in kept] or [1]) or 1
    return {name: kept.get(name, usual) for name in replicas}


def render(name, servers, directives):
    """The upstream's file: ``servers`` is a list of Server, ``directives`` further lines without semicolons.

    One of weight 0 is written down as ``down``, so that its being left out is seen to be meant.
    Without a server the upstream answers 502 by one that is marked down: nginx refuses an empty upstream.
    """
    lines = [MANAGED, "upstream {0} {{".format(name)]
    lines += ["    {0};".format(directive) for directive in directives]
    for server in servers:
        how = "weight={0}".format(server.weight) if server.weight else "down"
        lines.append("    server {0} {1}; # {2}".format(server.address, how, server.replica))
    if not servers:
        lines.append("    server 127.0.0.1:1 down;")
    return "\n".join(lines + ["}", ""])


def parse(text):
    """The servers (list of Server) that an upstream's file sends traffic to; those marked down are left out."""
    return [server for server in _all_servers(text) if server.weight]


def _all_servers(text):
    """Those marked down among them, with the weight 0."""
    servers = []
    for line in (text or "").splitlines():
        match = _SERVER.match(line)
        if match:
            weight = _WEIGHT.search(match.group("parameters"))
            down = "down" in match.group("parameters").split()
            value = 0 if down else int(weight.group(1)) if weight else 1
            servers.append(Server(match.group("address"), value, match.group("replica") or ""))
    return servers


def own_weights(text):
    """The weights (dict: replica to int) that the replicas of an upstream's file have beside their siblings, whatever their service's
    share: the smallest whole numbers, 0 for one that is left out on purpose."""
    groups = {}
    for server in _all_servers(text):
        if server.replica:
            groups.setdefault(server.replica.rpartition("-")[0], []).append(server)
    found = {}
    for servers in groups.values():
        divisor = 0
        for server in servers:
            divisor = _gcd(divisor, server.weight)
        found.update((server.replica, server.weight // divisor if divisor else 0) for server in servers)
    return found


def answered(line, addresses):
    """Which of ``addresses`` (set of ``address:port``) a line of nginx's log names last, or None.

    Where a request was tried on several servers, nginx writes them in order, so the last one is the one that answered.
    """
    return next((address for address in reversed(_ADDRESS.findall(line)) if address in addresses), None)


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


def complaint(output):
    """What ``nginx -t`` or ``-T`` says against a configuration, in one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "[emerg]" in line), lines[0] if lines else "nothing")


def quoted(text):
    """``text`` as one word of nginx's configuration. What would be a variable must not be in it."""
    return '"{0}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def included(dump, path, prefix="/etc/nginx"):
    """Whether a configuration, as ``nginx -T`` prints it, includes the file ``path`` once it is there."""
    wanted = path.split("/")
    for pattern in _INCLUDE.findall(dump):
        parts = posixpath.join(prefix, pattern).split("/")
        if len(parts) == len(wanted) and all(fnmatch.fnmatchcase(one, part) for one, part in zip(wanted, parts)):
            return True
    return False


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
