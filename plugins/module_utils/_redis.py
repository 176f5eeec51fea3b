# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a Redis server is logged in to and asked, and what its failures mean. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import ssl

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import NEXT, ProbeError, connect, no_answer, where
from ansible_collections.astraldraft.ops.plugins.module_utils._tls import served
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

#: How to log in to one server. A check of health has the same options.
LOGIN_SPEC = {
    "login_host": {"type": "str"},
    "login_port": {"type": "int"},
    "login_user": {"type": "str"},
    "login_password": {"type": "str", "no_log": True},
    "tls": {"type": "bool"},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "nodes": {"type": "list", "elements": "str"},
}
LOGIN_DEFAULTS = {"login_port": 6379, "tls": False, "validate_certs": True}


def with_default(name, option):
    return dict(option, default=LOGIN_DEFAULTS[name]) if name in LOGIN_DEFAULTS else option


#: The connection options of a module, which finds the other servers by itself.
CONNECTION_SPEC = dict(
    {name: with_default(name, option) for name, option in LOGIN_SPEC.items()},
    topology={"type": "str", "choices": ["auto", "single", "sentinel", "cluster"], "default": "auto"},
    sentinel_name={"type": "str"},
    sentinel_user={"type": "str"},
    sentinel_password={"type": "str", "no_log": True},
)
CONNECTION_RULES = {"required_one_of": [("login_host", "nodes")], "required_together": [("client_cert", "client_key")]}
#: With TLS a server that does not speak it says nothing at all: what is left of the time is for finding that out.
SHARE_OF_TLS = 0.6

#: What a server's refusal means, by the first word of its reply: reason, what it is, and what to do. redis-py has classes for some of them.
REPLIES = {
    "WRONGPASS": ("our_credentials", "refuses the user or the password", "Correct login_user and login_password."),
    "NOAUTH": ("our_credentials", "wants a password", "Set login_password, and login_user where the server has users."),
    "NOPERM": ("our_credentials", "does not allow this to the user", "Give login_user the rights (ACL SETUSER), or use another one."),
    "LOADING": (
        "loading",
        "is loading its data set and serves nobody yet",
        "Wait until it has loaded: INFO persistence says how far it is.",
    ),
    "READONLY": ("read_only", "is a replica and takes no writes", "Was there a failover? Name the primary, or all nodes."),
    "MASTERDOWN": ("primary_down", "is a replica that has lost its primary", "Bring back the primary, or fail over to the replica."),
    "CLUSTERDOWN": ("cluster_down", "says that the cluster is down", "Bring back the primary whose slots nobody serves, or fail over."),
    "OOM": ("out_of_memory", "has no memory left and takes no writes", "Free memory (playbook cache_clear), or raise maxmemory."),
    "MISCONF": ("not_persisting", "cannot save its data and takes no writes", "Look at its disk and its log."),
    "MOVED": ("moved", "no longer serves that slot", "The cluster is changing; run it again."),
    "ASK": ("moved", "is giving that slot to another one", "The cluster is changing; run it again."),
    "TRYAGAIN": ("moved", "is moving that slot", "The cluster is changing; run it again."),
    "DENIED": ("protected_mode", "is in protected mode and answers its own host only", "Set a password and bind it to the network."),
    "BUSY": ("busy", "runs a script that does not end", "End it on the server: SCRIPT KILL."),
}
CLASSES = (
    ("BusyLoadingError", "LOADING"),
    ("AuthenticationError", "WRONGPASS"),
    ("NoPermissionError", "NOPERM"),
    ("MasterDownError", "MASTERDOWN"),
    ("ClusterDownError", "CLUSTERDOWN"),
    ("ReadOnlyError", "READONLY"),
    ("OutOfMemoryError", "OOM"),
    ("MovedError", "MOVED"),
    ("AskError", "ASK"),
    ("TryAgainError", "TRYAGAIN"),
)
#: Reasons that may pass by themselves: while a replica takes over, a slot moves, or a server starts.
PASSING = ("loading", "read_only", "primary_down", "cluster_down", "moved", "refused", "reset", "timed_out", "no_route")


def split_address(node):
    """``(host, port)`` of ``host:port``. Raises ProbeError."""
    host, _colon, port = node.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdigit():
        raise ProbeError("wrong_answer", "bad_address", "{0!r} is not host:port".format(node), "Write the nodes as host:port.")
    return host, int(port)


def addresses(login):
    """The addresses that are known beforehand, ``(host, port)``, in their order. Raises OpsError."""
    try:
        found = [split_address(node) for node in login["nodes"] or []]
    except ProbeError as error:
        raise OpsError("nodes: {0}. {1}".format(error.message, error.next))
    own = [(login["login_host"], login["login_port"])] if login["login_host"] else []
    return list(dict.fromkeys(own + found))


def client_for(login, redis, host, port, **more):
    """A client that tries once: the library's own retries would hide a failing server and exceed the time limit.

    ``login``: of LOGIN_SPEC, and ``timeout``, the seconds that connecting may take and every answer. ``more`` goes to redis-py.
    """
    _check_certificate(login)
    seconds = login["timeout"] * (SHARE_OF_TLS if login["tls"] else 1)
    arguments = {
        "host": host,
        "port": port,
        "username": login["login_user"] or None,
        "password": login["login_password"] or None,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "socket_keepalive": True,
        "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        "client_name": "astraldraft.ops",
        "protocol": 2,  # one form of answers, whatever the library's version prefers
    }
    if login["tls"]:
        arguments.update(ssl=True, ssl_cert_reqs="required" if login["validate_certs"] else "none", ssl_ca_certs=login["ca_path"])
        arguments["ssl_check_hostname"] = login["validate_certs"]
        arguments.update(ssl_certfile=login.get("client_cert"), ssl_keyfile=login.get("client_key"))
    return redis.Redis(**dict(arguments, **more))


def _check_certificate(login):
    """Raises ProbeError where our own certificate is of no use; the library would say so in one of many ways."""
    if not login["tls"] or not (login.get("client_cert") or login.get("client_key")):
        return
    if not login.get("client_cert"):
        raise ProbeError("wrong_answer", "bad_option", "client_key is given without client_cert", "Give both.")
    try:
        ssl.create_default_context().load_cert_chain(login["client_cert"], login.get("client_key"))
    except (OSError, ssl.SSLError) as error:
        message = "the certificate {0} with the key {1} cannot be used: {2}".format(
            login["client_cert"], login.get("client_key") or "in it", error.strerror or error)  # fmt: skip
        raise ProbeError("wrong_answer", "bad_option", message, "Correct client_cert and client_key, two PEM files.")


class Node:
    """One server, asked in its own words: no answer is turned into something else. Raises ProbeError."""

    def __init__(self, redis, login, host, port, **more):
        self.host, self.port, self.name = host, port, where(host, port)
        self._redis, self._login = redis, login
        self._client = client_for(login, redis, host, port, **more)
        # What they make of an answer differs by the library's version.
        self._client.response_callbacks.clear()

    def ask(self, *command):
        watch = Deadline(self._login["timeout"])
        try:
            return self._client.execute_command(*command)
        except (self._redis.exceptions.RedisError, OSError) as error:
            raise self.failure(error, watch)

    def ask_all(self, commands):
        """The answers in order, in one round trip; a refused one is its exception."""
        watch, pipeline = Deadline(self._login["timeout"]), self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            return pipeline.execute(raise_on_error=False)
        except (self._redis.exceptions.RedisError, OSError) as error:
            raise self.failure(error, watch)

    def failure(self, error, watch=None):
        """The ProbeError that an exception of the library stands for."""
        return explain(self._redis, error, self._login, self.host, self.port, watch or Deadline(self._login["timeout"]))

    def close(self):
        with contextlib.suppress(self._redis.exceptions.RedisError, OSError):
            self._client.close()


def parse_info(answer):
    """``name:value`` lines, or the dict that newer clients make of them, as a dict of str."""
    if isinstance(answer, dict):
        return {str(key): str(value) for key, value in answer.items()}
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return dict(line.strip().split(":", 1) for line in text.splitlines() if ":" in line)


def keyspace(info):
    """The number of each database that has keys to its ``keys``, ``expires`` and so on, as int, from INFO."""
    # Redis 8 has rows like db0_distrib_strings_sizes, too.
    rows = {name[2:]: row for name, row in info.items() if name.startswith("db") and name[2:].isdigit()}
    return {int(name): {word: int(count) for word, count in (part.split("=") for part in row.split(","))} for name, row in rows.items()}


def key_counts(info):
    """The number of each database that has keys to how many it has, from INFO."""
    return {database: row["keys"] for database, row in keyspace(info).items()}


def exhausted(info):
    """Whether INFO says that the server takes no writes (OOM): it is above its limit, and there is nothing that it may evict.

    A replica is never: it leaves that to its primary.
    """
    limit = int(info.get("maxmemory", 0))
    # Buffers for replicas and the log do not count, or what frees memory would take some.
    used = int(info.get("used_memory", 0)) - int(info.get("mem_not_counted_for_evict", 0))
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if not limit or used <= limit or info.get("role") == "slave":
        return False
    evictable = "expires" if policy.startswith("volatile-") else "keys"
    return policy == "noeviction" or not any(row.get(evictable) for row in keyspace(info).values())


def explain(redis, error, login, host, port, watch):
    """The ProbeError of a redis-py exception. The server's own sentence is kept: it is not a secret."""
    target, errors = where(host, port), redis.exceptions
    text = " ".join(str(error).split())[:200]
    word = _word(errors, error, text)
    if word in REPLIES:
        reason, sentence, advice = REPLIES[word]
        return ProbeError("wrong_answer", reason, "{0} {1} ({2})".format(target, sentence, text), advice)
    if isinstance(error, errors.TimeoutError):
        return _silent(login, host, port, watch)
    if isinstance(error, errors.ResponseError):
        return ProbeError("wrong_answer", "error_reply", "{0} says: {1}".format(target, text), "Follow what the server says.")
    if isinstance(error, errors.InvalidResponse) or "protocol error" in text.lower():
        return ProbeError("wrong_answer", "not_redis", "{0} does not speak Redis: {1}".format(target, text), "Is this Redis's port?")
    try:  # the library gives one exception for all kinds of lost connections: a plain one tells which
        connect(host, port, max(0.2, watch.remaining)).close()
        flaw = served(host, port, host, login["ca_path"], max(0.2, watch.remaining)).flaw
    except ProbeError as found:
        if found.reason in NEXT:
            return found if found.reason != "reset" or login["tls"] else _closed(target, text)
        return _plain(target) if login["tls"] and _speaks_plainly(host, port, watch) else _closed(target, text)
    except OpsError as found:
        return ProbeError("wrong_answer", "bad_option", found.message)
    if not login["tls"]:
        return ProbeError("wrong_answer", "speaks_tls", "{0} speaks TLS, and was asked without".format(target), "Set tls: true.")
    if flaw is not None and login["validate_certs"]:
        return flaw
    advice = "Does it want a certificate of ours (client_cert, client_key)? Read the server's log."
    return ProbeError("wrong_answer", "reset", "{0} closed the connection: {1}".format(target, text), advice)


def _word(errors, error, text):
    for name, word in CLASSES:
        kind = getattr(errors, name, None)
        if kind is not None and isinstance(error, kind):
            # One class for a wrong password and for none.
            return "NOAUTH" if word == "WRONGPASS" and "authentication required" in text.lower() else word
    return "NOAUTH" if "authentication required" in text.lower() else text.split(" ", 1)[0].rstrip(".:").upper()


def _closed(target, text):
    return ProbeError("wrong_answer", "reset", "{0} closed the connection: {1}".format(target, text), "Read the server's log.")


def _plain(target):
    sentence = "{0} does not speak TLS: it answers in plain text".format(target)
    return ProbeError("wrong_answer", "not_tls", sentence, "Set tls: false, or name its TLS port.")


def _silent(login, host, port, watch):
    """A server that is asked in TLS and does not speak it waits for more."""
    if login["tls"] and _speaks_plainly(host, port, watch):
        return _plain(where(host, port))
    return no_answer(where(host, port), watch.seconds)


def _speaks_plainly(host, port, watch):
    """Whether it answers Redis's PING without TLS."""
    try:
        connection = connect(host, port, max(0.1, watch.remaining))
        try:
            connection.settimeout(max(0.1, watch.remaining))
            connection.sendall(b"*1\r\n$4\r\nPING\r\n")
            return connection.recv(1) in (b"+", b"-")
        finally:
            connection.close()
    except (ProbeError, OSError):
        return False
