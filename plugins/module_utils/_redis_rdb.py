# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of Redis servers (RDB files), by Redis's own programs. Private: other collections must not import it."""

from __future__ import annotations

import collections
import contextlib
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Suite, last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_RULES
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_RULES
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

REDIS = Suite("Redis", "", "redis", False)
#: Of a module that has options for tools and for servers.
RULES = {**CONNECTION_RULES, **TOOLS_RULES}
#: What redis-check-rdb says of a file: the version of the server that wrote it, when it did (seconds since 1970), how many keys there are,
#: how many of them expire at some time, the reason why it cannot be read, or None, and the replication ID of the server, or None.
Read = collections.namedtuple("Read", "version at keys expires error replid", defaults=(None,))
SOCKET = "redis.sock"
START_SECONDS, ANSWER_SECONDS = 600, 60
# It is nobody's server: a replica that never finds its primary keeps also those keys that have expired since, and takes no writes.
SETTINGS = {
    "port": "0", "save": "", "appendonly": "no", "replicaof": "127.0.0.1 1", "unixsocketperm": "777", "daemonize": "no", "logfile": "",
    "maxmemory": "0", "protected-mode": "yes",
}  # fmt: skip
# The password is in a file that only the programs' user can read.
_FROM_FILE = 'REDISCLI_AUTH=$(cat -- "$0"); export REDISCLI_AUTH; exec "$@"'
_AUX = re.compile(r"AUX FIELD (\S+) = '(.*)'")
_COUNT = re.compile(r"\[info\] (\d+) (keys read|expires)$")
_ERROR = re.compile(r"--- RDB ERROR DETECTED ---\s+\[offset (\d+)\] (.*)")


def parse_read(said):
    """What ``redis-check-rdb`` said (str) -> Read"""
    aux, counts, error = {}, {}, None
    for line in said.split("\n"):
        for pattern, found in ((_AUX, aux), (_COUNT, counts)):
            match = pattern.search(line.strip())
            if match:
                one, other = match.groups()
                found.update({one: other} if pattern is _AUX else {other: int(one)})
    flaw = _ERROR.search(said)
    if flaw:
        error = "{1}, at byte {0}".format(*flaw.groups())
    elif "RDB looks OK" not in said:
        error = last_words(said)
    return Read(
        aux.get("redis-ver"), float(aux.get("ctime", 0)), counts.get("keys read", 0), counts.get("expires", 0), error, aux.get("repl-id")
    )


def read_all(place, paths, tick):
    """Have redis-check-rdb read each of the files ``paths`` to its end. -> list of Read, in their order"""
    found = []
    for path in paths:
        done = place.run(["redis-check-rdb", path], tick)
        if done.code == 127:
            place.must(["redis-check-rdb", path], tick)
        found.append(parse_read(done.output.decode("utf-8", "replace") + done.complaint))
    return found


def client_argv(login, host, port, passfile=None):
    """redis-cli with all options of CONNECTION_SPEC (dict), whose files are those that it sees."""
    argv = ["redis-cli", "-h", host, "-p", str(port)]
    argv += ["--user", login["login_user"]] if login["login_user"] else []
    if login["tls"]:
        argv += ["--tls"] + ([] if login["validate_certs"] else ["--insecure"])
        for option, name in (("--cacert", "ca_path"), ("--cert", "client_cert"), ("--key", "client_key")):
            argv += [option, login[name]] if login[name] else []
    return ["sh", "-c", _FROM_FILE, passfile, *argv] if passfile else argv


def login_at(place, login, folder):
    """-> (the login as redis-cli in ``place`` has to have it, the file of the password there or None). ``folder``: a workspace there."""
    found, members, passfile = dict(login), [], None
    if login["login_password"]:
        data, passfile = login["login_password"].encode("utf-8"), folder + "/password"
        members.append(("password", len(data), [data]))
    if login["tls"] and not place.direct:
        for name in ("ca_path", "client_cert", "client_key"):
            if login[name]:
                with open(login[name], "rb") as stream:
                    data = stream.read()
                members.append((name, len(data), [data]))
                found[name] = "{0}/{1}".format(folder, name)
    if members:
        place.put(folder, members)
    return found, passfile


def fetch(place, login, passfile, wanted, seconds, tick):
    """Have servers write a snapshot each, at the same time. ``wanted``: list of (host, port, file in ``place``). Raises OpsError."""
    deadline = Deadline(seconds)

    def patient():
        if deadline.passed:
            raise OpsError(
                "The snapshots were not complete after {0:g} s. Nothing was kept. Is a server too busy to fork, or is the network slow? "
                "See rdb_bgsave_in_progress of INFO persistence, and raise transfer_timeout.".format(seconds)
            )
        tick()

    running = [place.start(client_argv(login, host, port, passfile) + ["--rdb", path]) for host, port, path in wanted]
    for (host, port, _path), done in zip(wanted, place.drive(running, patient)):
        if done.code == 127:
            place.must(["redis-cli", "--version"], tick)
        if done.code:
            raise OpsError(
                "redis-cli could not fetch a snapshot of {0}:{1} on {2} (exit code {3}): {4}.{5}".format(
                    host, port, place.name, done.code, last_words(done.complaint), _advice(done.complaint)
                )
            )


def _advice(complaint):
    if "NOPERM" in complaint:
        return " The user needs the commands psync, sync and replconf: ACL SETUSER <user> +psync +sync +replconf."
    if "Could not connect" in complaint:
        return " Can the tools reach that address from where they are? Say how (tools_login_host, tools_login_port), or run them elsewhere."
    return " Nothing was kept."


@contextlib.contextmanager
def loaded(redis, place, folder, path, seen, tick):
    """A server in ``place`` that has loaded the file ``path`` there, for a while. -> a function: a database's number to a client of it
    (redis-py's, whose answers are as the server gave them)

    ``folder``: where its socket is, as the server sees it; ``seen``: the same folder, as this process sees it. Raises OpsError.
    """
    parent, _slash, name = path.rpartition("/")
    settings = dict(SETTINGS, dir=parent, dbfilename=name, unixsocket="{0}/{1}".format(folder, SOCKET))
    argv = ["redis-server"] + [word for key, value in sorted(settings.items()) for word in ("--" + key, *(value.split() or [""]))]
    running, clients = place.start(argv), []

    def connect(database):
        client = redis.Redis(unix_socket_path="{0}/{1}".format(seen, SOCKET), db=database, socket_timeout=ANSWER_SECONDS, protocol=2)
        client.response_callbacks.clear()
        clients.append(client)
        return client

    try:
        _wait(redis, connect(0), running, place, tick)
        yield connect
    finally:
        for client in clients:
            client.close()
        running.end()


def _wait(redis, client, running, place, tick):
    deadline = Deadline(START_SECONDS)
    while True:
        # It answers only once it has loaded; until then it says so.
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            client.execute_command("DBSIZE")
            return
        if running.ended:
            done = running.finish()
            said = done.output.decode("utf-8", "replace")
            if done.code == 127:
                place.must(["redis-server", "--version"], tick)
            raise Unloadable("No server could load it on {0}: {1}".format(place.name, _reason(said + done.complaint)))
        if deadline.passed:
            raise OpsError("The throw-away server on {0} has not loaded the snapshot within {1} s.".format(place.name, START_SECONDS))
        tick()
        running.wait(0.1)


def _reason(log):
    """Why the server ended, of its log."""
    lines = [line.partition("# ")[2] for line in log.split("\n") if " # " in line]
    return lines[-1] if lines else last_words(log)


class Unloadable(OpsError):
    """A snapshot that no server can load."""
