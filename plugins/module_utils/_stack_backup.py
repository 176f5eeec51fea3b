# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup of a whole stack: backups of its database and its cache, and files of its hosts, as one set. Private: other collections must
not import it."""

from __future__ import annotations

import collections
import os
import re
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_files as stack_files
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import STACK
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import Verification
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_store import into_place
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

FOLDER = "files"
#: What is asked for, as the module's options have it. ``database``: what the stack is called in the catalogue.
Order = collections.namedtuple("Order", "environment database purpose recipients")
#: Files of one ``part`` of one ``host``: the ``data`` as _stack_files.pack has it, and its ``entries``.
Archive = collections.namedtuple("Archive", "host part data entries")
_NAME = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9_.:@+\[\]-]*", re.ASCII)


def file_of(part, host):
    return "{0}/{1}/{2}.tar.gz".format(FOLDER, part, host)


def read_archives(found):
    """``found``: (host, part, data) of each. Raises OpsError for what cannot be kept."""
    archives, names = [], set()
    for host, part, data in found:
        for what in (host, part):
            if not _NAME.fullmatch(what):
                raise OpsError("{0!r} cannot be the name of a file, which it is to be. Use letters, digits, dots and hyphens.".format(what))
        if (host, part) in names:
            raise OpsError("{0} of {1} is given twice. Name its paths in one item.".format(part, host))
        names.add((host, part))
        try:
            archives.append(Archive(host, part, data, stack_files.unpack(data)))
        except stack_files.Unreadable as error:
            raise OpsError("The files of {0} of {1} cannot be kept: {2}. Collect them again.".format(part, host, error))
    return archives


def choose_members(entries, names, to_come=frozenset().__contains__):
    """The entries with those names. ``to_come(name)``: whether it is one that a run would take. Raises OpsError."""
    found = []
    for name in names:
        entry = next((entry for entry in entries if entry["name"] == name and entry["kind"] != STACK), None)
        if entry is None and to_come(name):
            continue
        if entry is None:
            raise OpsError("The catalogue lists no backup {0} that a set could have as a member. Take it first.".format(name))
        if entry["bad"]:
            raise OpsError("{0} is marked bad, and no member of a set: {1} Take another one.".format(name, entry["bad"]["reason"]))
        found.append(entry)
    return found


def take(order, members, archives, catalogue, fence, tick):
    """Write the set. -> (the manifest, its hash, where the time went). ``members``: entries; ``archives``: list of Archive."""
    began, parts = time.time(), {}

    def write(name, partial):
        with timed(parts, "write_seconds"):
            written = [
                files.store(partial, file_of(archive.part, archive.host), [archive.data], order.recipients, tick) for archive in archives
            ]
        return _describe(order, name, members, archives, written, began, parts)

    return (*into_place(catalogue, catalogue.read(), order.environment, order.purpose, fence, write), parts)


def _describe(order, name, members, archives, written, began, parts):
    rows = [
        {"host": archive.host, "part": archive.part, "file": file_of(archive.part, archive.host),
         "files": [stack_files.row(entry, not order.recipients) for entry in archive.entries]}
        for archive in archives
    ]  # fmt: skip
    return {
        "version": manifests.VERSION, "name": name, "kind": STACK, "purpose": order.purpose, "environment": order.environment,
        "database": order.database, "snapshot_at": min([to_iso(began)] + [entry["snapshot_at"] for entry in members]),
        "seconds": round(time.time() - began + sum(entry["seconds"] for entry in members), 3), "parts": parts,
        "bytes": sum(line["bytes"] for line in written),
        "database_bytes": sum(one["bytes"] for row in rows for one in row["files"]),
        "server_version": "", "encrypted": bool(order.recipients),
        "members": [{key: entry[key] for key in ("kind", "name", "database", "manifest_sha256", "snapshot_at")} for entry in members],
        "archives": rows, "files": sorted(written, key=lambda line: line["path"]),
    }  # fmt: skip


def stored(folder, manifest, identity):
    """Yields each archive of a set with its row in the manifest: (row, bytes). Raises OpsError."""
    found = {name: chunks for name, _size, chunks in files.members(folder, manifest, FOLDER, identity)}
    for line in manifest["archives"]:
        yield line, b"".join(found[line["file"]])


def refuse_altered(folder, manifest):
    """Raises OpsError when the set is not what was written."""
    findings = manifests.compare_files(folder, manifest)
    if findings:
        raise OpsError("{0} is not what was written, and nothing was taken from it: {1} See what else: backup_verify.".format(
            manifest["name"], " ".join(findings[:5])))  # fmt: skip


class SetVerification(Verification):
    """Of a set: its own files, and what is known of its members."""

    def archives(self, manifest):
        """Hold every archive against what the manifest says of its files."""
        with timed(self._parts, "read_seconds"):
            for line, data in stored(self._folder, manifest, self._identity):
                self._tick()
                try:
                    entries = stack_files.unpack(data)
                except stack_files.Unreadable as error:
                    self._found(["{0} cannot be read: {1}.".format(line["file"], error)])
                    continue
                self._found(compare_rows(line, [stack_files.row(entry, not manifest["encrypted"]) for entry in entries]))

    def members(self, manifest, catalogue):
        """Hold every member against the catalogue. Raises OpsError for one that nobody has verified at that level."""
        entries, seconds = {entry["name"]: entry for entry in catalogue.read()}, 0.0
        for member in manifest["members"]:
            entry = entries.get(member["name"])
            finding = flaw_of(member, entry, catalogue.path_of(entry) if entry else None)
            if finding:
                self._found([finding])
                continue
            if not catalogues.passed(entry, self._level):
                raise OpsError(
                    "{0} was not verified ({1}), so nothing is known of the set. Verify it first: backup_verify -e backup_kind={2} "
                    "-e backup_name={0} -e backup_verify_level={1}".format(member["name"], self._level, member["kind"])
                )
            seconds += (entries[member["name"]]["checks"][catalogues.RESTORE] or {}).get("restore_seconds") or 0.0
        if self._level == catalogues.RESTORE:
            self.check["restore_seconds"] = round(seconds, 3)


def compare_rows(line, there):
    """Findings about one archive (``line`` of the manifest): ``there`` are the rows of what is in it."""
    expected, found = ({row["path"]: row for row in rows} for rows in (line["files"], there))
    findings = ["{0} has no {1}.".format(line["file"], path) for path in sorted(set(expected) - set(found))]
    findings += ["{0} has {1}, which the manifest does not know.".format(line["file"], path) for path in sorted(set(found) - set(expected))]
    differing = [path for path in sorted(set(expected) & set(found)) if expected[path] != found[path]]
    return findings + ["{0} in {1} is not what the manifest says.".format(path, line["file"]) for path in differing]


def flaw_of(member, entry, folder):
    """What speaks against a member (of the manifest), a sentence or None. ``entry`` is that of the catalogue, None when it has none."""
    what = "{0}, its {1} backup,".format(member["name"], member["kind"])
    if entry is None or entry["kind"] != member["kind"] or not os.path.isdir(folder):
        return "{0} is not there any more.".format(what)
    if entry["manifest_sha256"] != member["manifest_sha256"]:
        return "{0} is another one than when the set was taken: its manifest differs.".format(what)
    if entry["bad"]:
        return "{0} is bad: {1}".format(what, entry["bad"]["reason"])
    try:
        manifests.read(folder, member["manifest_sha256"])
    except OpsError as error:
        return "{0} is altered: {1}".format(what, error.message)
    return None
