"""Every kind of check against real servers that misbehave."""

import gc
import socket
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _checks, _checks_all
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad

OK = b'{"status": "ok", "version": "v1.2.3", "checks": {"database": "ok"}}'


def check(*raw):
    """The outcomes of checks, given as a module gives them: with every option of the spec."""
    blank = {key: option.get("default") for key, option in _checks_all.SPEC.items()}
    checks = _checks_all.prepare([dict(blank, timeout=one.pop("timeout", 0.5), **one) for one in raw])
    context = {"docker_host": "unix:///nowhere/docker.sock", "libraries": _checks_all.libraries(checks)}
    return _checks.run_round(checks, _checks_all.PROBES, context)


def one(**raw):
    (outcome,) = check(raw)
    return outcome


def http(port, **options):
    return one(type="http", url=f"http://127.0.0.1:{port}/api/health", **options)


@pytest.mark.parametrize(
    ("options", "verdict", "reason"),
    [
        ({}, "healthy", "ok"),
        ({"expected_version": "v1.2.3"}, "healthy", "ok"),
        ({"expected_version": "v1.2.4"}, "wrong_answer", "version"),
        ({"expected_version": "v1.2.3", "version_path": "release"}, "wrong_answer", "version"),
        ({"json": [{"path": "checks.database", "equals": "ok"}]}, "healthy", "ok"),
        ({"json": [{"path": "checks.database", "equals": "down"}]}, "wrong_answer", "assertion"),
        ({"contains": "v1.2.3"}, "healthy", "ok"),
        ({"contains": "maintenance"}, "wrong_answer", "body"),
        ({"status": [204]}, "wrong_answer", "unexpected_status"),
        ({"latency_warn": 1e-9}, "degraded", "slow"),
        ({"latency_fail": 1e-9}, "wrong_answer", "slow"),
        ({"configured": False}, "not_configured", "not_configured"),
    ],
)
def test_http_answers(options, verdict, reason):
    with bad.serving(bad.answering(body=OK, X_Release="v1.2.3")) as port:
        outcome = http(port, **options)
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert bool(outcome.next) == (verdict != "healthy")


def test_a_header_that_stamps_another_version_is_noticed():
    with bad.serving(bad.answering(body=OK, X_Release="v1.2.2")) as port:
        outcome = http(port, expected_version="v1.2.3")
    assert (outcome.verdict, outcome.reason) == ("wrong_answer", "version")
    assert "X-Release: v1.2.2" in outcome.message


@pytest.mark.parametrize(
    ("status", "external", "reason"),
    [
        ("401 Unauthorized", True, "our_credentials"),
        ("403 Forbidden", False, "our_credentials"),
        ("500 Oops", True, "their_outage"),
        ("500 Oops", False, "server_error"),
        ("429 Slow down", True, "rate_limited"),
        ("404 Not Found", True, "unexpected_status"),
    ],
)
def test_whose_fault_a_status_is(status, external, reason):
    with bad.serving(bad.answering(status)) as port:
        outcome = http(port, external=external, headers={"X-Key": "secret-value"})
    assert (outcome.verdict, outcome.reason) == ("wrong_answer", reason)
    assert "secret-value" not in str(outcome.to_dict())


def test_a_redirect_is_a_wrong_answer_unless_listed():
    with bad.serving(bad.answering("302 Found", Location="https://me:pw@maintenance.example.com/?token=x")) as port:
        outcome = http(port)
        assert outcome.reason == "redirected"
        assert "https://maintenance.example.com/?token=***" in outcome.message
        assert http(port, status=[302]).verdict == "healthy"


def test_html_is_not_json():
    with bad.serving(bad.answering(body=b"<html>Maintenance</html>")) as port:
        assert http(port, json=[{"path": "status"}]).reason == "not_json"


def test_somebody_elses_time_out_is_their_outage():
    with bad.serving(bad.hanging) as port:
        assert http(port).reason == "timed_out"
        outcome = http(port, external=True)
    assert (outcome.verdict, outcome.reason) == ("timed_out", "their_outage")


def test_tcp():
    with bad.serving(bad.hanging) as port:
        assert one(type="tcp", host="127.0.0.1", port=port).verdict == "healthy"
    assert one(type="tcp", host="127.0.0.1", port=bad.free_port()).verdict == "refused"
    assert one(type="tcp", host="no-such-host.invalid", port=1, timeout=3.0).reason == "dns"
    assert one(type="tcp", host="", port=1).verdict == "not_configured"


def test_a_full_backlog_times_out():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        held = [socket.socket() for _number in range(4)]
        for connection in held:
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        outcome = one(type="tcp", host="127.0.0.1", port=port, timeout=0.3)
        for connection in held:
            connection.close()
    assert outcome.verdict == "timed_out"


def tls(folder, server_name="localhost", trusted=True, begins=-10.0, ends=90.0, **options):
    certificate, key = bad.make_certificate(folder, begins=begins, ends=ends)
    ca_path = str(certificate) if trusted else None
    with bad.serving(bad.hanging, bad.tls_context(certificate, key)) as port:
        return one(type="tls", host="127.0.0.1", port=port, server_name=server_name, ca_path=ca_path, timeout=3.0, **options)


@pytest.mark.parametrize(
    ("options", "verdict", "reason"),
    [
        ({}, "healthy", "ok"),
        ({"trusted": False}, "wrong_answer", "self_signed"),
        ({"server_name": "shop.example.com"}, "wrong_answer", "wrong_host"),
        ({"begins": -30.0, "ends": -1.0}, "wrong_answer", "expired"),
        ({"begins": 1.0}, "wrong_answer", "not_yet_valid"),
        ({"begins": -80.0, "ends": 20.0}, "degraded", "expires_soon"),
        ({"begins": -95.0, "ends": 5.0}, "wrong_answer", "expires_soon"),
        ({"begins": -95.0, "ends": 5.0, "fraction_warn": 0.0, "fraction_fail": 0.0}, "healthy", "ok"),
        ({"days_fail": 91.0}, "wrong_answer", "expires_soon"),
        ({"days_warn": 91.0}, "degraded", "expires_soon"),
    ],
)
def test_tls(tmp_path, options, verdict, reason):
    outcome = tls(tmp_path, **options)
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert len(outcome.details["fingerprint_sha256"]) == 64
    assert outcome.details["not_after"].endswith("Z")


def test_a_certificate_renewed_only_on_disk_is_noticed(tmp_path):
    on_disk, _key = bad.make_certificate(tmp_path, name="renewed")
    assert tls(tmp_path, certificate_path=str(on_disk)).reason == "stale_certificate"
    assert tls(tmp_path, certificate_path=str(tmp_path / "server.crt")).verdict == "healthy"
    assert tls(tmp_path, certificate_path=str(tmp_path / "missing.crt")).reason == "certificate_file"


def test_tls_against_what_is_none():
    with bad.serving(bad.babbling) as port:
        assert one(type="tls", host="127.0.0.1", port=port).reason == "not_tls"
    with bad.serving(bad.hanging) as port:
        assert one(type="tls", host="127.0.0.1", port=port).verdict == "timed_out"


@pytest.mark.parametrize(
    ("reply", "verdict", "reason"),
    [
        (b"-NOAUTH Authentication required.\r\n", "wrong_answer", "our_credentials"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "wrong_answer", "loading"),
        (b"-ERR unknown command\r\n", "wrong_answer", "error_reply"),
        (b"HTTP/1.1 400 Bad Request\r\n", "wrong_answer", "not_redis"),
    ],
)
def test_redis_error_replies(reply, verdict, reason):
    with bad.serving(bad.replying(reply)) as port:
        outcome = one(type="redis", login_host="127.0.0.1", login_port=port)
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_redis_connections():
    assert one(type="redis", login_host="127.0.0.1", login_port=bad.free_port()).verdict == "refused"
    with bad.serving(bad.hanging) as port:
        assert one(type="redis", login_host="127.0.0.1", login_port=port).verdict == "timed_out"
        outcome = one(type="redis", nodes=[f"127.0.0.1:{port}", f"127.0.0.1:{bad.free_port()}"])
    assert [node["verdict"] for node in outcome.details["nodes"]] == ["timed_out", "refused"]
    assert "2 of 2 nodes have trouble" in outcome.message


def test_postgres_connections():
    assert one(type="postgres", login_host="127.0.0.1", login_port=bad.free_port(), timeout=3.0).verdict == "refused"
    assert one(type="postgres", login_host="", timeout=3.0).verdict == "not_configured"
    with bad.serving(bad.babbling) as port:
        assert one(type="postgres", login_host="127.0.0.1", login_port=port, timeout=3.0).reason == "not_postgres"
    with bad.serving(bad.hanging) as port:
        started = time.monotonic()
        assert one(type="postgres", login_host="127.0.0.1", login_port=port).verdict == "timed_out"
        assert time.monotonic() - started < 1.6, "libpq's own limit is two seconds at least"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_engine_is_a_verdict():
    """The Docker SDK leaves the socket open on which it could not connect; it is collected here, where that is forgiven."""
    outcome = one(type="container", project="demo", timeout=2.0)
    assert (outcome.verdict, outcome.reason) == ("unreachable", "no_engine")
    assert one(type="container", project="").verdict == "not_configured"
    gc.collect()


def test_twenty_hanging_servers_take_the_time_of_one():
    with bad.serving(bad.hanging) as port:
        started = time.monotonic()
        outcomes = check(*({"type": "http", "url": f"http://127.0.0.1:{port}/{number}"} for number in range(20)))
        assert time.monotonic() - started < 1.5
    assert {outcome.verdict for outcome in outcomes} == {"timed_out"}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([], "No check is given"),
        ([{"type": "tcp", "host": "a", "port": 1, "url": "http://x"}], "has the option url, which belongs to another type"),
        ([{"type": "http", "url": "http://x", "json": [{"path": "a]"}]}], "cannot be read"),
        ([{"type": "tcp", "host": "a", "port": 1, "timeout": 0.0}], "positive number"),
        ([{"type": "tcp", "host": "a", "port": 1}] * 257, "256 at most"),
    ],
)
def test_bad_input_is_refused(raw, message):
    with pytest.raises(OpsError, match=message):
        check(*[dict(one) for one in raw])
