# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifying a backup: by its hashes and by reading all of it, or by restoring it. Private: other collections must not import it.

What is found speaks against the backup. What keeps from looking (no tools, no engine, no key) is an OpsError, and says nothing of it.
"""

from __future__ import annotations

import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_load as loading
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import RESTORE
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import Verification
from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import observe
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_throwaway import throwaway
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed

RESTORED = "restored"


def major_of(version):
    return int(version.split(".")[0])


class DumpVerification(Verification):
    """Of the dump of a database."""

    def __init__(self, folder, entry, level, jobs, progress, now, identity=None, queries=()):
        super().__init__(folder, entry, level, progress, now, identity)
        self._jobs, self._queries = jobs, queries

    def dump(self, manifest, place):
        """Read the dump with the tools in ``place``, and restore it where that is asked for."""
        with place.workspace(self.label) as work:
            try:
                folder = self.look(manifest, place, work)
                if self._level == RESTORE and folder:
                    self._restore(manifest, place, folder)
            except loading.Unreadable as error:
                self._found([error.message])

    def look(self, manifest, place, work):
        """Bring the dump to the tools in ``place``, and have them read all of it. -> its folder as they see it, or None when something is
        wrong with it"""
        place.demand_major("pg_restore", self._tick)
        self._demand_room(manifest, place, manifest["database_bytes"] if self._level == RESTORE else 0)
        folder = self._bring(manifest, place, work, manifests.DUMP)
        if folder:
            try:
                with timed(self._parts, "read_seconds"):
                    self._read(manifest, place, folder, work)
            except loading.Unreadable as error:
                self._found([error.message])
        return None if self.check["findings"] else folder

    def _read(self, manifest, place, folder, work):
        self._progress.phase("reading all of it")
        listing = loading.list_dump(place, folder, self._tick)
        self._found(manifests.compare_listing(listing, manifest))
        sizes = {os.path.basename(line["path"]).partition(".")[0]: line["bytes"] for line in manifest["files"]}
        loading.finish_decoding(place, loading.start_decoding(place, folder, listing, sizes, self._jobs, work), self._tick)

    def _restore(self, manifest, place, folder):
        self._progress.phase("starting a throw-away server")
        begun = time.monotonic()
        with throwaway(place, manifest["server_preload"], self._tick, self.label) as server:
            self._parts["server_seconds"] = round(time.monotonic() - begun, 3)
            self._progress.phase("restoring")
            with timed(self._parts, "load_seconds"):
                self._roles(manifest, server)
                self._must(server, loading.create_database_sql(RESTORED, manifest["properties"]))
                loading.load(place, server.environment, folder, RESTORED, self._jobs, self._tick, ["--no-tablespaces"])
            self.check["restore_seconds"] = self._parts["load_seconds"]
            self.compare(manifest, server, RESTORED)
            self._progress.phase("checking heaps and indexes")
            with timed(self._parts, "amcheck_seconds"):
                self._amcheck(place, server)
            self.ask_queries(server, RESTORED)

    def compare(self, manifest, server, database):
        """Hold what was restored into ``database`` of ``server`` (Session) against the manifest."""
        self._progress.phase("comparing with the manifest")
        with timed(self._parts, "compare_seconds"):
            checksums = any(table["checksum"] is not None for table in manifest["tables"])
            self._found(manifests.compare_content(manifest, observe(lambda questions: server.ask(questions, database), checksums)))

    def globals(self, manifest):
        """The roles that were saved with the database, as SQL."""
        found = files.members(self._folder, manifest, manifests.GLOBALS, self._identity)
        return b"".join(chunk for _name, _size, chunks in found for chunk in chunks).decode("utf-8")

    def _roles(self, manifest, server):
        """Make the roles that own what is restored. Tablespaces have no folders here; what is missed of roles, the restore itself says."""
        server.run_sql(self.globals(manifest), stop=False)

    def _must(self, server, sql):
        done = server.run_sql(sql + ";\n")
        if done.code:
            raise loading.failure("The database could not be made as it was", server.place, done)

    def _amcheck(self, place, server):
        argv = ["pg_amcheck", "--no-password", "--install-missing", "--jobs={0}".format(self._jobs), "--database=" + RESTORED]
        done = place.run(argv, self._tick, server.environment)
        if done.code:
            said = last_words(done.output.decode("utf-8", "replace") + "\n" + done.complaint)
            if done.code != 2:
                raise OpsError("pg_amcheck failed on {0}: {1}".format(place.name, said))
            self._found(["pg_amcheck found damage in the restored database: {0}".format(said)])

    def ask_queries(self, server, database):
        """The application's own questions: each must say true."""
        with timed(self._parts, "query_seconds"):
            for query in self._queries:
                done = server.run_sql(query.rstrip().rstrip(";") + ";\n", database)
                said = done.output.decode("utf-8", "replace").strip().split("\n")[0]
                if done.code:
                    self._found(["The query {0!r} failed: {1}".format(query, last_words(done.complaint))])
                elif said not in ("t", "true"):
                    self._found(["The query {0!r} gave {1!r}, not true.".format(query, said)])
