# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What verifying a backup of any kind has in common. Private: other collections must not import it.

What is found speaks against the backup. What keeps from looking (no tools, no engine, no key) is an OpsError, and says nothing of it.
"""

from __future__ import annotations

import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_metrics as metrics
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import FAIL, PASS, age_seconds
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_store import label
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

#: The options of a module that verifies, but for how it reads the backup.
SPEC = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "default": catalogues.LATEST},
    "environment": {"type": "str"},
    "database": {"type": "str"},
    "level": {"type": "str", "choices": list(catalogues.LEVELS), "default": catalogues.CHECKSUM},
    "max_age_seconds": {"type": "int"},
    "metrics_path": {"type": "path"},
    "progress_path": {"type": "path"},
}
RESULT = {
    "verdict": "inconclusive", "name": None, "level": None, "findings": [], "bad": False, "too_old": False, "data_age_seconds": None,
    "restore_seconds": None, "parts": {},
}  # fmt: skip


def new_check(level, entry, now):
    """How a verification stands before anything was looked at."""
    return {
        "at": to_iso(now), "level": level, "verdict": PASS, "findings": [], "seconds": 0.0, "parts": {},
        "restore_seconds": None, "data_age_seconds": int(age_seconds(entry, now)),
    }  # fmt: skip


def is_in_place(manifest, place):
    """Whether the tools can read the dump where it lies."""
    return place.direct and not manifest["encrypted"]


def brought_bytes(manifest, place):
    """What the dump takes where the tools are."""
    return 0 if is_in_place(manifest, place) else sum(line["plain_bytes"] for line in manifest["files"])


class Verification:
    """One verification of one backup. ``check`` is what becomes of it."""

    def __init__(self, folder, entry, level, progress, now, identity=None):
        self._folder, self._entry, self._level, self._identity = folder, entry, level, identity
        self._progress, self._tick = progress, progress.tick
        self.check = new_check(level, entry, now)
        #: Of whatever it makes where the tools are: what is found by it was left behind by one who died.
        self.label = label(os.path.dirname(folder), "verification")
        self._parts = self.check["parts"]

    def files(self):
        """Compare hashes. -> the manifest, or None when something is wrong already"""
        self._progress.phase("comparing hashes")
        with timed(self._parts, "hash_seconds"):
            try:
                manifest, _sha256 = manifests.read(self._folder, self._entry["manifest_sha256"])
            except OpsError as error:
                self._found([error.message])
                return None
            self._found(manifests.compare_files(self._folder, manifest, self._tick))
            if not self.check["findings"]:
                self._found(manifests.compare_frames(self._folder, manifest["files"]))
            return None if self.check["findings"] else manifest

    def _demand_room(self, manifest, place, restored_bytes):
        """Raises OpsError where the files would not fit, and what is made of them: a disk that is full harms more than this."""
        needed = brought_bytes(manifest, place) + restored_bytes
        free = place.free_bytes(place.work_dir) if needed else 0
        if free < needed:
            raise OpsError(
                "To verify it takes {0} MiB in {1} on {2}, which has {3} MiB free. Nothing was looked at. Make room, or name another "
                "folder as work_dir.".format(needed >> 20, place.work_dir, place.name, free >> 20)
            )

    def _bring(self, manifest, place, work, below):
        """The folder ``below`` of the backup, as the tools in ``place`` see it: brought to ``work`` there where it has to be. None when it
        turns out to be unreadable."""
        if is_in_place(manifest, place):
            return os.path.join(self._folder, below)
        self._progress.phase("bringing it to the tools")
        with timed(self._parts, "bring_seconds"):
            try:
                place.put(work, files.members(self._folder, manifest, below, self._identity))
            except ValueError as error:
                # The hashes were right a moment ago.
                self._found(["The backup changed while it was read: {0}.".format(error)])
                return None
        return "{0}/{1}".format(work, below)

    def conclude(self, started):
        self.check["seconds"] = round(time.monotonic() - started, 3)
        return self.check

    def _found(self, findings):
        self.check["findings"] = (self.check["findings"] + findings)[: manifests.MOST_FINDINGS]
        if self.check["findings"]:
            self.check["verdict"] = FAIL


def verify_and_note(module, result, kind, verify):
    """The work of a module with the options SPEC: find the backup, have ``verify(catalogue, entry)`` give its check, and note that."""
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    result["level"] = params["level"]
    entry = catalogues.find(catalogue.read(), params["name"], kind, params["environment"], params["database"])
    age = int(age_seconds(entry, time.time()))
    result.update(name=entry["name"], bad=bool(entry["bad"]), data_age_seconds=age)
    result["too_old"] = params["max_age_seconds"] is not None and age > params["max_age_seconds"]
    if module.check_mode:
        catalogue.demand_free("verification")
        result["changed"] = True
        return
    with catalogue.alone("verification"):
        check = verify(catalogue, entry)
    module.fence()
    with catalogue.changing(metrics.teller(params["metrics_path"])) as entries:
        entry = catalogues.find(entries, entry["name"], kind)
        catalogues.record_check(entry, params["level"], check)
        result["changed"] = True
        for key in ("findings", "restore_seconds", "parts"):
            result[key] = check[key]
        result["bad"] = bool(entry["bad"])
        result["verdict"] = FAIL if result["too_old"] else check["verdict"]
