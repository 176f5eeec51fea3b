# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a backup of any kind comes into the folder of backups: aside first, and whole. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import ORDINARY, PARTIAL, backup_name, entry_of, select
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import sync_folder, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

HISTORY = 5


def label(folder, what="backup"):
    """What tells the workspaces of one folder of backups from those of another. ``what``: as Catalogue.alone has it."""
    return what + "-" + hashlib.sha256(os.path.realpath(folder).encode("utf-8")).hexdigest()[:10]


def into_place(catalogue, entries, environment, purpose, fence, write):
    """Have ``write(name, folder)`` fill a folder aside and describe it; then it gets its name. -> (the manifest, its hash)

    Whatever goes wrong, nothing of it stays behind, and no other backup is touched. ``fence()`` raises when the lock has been lost.
    """
    name = _free_name(catalogue, entries, environment, purpose)
    partial = os.path.join(catalogue.folder, PARTIAL + name)
    os.mkdir(partial, 0o700)
    try:
        manifest = write(name, partial)
        text = manifests.write_text(manifest)
        write_atomically(os.path.join(partial, manifests.FILE), text)
        files.sync_tree(partial)
        fence()
        os.rename(partial, os.path.join(catalogue.folder, name))
        sync_folder(catalogue.folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return manifest, manifests.sha256_of(text)


def _free_name(catalogue, entries, environment, purpose):
    """A name that no backup has; two within one second wait for the next one."""
    while True:
        name = backup_name(environment, utc_now(), purpose)
        if name not in {entry["name"] for entry in entries} and not os.path.lexists(os.path.join(catalogue.folder, name)):
            return name
        time.sleep(0.2)


def history(catalogue, kind, environment, database):
    """The last ordinary backups (entries) of the same, newest first, by whose sizes the next one is judged."""
    entries = select(catalogue.read(), kind, environment, database, ORDINARY)
    return [entry for entry in entries if not entry["bad"]][:HISTORY]


def enlist(catalogue, manifest, sha256, teller):
    """List a backup that is in its place, and whole ones that nobody listed. -> (its entry, the names of those)"""
    with catalogue.changing(teller) as entries:
        entry = entry_of(manifest, sha256, time.time())
        adopted = adopt_strays(catalogue, entries, time.time(), but=entry["name"])
        entries.append(entry)
    return entry, adopted


def left_behind(catalogue, place):
    """What somebody who died left: (folders beside the backups, workspaces of the tools). The caller holds the lock "backup", and has no
    ``place`` where no tools are used."""
    partials = [os.path.join(catalogue.folder, name) for name in catalogue.folders()[1]]
    return partials, place.leftovers(label(catalogue.folder)) if place else []


def clear(catalogue, place, fence):
    """Remove what somebody who died left. -> its paths"""
    partials, workspaces = left_behind(catalogue, place)
    if partials or workspaces:
        fence()
        remove_left_behind(partials, workspaces, place)
    return partials + workspaces


def remove_left_behind(partials, workspaces, place):
    for folder in partials:
        shutil.rmtree(folder)
    if workspaces:
        place.remove(workspaces)


def adopt_strays(catalogue, entries, now, but=None):
    """Add to ``entries`` the whole backups that no entry lists: of somebody who died between the last two steps, or of a lost catalogue.
    -> the names added, of which ``but`` is none"""
    added = []
    for name in catalogue.strays(entries)[0]:
        if name == but:
            continue
        with contextlib.suppress(OpsError):
            manifest, sha256 = manifests.read(os.path.join(catalogue.folder, name))
            if manifest["name"] == name:
                entries.append(entry_of(manifest, sha256, now))
                added.append(name)
    return added


def refuse_without_space(needed, rooms):
    """``rooms``: (what, free bytes) of every file system that the backup passes through. Raises OpsError with the numbers."""
    for what, free in rooms:
        if free < needed:
            raise OpsError(
                "A backup may take {0} MiB, and {1} has {2} MiB free. Make room (postgres_backup_prune), or lower space_factor.".format(
                    needed >> 20, what, free >> 20
                )
            )
