# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files as a stream of a tar archive, as the Docker Engine takes and gives them. Private: other collections must not import it.

Nothing is kept in memory but a chunk.
"""

from __future__ import annotations

import io
import posixpath
import tarfile

CHUNK = 1024 * 1024
BLOCK = 512


class _Stream(io.RawIOBase):
    """A file to read from, of chunks of bytes."""

    def __init__(self, chunks):
        self._chunks, self._rest = iter(chunks), b""

    def readable(self):
        return True

    def readinto(self, target):
        if not self._rest:
            self._rest = next(self._chunks, b"")
        size = min(len(target), len(self._rest))
        target[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def read_tar(chunks):
    """The files of an archive that comes as ``chunks``: (name, size, chunks of its content), each to be read before the next.

    Raises ValueError for a name that leads out of the archive.
    """
    buffered = io.BufferedReader(_Stream(chunks), CHUNK)
    with tarfile.open(fileobj=buffered, mode="r|") as archive:
        for member in archive:
            if not member.isfile():
                continue
            if member.name.startswith("/") or ".." in member.name.split("/"):
                raise ValueError("the archive holds {0!r}".format(member.name))
            content = archive.extractfile(member)
            yield member.name, member.size, _chunks_of(content)


def _chunks_of(content):
    return iter(lambda: content.read(CHUNK), b"")


def write_tar(members, uid, gid):
    """The chunks of an archive of ``members`` (relative path, size, chunks of bytes) that belong to ``uid`` alone.

    Raises ValueError when a member's chunks are not as many bytes as were said.
    """
    known = set()
    for name, size, chunks in members:
        for folder in _parents(name):
            if folder not in known:
                known.add(folder)
                yield _header(folder, 0, uid, gid, tarfile.DIRTYPE, 0o700)
        yield _header(name, size, uid, gid, tarfile.REGTYPE, 0o600)
        written = 0
        for chunk in chunks:
            written += len(chunk)
            yield chunk
        if written != size:
            raise ValueError("{0} has {1} bytes, not {2}".format(name, written, size))
        yield b"\0" * (-size % BLOCK)
    yield b"\0" * (2 * BLOCK)


def _parents(name):
    found = []
    while posixpath.dirname(name):
        name = posixpath.dirname(name)
        found.insert(0, name)
    return found


def _header(name, size, uid, gid, kind, mode):
    member = tarfile.TarInfo(name)
    member.size, member.uid, member.gid, member.type, member.mode = size, uid, gid, kind, mode
    return member.tobuf(tarfile.GNU_FORMAT)
