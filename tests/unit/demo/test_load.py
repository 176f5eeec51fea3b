"""The load generator, against servers that misbehave: everything is counted, nothing is tried again."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.misbehaving import make_certificate, tls_context

from demo.load import Load, Options, answers_of, run, window
from demo.load.client import Client, Outcome
from demo.load.generator import Timetable
from demo.load.report import Recorder, percentiles

ROOT = Path(__file__).resolve().parents[3]
OK = b"HTTP/1.1 200 OK\r\nX-Release: v1\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(behave):
    """``behave(connection, number)`` serves connection ``number`` (from 1). Yields (port, list of connections made)."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    made = []

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            made.append(connection)
            threading.Thread(target=guarded, args=(connection, len(made)), daemon=True).start()

    def guarded(connection, number):
        with suppress(OSError):
            behave(connection, number)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], made
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in made:
            connection.close()


def read_request(connection):
    """One request without a body; b"" when the client has gone."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        chunk = connection.recv(4096)
        if not chunk:
            return b""
        data += chunk
    return data


def serve(connection, _number, answer=OK):
    while read_request(connection):
        connection.sendall(answer)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ask(port, times=1, timeout=5.0):
    client = Client("127.0.0.1", port, timeout)
    outcomes = [client.request("get", "GET", "/", 200) for _ in range(times)]
    client.close()
    return client, outcomes


def test_one_connection_serves_many_requests():
    with server(serve) as (port, made):
        client, outcomes = ask(port, 5)
    assert [outcome.error for outcome in outcomes] == [None] * 5
    assert outcomes[0].release == "v1"
    assert [outcome.reused for outcome in outcomes] == [False, True, True, True, True]
    assert len(made) == 1
    assert client.reconnects == {"announced": 0, "failure": 0}


def test_over_tls_a_connection_is_kept_too_and_its_end_without_an_answer_is_a_reset(tmp_path):
    certificate, key = make_certificate(tmp_path)
    context = Options(url="https://127.0.0.1", ca=str(certificate)).context()

    def twice(connection, _number):
        with tls_context(certificate, key).wrap_socket(connection, server_side=True) as secured:
            for _ in range(2):
                read_request(secured)
                secured.sendall(OK)

    with server(twice) as (port, made):
        client = Client("127.0.0.1", port, 5, context, "localhost")
        outcomes = [client.request("get", "GET", "/", 200) for _ in range(3)]
        client.close()
        assert [outcome.error_kind for outcome in outcomes] == [None, None, "reset"] and len(made) == 1
        stranger = Client("127.0.0.1", port, 5, context, "other.test")
        assert "other.test" in stranger.request("get", "GET", "/", 200).error


def test_a_reset_of_an_idle_connection_is_a_failure_and_is_not_tried_again():
    requests = []

    def once(connection, _number):
        requests.append(read_request(connection))
        connection.sendall(OK)
        reset(connection)

    with server(once) as (port, made):
        client = Client("127.0.0.1", port, 5)
        assert client.request("get", "GET", "/", 200).error is None
        time.sleep(0.1)
        failed = client.request("get", "GET", "/", 200)
        assert len(made) == 1
        assert len(requests) == 1
        assert client.request("get", "GET", "/", 200).error is None
        client.close()
    assert failed.error_kind == "reset"
    assert failed.reused
    assert client.reconnects == {"announced": 0, "failure": 1}


def test_a_connection_closed_without_an_answer_is_a_reset():
    def hang_up(connection, _number):
        read_request(connection)
        connection.close()

    with server(hang_up) as (port, made):
        client, outcomes = ask(port, 2)
    assert [outcome.error_kind for outcome in outcomes] == ["reset", "reset"]
    assert "RemoteDisconnected" in outcomes[0].error
    assert len(made) == 2
    assert client.reconnects["failure"] == 1


def test_an_answer_cut_short_is_a_failure():
    def cut(connection, _number):
        read_request(connection)
        connection.sendall(OK.replace(b"Length: 2", b"Length: 20"))
        connection.close()

    with server(cut) as (port, _):
        _, (outcome,) = ask(port)
    assert outcome.error_kind == "reset"
    assert outcome.status == 200


def test_an_announced_close_is_no_failure():
    def announce(connection, _number):
        read_request(connection)
        connection.sendall(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        connection.close()

    with server(announce) as (port, made):
        client, outcomes = ask(port, 3)
    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert len(made) == 3
    assert client.reconnects == {"announced": 2, "failure": 0}


@pytest.mark.parametrize("status", [b"500 Oops", b"503 Busy", b"404 Gone", b"201 Created", b"302 Elsewhere"])
def test_an_unexpected_status_is_a_failure_on_a_connection_that_goes_on(status):
    with server(lambda connection, number: serve(connection, number, OK.replace(b"200 OK", status))) as (port, made):
        _, outcomes = ask(port, 2)
    assert [outcome.error_kind for outcome in outcomes] == ["status", "status"]
    assert len(made) == 1


def test_a_timeout_and_a_refusal_are_told_apart():
    with server(lambda _connection, _number: time.sleep(2)) as (port, _):
        _, (late,) = ask(port, timeout=0.2)
    _, (refused,) = ask(port)
    assert late.error_kind == "timeout"
    assert refused.error_kind == "refused"
    assert refused.status is None


def test_nonsense_is_a_protocol_error():
    with server(lambda connection, number: serve(connection, number, b"nonsense\r\n\r\n")) as (port, _):
        _, (outcome,) = ask(port)
    assert outcome.error_kind == "protocol"


def options(port, **changes):
    values = {"url": f"http://127.0.0.1:{port}", "rate": 100, "clients": 5, "idle_clients": 0, "slow_clients": 0, "post_share": 0}
    return Options(**{**values, **changes})


def test_a_run_counts_what_the_clients_saw():
    def flaky(connection, number):
        answered = 0
        while read_request(connection):
            if number % 2 and answered == 10:
                reset(connection)
                return
            connection.sendall(OK)
            answered += 1

    with server(flaky) as (port, made):
        report = run(options(port, seconds=1.0))
    assert report["finished"]
    assert report["resets"] == report["failed"] > 0
    # A client whose last request failed has not come back.
    assert report["failed"] - 5 <= report["reconnects"]["failure"] <= report["failed"]
    assert len(made) == 5 + report["reconnects"]["failure"]
    assert report["by_release"] == {"v1": report["requests"] - report["failed"]}
    # The lower bound is for a machine that is busy with other things.
    assert 20 <= report["requests"] <= 120
    assert report["failures"][0]["reused"] and report["failures"][0]["kind"] == "get"
    assert sum(row["failed"] for row in report["timeline"]) == report["failed"]


def test_stopping_lets_requests_under_way_end():
    def slowly(connection, _number):
        while read_request(connection):
            time.sleep(0.4)
            connection.sendall(OK)

    with server(slowly) as (port, _):
        load = Load(options(port, clients=0, slow_clients=2, slow_seconds=0.4))
        load.start()
        time.sleep(1.2)
        load.stop()
        report = load.report()
    assert report["failed"] == 0
    assert report["by_kind"]["slow"]["requests"] >= 2


def test_the_command_writes_its_report_when_terminated(tmp_path):
    report, log = tmp_path / "report.json", tmp_path / "requests.log"
    with server(serve) as (port, _):
        command = [sys.executable, str(ROOT / "demo/load"), "--url", f"http://127.0.0.1:{port}", "--rate", "50", "--clients", "3"]
        command += ["--idle-clients", "1", "--slow-clients", "0", "--post-share", "0", "--report", str(report), "--log", str(log)]
        process = subprocess.Popen([*command, "--status-line"], stderr=subprocess.PIPE, cwd=tmp_path, text=True)
        time.sleep(1.5)
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 0, errors
    found = json.loads(report.read_text())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert found["requests"] == len(lines) > 10
    assert lines[0].keys() >= {"t", "kind", "ms", "status", "release", "error"}
    assert "0 failed" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "requests.log"]


def test_the_timetable_gives_up_turns_instead_of_sending_a_burst():
    timetable = Timetable(10, 100.0)
    assert timetable.take(100.0) == (100.0, 0)
    due, skipped = timetable.take(105.0)
    assert skipped == 49
    assert due == pytest.approx(105.0)


def outcome(answered, release, error=None):
    return Outcome(answered - 0.01, answered, "get", release, 200 if not error else None, error, "reset" if error else None, True)


def test_the_report_tells_when_a_release_answered_last():
    recorder = Recorder()
    for at, release in [(100.2, "old"), (100.9, "old"), (101.1, "new"), (101.4, "old"), (102.0, "new")]:
        recorder.add(outcome(at, release))
    recorder.add(outcome(102.5, None, "ConnectionResetError"))
    report = recorder.report(100.0, 103.0, True, {})
    assert answers_of(report, "old", 100.0) == {"first": 100.2, "last": 101.4, "at_most": 3}
    assert answers_of(report, "old", 101.4) is None
    assert answers_of(report, "old", 101.0) == {"first": 101.4, "last": 101.4, "at_most": 1}
    assert answers_of(report, "new", 100.0, 101.0) is None
    assert window(report, 101, 102) == {"requests": 2, "failed": 0, "by_release": {"new": 1, "old": 1}}
    assert window(report, 102, 103)["failed"] == 1
    assert report["last_seen_by_release"]["old"] == "1970-01-01T00:01:41.400Z"


def test_percentiles_by_nearest_rank():
    assert percentiles([]) is None
    found = percentiles(range(1, 101))
    assert (found["p50"], found["p99"], found["max"]) == (50, 99, 100)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://x"},
        {"rate": 0},
        {"post_share": 2},
        {"clients": 0, "idle_clients": 0, "slow_clients": 0},
        {"idle_from": 9, "idle_to": 1},
    ],
)
def test_bad_options_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        Options(**wrong)
