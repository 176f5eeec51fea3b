# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are either wholly the old or wholly the new ones. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile

from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline, poll


def write_atomically(path, content, mode=0o600, owner=None):
    """Write ``content`` (str or bytes) to ``path`` by way of a synced temporary file beside it and a rename.

    ``owner`` (user and group id) is whose it then is; the caller's own when None.
    """
    folder = os.path.dirname(path) or "."
    handle, temporary = tempfile.mkstemp(prefix="." + os.path.basename(path) + ".", dir=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
            stream.flush()
            if owner:
                os.fchown(stream.fileno(), *owner)
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def owner_of_folder(path):
    """For `write_atomically`: whose the folder of ``path`` is, where root writes into it; None, the caller's own, for everybody else.

    A module that becomes root must not take from the operation's user what it writes for him.
    """
    if os.geteuid() != 0:
        return None
    found = os.stat(os.path.dirname(path) or ".")
    return found.st_uid, found.st_gid


def sync_folder(folder):
    """Make a rename or unlink in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def free_bytes(folder):
    """What an ordinary user may still write to the file system of ``folder``, or of the nearest folder above it that exists."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def read_text(path, default=None):
    """The file's text, or ``default`` when there is no such file."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return default


@contextlib.contextmanager
def exclusive(path, timeout=60.0, interval=0.01):
    """Hold an exclusive lock on the file ``path`` (created when missing); the kernel drops it when the process dies.

    Raises TimeoutError when somebody else keeps it for longer than ``timeout`` seconds: a process that was stopped, not ended.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        locked(handle, fcntl.LOCK_EX, path, timeout, interval)
        yield
    finally:
        os.close(handle)


def is_held(path):
    """Whether somebody holds the lock of :func:`exclusive` on ``path``. Asked without making the file, and without waiting."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)


def append_line(path, record):
    """Append ``record`` (a dict) to a JSON-lines file, synced. A line torn by a crash stays a line of its own."""
    with appending(path) as handle:
        line = json.dumps(record, sort_keys=True, ensure_ascii=False) + "\n"
        append_bytes(handle, (("\n" if is_torn(handle) else "") + line).encode("utf-8"))


def is_torn(handle):
    """Whether the last line of an open file lacks its newline."""
    size = os.fstat(handle).st_size
    return size > 0 and os.pread(handle, 1, size - 1) != b"\n"


@contextlib.contextmanager
def appending(path, timeout=60.0):
    """The file ``path`` (created when missing, its folder too) as a handle to append to, while nobody else does.

    It may be replaced meanwhile (`write_atomically`): whoever waits for it gets the new one. After that it is nobody's any more.
    Raises TimeoutError when somebody else keeps it for longer than ``timeout`` seconds: a process that was stopped, not ended.
    """
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, mode=0o700, exist_ok=True)
    deadline = Deadline(timeout)
    while True:
        new = not os.path.exists(path)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            locked(handle, fcntl.LOCK_EX, path, deadline.remaining)
            if not _is_at(handle, path):
                continue
            yield handle
            if new:
                sync_folder(folder)
            return
        finally:
            os.close(handle)


def _is_at(handle, path):
    """Whether the open file ``handle`` is the one that ``path`` names, and not one that was renamed over or removed."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def locked(handle, kind, path, timeout=60.0, interval=0.01):
    """Lock the open file ``handle`` (``kind``: fcntl.LOCK_EX or LOCK_SH). Raises TimeoutError, as `appending` does."""

    def attempt():
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if not poll(attempt, bool, timeout, interval)[1]:
        raise TimeoutError("{0} was locked by another process for {1:.0f} s".format(path, timeout))


def append_bytes(handle, data):
    """Append all of ``data`` to a file open for appending, synced, or nothing: what a full disk took of it is taken back."""
    size = os.fstat(handle).st_size
    try:
        _write_all(handle, data)
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):  # an append-only file keeps its torn line; whoever reads it sees that
            os.ftruncate(handle, size)
        raise


def _write_all(handle, data):
    """Write all bytes. A disk that fills up takes some of them and says so by a number; only the next attempt fails."""
    while data:
        data = data[os.write(handle, data) :]


def read_lines(path):
    """The records of a JSON-lines file, oldest first, and the 1-based numbers of the lines that are not JSON objects.

    Lines are told apart as bytes: a torn one may end within a character, and text may hold what Unicode calls a line break.
    """
    records, damaged = [], []
    try:
        with open(path, "rb") as stream:
            lines = stream.read().split(b"\n")
    except FileNotFoundError:
        lines = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8"))
        except ValueError:
            record = None
        if isinstance(record, dict):
            records.append(record)
        else:
            damaged.append(number)
    return records, damaged
