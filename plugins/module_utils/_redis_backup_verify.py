# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifying the backup of a cache: read by redis-check-rdb, or loaded by a server. Private: other collections must not import it."""

from __future__ import annotations

import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_rdb as rdb
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import RESTORE
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import Verification
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import key_counts, parse_info
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_backup import FOLDER

#: Beside what its keys take, a server needs this much of it again.
MEMORY_FACTOR = 1.2


class SnapshotVerification(Verification):
    """Of the snapshots of a cache."""

    def look(self, manifest, place, work):
        """Bring the snapshots to the tools in ``place``, and have them read all. -> their folder as they see it, or None when something is
        wrong with them"""
        self._demand_room(manifest, place, 0)
        folder = self._bring(manifest, place, work, FOLDER)
        if not folder:
            return None
        self._progress.phase("reading all of it")
        with timed(self._parts, "read_seconds"):
            paths = ["{0}/{1}".format(folder, row["file"]) for row in manifest["primaries"]]
            for row, read in zip(manifest["primaries"], rdb.read_all(place, paths, self._tick)):
                self._found(compare_read(row, read))
        return None if self.check["findings"] else folder

    def load(self, redis, manifest, place, folder, inside, outside):
        """Have a server load each snapshot, one after the other, and count. ``inside``, ``outside``: where its socket is, as it and this
        process see it. Raises OpsError."""
        demand_memory(manifest, available_memory())
        begun = time.monotonic()
        for row in manifest["primaries"]:
            self._progress.phase("loading {0}".format(row["file"]))
            try:
                with rdb.loaded(redis, place, inside, "{0}/{1}".format(folder, row["file"]), outside, self._tick) as connect:
                    self._found(compare_loaded(row, key_counts(parse_info(connect(0).execute_command("INFO", "keyspace")))))
            except rdb.Unloadable as error:
                self._found(["{0}: {1}".format(row["file"], error.message)])
        self.check["restore_seconds"] = self._parts["load_seconds"] = round(time.monotonic() - begun, 3)

    def in_place(self, redis, manifest, seen):
        """All that the level asks for. ``seen``: (the place, a workspace there, where sockets are, as seen there and here)"""
        place, work, inside, outside = seen
        folder = self.look(manifest, place, work)
        if folder and self._level == RESTORE:
            self.load(redis, manifest, place, folder, inside, outside)


def compare_read(row, read):
    """Findings about a snapshot that redis-check-rdb has read (Read), whose line in the manifest is ``row``."""
    if read.error:
        return ["{0} cannot be read: {1}.".format(row["file"], read.error)]
    found = {"keys": read.keys, "expires": read.expires}
    return [
        "{0} has {1} {2}, not {3}.".format(row["file"], found[what], _CALLED[what], row[what])
        for what in ("keys", "expires") if found[what] != row[what]
    ]  # fmt: skip


_CALLED = {"keys": "keys", "expires": "keys that expire"}


def compare_loaded(row, databases):
    """Findings about a server that has loaded a snapshot: ``databases`` has the number of keys of each."""
    keys = sum(databases.values())
    return [] if keys == row["keys"] else ["Of {0} a server has {1} keys, not {2}.".format(row["file"], keys, row["keys"])]


def available_memory():
    """The memory that programs may still take on this host, in bytes; None where the kernel does not say (MemAvailable, Linux 3.14)."""
    try:
        with open("/proc/meminfo", encoding="ascii") as stream:
            rows = dict(line.split(":", 1) for line in stream)
        return int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def demand_memory(manifest, available):
    """Raises OpsError where a server could not hold the largest snapshot: whom the kernel ends then may be somebody else."""
    needed = int(max(row["memory_bytes"] for row in manifest["primaries"]) * MEMORY_FACTOR)
    if available is not None and available < needed:
        raise OpsError(
            "To load the largest snapshot takes {0} MiB of memory, and {1} MiB are available. Nothing was loaded. Do it on another host "
            "(copy {2} there), or at another time.".format(needed >> 20, available >> 20, os.path.join(manifest["name"], FOLDER))
        )
