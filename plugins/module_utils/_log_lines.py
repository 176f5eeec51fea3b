# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of containers' logs, out of the blocks that the engine or an archive gives. Private: other collections must not import it.

Pure. What is held at a time is a block and the beginning of a line, however long a log and its lines are. A line is a tuple: ``stream``
(stdout, stderr, or an empty text where nobody knows), ``at`` (bytes like ``2026-11-23T18:47:05.123456789Z``, which sort as the times do;
empty where the line has none), its ``text`` (bytes), and whether it was ``cut``.
"""

from __future__ import annotations

import datetime

from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

BLOCK = 256 * 1024
#: Of a line. The engine itself keeps a longer one in parts of this size.
LONGEST = 16 * 1024
_STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
_HEADER, _MOST_FRAME = 8, 1024 * 1024
_STAMP = len("2026-11-23T18:47:05.123456789Z")


def stamp(seconds):
    """Seconds since the epoch as the ``at`` of a line."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z").encode("ascii")


def of_frames(blocks):
    """The lines of a log as the engine sends it: frames, each with a header that tells the stream and the length.

    Of a line in parts the first is the line; each part has a time of its own before it.
    """
    held, begun = b"", {}
    for block in blocks:
        held = held + block if held else block
        start, size = 0, len(held)
        while size - start >= _HEADER:
            stream, length = _STREAMS.get(held[start]), int.from_bytes(held[start + 4 : start + _HEADER], "big")
            if stream is None or length > _MOST_FRAME:
                raise ProbeError(
                    "wrong_answer", "not_a_log", "what the engine sends is not a log", "Is it a Docker Engine that answers there?"
                )
            end = start + _HEADER + length
            if end > size:
                break
            line = _of_part(stream, held[start + _HEADER : end], begun)
            start = end
            if line:
                yield line
        held = held[start:]
    yield from begun.values()


def _of_part(stream, part, begun):
    """The line that ends with this part, None when it goes on. ``begun``: of each stream what came before."""
    before, ends = begun.pop(stream, None), part.endswith(b"\n")
    if before is None:
        line = _parsed(stream, part[:-1] if ends else part)
    else:
        line = before if part.partition(b" ")[2] in (b"", b"\n") else before[:3] + (True,)
    if ends:
        return line
    begun[stream] = line
    return None


def of_text(blocks):
    """The lines of a text: an archive, or the log of a container with a terminal."""
    held, most = b"", _STAMP + 1 + LONGEST
    for block in blocks:
        pieces = block.split(b"\n")
        pieces[0] = held + pieces[0]
        held = pieces.pop()
        for piece in pieces:
            yield _parsed("", piece)
        if len(held) > most:
            held = held[: most + 1]  # it is too long whatever follows
    if held:
        yield _parsed("", held)


def _parsed(stream, line):
    at, _space, text = line.partition(b" ")
    at = _time(at)
    text = (text if at else line).rstrip(b"\r")
    return stream, at, text[:LONGEST], len(text) > LONGEST


def _time(word):
    """A time in the one form that sorts; empty when the word is none."""
    if len(word) == _STAMP and word[-1:] == b"Z" and word[10:11] == b"T" and word[4:5] == word[7:8] == b"-":
        return word
    if not 20 <= len(word) <= _STAMP + 5 or word[10:11] != b"T":
        return b""
    try:
        return stamp(from_iso(word.decode("ascii")).timestamp())
    except (ValueError, OverflowError, OSError):
        return b""
