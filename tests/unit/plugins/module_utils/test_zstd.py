from __future__ import annotations

import struct

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._zstd import is_whole

MAGIC = b"\x28\xb5\x2f\xfd"


def block(data, last, kind=0, size=None):
    return struct.pack("<I", (len(data) if size is None else size) << 3 | kind << 1 | last)[:3] + data


# A window descriptor and no checksum, as pg_dump writes it; a content size and a checksum, as zstd itself does; a run of one byte.
FRAMES = [
    MAGIC + b"\x00\x58" + block(b"abc", 0) + block(b"d" * 1000, 1),
    MAGIC + b"\x64\x03\x00" + block(b"abc", 1) + b"sums",
    MAGIC + b"\x00\x58" + block(b"x", 1, kind=1, size=5000),
]


@pytest.mark.parametrize("frame", FRAMES)
def test_what_is_whole_and_what_is_cut_anywhere(tmp_path, frame):
    path = tmp_path / "1.dat.zst"
    path.write_bytes(frame)
    assert is_whole(str(path))
    path.write_bytes(frame * 2)
    assert is_whole(str(path))
    for length in range(len(frame)):
        path.write_bytes(frame[:length])
        assert not is_whole(str(path)), length


@pytest.mark.parametrize("data", [b"", b"PGDMP", b"\x1f\x8b\x08\x00", FRAMES[0] + b"more", MAGIC + b"\x00\x58" + block(b"", 0, kind=3)])
def test_what_is_something_else(tmp_path, data):
    path = tmp_path / "1.dat.zst"
    path.write_bytes(data)
    assert not is_whole(str(path))
