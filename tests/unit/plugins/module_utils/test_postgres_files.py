# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the files of a server that is down say."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_replica as replica
from ansible_collections.astraldraft.ops.plugins.module_utils import _replica_build as build
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

SEGMENT = files.SEGMENT


def pg_control(state: int = 6, version: int = 1300, timeline: int = 3) -> bytes:
    return struct.pack("<QIIIxxxxqQQI", 7713250472792633371, version, 202406281, state, 0, 0x40DA210, 0x40DA1D8, timeline) + bytes(200)


def segment(start: int, pages: int, older: int = 0) -> bytes:
    """A segment of which so many pages were written, over pages of an earlier use."""
    data = bytearray(SEGMENT)
    for page in range(SEGMENT // files.PAGE):
        address = start + page * files.PAGE if page < pages else older + page * files.PAGE
        if page < pages or older:
            struct.pack_into("<HHIQ", data, page * files.PAGE, 0xD116, 0, 1, address)
    return bytes(data)


@pytest.mark.parametrize(("text", "number"), [("16/B374D848", 0x16B374D848), ("0/1", 1), (None, None)])
def test_positions(text: str | None, number: int | None) -> None:
    assert files.parse_lsn(text) == number
    assert files.format_lsn(number) == text


@pytest.mark.parametrize("text", ["", "1", "0/", "0/G", "0/123456789", "0/1\n"])
def test_what_is_no_position(text: str) -> None:
    with pytest.raises(OpsError, match="count_from"):
        files.demand_lsn(text, "count_from")


@pytest.mark.parametrize(("state", "clean", "standby"), [(6, False, False), (1, True, False), (2, True, True), (5, False, True)])
def test_the_control_file(state: int, clean: bool, standby: bool) -> None:
    found = files.control(pg_control(state))
    assert (found.system, found.checkpoint, found.timeline) == (7713250472792633371, 0x40DA210, 3)
    assert (found.clean, found.standby) == (clean, standby)


@pytest.mark.parametrize("data", [b"", b"\0" * 20, pg_control(state=99), pg_control(version=960)])
def test_a_control_file_that_cannot_be_read(data: bytes) -> None:
    with pytest.raises(OpsError):
        files.control(data)


def test_names_of_segments() -> None:
    assert files.segment_name(1, 0x40DA210) == "000000010000000000000004"
    assert files.segment_name(2, 0x1_FF00_0000) == "0000000200000001000000FF"


@pytest.mark.parametrize(("pages", "older"), [(0, 0), (1, 0), (7, 0), (7, 3 * SEGMENT), (SEGMENT // files.PAGE, 0)])
def test_up_to_where_a_segment_was_written(pages: int, older: int) -> None:
    assert files.written(segment(4 * SEGMENT, pages, older), 4 * SEGMENT) == 4 * SEGMENT + pages * files.PAGE


def test_the_end_of_wal_is_in_a_later_segment() -> None:
    there = {files.segment_name(1, 4 * SEGMENT): segment(4 * SEGMENT, SEGMENT // files.PAGE),
             files.segment_name(1, 5 * SEGMENT): segment(5 * SEGMENT, 2, older=SEGMENT)}  # fmt: skip
    assert files.wal_end(there.get, 1, 4 * SEGMENT + 40) == 5 * SEGMENT + 2 * files.PAGE
    assert files.wal_end(there.get, 2, 4 * SEGMENT + 40) is None
    assert files.wal_end({files.segment_name(1, 4 * SEGMENT): b"short"}.get, 1, 4 * SEGMENT) is None


@pytest.mark.parametrize(
    ("timeline", "position", "left", "can"),
    [(2, 500, None, True), (1, 500, 500, True), (1, 501, 500, False), (1, 499, None, False), (None, 1, 1, False), (1, None, 1, False)],
)
def test_who_can_follow(timeline: int | None, position: int | None, left: int | None, can: bool) -> None:
    assert (replica.unfollowable(timeline, position, 2, left) == "") is can


def test_where_a_timeline_was_left() -> None:
    history = "1\t0/5000000\tno recovery target specified\n\n2\t0/70001A8\tno recovery target specified\n"
    assert replica.left_at(history, 2) == 0x70001A8
    assert replica.left_at(history, 3) is None


def test_the_password_is_in_no_connection_string() -> None:
    text = build.conninfo("db one", 5432, "o'brien", "b", "prefer", "/x/astraldraft.pgpass")
    assert text.startswith("host='db one' port='5432' user='o\\'brien'")
    assert "password" not in text.replace("passfile", "")


def test_settings_replace_whom_a_server_followed() -> None:
    before = "# by hand\nwork_mem = '8MB'\nprimary_conninfo = 'host=a'\nrecovery_target_time = 'x'\nprimary_slot_name='a'\n"
    after = build.configured(before, {"primary_conninfo": "host='b'"})
    assert after == "# by hand\nwork_mem = '8MB'\nprimary_conninfo = 'host=''b'''\n"
    assert build.says_whom(before)
    assert not build.says_whom(build.configured(before, {}))
    assert build.configured(after, {"primary_conninfo": "host='b'"}) == after


def test_another_clusters_data_is_not_thrown_away() -> None:
    found = files.control(pg_control())
    build.demand_same_cluster(found, str(found.system), "b", "/data")
    build.demand_same_cluster(None, "1", "b", "/data")
    with pytest.raises(OpsError, match="another cluster"):
        build.demand_same_cluster(found, "1", "b", "/data")


def test_room() -> None:
    assert build.room_refusal(100, 100) == ""
    assert "100 bytes are free" in build.room_refusal(100, 101)
