# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup of a cache: a snapshot of every primary, taken at the same time. Private: other collections must not import it."""

from __future__ import annotations

import collections
import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_rdb as rdb
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import CACHE
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_store import into_place, label
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import Node, key_counts, parse_info
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import ALL_SLOTS, count_slots, discover, down, primaries
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

FOLDER = "rdb"
#: What is asked for, as the module's options have it. ``database``: what the cache is called in the catalogue; ``inside``: whether the
#: tools are in the network of the server itself.
Order = collections.namedtuple("Order", "environment database purpose recipients seconds inside tools_host tools_port")
#: One primary as it was: ``version`` of its server, ``memory_bytes`` of its data, what is left of its maxmemory (``free_bytes``, None
#: without one), the ``port`` it says it listens to, how many ``keys`` it has, and its replication ID.
Source = collections.namedtuple("Source", "member version memory_bytes free_bytes port keys replid")


def dataset_bytes(info):
    """The bytes of memory that the keys take, by a server's INFO.

    Redis subtracts what is not keys from ``used_memory`` as unsigned numbers: where that is more, just after keys were removed, it says
    2**64 less the difference. All that is used is the most that they can take.
    """
    return min(int(info.get("used_memory_dataset", 0)), int(info["used_memory"]))


class Cache:
    """The servers whose keys are backed up. ``topology`` and ``sources`` are known after :meth:`look`."""

    def __init__(self, redis, login, tick):
        self._redis, self._login, self._tick = redis, login, tick
        self.topology, self.sources = None, []

    def look(self):
        """Find out which primaries there are and what they hold. Raises OpsError where some key would be missing."""
        try:
            self.topology = discover(self._redis, self._login, self._tick)
            refuse_incomplete(self.topology)
            self.sources = [self._source(member) for member in primaries(self.topology)]
        except ProbeError as error:
            raise OpsError("{0}. {1}".format(error.message, error.next))

    def _source(self, member):
        node = Node(self._redis, self._login, member.host, member.port)
        try:
            info = parse_info(node.ask("INFO"))
            most, keys = int(info.get("maxmemory", 0)), sum(key_counts(info).values())
            free = most - int(info["used_memory"]) if most else None
            port = int(info.get("tcp_port", 0))
            return Source(member, info["redis_version"], dataset_bytes(info), free, port, keys, info.get("master_replid"))
        finally:
            node.close()

    @property
    def version(self):
        """The newest of all."""
        return max((source.version for source in self.sources), key=version_key)

    @property
    def bytes(self):
        return sum(source.memory_bytes for source in self.sources)

    def keys(self):
        """How many keys each primary has now, by its address. Raises OpsError."""
        self.look()
        return {source.member.name: source.keys for source in self.sources}

    @property
    def owners(self):
        """Who owns what: as long as this is the same, no key has changed places."""
        return sorted((source.member.id, tuple(source.member.slots)) for source in self.sources)


def version_key(version):
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def refuse_incomplete(topology):
    """Raises OpsError when the primaries do not have all keys, or not at one place each."""
    found = primaries(topology)
    if not found:
        names = ", ".join(member.name for member in topology.members)
        raise OpsError("{0} is a replica, and the primary has the keys. Name the primary.".format(names))
    gone = [member.name for member in down(found)]
    if gone:
        raise OpsError("{0} is down, and its keys would be missing. Bring it back, or fail over to its replica.".format(", ".join(gone)))
    if topology.kind != "cluster":
        return
    slots = sum(count_slots(member.slots) for member in found)
    if slots != ALL_SLOTS:
        raise OpsError("{0} of {1} slots are served; the keys of the others would be missing.".format(slots, ALL_SLOTS))
    moving = [member.name for member in found if member.moving]
    if moving:
        names = ", ".join(moving)
        raise OpsError("Slots are moving from or to {0}; a key could be missed. Try again when they have arrived.".format(names))


def refuse_others(sources, found):
    """Raises OpsError for a snapshot (``found``: list of Read) of another server than its Source, both as they are afterwards: a server
    that had no replica before takes a new ID for the first."""
    for source, read in zip(sources, found):
        if source.replid and read.replid and source.replid != read.replid:
            raise OpsError(
                "The tools reached another server than {0}: the snapshot is not its own. Nothing was kept. Say where they are beside it "
                "(service or container), or how they reach it (tools_login_host, tools_login_port).".format(source.member.name)
            )


class Taking:
    """One backup, from the servers to the folder that has its name."""

    def __init__(self, order, cache, place, login, progress):
        self._order, self._cache, self._place, self._login, self._progress = order, cache, place, login, progress
        self.parts = {}

    def take(self, catalogue, entries, fence):
        """-> (the manifest, its hash). Whatever goes wrong, nothing of it stays behind, and no other backup is touched."""
        began, order = time.monotonic(), self._order

        def write(name, partial):
            with self._place.workspace(label(catalogue.folder)) as work:
                written, held = self._write(partial, work)
            return self._describe(name, written, held, time.monotonic() - began)

        return into_place(catalogue, entries, order.environment, order.purpose, fence, write)

    def _write(self, partial, work):
        """Fetch, read, store. -> (lines of the manifest, a Read of each primary)"""
        place, recipients, tick = self._place, self._order.recipients, self._progress.tick
        straight = place.direct and not recipients
        folder = os.path.join(partial if straight else work, FOLDER)
        place.make(folder)
        login, passfile = rdb.login_at(place, self._login, work)
        names = [name_of(source.member) for source in self._cache.sources]
        paths = ["{0}/{1}".format(folder, name) for name in names]
        self._progress.phase("fetching a snapshot of {0} primaries".format(len(names)))
        with timed(self.parts, "fetch_seconds"):
            rdb.fetch(place, login, passfile, [(*self._reached(s), path) for s, path in zip(self._cache.sources, paths)],
                      self._order.seconds, tick)  # fmt: skip
        self._demand_unmoved()
        self._progress.phase("reading them back")
        with timed(self.parts, "verify_seconds"):
            found = rdb.read_all(place, paths, tick)
            flaws = ["{0}: {1}".format(name, read.error) for name, read in zip(names, found) if read.error]
            if flaws:
                raise OpsError("A snapshot cannot be read: {0}. Nothing was kept. Try again.".format("; ".join(flaws)))
            refuse_others(self._cache.sources, found)
            if straight:
                written = [files.adopt(partial, "{0}/{1}".format(FOLDER, name), tick) for name in names]
            else:
                written = []
                for name, _size, chunks in place.get(folder):
                    written.append(files.store(partial, "{0}/{1}".format(FOLDER, name), chunks, recipients, tick))
        return written, found

    def _reached(self, source):
        """(host, port) of a primary, as the tools see it."""
        order, host, port = self._order, source.member.host, source.member.port
        if self._cache.topology.kind == "single" and len(self._cache.sources) == 1 and order.inside:
            host, port = "127.0.0.1", source.port or port
        return order.tools_host or host, order.tools_port or port

    def _demand_unmoved(self):
        """A key that changed places meanwhile may be in no snapshot, or in two."""
        before = self._cache.owners
        self._cache.look()
        if self._cache.owners != before:
            raise OpsError("The primaries or their slots changed while the snapshots were taken. Nothing was kept. Try again.")

    def _describe(self, name, written, held, seconds):
        order, cache = self._order, self._cache
        rows = [
            {
                "address": source.member.name, "slots": [list(pair) for pair in source.member.slots], "file": name_of(source.member),
                "at": to_iso(read.at), "keys": read.keys, "expires": read.expires, "memory_bytes": source.memory_bytes,
            }
            for source, read in zip(cache.sources, held)
        ]  # fmt: skip
        return {
            "version": manifests.VERSION, "name": name, "kind": CACHE, "purpose": order.purpose, "environment": order.environment,
            "database": order.database, "snapshot_at": to_iso(min(read.at for read in held)), "seconds": round(seconds, 3),
            "parts": self.parts, "bytes": sum(line["bytes"] for line in written), "database_bytes": cache.bytes,
            "server_version": cache.version, "topology": cache.topology.kind, "encrypted": bool(order.recipients), "primaries": rows,
            "files": sorted(written, key=lambda line: line["path"]),
        }  # fmt: skip


def name_of(member):
    """The file of a primary's snapshot."""
    return "{0}.rdb".format(member.name.replace(":", "_").replace("[", "").replace("]", ""))
