"""Judgements of what servers and engines say of themselves: pure."""

import datetime

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _checks_container, _checks_postgres, _checks_redis, _docker

NOW = datetime.datetime(2026, 11, 23, 19, 0, 0, tzinfo=datetime.UTC)


def reasons(findings):
    return [(verdict, reason) for verdict, reason, _sentence, _advice in findings]


POSTGRES = dict(dict.fromkeys(_checks_postgres.POSTGRES_SPEC), **_checks_postgres.POSTGRES_DEFAULTS)
PRIMARY = {
    "role": "primary",
    "version": "17.6",
    "connections_usable": 97,
    "connections_used": 50,
    "standbys": 1,
    "lag_seconds": None,
    "lag_bytes": 0,
}
STANDBY = dict(PRIMARY, role="replica", receivers=1, lag_seconds=0.5, lag_bytes=100, standbys=0)


@pytest.mark.parametrize(
    ("options", "state", "expected"),
    [
        ({}, PRIMARY, []),
        ({"role": "replica"}, PRIMARY, [("wrong_answer", "role")]),
        ({"role": "replica", "max_lag_seconds": 1}, STANDBY, []),
        ({"max_lag_seconds": 0.1}, STANDBY, [("wrong_answer", "lag")]),
        ({"max_lag_bytes": 99}, STANDBY, [("wrong_answer", "lag")]),
        ({"max_lag_seconds": 1}, dict(STANDBY, lag_seconds=None), [("wrong_answer", "lag_unknown")]),
        ({"max_lag_seconds": 1}, dict(STANDBY, receivers=0, lag_seconds=0), [("wrong_answer", "not_streaming")]),
        ({"standbys": 1}, PRIMARY, []),
        ({"standbys": 2}, PRIMARY, [("wrong_answer", "standbys")]),
        ({"connections_warn": 0.5}, PRIMARY, [("degraded", "connections")]),
        ({"connections_warn": 0.4, "connections_fail": 0.5}, PRIMARY, [("wrong_answer", "connections")]),
        ({"connections_warn": 0.6}, PRIMARY, []),
        ({"equals": "1"}, PRIMARY, []),
        ({"equals": 2}, PRIMARY, [("wrong_answer", "query_result")]),
    ],
)
def test_postgres(options, state, expected):
    assert reasons(_checks_postgres.judge(dict(POSTGRES, **options), state, 1)) == expected


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        ('FATAL:  password authentication failed for user "me"\n', "wrong_answer", "our_credentials"),
        ('FATAL:  role "me" does not exist', "wrong_answer", "our_credentials"),
        ("FATAL:  the database system is starting up", "wrong_answer", "starting"),
        ("FATAL:  sorry, too many clients already", "wrong_answer", "connections"),
        ('FATAL:  database "x" does not exist', "wrong_answer", "error_reply"),
        ("fe_sendauth: no password supplied", "wrong_answer", "our_credentials"),
        ("timeout expired", "timed_out", "timed_out"),
    ],
)
def test_postgres_connection_errors(text, verdict, reason):
    check = dict(POSTGRES, login_host="h", timeout=2.0)
    error = _checks_postgres.explain_connect(check, "h:5432", 'connection to server at "h", port 5432 failed: ' + text, None)
    assert (error.verdict, error.reason) == (verdict, reason)


def test_every_postgres_option_reaches_the_driver():
    check = dict(POSTGRES, login_host="h", login_port=1, login_user="u", login_db="d", timeout=0.5)
    check.update({"login_password": "p", "ssl_mode": "verify-full", "ca_cert": "/ca.pem"})
    assert _checks_postgres.connect_arguments(check) == {
        "host": "h",
        "port": 1,
        "user": "u",
        "password": "p",
        "dbname": "d",
        "sslmode": "verify-full",
        "sslrootcert": "/ca.pem",
        "connect_timeout": 2,
        "application_name": "astraldraft.ops",
    }


REDIS = dict(dict.fromkeys(_checks_redis.REDIS_SPEC), **_checks_redis.REDIS_DEFAULTS)
INFO = {"redis_version": "8.0.2", "role": "slave", "master_link_status": "up", "used_memory": 90, "maxmemory": 100}
# As a node of Redis 8.0 printed it, one member cut off.
NODES = (
    b"07c3 172.20.0.5:6379@16379,redis-1 myself,master - 0 0 1 connected 0-5460\n"
    b"67ed 172.20.0.6:6379@16379,redis-2 slave,fail 07c3 1700000000000 1700000000000 2 connected\n"
)


@pytest.mark.parametrize(
    ("options", "info", "cluster", "expected"),
    [
        ({}, INFO, None, []),
        ({"role": "primary"}, INFO, None, [("wrong_answer", "role")]),
        ({}, dict(INFO, master_link_status="down"), None, [("wrong_answer", "not_replicating")]),
        ({"memory_warn": 0.8}, INFO, None, [("degraded", "memory")]),
        ({"memory_warn": 0.5, "memory_fail": 0.8}, INFO, None, [("wrong_answer", "memory")]),
        ({"memory_fail": 0.8}, dict(INFO, maxmemory=0), None, []),
        ({"memory_fail": 0.8}, dict(INFO, role="master", used_memory=101), None, [("wrong_answer", "out_of_memory")]),
        ({}, dict(INFO, role="master", used_memory=101), None, [("wrong_answer", "out_of_memory")]),
        ({}, INFO, b"cluster_state:ok\r\ncluster_slots_ok:16384\r\n", [("degraded", "members_down")]),
        (
            {},
            INFO,
            b"cluster_state:fail\r\ncluster_slots_ok:10923\r\n",
            [("wrong_answer", "cluster_state"), ("wrong_answer", "slots"), ("degraded", "members_down")],
        ),
    ],
)
def test_redis(options, info, cluster, expected):
    state = _checks_redis.summarize(info, _checks_redis.parse_info(cluster) if cluster else None, NODES)
    assert reasons(_checks_redis.judge(dict(REDIS, **options), state)) == expected


def container(status="running", health=None, restarts=0, started="2026-11-23T18:00:00.123456789Z", service="app", **state):
    more = {"Health": {"Status": health, "Log": [{"Output": "curl: (22) 503\n"}]}} if health else {}
    return _docker.to_replica(
        {
            "Id": "abc",
            "Name": f"/demo-{service}-1",
            "Image": "sha256:1",
            "Config": {"Labels": {"com.docker.compose.service": service, "com.docker.compose.container-number": "1"}},
            "State": dict({"Status": status, "ExitCode": 0, "StartedAt": started}, **more, **state),
            "RestartCount": restarts,
        }
    )


@pytest.mark.parametrize(
    ("replica", "verdict", "reason"),
    [
        (container(), "healthy", "ok"),
        (container(health="healthy"), "healthy", "ok"),
        (container(health="unhealthy"), "wrong_answer", "unhealthy"),
        (container(health="starting"), "wrong_answer", "starting"),
        (container("exited", ExitCode=1), "wrong_answer", "not_running"),
        (container("exited", ExitCode=137, OOMKilled=True), "wrong_answer", "oom_killed"),
        (container("restarting", ExitCode=1), "wrong_answer", "crash_loop"),
        (container("paused"), "wrong_answer", "paused"),
        (container("exited", service="migrate"), "healthy", "ok"),
        (container("exited", service="migrate", ExitCode=2), "wrong_answer", "not_running"),
        (container(restarts=3, started="2026-11-23T18:59:30Z"), "wrong_answer", "crash_loop"),
        (container(restarts=3), "healthy", "ok"),
        (container(OOMKilled=True), "degraded", "oom_killed"),
    ],
)
def test_containers(replica, verdict, reason):
    check = {"name": None, "replicas": None, "completed": ["migrate"], "restart_window": 60.0}
    outcome = _checks_container.judge(check, replica.service, [replica], NOW)
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_a_service_without_containers_and_one_with_too_few():
    check = {"name": "stack", "replicas": 2, "completed": [], "restart_window": 60.0}
    assert _checks_container.judge(check, "app", [], NOW).reason == "no_container"
    assert _checks_container.judge(check, "app", [container()], NOW).reason == "replica_count"


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ([container("exited", ExitCode=1)], True),
        ([container("exited", OOMKilled=True)], True),
        ([container("restarting", ExitCode=1), container(restarts=1, started="2026-11-23T18:59:30Z")], True),
        ([container("exited", ExitCode=1), container()], False),
        ([container(OOMKilled=True)], False),
        ([container("paused")], False),
        ([container()], False),
    ],
)
def test_whether_all_of_a_service_are_down(group, expected):
    check = {"name": "stack", "replicas": None, "completed": [], "restart_window": 60.0}
    assert _checks_container.judge(check, "app", group, NOW).details["all_down"] is expected
