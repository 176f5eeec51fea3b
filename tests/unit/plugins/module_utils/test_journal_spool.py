from __future__ import annotations

import errno
import multiprocessing
import os
import stat

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _journal
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import journals
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.journals import append

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.jsonl"


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


def test_a_spool_that_cannot_be_emptied_is_told_and_costs_nothing(path, tmp_path, monkeypatch):
    spool = tmp_path / "spool.jsonl"
    append(spool, id="waiting")

    def full(*_arguments, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_journal, "write_atomically", full)
        _entries, problems = _journal.Journal(str(path)).append([_journal.compose(journals.facts())], journals.TIME, [str(spool)])
    assert "could not be emptied" in problems[0]
    append(path, spools=[spool])
    assert [entry["spooled"] for entry in journals.review(path).entries] == [True, False, False]
    assert spool.read_bytes() == b""


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
