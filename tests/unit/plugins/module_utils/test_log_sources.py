# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import os
import time

import pytest
import requests
import urllib3
from ansible_collections.astraldraft.ops.plugins.module_utils import _log_search, _log_sources
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import to_replica
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

NOW = time.time()
ID = "2f1e0c9d8b7a"


def line(text, ago=60):
    return _log_search._log_lines.stamp(NOW - ago) + b" " + text + b"\n"


def archive(folder, name, content, age=0.0):
    path = folder / name / "log.gz"
    path.parent.mkdir()
    path.write_bytes(content)
    os.utime(path, (NOW - age, NOW - age))
    return path


def tally(**options):
    usual = {"pattern": None, "where": [], "group_by": [], "top": 5, "samples": 5, "bucket": None}
    return _log_search.Tally(_log_search.query(usual | options), _log_search.window("1h", None, NOW))


def read(found, into, ends=None):
    return _log_sources.read(found, _log_sources.of_archive(found, ends or time.monotonic() + 60, lambda: None), into)


def listed(folder, there=()):
    return _log_sources.archives(str(folder), ["app-blue"], NOW - 3600, there)


def test_archives_of_the_services_that_may_have_lines_of_the_window(tmp_path):
    for name, age in (
        (f"app-blue-1-{ID}", 10), ("app-blue-10-aaaaaaaaaaaa", 20), ("app-green-1-bbbbbbbbbbbb", 10), ("app-blue-2-cccccccccccc", 7200),
        (f".app-blue-1-{ID}.x1", 10), ("app-blue", 10), ("app-blue-3-dddddddddddd", 10),
    ):  # fmt: skip
        archive(tmp_path, name, b"", age)
    found, wrong = listed(tmp_path, there=["dddddddddddd" + "0" * 52])
    assert [(one["replica"], one["container"]) for one in found] == [("app-blue-10", "aaaaaaaaaaaa"), ("app-blue-1", ID)]
    assert wrong == {}


def test_a_folder_that_is_not_there_has_none_and_one_that_cannot_be_read_is_told(tmp_path):
    assert listed(tmp_path / "nothing") == ([], {})
    (tmp_path / "file").write_text("")
    found, wrong = listed(tmp_path / "file")
    assert (found, wrong["app-blue"].reason) == ([], "no_folder")


def test_an_archive_is_read(tmp_path):
    archive(tmp_path, f"app-blue-1-{ID}", gzip.compress(line(b"old", 7200) + line(b"one") + line(b"two")))
    into = tally(pattern="o")
    found = read(listed(tmp_path)[0][0], into)
    assert (found["verdict"], found["lines"], found["count"], into.count) == ("read", 2, 2, 2)
    assert into.report()["samples"][0]["replica"] == "app-blue-1"


def test_an_archive_that_is_not_whole_counts_as_far_as_it_goes_and_is_told(tmp_path):
    whole = gzip.compress(b"".join(line(os.urandom(200).hex().encode()) for _number in range(10000)))
    archive(tmp_path, f"app-blue-1-{ID}", whole[: len(whole) // 2])
    into = tally()
    found = read(listed(tmp_path)[0][0], into)
    assert (found["verdict"], found["reason"]) == ("cut", "damaged")
    assert 0 < found["lines"] == into.count < 10000
    assert _log_sources.overall([found]) == "partial"


@pytest.mark.parametrize(("content", "reason"), [(b"no gzip at all", "damaged"), (None, "no_file")])
def test_an_archive_that_cannot_be_read_is_not_one_without_lines(tmp_path, content, reason):
    path = archive(tmp_path, f"app-blue-1-{ID}", content or b"")
    if content is None:
        path.unlink()
    found = read(listed(tmp_path)[0][0], tally())
    assert (found["verdict"], found["reason"], found["lines"], found["count"]) == ("unreadable", reason, None, None)
    assert _log_sources.overall([found]) == "unreadable"


def test_what_takes_too_long_is_cut_and_told(tmp_path):
    archive(tmp_path, f"app-blue-1-{ID}", gzip.compress(line(b"x" * 100) * 10000))
    found = read(listed(tmp_path)[0][0], tally(), ends=time.monotonic() - 1)
    assert (found["verdict"], found["reason"]) == ("cut", "time_limit")
    assert 0 < found["lines"] < 10000


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["read", "read"], "read"), (["read", "unreadable"], "partial"), (["read", "cut"], "partial"), (["cut"], "partial"),
        (["unreadable"] * 2, "unreadable"), ([], "unreadable"),
    ],
)  # fmt: skip
def test_all_of_them(verdicts, verdict):
    assert _log_sources.overall([{"verdict": one} for one in verdicts]) == verdict


def test_the_summary_never_says_that_nothing_is_there_when_nobody_knows():
    error = ProbeError("unreachable", "no_engine", "no Docker Engine answers", "")
    one = _log_sources.unreadable("web", "current", error)
    assert "nobody knows" in _log_sources.summary({"sources": [one], "verdict": "unreadable"})
    two = _log_sources.source("app", "app-1", "demo-app-1", "current")
    result = {"sources": [one, two], "verdict": "partial", "count": 0, "lines": 1, "per_minute": 0.0}
    expected = "at least 0 of 1 line of 1 log count, 0 a minute; 1 not read to the end: no Docker Engine answers"
    assert _log_sources.summary(result) == expected


# -- the engine


class Engine:
    """Of a client what is used: one answer to a GET, whose body comes in ``blocks``; an exception among them is raised."""

    base_url, api_version = "http+docker://localhost", "1.41"

    def __init__(self, *blocks, status=200, said="", error=None):
        self.api, self.raw, self.status_code, self.text, self.error = self, self, status, said, error
        self.blocks, self.asked, self.closed = list(blocks), None, False

    def get(self, url, **more):
        if self.error:
            raise self.error
        self.asked = (url, more)
        return self

    def json(self):
        return {"message": self.text}

    def read(self, _length):
        if self.blocks and isinstance(self.blocks[0], Exception):
            raise self.blocks.pop(0)
        return self.blocks.pop(0) if self.blocks else b""

    def close(self):
        self.closed = True


def framed(content):
    return b"\1\0\0\0" + len(content).to_bytes(4, "big") + content


def of_engine(engine, tty=False, driver="json-file", until=None):
    replica = to_replica(
        {"Id": "1" * 64, "Name": "/demo-web-1", "Image": "sha256:1", "Config": {"Tty": tty}, "State": {"Status": "running"},
         "HostConfig": {"LogConfig": {"Type": driver}}}
    )  # fmt: skip
    into, found = tally(), _log_sources.source("web", "web-1", "demo-web-1", "current")
    frame = _log_search.window("1h", until, NOW)
    return _log_sources.read(found, _log_sources.of_engine(engine, replica, frame, found, time.monotonic() + 60, lambda: None), into), into


@pytest.mark.parametrize("tty", [False, True])
def test_the_log_of_a_container_is_read(tty):
    content = line(b"one") + line(b"two")
    engine = (
        Engine(content[:40], content[40:]) if tty else Engine(framed(line(b"one"))[:20], framed(line(b"one"))[20:], framed(line(b"two")))
    )
    found, into = of_engine(engine, tty)
    assert (found["verdict"], found["count"], engine.closed) == ("read", 2, True)
    assert [sample["stream"] for sample in into.report()["samples"]] == ([""] * 2 if tty else ["stdout"] * 2)
    assert "until" not in engine.asked[1]["params"]
    of_engine(engine, until="1m")
    assert engine.asked[1]["params"]["until"] == int(NOW - 60) + 1


@pytest.mark.parametrize(
    ("engine", "driver", "reason", "words"),
    [
        (Engine(status=404, said="No such container"), "json-file", "gone", "was removed meanwhile"),
        (Engine(status=501, said="configured logging driver does not support reading"), "syslog", "no_reading", "its driver syslog"),
        (Engine(status=500, said="configured logging driver does not support reading"), "none", "no_reading", "its driver none"),
        (Engine(status=500, said="disk on fire"), "json-file", "refused", "disk on fire"),
        (Engine(error=requests.exceptions.ReadTimeout("late")), "json-file", "slow_engine", "did not begin the log"),
        (Engine(error=requests.exceptions.ConnectionError("gone")), "json-file", "slow_engine", "ConnectionError"),
        (Engine(urllib3.exceptions.ProtocolError("broken")), "json-file", "broke_off", "broke off"),
        (Engine(OSError("broken")), "json-file", "broke_off", "broke off"),
    ],
)
def test_what_the_engine_does_not_give_is_not_a_log_without_lines(engine, driver, reason, words):
    found, _into = of_engine(engine, driver=driver)
    assert (found["verdict"], found["reason"], found["lines"], found["count"]) == ("unreadable", reason, None, None)
    assert words in found["message"]


@pytest.mark.parametrize(
    ("end", "reason"), [(urllib3.exceptions.ReadTimeoutError(None, "", "late"), "broke_off"), (b"<html>" * 10, "not_a_log")]
)
def test_a_log_that_breaks_off_counts_as_far_as_it_goes(end, reason):
    found, into = of_engine(Engine(framed(line(b"one")), end))
    assert (found["verdict"], found["reason"], found["count"], into.count) == ("cut", reason, 1, 1)
