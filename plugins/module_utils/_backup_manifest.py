# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a backup holds, written beside it, and what is held against it. Private: other collections must not import it.

That of a database is made in the same snapshot as the dump, so that whatever is restored from it can be compared with what there was.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import statistics

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import CACHE, DATABASE, STACK
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._zstd import is_whole

FILE, VERSION = "manifest.json", 1
DUMP, GLOBALS = "dump", "globals.sql"
CHUNK = 1024 * 1024
#: So many findings are told; more would hide the first.
MOST_FINDINGS = 20
_KEYS = {
    "version": int, "name": str, "kind": str, "purpose": str, "environment": str, "database": str, "snapshot_at": str, "seconds": float,
    "bytes": int, "database_bytes": int, "server_version": str, "encrypted": bool, "files": list,
}  # fmt: skip
_KEYS_OF_KIND: dict[str, dict[str, type]] = {
    DATABASE: {"tables": list, "objects": dict, "extensions": list, "properties": dict},
    CACHE: {"primaries": list},
    STACK: {"members": list},
}
# ``3411; 0 16389 TABLE DATA public drafts astral``: the number is also that of the file.
_LISTED = re.compile(r"(\d+); \d+ \d+ TABLE DATA (.+)")
_DUMPED_FROM = re.compile(r";\s+Dumped from database version: (\S+)")


def write_text(manifest):
    return json.dumps(manifest, indent=1, sort_keys=True) + "\n"


def sha256_of(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read(folder, expected_sha256=None):
    """-> (manifest, its hash). Raises OpsError with the finding when there is none, or it is not the one that was catalogued."""
    path = os.path.join(folder, FILE)
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        text = ""
    if text is None:
        raise OpsError("{0} is missing.".format(path))
    found = sha256_of(text)
    if expected_sha256 and found != expected_sha256:
        raise OpsError("{0} is not the manifest that was catalogued: its hash differs.".format(path))
    try:
        manifest = json.loads(text)
        keys = dict(_KEYS, **_KEYS_OF_KIND[manifest["kind"]])
        whole = all(isinstance(manifest[key], (float, int) if kind is float else kind) for key, kind in keys.items())
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise OpsError("{0} is no manifest of a backup.".format(path))
    return manifest, found


def file_hash(path, tick=lambda: None):
    """-> (bytes, sha256) of a file, read in chunks."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
            tick()
    return size, digest.hexdigest()


def compare_files(folder, manifest, tick=lambda: None):
    """Findings about the files of a backup: missing, altered, too many."""
    findings, expected = [], {entry["path"]: entry for entry in manifest["files"]}
    there = {
        os.path.relpath(os.path.join(parent, name), folder) for parent, _folders, names in os.walk(folder) for name in names
    } - {FILE}  # fmt: skip
    for path, entry in sorted(expected.items()):
        if path not in there:
            findings.append("{0} is missing.".format(path))
            continue
        size, sha256 = file_hash(os.path.join(folder, path), tick)
        if size != entry["bytes"]:
            findings.append("{0} has {1} bytes, not {2}.".format(path, size, entry["bytes"]))
        elif sha256 != entry["sha256"]:
            findings.append("{0} was altered: its hash differs.".format(path))
    findings += ["{0} does not belong to the backup.".format(path) for path in sorted(there - set(expected))]
    return findings


def compare_frames(folder, files):
    """Findings about compressed files that are cut off, whatever their hashes say. ``files``: lines of a manifest."""
    zstd = [entry["path"] for entry in files if entry["path"].endswith(".zst")]
    return [
        "{0} is cut off: what zstd wrote does not come to an end.".format(path) for path in zstd if not is_whole(os.path.join(folder, path))
    ]


def compare_sums(text, manifest, manifest_sha256):
    """Findings about a copy elsewhere, of which ``text`` is what ``sha256sum`` says. Its paths end in those of the manifest."""
    sums = [line.partition("  ") for line in text.replace(" *", "  ").split("\n") if "  " in line]
    findings = []
    for path, sha256 in [(FILE, manifest_sha256)] + [(entry["path"], entry["sha256"]) for entry in manifest["files"]]:
        found = {digest.lower() for digest, _space, name in sums if ("/" + name).endswith("/" + path)}
        if not found:
            findings.append("{0} did not arrive.".format(path))
        elif found != {sha256}:
            findings.append("{0} differs there.".format(path))
    return findings[:MOST_FINDINGS]


def listed_tables(listing):
    """From ``pg_restore --list``: (version of the server it was dumped from or None, [(number of the entry, "schema table owner")])."""
    version, tables = None, []
    for line in listing.split("\n"):
        match = _DUMPED_FROM.match(line)
        if match:
            version = match.group(1)
        match = _LISTED.match(line)
        if match:
            tables.append((int(match.group(1)), match.group(2)))
    return version, tables


def compare_listing(listing, manifest):
    """Findings about a dump's table of contents: another server's, or tables that are missing."""
    version, tables = listed_tables(listing)
    findings = []
    if version != manifest["server_version"]:
        findings.append("The dump is of a server of version {0}, the manifest of one of {1}.".format(version, manifest["server_version"]))
    lines = [line for _number, line in tables]
    for table in manifest["tables"]:
        # Names may hold spaces, and so may the owner's, which comes last: what is compared is the beginning.
        wanted = " ".join("{schema} {name} ".format(**table).split("\n"))
        if not any(line.startswith(wanted) for line in lines):
            findings.append("The dump's table of contents does not list the data of {schema}.{name}.".format(**table))
    return findings[:MOST_FINDINGS]


def compare_content(manifest, observed):
    """Findings about what was restored: ``observed`` has ``tables``, ``objects`` and ``extensions`` as the manifest has them."""
    findings = []
    there = {(table["schema"], table["name"]): table for table in observed["tables"]}
    for table in manifest["tables"]:
        found = there.pop((table["schema"], table["name"]), None)
        label = "{schema}.{name}".format(**table)
        if found is None:
            findings.append("The table {0} is missing.".format(label))
        elif found["rows"] != table["rows"]:
            findings.append("{0} has {1} rows, not {2}.".format(label, found["rows"], table["rows"]))
        elif table.get("checksum") is not None and found.get("checksum") != table["checksum"]:
            findings.append("The content of {0} differs, with the same number of rows.".format(label))
    findings += ["The table {0}.{1} should not be there.".format(*label) for label in sorted(there)]
    for what, number in sorted(manifest["objects"].items()):
        if observed["objects"].get(what) != number:
            findings.append("There are {0} {1}, not {2}.".format(observed["objects"].get(what), what, number))
    missing = {extension["name"] for extension in manifest["extensions"]} - {extension["name"] for extension in observed["extensions"]}
    findings += ["The extension {0} is missing.".format(name) for name in sorted(missing)]
    return findings[:MOST_FINDINGS]


def needed_bytes(database_bytes, factor, history):
    """How much space a backup may take: by how large the last ones (list of entries) were, and half as much again; else ``factor`` times
    the database."""
    known = [entry["bytes"] / entry["database_bytes"] for entry in history if entry["database_bytes"]]
    share = max(known) * 1.5 if known else factor
    return int(database_bytes * share)


def anomaly(bytes_now, history, factor):
    """A sentence when a backup is much smaller or larger than the last ones (list of entries), else None."""
    if len(history) < 3:
        return None
    median = statistics.median(entry["bytes"] for entry in history)
    if median / factor <= bytes_now <= median * factor:
        return None
    return "It has {0} bytes, {1} than the median of the last {2} ({3:.0f}). Was much deleted or added, or is something missing?".format(
        bytes_now, "less" if bytes_now < median else "more", len(history), median
    )
