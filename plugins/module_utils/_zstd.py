# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a file that zstd compressed is whole. Private: other collections must not import it.

pg_restore takes one that is cut off for one that ends there, without a word, and with fewer rows. What zstd writes says of each block how
long it is, and which is the last: so this is seen without decompressing anything.
"""

from __future__ import annotations

import os

_MAGIC = b"\x28\xb5\x2f\xfd"
_RLE, _RESERVED = 1, 3


def is_whole(path):
    """Whether ``path`` holds complete frames of zstd (RFC 8878), at least one, and nothing after them."""
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        while True:
            if not _skip_frame(stream, size):
                return False
            if stream.tell() == size:
                return True


def _skip_frame(stream, size):
    """Move behind one frame. -> whether there is one to its end"""
    if stream.read(4) != _MAGIC:
        return False
    descriptor = stream.read(1)
    if not descriptor:
        return False
    flags = descriptor[0]
    single, checksum = flags >> 5 & 1, flags >> 2 & 1
    window, dictionary, content = 1 - single, (0, 1, 2, 4)[flags & 3], (single, 2, 4, 8)[flags >> 6]
    stream.seek(window + dictionary + content, os.SEEK_CUR)
    while True:
        header = int.from_bytes(stream.read(3).ljust(3, b"\xff"), "little")
        last, kind, length = header & 1, header >> 1 & 3, header >> 3
        if kind == _RESERVED:
            return False
        stream.seek(1 if kind == _RLE else length, os.SEEK_CUR)
        if stream.tell() > size:
            return False
        if last:
            stream.seek(4 * checksum, os.SEEK_CUR)
            return stream.tell() <= size
