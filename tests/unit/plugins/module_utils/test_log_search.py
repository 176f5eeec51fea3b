# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import tracemalloc

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _log_lines, _log_search
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

NOW = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC).timestamp()
USUAL = {"pattern": None, "where": [], "group_by": [], "top": 5, "samples": 5, "bucket": None}


def at(seconds):
    return _log_lines.stamp(NOW + seconds)


def frame(text, seconds=-60, stream=1):
    payload = at(seconds) + b" " + (text if isinstance(text, bytes) else text.encode())
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def in_blocks(content, length):
    return [content[start : start + length] for start in range(0, len(content), length)]


def found(lines, since="1h", until=None, **options):
    tally = _log_search.Tally(_log_search.query(USUAL | options), _log_search.window(since, until, NOW))
    source = {"service": "web", "replica": "web-1", "lines": 0, "count": 0}
    tally.feed(source, [(stream, when, text if isinstance(text, bytes) else text.encode(), cut) for stream, when, text, cut in lines])
    assert (source["lines"], source["count"]) == (tally.lines, tally.count)
    return tally.report()


def said(*texts, seconds=-60):
    return [("stdout", at(seconds), text, False) for text in texts]


# -- lines out of blocks


@pytest.mark.parametrize("length", [1, 7, 1000])
def test_frames_are_put_together_wherever_the_blocks_end(length):
    content = frame("one\n") + frame("two\r\n", stream=2) + frame("\n") + frame("three")
    lines = list(_log_lines.of_frames(in_blocks(content, length)))
    assert [(stream, text, cut) for stream, _at, text, cut in lines] == [
        ("stdout", b"one", False),
        ("stderr", b"two", False),
        ("stdout", b"", False),
        ("stdout", b"three", False),
    ]


def test_a_line_in_parts_is_one_line():
    long = "x" * _log_lines.LONGEST
    content = frame(long) + frame("other side\n", stream=2) + frame("y" * 100) + frame("end\n") + frame("next\n")
    lines = list(_log_lines.of_frames([content]))
    assert [(stream, text[:5], len(text), cut) for stream, _at, text, cut in lines] == [
        ("stderr", b"other", 10, False),
        ("stdout", b"xxxxx", _log_lines.LONGEST, True),
        ("stdout", b"next", 4, False),
    ]


def test_a_line_as_long_as_a_part_is_not_cut():
    lines = list(_log_lines.of_frames([frame("x" * _log_lines.LONGEST) + frame("\n")]))
    assert [(len(text), cut) for _stream, _at, text, cut in lines] == [(_log_lines.LONGEST, False)]


def test_what_is_no_log_is_said_to_be_none():
    with pytest.raises(ProbeError, match="is not a log"):
        list(_log_lines.of_frames([b"<html>an error of a proxy</html>"]))


@pytest.mark.parametrize("length", [1, 10, 100000])
def test_lines_of_a_text(length):
    content = at(-60) + b" one\n" + at(-50) + b" two\r\nno time\n\n" + at(-40) + b" not ended"
    lines = list(_log_lines.of_text(in_blocks(content, length)))
    assert [(when, text) for _stream, when, text, _cut in lines] == [
        (at(-60), b"one"), (at(-50), b"two"), (b"", b"no time"), (b"", b""), (at(-40), b"not ended"),
    ]  # fmt: skip


def test_a_text_without_an_end_is_not_held():
    def endless():
        yield at(-60) + b" "
        for _number in range(400):
            yield b"x" * _log_lines.BLOCK
        yield b"\nnext\n"

    tracemalloc.start()
    lines = list(_log_lines.of_text(endless()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(len(text), cut) for _stream, _at, text, cut in lines] == [(_log_lines.LONGEST, True), (4, False)]
    assert peak < 8 * _log_lines.BLOCK


@pytest.mark.parametrize(
    ("word", "time"),
    [
        (b"2026-11-29T11:59:00.000000000Z", at(-60)),
        (b"2026-11-29T12:59:00+01:00", at(-60)),
        (b"2026-11-29T11:59:00Z", at(-60)),
        (b"2026-11-29", b""),
        (b"\xff\xfe26-11-29T11:59:00Z", b""),
        (b"9999-99-99T99:99:99Z00", b""),
    ],
)
def test_times_come_in_one_form(word, time):
    assert next(_log_lines.of_text([word + b" x\n"]))[1] == time


# -- what is asked for


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pattern": "(("}, "The pattern '((' is none"),
        ({"samples": 101}, "samples is 101"),
        ({"top": -1}, "top is -1"),
        ({"group_by": ["a", "b", "c", "d", "e", "f"]}, "group_by has 6 names"),
        ({"group_by": ["@colour"]}, "There is no field @colour"),
        ({"group_by": ["1"], "pattern": "x"}, "The pattern has no group 1"),
        ({"where": ["status"]}, "is no matcher"),
        ({"where": ['status=~"(("']}, "is none"),
        ({"bucket": "1s"}, "A bucket of 1 s makes 3600"),
        ({"bucket": "soon"}, "bucket cannot be read"),
        ({"bucket": "0s"}, "A bucket of 0 s"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, words):
    with pytest.raises(OpsError) as error:
        found([], **options)
    assert words in error.value.message


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("soon", None, "since cannot be read"),
        ("15m", "1h", "The window is empty"),
        ("2026-11-29T13:00:00Z", None, "The window is empty"),
        ("2026-11-29T11:00:00", None, "no time zone"),
        ("1h", "Tomorrow", "until cannot be read"),
    ],
)
def test_a_window_that_is_none_is_refused(since, until, words):
    with pytest.raises(OpsError) as error:
        _log_search.window(since, until, NOW)
    assert words in error.value.message


# -- counting


def test_a_pattern_finds_lines_and_its_groups_group_them():
    lines = said("failed from 10.0.0.1", "failed from 10.0.0.2", "failed from 10.0.0.1", "went well from 10.0.0.1")
    report = found(lines, pattern=r"failed from (?P<address>\S+)", group_by=["address"])
    assert (report["lines"], report["count"], report["groups_total"], report["others"]) == (4, 3, 2, 0)
    assert [(group["by"], group["count"], group["share"]) for group in report["groups"]] == [
        ({"address": "10.0.0.1"}, 2, 0.6667), ({"address": "10.0.0.2"}, 1, 0.3333),
    ]  # fmt: skip
    report = found(lines, pattern=r"failed from (\S+)", group_by=["1", "@replica"])
    assert report["groups"][0]["by"] == {"1": "10.0.0.1", "@replica": "web-1"}


def test_fields_find_lines_and_group_them():
    lines = said(
        '{"status":502,"request":{"path":"/a"}}', '{"status":500,"request":{"path":"/b"}}', '{"status":200}', "no JSON", '{"status":50',
        '{"status":null}', "[502]", '{"status":"502","request":[]}',
    )  # fmt: skip
    report = found(lines, where=["status=~5.."], group_by=["status", "request.path"])
    assert (report["count"], report["not_json"]) == (3, 3)
    assert sorted((group["by"]["status"], group["by"]["request.path"]) for group in report["groups"]) == [
        ("500", "/b"), ("502", ""), ("502", "/a"),
    ]  # fmt: skip
    assert found(lines, where=["status!=200"])["count"] == 4  # what is no JSON has no status
    assert found(lines, where=["@stream=stdout"])["count"] == 8
    assert found(lines, where=["@stream=stderr"])["count"] == 0


def test_the_window_counts_by_the_time_of_each_line():
    lines = said("early", seconds=-3700) + said("in", seconds=-100) + said("late", seconds=-10) + said("ahead", seconds=500)
    assert found(lines)["count"] == 3
    assert found(lines)["ahead"] == 1
    assert found(lines, until="1m")["count"] == 1
    assert found(lines, until="1m")["ahead"] == 0
    report = found([("", b"", "no time", False)])
    assert (report["count"], report["timeless"], report["first_at"], report["samples"][0]["at"]) == (1, 1, None, None)


def test_times_out_of_order_are_put_in_order():
    lines = said("second", seconds=-50) + said("third", seconds=-40) + said("first", seconds=-60)
    report = found(lines, group_by=["@service"], samples=2)
    assert report["first_at"] == "2026-11-29T11:59:00.000Z"
    assert report["last_at"] == report["groups"][0]["last_at"] == "2026-11-29T11:59:20.000Z"
    assert report["groups"][0]["first_at"] == report["first_at"]
    assert [sample["text"] for sample in report["samples"]] == ["second", "third"]


def test_the_rate_is_told_over_the_window():
    report = found(said("x", seconds=-3599) + said("x", "x", seconds=-1), bucket="7m")
    assert [bucket["count"] for bucket in report["buckets"]] == [1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert report["buckets"][0]["per_minute"] == round(1 / 7, 3)
    assert report["buckets"][-1]["per_minute"] == 0.5  # the last has four minutes
    assert report["per_minute"] == 0.05
    assert (report["bucket_seconds"], len(found([])["buckets"]), found([])["bucket_seconds"]) == (420, 60, 60)
    assert len(found([], since="7d")["buckets"]) <= 61


def test_the_largest_groups_are_kept_and_the_rest_is_said():
    flood = [text for number in range(9000) for text in (f'{{"ip":"10.{number}"}}', '{"ip":"often"}')]
    report = found(said(*flood), group_by=["ip"], top=1)
    assert report["groups"][0]["by"] == {"ip": "often"}
    assert report["groups"][0]["count"] == 9000
    assert report["others"] == 9000
    assert not report["groups_exact"]
    assert 0 < report["missed_at_most"] < 50
    assert report["groups_total"] <= 2 * _log_search.KEPT_GROUPS


def test_a_flood_takes_no_more_memory_than_a_part_of_it():
    def flood(count):
        for number in range(count):
            yield "stdout", at(-60), f'{{"ip":"10.{number}","text":"{"x" * 1000}"}}'.encode(), False

    def peak(count):
        tally = _log_search.Tally(_log_search.query(USUAL | {"group_by": ["ip"]}), _log_search.window("1h", None, NOW))
        tracemalloc.start()
        tally.feed({"service": "web", "replica": "web-1", "lines": 0, "count": 0}, flood(count))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(10000) < 1.2 * peak(5000)


# -- hostile lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[31mred\x1b[0m \x07\x9b1m \u202ereversed\u2028next", "red \\x07\\x9b1m \\u202ereversed\\u2028next"),
        ("\x1b]0;title\x07rest\x1b", "rest\\x1b"),
        ("tab\tand\rreturn", "tab\\tand\\rreturn"),
        ("<script>alert(1)</script> {{ 7 * 7 }}", "<script>alert(1)</script> {{ 7 * 7 }}"),
        ("password=hunter2 at https://ada:hunter3@example.com/", "password=******** at https://ada:********@example.com/"),
        ("\x1b[1mpassword\x1b[0m=hunter2", "password=********"),
        ('{"user":{"password":"hunt\\"er2"},"token":"x"}', '{"user": {"password": "********"}, "token": "********"}'),
    ],
)
def test_what_is_shown_is_harmless(text, shown):
    assert _log_search.told(text) == shown


def test_half_of_a_secret_is_hidden_too():
    assert "hunter2" not in _log_search.told('{"password": "hunter2 and ' + "x" * 20000, cut=True)
    assert len(_log_search.told("<" * 20000)) == 500


@pytest.mark.parametrize(
    "text",
    [
        "{" * 20000, '{"a":' * 5000, '{"a":' + "[" * 9000 + "}", '{"a":' + "9" * 10000 + "}", "\x00" * 16000, "{}", '{"a":NaN}', "", "  { ",
    ],
)  # fmt: skip
def test_no_line_breaks_the_search(text):
    report = found(said(text), where=["@service=web"], group_by=["a", "a.b.c"], pattern="(?s).*")
    assert report["count"] == 1
    json.dumps(report)


def test_groups_are_shown_harmless():
    lines = said(json.dumps({"agent": "\x1b[31m" + "<b>" * 200, "token": "hunter2", "path": "/x?password=hunter2"}))
    by = found(lines, group_by=["agent", "token", "path"])["groups"][0]["by"]
    assert "\x1b" not in by["agent"]
    assert len(by["agent"]) <= 200
    assert (by["token"], by["path"]) == ("********", "/x?password=********")
