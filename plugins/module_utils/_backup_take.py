# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a backup: dumped, described and read back. Private: other collections must not import it."""

from __future__ import annotations

import collections
import os
import re
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_load as loading
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import DATABASE
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_store import into_place, label
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import connection
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

AUTO = "auto"

#: What is asked for, as the module's options have it.
Order = collections.namedtuple("Order", "environment purpose jobs compression checksums role_passwords recipients lock_seconds")


def compress_option(major, compression):
    """What ``--compress`` is for servers of version ``major``. Before 16 there is gzip only, and its level is all that can be said."""
    if compression == AUTO:
        compression = "zstd:3" if major >= 16 else "gzip:6"
    method, _colon, level = compression.partition(":")
    if major >= 16:
        return compression
    if method not in ("gzip", "none"):
        raise OpsError("pg_dump of version {0} compresses with gzip only; {1} takes version 16 or newer.".format(major, method))
    return "0" if method == "none" else level or "6"


def dump_command(order, snapshot, folder, compress):
    # Names are read from its table of contents: in UTF-8, wherever the server can convert to that.
    convertible = snapshot.properties["encoding"] not in ("SQL_ASCII", "MULE_INTERNAL")
    encoding = ["--encoding=UTF8"] if convertible else []
    return [
        "pg_dump", "--format=directory", "--no-password", "--jobs={0}".format(order.jobs), "--snapshot={0}".format(snapshot.id),
        "--compress={0}".format(compress), "--lock-wait-timeout={0}s".format(order.lock_seconds), "--file={0}".format(folder),
        *encoding,
    ]  # fmt: skip


def why_no_dump(complaint):
    """What pg_dump's words mean, where they do not tell: a sentence, or nothing.

    Older servers call a snapshot that is not there an invalid identifier (PostgreSQL, ImportSnapshot in snapmgr.c).
    """
    if not re.search(r"snapshot \S+ does not exist|invalid snapshot identifier", complaint):
        return ""
    return (
        " The snapshot is one of the server behind login_host, and the tools reached another one. Say where they are beside it (service or "
        "container; backup_tools_service in the inventory), or how they reach it (tools_login_host, tools_login_port)."
    )


class Taking:
    """One backup, from the snapshot to the folder that has its name."""

    def __init__(self, order, snapshot, place, login, progress):
        self._order, self._snapshot, self._place, self._login, self._progress = order, snapshot, place, login, progress
        self._tick = progress.tick
        self.parts = {}

    def take(self, catalogue, entries, fence):
        """-> (the manifest, its hash). Whatever goes wrong, nothing of it stays behind, and no other backup is touched."""
        began = time.monotonic()

        def write(name, partial):
            with self._place.workspace(label(catalogue.folder)) as work:
                written, tables = self._write(partial, work)
                return self._describe(name, written, tables, time.monotonic() - began)

        return into_place(catalogue, entries, self._order.environment, self._order.purpose, fence, write)

    def _write(self, partial, work):
        """Dump, count, store and read back. -> (lines of the manifest, tables)"""
        place, recipients = self._place, self._order.recipients
        straight = place.direct and not recipients
        folder = os.path.join(partial, manifests.DUMP) if straight else "{0}/{1}".format(work, manifests.DUMP)
        environment = connection(place, self._login, work)
        with self._snapshot.counting(self._order.checksums) as counting:
            self._progress.phase("dumping", lambda: "{0} of {1} tables counted".format(counting.done, len(self._snapshot.tables)))
            with timed(self.parts, "dump_seconds"):
                self._dump(folder, environment)
            argv = [
                "pg_dumpall",
                "--globals-only",
                "--no-password",
                "--encoding=UTF8",
                "--database={0}".format(loading.connection_string(self._login["login_db"])),
            ]
            argv += [] if self._order.role_passwords else ["--no-role-passwords"]
            roles = place.must(argv, self._tick, environment)
            with timed(self.parts, "count_wait_seconds"):
                tables = counting.result(self._tick)
            self.parts["count_seconds"] = round(counting.seconds, 3)
        self._progress.phase("reading it back")
        with timed(self.parts, "verify_seconds"):
            listing = loading.list_dump(place, folder, self._tick)
            reading = loading.start_decoding(place, folder, listing, {}, self._order.jobs, work)
            # Meanwhile, on the other core.
            try:
                written = self._store(partial, folder, straight, recipients)
            finally:
                loading.finish_decoding(place, reading, self._tick)
        written.append(files.store(partial, manifests.GLOBALS, [roles], recipients, self._tick))
        findings = manifests.compare_listing(listing, {"server_version": self._snapshot.server["version"], "tables": tables})
        findings += manifests.compare_frames(partial, written)
        if findings:
            raise OpsError("The dump is not what the database holds: {0} Try again.".format(" ".join(findings)))
        return written, tables

    def _dump(self, folder, environment):
        major = self._snapshot.server["major"]
        compress = compress_option(major, self._order.compression)
        done = self._place.run(dump_command(self._order, self._snapshot, folder, compress), self._tick, environment)
        if done.code and self._order.compression == AUTO and "compress" in done.complaint and "support" in done.complaint:
            # A build without zstd.
            compress = compress_option(15, AUTO)
            done = self._place.run(dump_command(self._order, self._snapshot, folder, compress), self._tick, environment)
        if done.code:
            raise OpsError(
                "pg_dump failed on {0} (exit code {1}): {2}.{3} Nothing was kept of it, and the older backups are as they were.".format(
                    self._place.name, done.code, last_words(done.complaint), why_no_dump(done.complaint)
                )
            )
        self.compression = compress if major >= 16 else "gzip:" + compress

    def _store(self, partial, folder, straight, recipients):
        if straight:
            return [files.adopt(partial, os.path.join(manifests.DUMP, name), self._tick) for name in sorted(os.listdir(folder))]
        found = []
        for name, _size, chunks in self._place.get(folder):
            found.append(files.store(partial, os.path.join(manifests.DUMP, name), chunks, recipients, self._tick))
        return found

    def _describe(self, name, written, tables, seconds):
        snapshot, order = self._snapshot, self._order
        return {
            "version": manifests.VERSION, "name": name, "kind": DATABASE, "purpose": order.purpose, "environment": order.environment,
            "database": snapshot.server["database"], "snapshot_at": to_iso(snapshot.taken_at), "seconds": round(seconds, 3),
            "parts": self.parts, "bytes": sum(line["bytes"] for line in written), "database_bytes": snapshot.server["database_bytes"],
            "server_version": snapshot.server["version"], "server_preload": snapshot.server["preload"], "compression": self.compression,
            "encrypted": bool(order.recipients), "role_passwords": order.role_passwords, "tables": tables, "objects": snapshot.objects,
            "extensions": snapshot.extensions, "properties": snapshot.properties, "files": sorted(written, key=lambda line: line["path"]),
        }  # fmt: skip
