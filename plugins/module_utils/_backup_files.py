# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup's files, written and read, encrypted or not. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_manifest import CHUNK, file_hash
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import sync_folder
from ansible_collections.astraldraft.ops.plugins.module_utils._spawn import Spawned

ENCRYPTED = ".age"


def age():
    """The program that encrypts. Raises OpsError when it is not there."""
    found = shutil.which("age")
    if not found:
        raise OpsError("There is no age on this host, and the backup is to be encrypted. Install it (Debian: apt-get install age).")
    return found


def store(folder, relative, chunks, recipients, tick):
    """Write ``chunks`` to ``folder``, for ``recipients`` only where there are any. -> its line in the manifest"""
    path = os.path.join(folder, relative) + (ENCRYPTED if recipients else "")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    plain, digest = 0, hashlib.sha256()
    # What age complains of goes to a file, which never fills up as a pipe does that nobody reads.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream, tempfile.TemporaryFile() as said:
        sink = _Encrypting(recipients, stream, said) if recipients else stream
        for chunk in chunks:
            tick()
            sink.write(chunk)
            digest.update(chunk)
            plain += len(chunk)
        if recipients:
            sink.close()
        stream.flush()
        os.fsync(stream.fileno())
    size, sha256 = file_hash(path, tick) if recipients else (plain, digest.hexdigest())
    return {"path": os.path.relpath(path, folder), "bytes": size, "sha256": sha256, "plain_bytes": plain}


def adopt(folder, relative, tick):
    """The line in the manifest of a file that a tool has written to ``folder`` itself."""
    path = os.path.join(folder, relative)
    size, sha256 = file_hash(path, tick)
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())
    return {"path": relative, "bytes": size, "sha256": sha256, "plain_bytes": size}


def sync_tree(folder):
    """Make the names of all files below ``folder`` survive a power cut; the files themselves are synced already."""
    for parent, _folders, _names in os.walk(folder):
        sync_folder(parent)


class _Encrypting:
    """Something to write to, that writes to ``stream`` what only the recipients can read."""

    def __init__(self, recipients, stream, said):
        argv = [age()] + [part for recipient in recipients for part in ("-r", recipient)]
        self._said = said
        self._process = Spawned(argv, stdout=stream.fileno(), stderr=said.fileno())

    def write(self, chunk):
        try:
            self._process.stdin.write(chunk)
        except BrokenPipeError:
            self.close()

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._process.wait() != 0:
            raise OpsError("age could not encrypt: {0}".format(_said(self._said)))


def _said(stream):
    stream.seek(0)
    return " ".join(stream.read(2000).decode("utf-8", "replace").split())


def members(folder, manifest, below, identity):
    """The files of a backup below ``below``, decrypted with the key in the file ``identity``: (relative path, size, chunks)."""
    for entry in manifest["files"]:
        if entry["path"].startswith(below + "/") or entry["path"] in (below, below + ENCRYPTED):
            name = entry["path"]
            path = os.path.join(folder, name)
            if manifest["encrypted"]:
                yield name[: -len(ENCRYPTED)], entry["plain_bytes"], _decrypted(path, identity)
            else:
                yield name, entry["bytes"], _plain(path)


def _plain(path):
    with open(path, "rb") as stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


def _decrypted(path, identity):
    if not identity:
        raise OpsError("The backup is encrypted, and no key was given to read it with (identity_path).")
    with tempfile.TemporaryFile() as said, open(os.devnull, "rb") as nothing:
        process = Spawned([age(), "-d", "-i", identity, path], stdin=nothing.fileno(), stderr=said.fileno())
        try:
            yield from iter(lambda: process.stdout.read(CHUNK), b"")
            if process.wait() != 0:
                raise OpsError("age could not decrypt {0}: {1}".format(path, _said(said)))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
