from __future__ import annotations

import hashlib
import hmac
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _journal
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import appending
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import journals
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.journals import append

HASH = b',"hash":"' + b"a" * 64 + b'"}'
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.jsonl"


# -- one entry --------------------------------------------------------------------------------------------------------------------


def test_the_hash_is_taken_over_the_line_without_it_as_anybody_can(path):
    """By hand: sed, sha256sum."""
    entry = append(path, reason='Größe \u2028 "quoted"', before={"b": 1.5, "a": [None, True]})
    line = path.read_bytes().rstrip(b"\n")
    body = line.replace(',"hash":"{0}"'.format(entry["hash"]).encode(), b"")
    assert hashlib.sha256(body).hexdigest() == entry["hash"]
    loaded = json.loads(line)
    assert loaded.pop("hash") == entry["hash"]
    assert json.dumps(loaded, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == body


def test_with_a_key_it_is_an_hmac(path):
    entry = append(path, key=journals.KEY)
    body = path.read_bytes().rstrip(b"\n").replace(',"hash":"{0}"'.format(entry["hash"]).encode(), b"")
    assert hmac.new(journals.KEY.encode(), body, hashlib.sha256).hexdigest() == entry["hash"]
    assert entry["keyed"]
    assert journals.KEY.encode() not in path.read_bytes()


def test_entries_follow_from_each_other(path):
    first, second = append(path), append(path)
    assert (first["sequence"], first["previous"]) == (1, None)
    assert (second["sequence"], second["previous"]) == (2, first["hash"])
    assert first["id"] != second["id"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert journals.review(path).verified


def test_a_short_key_is_refused():
    _journal.check_key(None)
    _journal.check_key(journals.KEY)
    with pytest.raises(OpsError, match="too short"):
        _journal.check_key("hunter2")


def test_every_field_is_there_whatever_is_told():
    content = _journal.compose({"operation": "silence", "verdict": "pass", "operator": "ada", "unknown": 1})
    assert set(content) == set(_journal.FACTS)
    assert content["duration"] is None
    assert set(_journal.public({})) == set(_journal.FACTS) | set(_journal.LINK)


@pytest.mark.parametrize(
    ("started", "ended", "seconds"),
    [
        ("2026-11-24T11:59:00Z", "2026-11-24T12:00:00.5Z", 60.5),
        ("2026-11-24T12:59:00+01:00", "2026-11-24T12:00:00Z", 60.0),
        (None, "2026-11-24T12:00:00Z", None),
        ("yesterday", "2026-11-24T12:00:00Z", None),
        ("2026-11-24T12:00:00", "2026-11-24T12:00:00Z", None),
    ],
)
def test_the_duration_is_from_beginning_to_end(started, ended, seconds):
    content = _journal.compose(journals.facts(started_at=started, ended_at=ended))
    assert content["duration"] == seconds
    assert content["started_at"] == {60.5: "2026-11-24T11:59:00.000Z", 60.0: "2026-11-24T11:59:00.000Z"}.get(seconds, started)


def test_secrets_do_not_get_in():
    content = _journal.compose(
        journals.facts(
            reason="because of s3same-0pen",
            summary="psql: postgres://ada:hunter2@db failed",
            arguments={"release_environment": {"API_KEY": "hunter2", "LEVEL": "info"}},
            overrides=[{"guard": "lock", "message": "password=hunter2"}],
        ),
        ["s3same-0pen"],
    )
    assert "s3same-0pen" not in json.dumps(content)
    assert "hunter2" not in json.dumps(content)
    assert content["arguments"]["release_environment"]["LEVEL"] == "info"


@pytest.mark.parametrize(
    "large",
    [
        {"summary": "x" * 100_000},
        {"reason": "\x01" * 100_000},
        {"arguments": {"list": ["y" * 100] * 10_000}},
        {"before": {"z" * 5000 + str(number): "😀" * 3000 for number in range(300)}},
        {"after": {str(number): {str(deep): "w" * 300 for deep in range(100)} for number in range(100)}},
        {"overrides": [{"guard": "g", "message": "m" * 10_000}] * 1000},
        dict.fromkeys(("operation", "stack", "operator", "host", "reason", "summary", "started_at", "ended_at"), "t" * 50_000),
    ],
    ids=lambda large: next(iter(large)),
)
def test_an_entry_is_never_larger_than_it_may_be(large):
    content = _journal.compose(journals.facts(**large))
    assert content["truncated"]
    assert content["verdict"] == "pass"
    _entry, line = _journal.seal(content, {"sequence": 10**12, "hash": "a" * 64}, journals.TIME, journals.KEY, _journal.damage_of(b"x"))
    assert len(line) <= _journal.MAX_BYTES
    assert _journal.waited(content) == dict(content, spooled=True), "an entry that waited in a spool is the same afterwards"


def test_what_somebody_put_into_a_spool_is_bounded_too():
    deep: dict = {}
    for _level in range(500):
        deep = {"deeper": deep}
    content = _journal.waited({"id": ["x"], "summary": "x" * 100_000, "before": {"x": "\ud800", "y": float("nan")}, "after": deep})
    assert len(_journal.canonical(content)) < _journal.MAX_BYTES
    assert set(content) == set(_journal.FACTS)
    assert content["spooled"]


def test_a_long_id_can_be_found_again():
    content = _journal.compose(journals.facts(id="x" * 1000))
    assert len(content["id"]) == 64
    assert content["id"] == _journal.compose(journals.facts(id="x" * 1000))["id"]
    assert _journal.compose(journals.facts(id="mine"))["id"] == "mine"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"sequence":1}',
        b'{"sequence":1' + HASH[:-3] + b'"}',
        b'{"sequence":0' + HASH,
        b'{"sequence":true' + HASH,
        b'{"sequence":"1"' + HASH,
        b'{"sequence":1,"a":"\xc3"' + HASH,
        b'["a"' + HASH,
        b"[" * 100_000 + HASH,
        bytes(200),
    ],
)
def test_what_is_no_entry_is_none(line):
    assert _journal.parse(line) is None


# -- writing ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "torn", [b"x", b'{"after":{},"argum', b"\xc3", bytes(4096), b"not json\n", b"one\ntwo\n", b"\n", b"x" * 200_000, b"x\n" * 50_000]
)
def test_a_torn_end_stays_visible_and_the_chain_goes_on(path, torn):
    first = append(path)
    with path.open("ab") as stream:
        stream.write(torn)
    second = append(path)
    third = append(path)
    assert (second["sequence"], second["previous"]) == (2, first["hash"])
    whole = torn if torn.endswith(b"\n") else torn + b"\n"
    assert second["damage"] == {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
    assert third["damage"] is None
    reading = journals.review(path)
    assert reading.verified
    assert reading.findings == []
    assert [damage["line"] for damage in reading.damaged] == list(range(2, 2 + whole.count(b"\n")))[:100]
    assert {damage["noted_by"] for damage in reading.damaged} == {2}


def test_a_last_line_that_lacks_only_its_newline_is_whole(path):
    first = append(path)
    path.write_bytes(path.read_bytes()[:-1])
    second = append(path)
    assert (second["previous"], second["damage"]) == (first["hash"], None)
    assert journals.review(path).verified


def test_a_file_that_is_no_journal_at_all_is_damage_before_the_first_entry(path):
    path.parent.mkdir()
    path.write_bytes(b"something else\n")
    entry = append(path)
    assert (entry["sequence"], entry["previous"]) == (1, None)
    reading = journals.review(path)
    assert reading.verified
    assert [damage["line"] for damage in reading.damaged] == [1]


def test_there_is_an_end_to_looking_for_an_entry(path, monkeypatch):
    monkeypatch.setattr(_journal, "MAX_DAMAGE_BYTES", 100_000)
    append(path)
    with path.open("ab") as stream:
        stream.write(b"x" * 1_000_000)
    with pytest.raises(OpsError, match="move it aside"):
        append(path)


def test_the_end_of_a_large_journal_is_found_without_reading_it_all(path, monkeypatch):
    path.parent.mkdir()
    path.write_bytes(b"".join(journals.chain(2000)))
    read = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda handle, length, start: read.append(length) or pread(handle, length, start))
    assert append(path)["sequence"] == 2001
    assert sum(read) <= 65536 + 1


def write_many(path, writer, count):
    for number in range(count):
        append(path, arguments={"writer": writer, "number": number, "padding": "x" * 1500})


def test_twenty_writers_at_once_keep_the_chain_whole(path):
    writers = [FORK.Process(target=write_many, args=(path, writer, 10)) for writer in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    reading = journals.review(path, limit=1000)
    assert (reading.verified, reading.count, reading.damaged) == (True, 200, [])
    for writer in range(20):
        assert [entry["arguments"]["number"] for entry in reading.entries if entry["arguments"]["writer"] == writer] == list(range(10))


def write_for_ever(path, writer):
    while True:
        write_many(path, writer, 1)


def test_writers_that_are_killed_leave_a_chain_that_verifies(path):
    for _round in range(5):
        writers = [FORK.Process(target=write_for_ever, args=(path, writer)) for writer in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(0.15)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
    last = append(path)
    reading = journals.review(path)
    assert reading.verified, reading.findings
    assert reading.count == last["sequence"] > 5


FULL_DISK = """
import resource, signal, sys
from ansible_collections.astraldraft.ops.plugins.module_utils import _journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
content = _journal.compose({"operation": "deploy", "verdict": "pass", "operator": "ada", "summary": "x" * 1500})
try:
    _journal.Journal(sys.argv[1]).append([content], "2026-11-24T12:00:00.000Z", sys.argv[3:])
except OSError as error:
    print("refused:", error.strerror)
else:
    print("written")
"""


def append_on_a_full_disk(path, room, *spools):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    command = [sys.executable, "-c", FULL_DISK, str(path), str(room), *map(str, spools)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout


def test_an_entry_that_the_disk_cannot_hold_is_refused_and_leaves_nothing_behind(path):
    """The kernel takes some of the bytes and says so by a number: what it took is taken back."""
    append(path)
    before = path.read_bytes()
    assert append_on_a_full_disk(path, len(before) + 700).startswith("refused:")
    assert path.read_bytes() == before
    append(path)
    assert journals.review(path).verified


def test_what_waits_goes_on_waiting_while_the_disk_is_full(path, tmp_path):
    spool = tmp_path / "spool.jsonl"
    append(spool, id="waiting")
    append(path)
    before = path.read_bytes(), spool.read_bytes()
    assert append_on_a_full_disk(path, len(before[0]) + 700, spool).startswith("refused:")
    assert (path.read_bytes(), spool.read_bytes()) == before


def test_a_process_that_was_stopped_is_not_waited_for_without_end(path, monkeypatch):
    append(path)
    monkeypatch.setattr(_journal, "appending", lambda name: appending(name, timeout=0.2))
    with appending(str(path)), pytest.raises(TimeoutError, match="locked by another process"):
        append(path)
