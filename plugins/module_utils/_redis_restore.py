# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Giving a cache the keys of a backup: from a server that has loaded a snapshot, key by key, to whoever owns the key's slot now.

Private: other collections must not import it.
"""

from __future__ import annotations

import collections

from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_rdb as rdb
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import client_for, explain, key_counts, parse_info, where
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_backup import version_key
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_backup_verify import available_memory, demand_memory
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import primaries
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

REFUSE, KEEP, REPLACE = EXISTING = ("refuse", "keep", "replace")
#: Keys that are on their way at the same time.
BATCH = 200
CLUSTER_TRIES = 10

#: How many keys were given (``restored``), were there already (``kept``), and are not there afterwards (``missing``).
Given = collections.namedtuple("Given", "restored kept missing")


class Target:
    """The cache that is given keys. ``login``: of CONNECTION_SPEC with ``timeout``."""

    def __init__(self, redis, login, topology):
        self._redis, self._login, self._topology, self._clients = redis, login, topology, {}

    def _client(self, database):
        if database not in self._clients:
            self._clients[database] = self._cluster() if self._topology.kind == "cluster" else self._single(database)
        return self._clients[database]

    def _single(self, database):
        member = primaries(self._topology)[0]
        return client_for(self._login, self._redis, member.host, member.port, db=database)

    def _cluster(self):
        """redis-py's own, which finds out who owns a slot, and asks again when that changes."""
        members = [member for member in self._topology.members if member.host]
        options = client_for(self._login, self._redis, members[0].host, members[0].port).connection_pool.connection_kwargs
        given = {name: value for name, value in options.items() if name not in ("host", "port", "db", "retry", "path")}
        nodes = [self._redis.cluster.ClusterNode(member.host, member.port) for member in members]
        tls = {"ssl": True} if self._login["tls"] else {}
        retry = self._redis.retry.Retry(self._redis.backoff.ExponentialBackoff(cap=2.0, base=0.05), CLUSTER_TRIES)
        return self._redis.RedisCluster(startup_nodes=nodes, retry=retry, **tls, **given)

    def ask(self, database, commands):
        """The answers to ``commands`` (list of tuples whose second word is the key), in order; a refused one is its exception."""
        watch, client = Deadline(self._login["timeout"]), self._client(database)
        pipeline = client.pipeline() if self._topology.kind == "cluster" else client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            return pipeline.execute(raise_on_error=False)
        except (self._redis.exceptions.RedisError, OSError) as error:
            raise OpsError(self.why(error, watch))

    def why(self, error, watch=None):
        member = primaries(self._topology)[0]
        found = explain(self._redis, error, self._login, member.host, member.port, watch or Deadline(self._login["timeout"]))
        return "{0}. {1}".format(found.message, found.next)

    @property
    def kind(self):
        return self._topology.kind

    @property
    def name(self):
        return ", ".join(where(member.host, member.port) for member in primaries(self._topology))

    def close(self):
        for client in self._clients.values():
            client.close()


def refuse_target(cache, entry, existing, there):
    """Raises OpsError where the keys of the backup (``entry`` of the catalogue) would not fit. ``there``: keys that the cache has."""
    if there and existing == REFUSE:
        raise OpsError(
            "The cache has {0} keys already, and nothing was given to it. Empty it first (cache_clear -e cache_flush=true), or say what is "
            "to become of them: existing, keep or replace.".format(there)
        )
    oldest = min((source.version for source in cache.sources), key=version_key)
    if version_key(oldest)[:2] < version_key(entry["server_version"])[:2]:
        raise OpsError("The backup is of Redis {0}, and the cache of {1}, which cannot read what a newer one has written.".format(
            entry["server_version"], oldest))  # fmt: skip
    if all(source.free_bytes is not None for source in cache.sources):
        free = sum(source.free_bytes for source in cache.sources)
        if free < entry["database_bytes"]:
            raise OpsError("The keys take {0} MiB of memory, and the cache has {1} MiB left (maxmemory). Raise it first.".format(
                entry["database_bytes"] >> 20, free >> 20))  # fmt: skip


def give_all(redis, manifest, folder, seen, target, existing, progress, result):
    """Give ``target`` the keys of all snapshots in ``folder``. ``seen``: the place, a workspace there, and where sockets are, as seen there
    and here. What becomes of them is in ``result``, whatever happens. Raises OpsError."""
    place, _work, inside, outside = seen
    demand_memory(manifest, available_memory())
    total = Given(0, 0, 0)

    def tell(now):
        result.update(now._asdict(), changed=now.restored > 0)

    with timed(result["parts"], "give_seconds"):
        for row in manifest["primaries"]:
            progress.phase("giving back {0}".format(row["file"]), lambda: "{0} keys".format(result["restored"]))
            with rdb.loaded(redis, place, inside, "{0}/{1}".format(folder, row["file"]), outside, progress.tick) as connect:
                try:
                    for given in give(connect, target, existing, progress.tick):
                        total = _plus(total, given)
                        tell(total)
                except OpsError as error:
                    raise OpsError("{0} {1} keys were given until then. Run it again with existing=keep.".format(
                        error.message, total.restored))  # fmt: skip
    result["expired"] = sum(row["keys"] for row in manifest["primaries"]) - total.restored - total.kept
    if total.missing:
        raise OpsError(
            "{0} of the keys that were given are not there: were they evicted, or lost in a failover? See evicted_keys of INFO stats, and "
            "run it again with existing=keep.".format(total.missing)
        )


def refuse_databases(databases, kind):
    """Raises OpsError for keys that have no place in a cluster."""
    others = sorted(number for number in databases if number)
    if others and kind == "cluster":
        raise OpsError("The backup has keys in database {0}, and a cluster has database 0 only. Restore it into a single server.".format(
            ", ".join(map(str, others))))  # fmt: skip


def give(connect, target, existing, tick):
    """Give ``target`` all keys of a server that has loaded a snapshot (``connect``, as _redis_rdb.loaded has it), and see that they are
    there. Yields a Given for every few keys. Raises OpsError."""
    databases = key_counts(parse_info(connect(0).execute_command("INFO", "keyspace")))
    refuse_databases(databases, target.kind)
    for database in sorted(databases):
        source = connect(database)
        for step in (_give_batch, _prove_batch):
            for names in batches(source):
                tick()
                yield step(source, target, database, names, existing)


def batches(source):
    """All names of keys of a database, some at a time."""
    cursor = b"0"
    while True:
        cursor, names = source.execute_command("SCAN", cursor, "COUNT", BATCH)
        if names:
            yield names
        if cursor == b"0":
            return


def _plus(one, other):
    return Given(*(left + right for left, right in zip(one, other)))


def _pairs(source, names):
    """(name, its DUMP or None, the milliseconds for which it still lives) of each."""
    pipeline = source.pipeline(transaction=False)
    for name in names:
        pipeline.execute_command("DUMP", name)
        pipeline.execute_command("PTTL", name)
    answers = pipeline.execute()
    return list(zip(names, answers[::2], answers[1::2]))


def _give_batch(source, target, database, names, existing):
    living = [(name, dump, max(0, life)) for name, dump, life in _pairs(source, names) if dump is not None and life != -2]
    more = ("REPLACE",) if existing == REPLACE else ()
    answers = target.ask(database, [("RESTORE", name, life, dump, *more) for name, dump, life in living]) if living else []
    kept = [answer for answer in answers if isinstance(answer, Exception) and "BUSYKEY" in str(answer).upper()]
    refused = [answer for answer in answers if isinstance(answer, Exception) and answer not in kept]
    if refused:
        raise OpsError(_refusal(target, refused[0]))
    if kept and existing == REFUSE:
        raise OpsError("{0} keys of the backup have come up meanwhile: somebody writes to {1}.".format(len(kept), target.name))
    return Given(len(living) - len(kept), len(kept), 0)


def _refusal(target, error):
    if "DUMP payload version or checksum" in str(error):
        return "{0} is too old for what a newer server has written. Restore it into one of the version of the backup.".format(target.name)
    return target.why(error)


def _prove_batch(source, target, database, names, _existing):
    """Those that are not there and have not expired either."""
    there = target.ask(database, [("EXISTS", name) for name in names])
    refused = [answer for answer in there if isinstance(answer, Exception)]
    if refused:
        raise OpsError(target.why(refused[0]))
    absent = [name for name, found in zip(names, there) if not found]
    return Given(0, 0, sum(dump is not None and life != -2 for _name, dump, life in _pairs(source, absent)) if absent else 0)
