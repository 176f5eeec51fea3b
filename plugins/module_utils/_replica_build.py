# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server made a replica of another one. Private: other collections must not import it.

Its data is copied into a folder beside, verified there, and moved in when it is complete; what was there before goes when the new one
streams. So whoever is killed on the way leaves either the old or the new data in place, or, for the moment between two renames, the new
one beside, which the next run moves in.
"""

from __future__ import annotations

import posixpath
import re
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import libpq_environment, passfile_line
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

#: Beside the data folder: what is being made, what is complete and waits to be moved in, what was there before.
PARTIAL, READY, PREVIOUS = ".replica-partial", ".replica-ready", ".replica-previous"
PASSFILE = "astraldraft.pgpass"
#: What a copy takes beyond what the databases are said to have: WAL, and what is written meanwhile.
ROOM_FACTOR, ROOM_BYTES = 1.1, 128 * 1024 * 1024
_NAMES = re.compile(r"\s*(primary_conninfo|primary_slot_name|recovery_target\w*|restore_command)\s*=")
# Of two names, the second is free.
_MOVE = 'set -e; [ ! -e "$2" ]; mv -- "$1" "$2"; sync -- "${2%/*}"'


def quoted(text):
    """A value of a connection string."""
    return "'{0}'".format(str(text).replace("\\", "\\\\").replace("'", "\\'"))


def conninfo(host, port, user, application_name, ssl_mode, passfile=None):
    """What a replica's primary_conninfo is. Never a password."""
    parts = {"host": host, "port": port, "user": user, "application_name": application_name, "sslmode": ssl_mode, "passfile": passfile,
             "connect_timeout": 10}  # fmt: skip
    return " ".join("{0}={1}".format(name, quoted(value)) for name, value in parts.items() if value is not None)


def says_whom(text):
    """Whether postgresql.auto.conf (str) says whom a server follows."""
    return any(_NAMES.match(line) for line in text.splitlines())


def configured(text, settings):
    """The content of postgresql.auto.conf (str) with these settings, and without what else would say whom a server follows."""
    kept = [line for line in text.splitlines() if not _NAMES.match(line)]
    return "\n".join(kept + ["{0} = '{1}'".format(name, value.replace("'", "''")) for name, value in settings.items()]) + "\n"


class Folders:
    """The data folder of a ContainerServer and what is beside it, seen by a Place of its tools."""

    def __init__(self, server, place, heartbeat):
        self._server, self.place, self._heartbeat = server, place, heartbeat
        self.data = server.data_path
        self.partial, self.ready, self.previous = (self.data + suffix for suffix in (PARTIAL, READY, PREVIOUS))
        self.parent = posixpath.dirname(self.data)

    def exists(self, path):
        return self.place.run(["test", "-e", path], self._heartbeat).code == 0

    def move(self, old, new):
        self.place.must(["sh", "-c", _MOVE, "move", old, new], self._heartbeat, what="Moving {0} to {1}".format(old, new))

    def remove(self, *paths):
        self.place.must(["rm", "-rf", "--", *paths], self._heartbeat)

    def keep(self):
        """Give what was there before a name under which nobody removes it. -> its path"""
        path = "{0}.kept-{1}".format(self.data, to_iso(time.time()).replace(":", "")[:17] + "Z")
        self.move(self.previous, path)
        return path

    def free_bytes(self):
        return self.place.free_bytes(self.parent)

    def write(self, path, text):
        data = text.encode("utf-8")
        self.place.put(posixpath.dirname(path), [(posixpath.basename(path), len(data), [data])])

    def read(self, path):
        return self.place.must(["cat", "--", path], self._heartbeat).decode("utf-8", "replace")

    def passfile(self, password):
        """The file with the password, beside the data, where no copy of the data takes it along. -> its path"""
        path = posixpath.join(self.parent, PASSFILE)
        self.write(path, passfile_line(password))
        return path

    def settle(self):
        """Bring an interrupted run to a state from which one begins: the data in place where there was any, nothing half done beside."""
        if not self.exists(self.data):
            for whole in (self.ready, self.previous):
                if self.exists(whole):
                    self.move(whole, self.data)
                    break
        self.remove(self.partial, self.ready)


def room_refusal(free, needed):
    """The sentence that refuses for want of room, or an empty string."""
    if free >= needed:
        return ""
    return (
        "{0} bytes are free beside the data folder, and the copy needs {1}. The old data is kept until the new one is complete. Make room, "
        "or, where the old data is of no use, remove it by hand."
    ).format(free, needed)


def copy(folders, login, slot, settings, progress, parts, copied):
    """Copy the primary's data to the folder of what is ready, verified and configured. ``copied()``: how far that is."""
    place = folders.place
    with place.workspace("replica") as work:
        folders.write(work + "/.pgpass", passfile_line(login["login_password"] or ""))
        environment = libpq_environment(login, work + "/.pgpass")
        progress.phase("copying the data of {0}".format(login["login_host"]), copied)
        argv = ["pg_basebackup", "--pgdata=" + folders.partial, "--wal-method=stream", "--checkpoint=fast", "--no-password"]
        with timed(parts, "copy_seconds"):
            place.must([*argv, "--slot=" + slot], progress.tick, environment)
    progress.phase("verifying the copy")
    with timed(parts, "verify_seconds"):
        place.must(["pg_verifybackup", "--quiet", folders.partial], progress.tick)
    place.must(["rm", "-f", "--", *(posixpath.join(folders.partial, name) for name in (files.MARKER, "backup_manifest"))], progress.tick)
    path = posixpath.join(folders.partial, files.SETTINGS)
    folders.write(path, configured(folders.read(path), settings))
    folders.write(posixpath.join(folders.partial, files.SIGNAL), "")
    with timed(parts, "sync_seconds"):
        place.must(["sync", "-f", "--", folders.partial], progress.tick)
    folders.move(folders.partial, folders.ready)


def demand_same_cluster(control, system, name, data_path):
    """Never overwrite what is not a copy of the primary."""
    if control and str(control.system) != str(system):
        raise OpsError(
            "{0} holds another cluster in {1} (system identifier {2}, the primary's is {3}). That is nobody's copy, and is not thrown "
            "away. Move it elsewhere by hand.".format(name, data_path, control.system, system)
        )
