# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs, run where they are: on this host. Private: other collections must not import it.

Whatever is run hangs on a lifeline, its standard input: when the module ends in whatever way, SIGKILL included, the kernel closes it, and
a watcher beside the program ends the program. It gets an argument list, its options in the environment, and passwords in a file.
"""

from __future__ import annotations

import abc
import collections
import contextlib
import os
import posixpath
import pwd
import shutil
import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import free_bytes, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._processes import VARIABLE
from ansible_collections.astraldraft.ops.plugins.module_utils._spawn import Spawned

#: Of whatever place; in it folders are made that nobody else can enter.
TEMPORARY = posixpath.join("/", "tmp")
#: What a program said last is what it died of. More than this is not kept.
MOST_COMPLAINT, MOST_OUTPUT = 16 * 1024, 64 * 1024 * 1024
TICK_SECONDS, GRACE_SECONDS, EXIT_SECONDS = 0.2, 5, 10.0
CHUNK, GO = 1024 * 1024, b"\n"
#: Programs that belong together: whose they are, where packages put what is not on PATH, the system user that they are for, and whether
#: the server among them refuses to be run by root.
Suite = collections.namedtuple("Suite", "product packaged user refuses_root")
# Debian's folder, and that of postgresql.org for Red Hat.
POSTGRESQL = Suite("PostgreSQL", "/usr/lib/postgresql/{0}/bin:/usr/pgsql-{0}/bin", "postgres", True)
# "$@" is the program. The lifeline is moved away from its standard input, and read by a builtin, so that no further process hangs on it.
# Nothing is started before the first line: what came together with the engine's answer, the Docker SDK would lose.
# The shell itself lets go of its outputs: what it says of a program that was killed would kill it, too, when nobody reads any more.
LIFELINE = (
    'PATH="${{ASTRALDRAFT_BIN:+$ASTRALDRAFT_BIN:}}$PATH"; unset ASTRALDRAFT_BIN; umask 077; cd /; exec 3<&0 </dev/null; read -r _ <&3; '
    '"$@" 3<&- & tool=$!; '
    "{{ read -r _ <&3; kill -TERM $tool; sleep {0}; kill -KILL $tool; }} >/dev/null 2>&1 & watcher=$!; "
    "exec 3<&- >/dev/null 2>&1; wait $tool; code=$?; kill $watcher; wait $watcher; exit $code"
).format(GRACE_SECONDS)

#: How a program ended: its exit code (None: it was ended because another one failed), its standard output (bytes, empty where it went to a
#: sink) and the end of its standard error (str).
Finished = collections.namedtuple("Finished", "code output complaint")


def last_words(complaint, lines=3):
    """What a program said last, in one line for a message."""
    return " ".join(" ".join(complaint.split("\n")[-lines - 1 :]).split())[-600:] or "it said nothing"


def chunks_of(stream):
    """The content of a file that is open for reading, in chunks of bytes."""
    return iter(lambda: stream.read(CHUNK), b"")


class Place(abc.ABC):
    """Where the programs are. ``major`` is the version that is wanted of them."""

    name = "this host"

    def __init__(self, major, bin_dir=None, work_dir=TEMPORARY, suite=POSTGRESQL):
        self.major, self.work_dir, self.suite = major, work_dir, suite
        self._bin = bin_dir or suite.packaged.format(major)

    # What a place has to offer, beside run()

    @abc.abstractmethod
    def start(self, argv, environment=None, sink=None):
        """Start ``argv`` (list of str). ``sink(bytes)`` takes its standard output. -> an object to hand to :meth:`drive`."""

    @abc.abstractmethod
    def put(self, folder, members):
        """Write ``members`` (relative path, size, chunks of bytes) below ``folder``, for nobody but the programs' user."""

    @abc.abstractmethod
    def replace(self, path, data):
        """Write the file ``path`` (bytes) for nobody but the programs' user, and its folder where that is missing. It is always whole."""

    @abc.abstractmethod
    def get(self, folder):
        """Read all files below ``folder``: an iterator of (relative path, size, chunks of bytes), each to be read before the next."""

    @abc.abstractmethod
    def free_bytes(self, folder):
        """What is free in the file system of ``folder``, in bytes."""

    @abc.abstractmethod
    def remove(self, folders):
        """Remove folders with all that is in them."""

    @abc.abstractmethod
    def leftovers(self, label):
        """The workspaces of that label: of somebody who died, when the caller holds the lock that goes with the label."""

    @abc.abstractmethod
    def make(self, folder):
        """Make a folder for the programs' user alone."""

    # What follows from that

    def _environment(self, environment):
        # What the programs say is read here: LC_ALL, which the host may have set, outdoes LC_MESSAGES.
        found = {"ASTRALDRAFT_BIN": self._bin, "LC_ALL": "C", **(environment or {})}
        if os.environ.get(VARIABLE):
            found[VARIABLE] = os.environ[VARIABLE]
        return found

    def drive(self, running, tick):
        """Wait for all of ``running`` (list), calling ``tick()`` meanwhile. -> list of Finished.

        When one fails, or ``tick`` raises, all end.
        """
        try:
            while not all(program.ended for program in running):
                if any(program.ended and program.code for program in running):
                    break
                tick()
                running[0].wait(TICK_SECONDS)
            failed = [program for program in running if program.ended and program.code]
            ended = [program for program in running if failed and program not in failed]
            for program in ended:
                program.end()
            return [program.finish()._replace(code=None) if program in ended else program.finish() for program in running]
        finally:
            for program in running:
                program.end()

    def run(self, argv, tick, environment=None, sink=None):
        """Run one program to its end. -> Finished"""
        return self.drive([self.start(argv, environment, sink)], tick)[0]

    def must(self, argv, tick, environment=None, sink=None, what=None):
        """Run one program that has to succeed. -> its output. Raises OpsError with its last words."""
        done = self.run(argv, tick, environment, sink)
        if done.code == 127:
            raise OpsError(
                "There is no {0} on {1}. Install {2}'s own tools there, or say where they are (bin_dir, or service and project of a "
                "container that has them).".format(argv[0], self.name, self._wanted)
            )
        if done.code:
            raise OpsError(
                "{0} failed on {1} (exit code {2}): {3}".format(what or argv[0], self.name, done.code, last_words(done.complaint))
            )
        return done.output

    def version(self, program, tick):
        """``17.5`` of ``pg_dump (PostgreSQL) 17.5 (Debian ...)``."""
        said = self.must([program, "--version"], tick).decode("utf-8", "replace")
        return said.partition(") ")[2].split()[0] if ") " in said else said.strip()

    @property
    def _wanted(self):
        return " ".join(str(word) for word in (self.suite.product, self.major) if word)

    def demand_major(self, program, tick):
        """The version of a program. Raises OpsError when it is of another major version than the server."""
        version = self.version(program, tick)
        if version.split(".")[0] != str(self.major):
            raise OpsError(
                "{0} on {1} is of version {2}, and {3} is needed: a newer one writes what the server cannot read. Install {4}'s own "
                "tools, or name their folder as bin_dir.".format(program, self.name, version, self.major, self._wanted)
            )
        return version

    @contextlib.contextmanager
    def workspace(self, label):
        """A folder of the programs' user alone, for a while: ``<work_dir>/astraldraft-<label>-...``."""
        folder = "{0}/astraldraft-{1}-{2}".format(self.work_dir.rstrip("/"), label, os.urandom(4).hex())
        self.make(folder)
        try:
            yield folder
        finally:
            with contextlib.suppress(OpsError):
                self.remove([folder])


class Running(abc.ABC):
    """A program that runs. ``code`` is its exit code once ``ended``."""

    def __init__(self, sink):
        self._sink, self._output, self._complaint = sink, bytearray(), bytearray()
        self.code = None

    @property
    @abc.abstractmethod
    def ended(self):
        """Whether it has ended."""

    @abc.abstractmethod
    def wait(self, seconds):
        """Wait so long for the end, at most."""

    @abc.abstractmethod
    def end(self):
        """Cut the lifeline, and wait until the program has ended."""

    def _take(self, chunk):
        if self._sink:
            self._sink(chunk)
        elif len(self._output) < MOST_OUTPUT:
            self._output += chunk

    @property
    def heard(self):
        """The end of what it has said on its standard error so far."""
        return self._complaint.decode("utf-8", "replace")

    def _hear(self, chunk):
        self._complaint += chunk
        del self._complaint[:-MOST_COMPLAINT]

    def finish(self):
        self.wait(EXIT_SECONDS + GRACE_SECONDS)
        code = self.code if self.ended else -1
        return Finished(code, bytes(self._output), self._complaint.decode("utf-8", "replace").strip())


class _HostRunning(Running):
    def __init__(self, argv, environment, sink):
        super().__init__(sink)
        own = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        self._process = Spawned(argv, dict(own, **environment))
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(GO)
            self._process.stdin.flush()
        pairs = ((self._process.stdout, self._take), (self._process.stderr, self._hear))
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in pairs]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, take):
        with stream:
            for chunk in iter(lambda: stream.read1(CHUNK), b""):
                take(chunk)

    @property
    def ended(self):
        self.code = self._process.poll()
        return self.code is not None and not any(reader.is_alive() for reader in self._readers)

    def wait(self, seconds):
        deadline = time.monotonic() + seconds
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))
        self.code = self._process.wait(max(0.0, deadline - time.monotonic()))

    def end(self):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self.wait(GRACE_SECONDS + 1)


class Host(Place):
    """The programs of this host, as ``user`` where one is named (which takes root)."""

    def __init__(self, major, bin_dir=None, work_dir=None, user=None, suite=POSTGRESQL):
        super().__init__(major, bin_dir, work_dir or TEMPORARY, suite)
        self._user = pwd.getpwnam(user) if user and user != pwd.getpwuid(os.getuid()).pw_name else None
        if self._user and os.getuid() != 0:
            raise OpsError(
                "To run {0}'s tools as {1} takes root. Leave tools_user out, or let the play become root.".format(suite.product, user)
            )

    @property
    def direct(self):
        """Whether the programs can use this process's own files."""
        return self._user is None

    def as_nobody_special(self):
        """The same place as a user who may start a server."""
        if os.getuid() != 0 or self._user or not self.suite.refuses_root:
            return self
        user = self.suite.user
        try:
            return Host(self.major, self._bin, self.work_dir, user, self.suite)
        except KeyError:
            raise OpsError(
                "A server cannot be started as root, and there is no user {0} on this host. Name one as tools_user.".format(user)
            )

    def start(self, argv, environment=None, sink=None):
        drop = ["setpriv", "--reuid", self._user.pw_name, "--regid", str(self._user.pw_gid), "--init-groups"] if self._user else []
        return _HostRunning(drop + ["sh", "-c", LIFELINE, "lifeline", *argv], self._environment(environment), sink)

    def _environment(self, environment):
        found = super()._environment(environment)
        # libpq looks for certificates in the user's home, and fails where it may not look.
        return (
            dict({"HOME": self._user.pw_dir, "USER": self._user.pw_name, "LOGNAME": self._user.pw_name}, **found) if self._user else found
        )

    def make(self, folder):
        os.makedirs(folder, mode=0o700)
        self.hand_over(folder)

    def hand_over(self, path):
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def put(self, folder, members):
        for relative, _size, chunks in members:
            path = os.path.join(folder, relative)
            parent = os.path.dirname(path)
            if not os.path.isdir(parent):
                self.make(parent)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                for chunk in chunks:
                    stream.write(chunk)
            self.hand_over(path)

    def replace(self, path, data):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomically(path, data, owner=(self._user.pw_uid, self._user.pw_gid) if self._user else None)

    def get(self, folder):
        for parent, _folders, names in os.walk(folder):
            for name in sorted(names):
                path = os.path.join(parent, name)
                with open(path, "rb") as stream:
                    yield os.path.relpath(path, folder), os.path.getsize(path), chunks_of(stream)

    def free_bytes(self, folder):
        return free_bytes(folder)

    def leftovers(self, label):
        prefix = "astraldraft-{0}-".format(label)
        return [os.path.join(self.work_dir, name) for name in sorted(os.listdir(self.work_dir)) if name.startswith(prefix)]

    def remove(self, folders):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def sibling(self):
        """A place of the same tools in which a server can be started that is nobody else's."""
        yield self.as_nobody_special()
