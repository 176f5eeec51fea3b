from __future__ import annotations

import datetime

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _time

UTC = datetime.timezone(datetime.timedelta(0))
ZONE = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1.5, "1970-01-01T00:00:01.500Z"),
        (datetime.datetime(2026, 11, 23, 18, 47, 5, 123999, UTC), "2026-11-23T18:47:05.123Z"),
        (datetime.datetime(2026, 11, 24, 0, 17, 5, 0, ZONE), "2026-11-23T18:47:05.000Z"),
    ],
)
def test_times_are_written_in_utc_with_milliseconds(moment, text):
    assert _time.to_iso(moment) == text
    assert _time.to_iso(_time.from_iso(text)) == text


def test_what_is_written_sorts_like_time():
    moments = [0, 1, 1.001, 60, 86400 * 365, 1795459625.5]
    assert sorted(map(_time.to_iso, reversed(moments))) == [_time.to_iso(moment) for moment in moments]


def test_offsets_are_read_and_nonsense_is_refused():
    assert _time.from_iso("2026-11-24T00:17:05+05:30") == _time.from_iso("2026-11-23T18:47:05Z")
    for text in ("", "yesterday", "2026-13-01T00:00:00Z"):
        with pytest.raises(ValueError, match=r".+"):
            _time.from_iso(text)


def test_now_is_aware():
    assert _time.utc_now().utcoffset() == datetime.timedelta(0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), (90, 90), ("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("1h30m", 5400), (" 1d2h3m4s ", 93784), ("0", 0)],
)
def test_a_duration_is_whole_seconds(text, seconds):
    assert _time.duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "1.5h", "30m1h", "1 h", "1w", "soon", None, "٣h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is no duration; write for example 30m"):
        _time.duration_seconds(text)
