# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server of this host. Private: other collections must not import it.

It is started and stopped by commands that the user names, as whoever runs the module, or else by ``pg_ctl`` as the owner of its data, with
the options with which it was started last.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host, last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server_base import GRACE_SECONDS, PostgresServer
from ansible_collections.astraldraft.ops.plugins.module_utils._processes import VARIABLE
from ansible_collections.astraldraft.ops.plugins.module_utils._replica_build import PREVIOUS

#: The command line with which it was started last; its number, as long as it runs; what it says before it has a log of its own.
OPTIONS, PID, LOG = "postmaster.opts", "postmaster.pid", "astraldraft.log"
_PAUSE, _MOST_SAID = 0.1, 2000
# The server outlives all of this: it is no process of the operation, takes over no locale, and holds no pipe of ours open.
_DETACHED = 'said=$1; shift; env -u {0} -u LC_ALL "$@" >"$said" 2>&1; code=$?; tail -c {1} "$said" >&2; exit $code'.format(
    VARIABLE, _MOST_SAID
)


def options(command_line, data_path):
    """Of what ``postmaster.opts`` holds (str) the options, without the one that names the data folder: a list of str."""
    words = shlex.split(command_line)[1:]
    return [word for number, word in enumerate(words) if word != "-D" and words[number - 1 : number] != ["-D"] and word != "-D" + data_path]


class HostServer(PostgresServer):
    """The server whose data is in the folder ``data_path`` of this host."""

    address = "127.0.0.1"

    def __init__(self, params, heartbeat):
        super().__init__(heartbeat)
        self._params, self._said = params, ""
        self.data_path = (params["data_path"] or "").rstrip("/")
        if not self.data_path.startswith("/"):
            raise OpsError("Say where the server is: project and service, or container, or, on a bare host, its data folder as data_path.")
        self.name = "the server in {0}".format(self.data_path)
        # What is made from nothing does not have them: what was there before does, also when that was interrupted.
        before = os.path.join(self.data_path + PREVIOUS, OPTIONS)
        self._options = (self.read(OPTIONS) or self.read(before) or b"").decode("utf-8", "replace")

    @property
    def _owner(self):
        """Who owns the data, or, where there is none, the folder in which it will be."""
        if self._params["tools_user"]:
            return self._params["tools_user"]
        there = self.data_path if os.path.isdir(self.data_path) else os.path.dirname(self.data_path)
        try:
            return pwd.getpwuid(os.stat(there).st_uid).pw_name
        except (OSError, KeyError):
            raise OpsError("Nobody on this host owns {0}. Name the server's system user as tools_user.".format(there))

    @property
    def state(self):
        pid = (self.read(PID) or b"").decode("ascii", "replace").partition("\n")[0].strip()
        if not pid.isdigit():
            return "stopped"
        try:
            with open("/proc/{0}/comm".format(pid), encoding="utf-8") as stream:
                # Of one that was killed the file is left, and its number may be somebody else's.
                return "running" if stream.read().startswith("postgres") else "stopped"
        except OSError:
            return "stopped"

    def read(self, relative):
        path = os.path.join(self.data_path, relative)
        try:
            self.demand_small(path, os.path.getsize(path))
            with open(path, "rb") as stream:
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:
            raise OpsError("{0} may not be read. Let the play become root, or the owner of the data.".format(path))

    @contextlib.contextmanager
    def tools(self, major=None, online=False):
        del online  # the programs of a host see other servers always
        yield Host(major or self.demand_major(), self._params["bin_dir"], user=self._owner)

    def mounted_itself(self):
        return os.path.ismount(self.data_path)

    def _pg_ctl(self, *arguments):
        with self.tools() as place:
            return self._run(place, ["pg_ctl", "--silent", "--pgdata", self.data_path, *arguments])

    def _run(self, place, argv):
        """-> the exit code"""
        with place.workspace("server") as folder:
            done = place.run(["sh", "-c", _DETACHED, "detached", folder + "/said", *argv], self._heartbeat)
        self._said = done.complaint
        return done.code

    def start(self):
        if self._params["start_command"]:
            code = self._run(Host(0), self._params["start_command"])
        else:
            further = ["--options", shlex.join(options(self._options, self.data_path))] if self._options else []
            code = self._pg_ctl("start", "--no-wait", "--log", os.path.join(self.data_path, LOG), *further)
        if code:
            raise OpsError("{0} could not be started: {1}".format(self.name, self.last_words()))

    def stop(self, seconds):
        if self._params["stop_command"]:
            self._run(Host(0), self._params["stop_command"])
            self._gone(seconds)
        elif self.state == "running":
            self._pg_ctl("stop", "--mode", "fast", "--timeout", str(max(1, int(seconds))))
        if self.state == "running":
            self._pg_ctl("stop", "--mode", "immediate", "--timeout", str(GRACE_SECONDS))
        if not self._gone(0):
            raise OpsError("{0} was stopped, and still runs. Look at it: pg_ctl status --pgdata {1}".format(self.name, self.data_path))

    def _gone(self, seconds):
        """Whether it has ended, within so many seconds."""
        deadline = time.monotonic() + seconds
        while self.state == "running" and time.monotonic() < deadline:
            self._heartbeat()
            time.sleep(_PAUSE)
        return self.state != "running"

    def last_words(self):
        return last_words((self.read(LOG) or b"")[-_MOST_SAID:].decode("utf-8", "replace").strip() or self._said)
