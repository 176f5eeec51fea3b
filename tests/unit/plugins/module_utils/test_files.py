from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _files
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

FORK = multiprocessing.get_context("fork")


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Broken:
    """Content that cannot be written: it is no str."""


def test_a_file_is_replaced_whole_with_the_mode_asked_for(tmp_path):
    path = tmp_path / "app.conf"
    _files.write_atomically(str(path), "old\n")
    assert mode_of(path) == 0o600
    _files.write_atomically(str(path), "né\n", mode=0o644)
    assert path.read_bytes() == "né\n".encode()
    assert mode_of(path) == 0o644
    assert os.listdir(tmp_path) == ["app.conf"]


def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "app.conf"
    path.write_text("old\n")
    with pytest.raises(TypeError):
        _files.write_atomically(str(path), Broken())
    assert path.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["app.conf"]


def test_no_reader_ever_sees_a_half_written_file(tmp_path):
    path = str(tmp_path / "file")
    contents = ["a" * 200_000, "b" * 200_000]
    _files.write_atomically(path, contents[0])

    def write_for_ever():
        while True:
            for content in contents:
                _files.write_atomically(path, content)

    writer = FORK.Process(target=write_for_ever)
    writer.start()
    try:
        ending = time.monotonic() + 0.5
        while time.monotonic() < ending:
            assert _files.read_text(path) in contents
    finally:
        writer.kill()
        writer.join()
    assert _files.read_text(path) in contents


def test_a_missing_file_reads_as_the_default(tmp_path):
    assert _files.read_text(str(tmp_path / "nothing")) is None
    assert _files.read_text(str(tmp_path / "nothing"), default="") == ""
    assert _files.read_lines(str(tmp_path / "nothing")) == ([], [])


def test_lines_come_back_as_they_were_appended(tmp_path):
    path = str(tmp_path / "folder" / "releases.jsonl")
    records = [{"n": 1, "reason": "Größe 😀"}, {"n": 2, "reason": 'a "quoted"\nsecond line'}]
    for record in records:
        _files.append_line(path, record)
    assert _files.read_lines(path) == (records, [])
    assert mode_of(path) == 0o600
    assert mode_of(tmp_path / "folder") == 0o700


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\r"])
def test_a_reason_may_hold_what_unicode_calls_a_line_break(tmp_path, separator):
    """Text pasted from a web page brings such characters; the event must not be lost for it."""
    path = str(tmp_path / "releases.jsonl")
    record = {"reason": "pasted" + separator + "text"}
    _files.append_line(path, record)
    assert _files.read_lines(path) == ([record], [])


@pytest.mark.parametrize("kept", [1, 9, 15, 17, 19])
def test_a_torn_last_line_costs_that_line_alone(tmp_path, kept):
    """Cut anywhere, in the middle of a character too."""
    path = tmp_path / "releases.jsonl"
    _files.append_line(str(path), {"n": 1})
    torn = json.dumps({"reason": "Größe"}, ensure_ascii=False).encode()[:kept]
    with path.open("ab") as stream:
        stream.write(torn)
    assert _files.read_lines(str(path)) == ([{"n": 1}], [2])
    _files.append_line(str(path), {"n": 3})
    assert _files.read_lines(str(path)) == ([{"n": 1}, {"n": 3}], [2])


def test_a_line_that_lacks_only_its_newline_is_kept(tmp_path):
    path = tmp_path / "releases.jsonl"
    path.write_text('{"n": 1}')
    _files.append_line(str(path), {"n": 2})
    assert _files.read_lines(str(path)) == ([{"n": 1}, {"n": 2}], [])


def test_what_is_no_object_is_damage_and_empty_lines_are_nothing(tmp_path):
    path = tmp_path / "releases.jsonl"
    path.write_text('{"n": 1}\n\n[1]\nnull\n"text"\n   \nnot json\n{"n": 2}\n')
    assert _files.read_lines(str(path)) == ([{"n": 1}, {"n": 2}], [3, 4, 5, 7])


def test_zero_bytes_that_a_power_cut_left_are_damage(tmp_path):
    path = tmp_path / "releases.jsonl"
    path.write_bytes(b'{"n": 1}\n' + bytes(512))
    assert _files.read_lines(str(path)) == ([{"n": 1}], [2])


def append_many(path, writer, count):
    for number in range(count):
        _files.append_line(path, {"writer": writer, "number": number, "padding": "x" * 5000})


def test_appends_from_many_processes_neither_mix_nor_get_lost(tmp_path):
    path = str(tmp_path / "releases.jsonl")
    writers = [FORK.Process(target=append_many, args=(path, writer, 20)) for writer in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    records, damaged = _files.read_lines(path)
    assert damaged == []
    for writer in range(8):
        assert [record["number"] for record in records if record["writer"] == writer] == list(range(20))


def append_when(go, path, record):
    go.wait()
    _files.append_line(path, record)


def has_open(pid, inode):
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        # What was open a moment ago may be closed.
        with contextlib.suppress(FileNotFoundError):
            if os.stat(os.path.join(folder, name)).st_ino == inode:
                return True
    return False


@pytest.mark.parametrize("then", ["replaced", "removed"])
def test_whoever_waited_for_a_file_that_is_no_longer_there_appends_to_the_one_that_is(tmp_path, then):
    path, go = tmp_path / "spool.jsonl", FORK.Event()
    _files.append_line(str(path), {"n": 1})
    waiter = FORK.Process(target=append_when, args=(go, str(path), {"n": 2}))
    waiter.start()
    with _files.appending(str(path)) as handle:
        go.set()
        assert poll(lambda: has_open(waiter.pid, os.fstat(handle).st_ino), bool, timeout=10, interval=0.01)[1]
        if then == "replaced":
            _files.write_atomically(str(path), '{"n": 0}\n')
        else:
            path.unlink()
    waiter.join()
    assert waiter.exitcode == 0
    assert _files.read_lines(str(path)) == ([{"n": 0}, {"n": 2}] if then == "replaced" else [{"n": 2}], [])


def append_for_ever(path, writer):
    number = 0
    while True:
        _files.append_line(path, {"writer": writer, "number": number})
        number += 1


def test_appends_while_the_file_is_replaced_again_and_again_are_not_lost(tmp_path):
    path = tmp_path / "spool.jsonl"
    taken = []
    writers = [FORK.Process(target=append_for_ever, args=(str(path), writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    try:
        for _round in range(100):
            with _files.appending(str(path)):
                taken += _files.read_lines(str(path))[0]
                _files.write_atomically(str(path), "")
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    for writer in range(3):
        numbers = [record["number"] for record in taken if record["writer"] == writer]
        assert numbers == list(range(len(numbers)))
    assert taken


FULL_DISK = """
import resource, signal, sys
from ansible_collections.astraldraft.ops.plugins.module_utils import _files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    _files.append_line(sys.argv[1], {"padding": "x" * 3000})
except OSError as error:
    print("refused:", error.strerror)
else:
    print("written")
"""


def test_an_append_that_the_disk_cannot_hold_fails_and_is_not_passed_over(tmp_path):
    """The kernel writes what fits and says so only in a number; the event would be lost without a word."""
    path = str(tmp_path / "releases.jsonl")
    _files.append_line(path, {"n": 1})
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("refused:")
    _files.append_line(path, {"n": 2})
    assert _files.read_lines(path)[0] == [{"n": 1}, {"n": 2}]


def hold(path, ready):
    with _files.exclusive(path):
        ready.set()
        time.sleep(60)


def test_the_kernel_drops_the_mutex_of_a_process_that_died(tmp_path):
    path, ready = str(tmp_path / "mutex"), FORK.Event()
    holder = FORK.Process(target=hold, args=(path, ready))
    holder.start()
    assert ready.wait(10)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    started = time.monotonic()
    with _files.exclusive(path):
        assert time.monotonic() - started < 1


def test_no_file_stays_open(tmp_path):
    path = str(tmp_path / "releases.jsonl")
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        _files.append_line(path, {"n": number})
        _files.read_lines(path)
        with _files.exclusive(path + ".mutex"):
            pass
        _files.write_atomically(str(tmp_path / "file"), "x")
    assert len(os.listdir("/proc/self/fd")) == before
