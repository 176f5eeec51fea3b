# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where incidents are kept: a folder each, with ``incident.json`` and ``timeline.jsonl``. Private: other collections must not import it.

An entry is on the disk in the timeline before the record says so; a record that was not written because somebody died is what its timeline
makes of it (see `_incident`), and is written by the next one who writes anything.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident, _incidents
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import (
    append_line,
    exclusive,
    read_lines,
    sync_folder,
    write_atomically,
)

TIMELINE = "timeline.jsonl"
MUTEX = ".mutex"
#: ``record`` is the record as it is, ``entries`` its timeline, ``damaged`` the numbers of its lines that are none; ``behind`` says that
#: ``incident.json`` lacks something of it.
Kept = collections.namedtuple("Kept", "record entries damaged behind")
#: What is to be done: to the Kept ``of`` (None: a new one), an ``entry`` (None: nothing).
Step = collections.namedtuple("Step", "of entry")


class IncidentFiles:
    """The folder of all incidents. Writers hold a kernel lock in it; readers need none."""

    def __init__(self, folder):
        self.folder = folder

    def read(self):
        """``(incidents, paths)``: each incident as a Kept, by id, and the paths of what cannot be read."""
        kept, unreadable = [], []
        for name in self._names():
            try:
                one = self._read_one(name)
            except (OSError, ValueError):
                unreadable.append(_incidents.path_of(self.folder, name))
                continue
            if one:
                kept.append(one)
        return kept, unreadable

    def _names(self):
        try:
            return sorted(name for name in os.listdir(self.folder) if os.path.isdir(os.path.join(self.folder, name)))
        except FileNotFoundError:
            return []

    def _read_one(self, name):
        """A Kept, or None when the folder holds none. Raises ValueError or OSError when neither file says what it is."""
        entries, damaged = read_lines(self._timeline(name))
        snapshot, broken = None, None
        try:
            snapshot = _incidents.snapshot(self.folder, name)
        except ValueError as error:
            broken = error
        try:
            record = _incident.record_of(snapshot, entries)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(str(error))
        # A record that is broken is what its timeline says, if that is there from the first entry on.
        if broken and not (record and [entry.get("revision") for entry in entries[:1]] == [1]):
            raise ValueError(str(broken))
        if record is None:
            return None
        return Kept(record, entries, damaged, snapshot is None or record["revision"] != snapshot.get("revision"))

    def _timeline(self, name):
        return os.path.join(self.folder, name, TIMELINE)

    def change(self, plan, write=True):
        """Do what ``plan(incidents, names) -> Step`` says, under the kernel lock; unless told not to, without writing.

        ``names`` are those of all folders, readable or not. -> ``(record before or None, record after or None)``
        """
        if not write:
            return self._apply(plan, False)
        new = not os.path.isdir(self.folder)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        if new:
            sync_folder(os.path.dirname(os.path.abspath(self.folder)))
        with self._mutex():
            return self._apply(plan, True)

    @contextlib.contextmanager
    def _mutex(self):
        path = os.path.join(self.folder, MUTEX)
        try:
            with exclusive(path):
                yield
        except TimeoutError as error:
            raise OpsError("The incidents cannot be written: {0}. Find the process (fuser {1}) and end it.".format(error, path))

    def _apply(self, plan, write):
        kept, _unreadable = self.read()
        step = plan(kept, self._names())
        before = step.of.record if step.of else None
        if step.entry is None:
            if write and step.of and step.of.behind:
                self._write(before)
            return before, before
        after = _incident.fold(before or _incident.record_of({"id": step.entry["changes"]["id"]}, []), step.entry)
        if write:
            folder = os.path.join(self.folder, after["id"])
            if before is None:
                os.mkdir(folder, 0o700)
                sync_folder(self.folder)
            append_line(self._timeline(after["id"]), step.entry)
            self._write(after)
        return before, after

    def _write(self, record):
        write_atomically(
            _incidents.path_of(self.folder, record["id"]), json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        )
