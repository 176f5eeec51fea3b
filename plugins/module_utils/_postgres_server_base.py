# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a PostgreSQL server is that is started, stopped, and has files, wherever it runs. Private: other collections must not import it."""

from __future__ import annotations

import abc
import posixpath

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

#: A program, or an engine, gets so many seconds beyond what it was given.
GRACE_SECONDS = 30
_MOST_FILE = 64 * 1024 * 1024
# Names are arguments, never text. What is written is on the disk before anything depends on it.
_WRITE = 'set -e; cat >"$1.new"; chmod 0600 "$1.new"; mv -f -- "$1.new" "$1"; sync -- "$1" "${1%/*}"'


class PostgresServer(abc.ABC):
    """What a server is here, wherever it runs: ``name``, and ``data_path``, its data folder."""

    name = data_path = ""

    def __init__(self, heartbeat):
        self._heartbeat = heartbeat

    # What a place has to offer

    @property
    @abc.abstractmethod
    def state(self):
        """``running``, or another word."""

    @property
    @abc.abstractmethod
    def address(self):
        """The host by which it is reached from here, or None while it has none."""

    @abc.abstractmethod
    def read(self, relative):
        """The content of a file of the data folder, None when there is none. Changes nothing."""

    @abc.abstractmethod
    def tools(self, major=None, online=False):
        """A context with a Place of programs that see the server's files. ``online``: and other servers, by the names that this one knows
        them by."""

    @abc.abstractmethod
    def mounted_itself(self):
        """Whether the data folder is where something is mounted, so that no other folder can take its place."""

    @abc.abstractmethod
    def start(self):
        """Start it, without waiting until it answers."""

    @abc.abstractmethod
    def stop(self, seconds):
        """Shut it down, ending every session, within so many seconds; else it is killed."""

    @abc.abstractmethod
    def last_words(self):
        """What it said last."""

    # What follows from that

    def control(self):
        """The Control of its data, None when there is no data."""
        data = self.read(files.CONTROL)
        return files.control(data) if data else None

    def wal_end(self, control):
        """Up to where it has written WAL, at most (int or None)."""
        return files.wal_end(lambda name: self.read("pg_wal/" + name), control.timeline, control.checkpoint)

    @property
    def major(self):
        text = self.read(files.VERSION)
        return text.decode("ascii").strip() if text else None

    def demand_major(self):
        """Raises OpsError where there is no data that says its version."""
        if not self.major:
            raise OpsError("{0} has no data in {1}, and its version is not known. Is data_path right?".format(self.name, self.data_path))
        return self.major

    def write(self, place, relative, text):
        """Write a file of the data folder, so that it stays."""
        path = posixpath.join(self.data_path, relative)
        with place.workspace("server") as folder:
            data = text.encode("utf-8")
            place.put(folder, [("content", len(data), [data])])
            script = 'exec <"$2"; ' + _WRITE
            place.must(["sh", "-c", script, "write", path, folder + "/content"], self._heartbeat, what="Writing " + path)

    def remove(self, place, relatives):
        paths = [posixpath.join(self.data_path, relative) for relative in relatives]
        place.must(["rm", "-f", "--", *paths], self._heartbeat)
        place.must(["sync", "--", self.data_path], self._heartbeat)

    def demand_small(self, path, size):
        """Raises OpsError for what is no file of a server, by its size in bytes."""
        if size > _MOST_FILE:
            raise OpsError("{0} of {1} has {2} bytes, which is no file of a server.".format(path, self.name, size))
