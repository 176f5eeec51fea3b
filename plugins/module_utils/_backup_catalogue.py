# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue of backups, the only source of their names. Private: other collections must not import it.

One JSON file in the folder of the backups. An entry says of a backup what one needs to choose it: whose it is, how old its data is, which
verifications it passed, and whether it is bad. What it holds is in its own manifest. A backup's folder has its name; what is being written
has another (``.partial-<name>``), so that whatever is listed is whole.
"""

from __future__ import annotations

import contextlib
import datetime
import difflib
import json
import os
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import exclusive, is_held, read_text, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

FILE, VERSION = "catalog.json", 1
PARTIAL = ".partial-"
LATEST = "latest"
DATABASE, CACHE, STACK = KINDS = ("database", "cache", "stack")
ORDINARY, SAFETY, RECOVERED = "ordinary", "safety", "recovered"
PURPOSES = (ORDINARY, SAFETY, RECOVERED)
CHECKSUM, RESTORE = "checksum", "restore"
#: From the weaker to the stronger: who has restored a backup knows that it can be read, too.
LEVELS = (CHECKSUM, RESTORE)
PASS, FAIL = "pass", "fail"
_PREFIX = {ORDINARY: "backup", SAFETY: "safety", RECOVERED: "recovered"}
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}", re.ASCII)
_TIME = "%Y%m%d_%H%M%S"
_NAME = re.compile(r"(?:{0})_{1}_(\d{{8}}_\d{{6}})".format("|".join(_PREFIX.values()), _ENVIRONMENT.pattern), re.ASCII)
#: So long the name that check mode gave a backup stands for one that the run would take.
NEXT_SECONDS = 3600.0
NOTHING = dict.fromkeys(("tables", "rows", "primaries", "key_count", "members"))
#: What a backup's own manifest says of it, in the words of the catalogue.
FACTS = (
    "name", "kind", "purpose", "environment", "database", "snapshot_at", "seconds", "bytes", "database_bytes", "server_version",
    "encrypted",
)  # fmt: skip


def backup_name(environment, moment, purpose=ORDINARY):
    """``backup_production_20231215_020000``: the runbook's. ``moment`` is an aware datetime in UTC."""
    if not _ENVIRONMENT.fullmatch(environment):
        raise OpsError(
            "{0!r} is no name of an environment: it becomes part of the backup's. Use letters, digits, dots and hyphens.".format(
                environment
            )
        )
    return "{0}_{1}_{2:{3}}".format(_PREFIX[purpose], environment, moment, _TIME)


def may_be_next(entries, name, now):
    """Whether ``name`` is one that check mode gave a backup that is not taken: of the last hour, and newer than all that are listed."""
    match = _NAME.fullmatch(name)
    if not match or any(entry["name"] == name for entry in entries):
        return False
    try:
        moment = datetime.datetime.strptime(match.group(1), _TIME).replace(tzinfo=datetime.timezone.utc).timestamp()
    except ValueError:
        return False
    return 0 <= now - moment < NEXT_SECONDS and all(from_iso(entry["snapshot_at"]).timestamp() < moment for entry in entries)


def entry_of(manifest, manifest_sha256, now):
    """The entry of a backup that nobody has verified yet, from its manifest (dict)."""
    entry = {fact: manifest[fact] for fact in FACTS}
    entry.update(
        contents_of(manifest),
        catalogued_at=to_iso(now),
        manifest_sha256=manifest_sha256,
        checks=dict.fromkeys(LEVELS),
        bad=None,
        offsite=None,
    )
    return entry


def contents_of(manifest):
    """How much a backup holds, in the measures of its kind; the others are None."""
    found = dict(NOTHING)
    if manifest["kind"] == DATABASE:
        found.update(tables=len(manifest["tables"]), rows=sum(table["rows"] for table in manifest["tables"]))
    elif manifest["kind"] == CACHE:
        found.update(primaries=len(manifest["primaries"]), key_count=sum(primary["keys"] for primary in manifest["primaries"]))
    else:
        found.update(members=[member["name"] for member in manifest["members"]])
    return found


def passed(entry, level):
    """Whether the last verification of that level, or a stronger one, found nothing."""
    found = [entry["checks"][name] for name in LEVELS[LEVELS.index(level) :]]
    return not entry["bad"] and any(check and check["verdict"] == PASS for check in found)


def is_verified(entry):
    """A backup that has not been restored once is not called verified."""
    return passed(entry, RESTORE)


def newest_first(entries):
    return sorted(entries, key=lambda entry: (entry["snapshot_at"], entry["name"]), reverse=True)


def group_of(entry):
    """What an entry is a backup of: those of one group replace each other."""
    return (entry["kind"], entry["environment"], entry["database"])


def select(entries, kind=None, environment=None, database=None, purpose=None):
    """The entries of that kind and so on (None: of any), newest first."""
    wanted = {"kind": kind, "environment": environment, "database": database, "purpose": purpose}
    return newest_first(entry for entry in entries if all(value is None or entry[key] == value for key, value in wanted.items()))


def latest(entries, kind, environment=None, database=None):
    """The newest ordinary backup that is not marked bad, or None. Only an ordinary one is ever the latest."""
    return next((entry for entry in select(entries, kind, environment, database, ORDINARY) if not entry["bad"]), None)


def find(entries, name, kind, environment=None, database=None):
    """The entry with that name, or the latest one. Raises OpsError with what there is instead."""
    if name == LATEST:
        entry = latest(entries, kind, environment, database)
        if entry:
            return entry
        bad = [entry["name"] for entry in select(entries, kind, environment, database, ORDINARY)]
        raise OpsError(
            "There is no backup that could be the latest: {0}. Take one with the playbook backup.".format(
                "all of them are marked bad ({0})".format(", ".join(bad[:3]))
                if bad
                else "the catalogue lists no ordinary {0} backup".format(kind)
            )
        )
    found = next((entry for entry in entries if entry["name"] == name and entry["kind"] == kind), None)
    if not found:
        names = [entry["name"] for entry in select(entries, kind)]
        near = difflib.get_close_matches(name, names, 3) or names[:3]
        raise OpsError(
            "The catalogue lists no {0} backup {1}. {2}".format(
                kind,
                name,
                "There are, for example: {0}. The playbook backup_list shows all.".format(", ".join(near)) if near else "It is empty.",
            )
        )
    return found


def record_check(entry, level, check):
    """Note how a verification (dict of ``at``, ``verdict``, ``findings`` and more) went. What failed marks the backup bad, and what passed
    at the level that found it bad, or a stronger one, takes the mark away."""
    entry["checks"][level] = check
    if check["verdict"] == FAIL:
        entry["bad"] = {"at": check["at"], "level": level, "reason": " ".join(check["findings"])[:500]}
    elif entry["bad"] and LEVELS.index(entry["bad"]["level"]) <= LEVELS.index(level):
        entry["bad"] = None


def age_seconds(entry, now):
    """How old the data in a backup is, in seconds."""
    return now - from_iso(entry["snapshot_at"]).timestamp()


class Catalogue:
    """The file, in the folder of the backups."""

    def __init__(self, folder):
        self.folder, self.path = folder, os.path.join(folder, FILE)

    def read(self):
        """The entries. Raises OpsError when the file is damaged."""
        text = read_text(self.path)
        if text is None:
            return []
        try:
            held = json.loads(text)
            entries, version = held["backups"], held["version"]
            if version > VERSION:
                raise OpsError("{0} was written by a newer version of this collection ({1}). Use that one.".format(self.path, version))
            if all(isinstance(entry["checks"], dict) and isinstance(entry["name"], str) for entry in entries):
                return [dict(NOTHING, **entry) for entry in entries]
        except (ValueError, KeyError, TypeError):
            pass
        raise OpsError(
            "{0} is damaged: it does not hold what this collection writes. The backups are untouched. Move it away, and the next "
            "backup lists again, from their own manifests, all that are whole; they count as not verified then.".format(self.path)
        )

    @contextlib.contextmanager
    def changing(self, then=None):
        """The entries to change in place (list), written when the block ends well. Nobody else changes them meanwhile, nor before
        ``then(entries)`` has told of them: what is told is never older than what was told before."""
        with exclusive(self.path + ".lock"):
            entries = self.read()
            yield entries
            held = {"version": VERSION, "backups": sorted(entries, key=lambda entry: entry["name"])}
            write_atomically(self.path, json.dumps(held, indent=1, sort_keys=True) + "\n")
            if then:
                then(entries)

    def path_of(self, entry):
        return os.path.join(self.folder, entry["name"])

    def folders(self):
        """What lies in the folder: (names of backups, names of what was left half-way)."""
        try:
            names = sorted(name for name in os.listdir(self.folder) if os.path.isdir(os.path.join(self.folder, name)))
        except FileNotFoundError:
            names = []
        return [name for name in names if not name.startswith(".")], [name for name in names if name.startswith(PARTIAL)]

    def strays(self, entries):
        """(names of folders that no entry lists, names of entries without a folder)."""
        listed, there = {entry["name"] for entry in entries}, set(self.folders()[0])
        return sorted(there - listed), sorted(listed - there)

    @contextlib.contextmanager
    def alone(self, what):
        """Hold the folder for ``what`` ("backup", "verification"): the kernel lets go when the process dies. Raises OpsError when taken."""
        try:
            with exclusive(self._lock_of(what), timeout=1.0):
                yield
        except TimeoutError:
            raise self._taken(what)

    def demand_free(self, what):
        """Raises OpsError where :meth:`alone` would. Changes nothing: for check mode."""
        if is_held(self._lock_of(what)):
            raise self._taken(what)

    def _lock_of(self, what):
        return os.path.join(self.folder, ".{0}.lock".format(what))

    def _taken(self, what):
        return OpsError(
            "Another {0} is under way in {1}. Wait for it; should it hang, end its process: fuser -v {2}".format(
                what, self.folder, self._lock_of(what)
            )
        )
