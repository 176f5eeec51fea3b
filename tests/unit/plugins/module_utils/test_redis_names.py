# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of keys: any bytes."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_names as names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"cache:board", "cache:board"),
        (b"a b\n'\"", "a b\\n'\""),
        (b"\xff\x00", "\\xff\\x00"),
        ("cache:é".encode(), "cache:é"),
        (b"session:4711", "session:..."),
        (b"x" * 100, "x" * 77 + "..."),
    ],
)
def test_a_name_for_people(name, text):
    assert names.told(name, [b"session:", b""]) == text


@pytest.mark.parametrize(
    ("name", "prefix"), [(b"cache:a:b", b"cache:"), (b"plain", b""), (b"", b""), (b"\xff:\x00", b"\xff:"), (b"{tag}:x", b"{tag}:")]
)
def test_a_prefix(name, prefix):
    assert names.prefix_of(name) == prefix


@pytest.mark.parametrize(
    ("pattern", "prefix", "may"),
    [
        (b"cache:*", b"session:", False),
        (b"*", b"session:", True),
        (b"s*", b"session:", True),
        (b"session:abc*", b"session:", True),
        (b"session:", b"session:", True),
        (b"sess", b"session:", False),
        (b"?ession:1", b"session:", True),
        (b"[a-z]ession:1", b"session:", True),
        (b"\\session:*", b"session:", True),
        (b"\\*ession:*", b"session:", False),
        (b"\\", b"session:", False),
    ],
)
def test_what_a_pattern_may_mean(pattern, prefix, may):
    assert names.may_match(pattern, prefix) is may


def test_yaml_to_bytes():
    assert names.encoded("cache:é*") == "cache:é*".encode()
    assert names.encoded("\udcff*") == b"\xff*"
