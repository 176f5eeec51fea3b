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

HASH = b',"hash":"' + b"a" * 64 + b'"}'
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.jsonl"


def append(path, key=None, spools=(), **changed):
    """Append one entry. Returns it."""
    entries, _problems = _journal.Journal(str(path), key).append([_journal.compose(journals.facts(**changed))], journals.TIME, spools)
    return entries[-1]


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


# -- spools -----------------------------------------------------------------------------------------------------------------------


def spooled(path):
    return [entry["operation"] for entry in journals.review(path).entries if entry["spooled"]]


def test_what_waited_comes_before_what_is_recorded_and_waits_no_longer(path, tmp_path):
    spools = [tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "missing.jsonl"]
    append(spools[0], operation="rollback")
    append(spools[0], operation="scale", key=journals.KEY)
    append(spools[1], operation="weights")
    append(path, operation="first")
    append(path, operation="last", spools=spools)
    reading = journals.review(path)
    assert reading.verified
    assert [(entry["operation"], entry["spooled"]) for entry in reading.entries] == [
        ("first", False), ("rollback", True), ("scale", True), ("weights", True), ("last", False)
    ]  # fmt: skip
    assert [spool.read_bytes() for spool in spools[:2]] == [b"", b""]
    assert not spools[2].exists()


def test_what_is_in_the_journal_already_is_known_by_its_id(path, tmp_path):
    """Killed after the entries were appended, and before the spool was emptied."""
    spool = tmp_path / "spool.jsonl"
    append(spool, operation="rollback", id="rollback-7")
    kept = spool.read_bytes()
    append(path, spools=[spool])
    spool.write_bytes(kept)
    append(path, spools=[spool])
    assert spooled(path) == ["rollback"]
    assert spool.read_bytes() == b""


def test_an_entry_that_got_into_the_journal_although_nobody_heard_is_not_recorded_twice(path, tmp_path):
    """The answer of the state host got lost: the same entry was spooled under the id of the first attempt."""
    spool = tmp_path / "spool.jsonl"
    append(path, id="deploy-8")
    append(spool, id="deploy-8")
    append(path, spools=[spool])
    assert [entry["spooled"] for entry in journals.review(path).entries] == [False, False]


def test_killed_at_any_moment_nothing_that_waited_is_lost_or_doubled(path, tmp_path, monkeypatch):
    spool = tmp_path / "spool.jsonl"
    ids = ["waiting-{0}".format(number) for number in range(3)]
    for identifier in ids:
        append(spool, id=identifier)

    class Killed(BaseException):
        pass

    def killed(*_arguments):
        raise Killed

    for function in ("seal", "append_bytes"):
        with monkeypatch.context() as patch:
            patch.setattr(_journal, function, killed)
            with pytest.raises(Killed):
                append(path, spools=[spool])
    with monkeypatch.context() as patch:
        patch.setattr(_journal.Spool, "remove", killed)
        with pytest.raises(Killed):
            append(path, spools=[spool], id="killed")
    append(path, spools=[spool], id="last")
    assert [entry["id"] for entry in journals.review(path).entries] == [*ids, "killed", "last"]
    assert spool.read_bytes() == b""


def test_killed_while_a_spool_is_emptied_what_stays_there_is_not_lost(tmp_path, monkeypatch):
    spool = tmp_path / "spool.jsonl"
    for identifier in ("one", "two", "three"):
        append(spool, id=identifier)
    before = spool.read_bytes()

    def killed(*_arguments):
        raise OSError("killed")

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patch, _journal.Spool.open(str(spool)) as opened:
            patch.setattr(os, function, killed)
            with pytest.raises(OSError, match="killed"):
                opened.remove({"one", "three"})
        assert spool.read_bytes() == before
    assert os.listdir(tmp_path) == ["spool.jsonl"]


def test_an_emptied_spool_is_the_same_file_to_everybody_else(tmp_path):
    """Behind a link too, and with the mode it had."""
    spool, link = tmp_path / "spool.jsonl", tmp_path / "link.jsonl"
    append(spool, id="one")
    spool.chmod(0o640)
    link.symlink_to(spool)
    with _journal.Spool.open(str(link)) as opened:
        assert opened.remove({"one"}) == 1
        with pytest.raises(OSError, match="not held"):
            opened.remove({"one"})
    assert link.is_symlink()
    assert spool.read_bytes() == b""
    assert stat.S_IMODE(spool.stat().st_mode) == 0o640


def test_what_in_a_spool_is_no_whole_entry_stays_there_and_is_told(path, tmp_path):
    spool = tmp_path / "spool.jsonl"
    append(spool, operation="rollback")
    append(spool, operation="scale")
    lines = spool.read_bytes().splitlines(keepends=True)
    edited = lines[1].replace(b'"operator":"ada"', b'"operator":"eve"')
    spool.write_bytes(lines[0] + b"torn\n" + edited)
    _entries, problems = _journal.Journal(str(path)).append([_journal.compose(journals.facts())], journals.TIME, [str(spool)])
    assert spooled(path) == ["rollback"]
    assert spool.read_bytes() == b"torn\n" + edited
    assert len(problems) == 2
    assert problems[0].startswith("Line 2 of the spool")


def test_a_spool_that_is_much_too_large_is_left_alone(path, tmp_path, monkeypatch):
    monkeypatch.setattr(_journal, "MAX_SPOOL_BYTES", 100)
    spool = tmp_path / "spool.jsonl"
    append(spool)
    before = spool.read_bytes()
    _entries, problems = _journal.Journal(str(path)).append([_journal.compose(journals.facts())], journals.TIME, [str(spool)])
    assert spool.read_bytes() == before
    assert "left alone" in problems[0]


def test_the_journal_is_no_spool_of_its_own(path):
    append(path)
    append(path, spools=[path, os.path.join(str(path.parent), ".", path.name)])
    assert journals.review(path).count == 2


def test_what_was_spooled_meanwhile_is_not_removed(tmp_path):
    path = tmp_path / "spool.jsonl"
    for identifier in ("one", "two", "three"):
        append(path, id=identifier)
    with _journal.Spool.open(str(path)) as spool:
        assert spool.remove({"one", "three", "other"}) == 2
    with _journal.Spool.open(str(path)) as spool:
        assert [content["id"] for content in spool.contents] == ["two"]
        assert spool.remove(set()) == 0


def test_a_look_at_the_spool_can_change_nothing(tmp_path):
    path = tmp_path / "spool.jsonl"
    append(path, id="one")
    before = path.read_bytes()
    with _journal.Spool.look(str(path)) as spool:
        assert [content["id"] for content in spool.contents] == ["one"]
        with pytest.raises(OSError):
            spool.remove({"one"})
    assert path.read_bytes() == before
    with pytest.raises(FileNotFoundError), _journal.Spool.look(str(tmp_path / "folder" / "spool.jsonl")):
        pass
    assert not (tmp_path / "folder").exists()


def spool_many(path, count):
    for number in range(count):
        append(path, operation="rollback", id="{0}-{1}".format(os.getpid(), number))


def test_spooling_and_importing_at_the_same_time_loses_nothing(path, tmp_path):
    spool = tmp_path / "spool.jsonl"
    writers = [FORK.Process(target=spool_many, args=(spool, 20)) for _writer in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        append(path, spools=[spool])
    append(path, spools=[spool])
    reading = journals.review(path, limit=10_000)
    assert reading.verified
    ids = [entry["id"] for entry in reading.entries if entry["spooled"]]
    assert len(ids) == len(set(ids)) == 80


# -- incidents --------------------------------------------------------------------------------------------------------------------


def test_the_open_incident_is_the_most_severe_one_and_of_those_the_newest(tmp_path):
    def incident(identifier, text):
        folder = tmp_path / identifier
        folder.mkdir()
        (folder / "incident.json").write_text(text if isinstance(text, str) else json.dumps(dict(text, id=identifier)))

    assert _journal.open_incident(str(tmp_path / "missing")) is None
    assert _journal.open_incident(str(tmp_path)) is None
    incident("2026-1", {"severity": "SEV-1", "status": "resolved"})
    incident("2026-2", {"severity": "SEV-3", "status": "monitoring"})
    incident("2026-3", "{ torn")
    incident("2026-4", "[1]")
    (tmp_path / "empty").mkdir()
    assert _journal.open_incident(str(tmp_path)) == "2026-2"
    incident("2026-5", {"severity": "SEV-2", "status": "investigating"})
    incident("2026-6", {"severity": "SEV-2", "status": "identified"})
    incident("2026-7", {"severity": "SEV-4", "status": "investigating"})
    assert _journal.open_incident(str(tmp_path)) == "2026-6"
