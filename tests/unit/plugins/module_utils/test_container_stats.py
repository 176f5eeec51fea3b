# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _container_stats
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import to_replica
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._resources import Limits

NOW = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
GIB = 2**30


def inspection(state, host=None, **more):
    labels = {"com.docker.compose.service": "app", "com.docker.compose.container-number": "2"}
    return {"Id": "1" * 64, "Name": "/demo-app-2", "Image": "sha256:1", "Config": {"Labels": labels}, "State": state,
            "HostConfig": host or {}, "NetworkSettings": {}, **more}  # fmt: skip


def stats(second, cpu, **more):
    return {"read": f"2026-11-29T11:59:{second:09.6f}789Z", "cpu_stats": {"cpu_usage": {"total_usage": cpu}, "online_cpus": 4}, **more}


def test_one_that_runs():
    state = {"Status": "running", "StartedAt": "2026-11-29T11:59:00.123456789Z", "FinishedAt": "0001-01-01T00:00:00Z", "ExitCode": 0,
             "Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": [{"Output": "password=hunter2 \x1b[31m"}]}}  # fmt: skip
    host = {"NanoCpus": 500000000, "Memory": GIB, "PidsLimit": 0}
    one = _container_stats.record(to_replica(inspection(state, host, RestartCount=2)), NOW)
    assert (one["replica"], one["exit_code"], one["finished_at"], one["uptime"], one["restarts"]) == ("app-2", None, None, 60, 2)
    assert (one["cpus_limit"], one["memory_limit"], one["pids_limit"]) == (0.5, GIB, None)
    assert (one["health"], one["health_failures"], one["health_output"]) == ("unhealthy", 3, "password=******** \\x1b[31m")
    assert one["started_at"] == "2026-11-29T11:59:00.123Z"


def test_one_that_was_killed_and_one_that_never_ran():
    state = {"Status": "exited", "StartedAt": "2026-11-29T11:00:00Z", "FinishedAt": "2026-11-29T11:59:00Z", "ExitCode": 137,
             "OOMKilled": True}  # fmt: skip
    one = _container_stats.record(to_replica(inspection(state)), NOW)
    assert (one["verdict"], one["exit_code"], one["oom_killed"], one["uptime"], one["memory"]) == ("stopped", 137, True, None, None)
    assert _container_stats.oddity(one) == "app-2: exited with exit code 137, killed for lack of memory"
    created = _container_stats.record(to_replica(inspection({"Status": "created", "StartedAt": "0001-01-01T00:00:00Z"})), NOW)
    assert (created["started_at"], created["health"], created["health_output"]) == (None, None, None)


def test_what_is_used_is_told_of_what_may_be_used():
    throttling = [{"periods": 100, "throttled_periods": 10}, {"periods": 110, "throttled_periods": 14}]
    before, after = stats(10, 10**9), stats(12, 2 * 10**9)
    for one, data in zip((before, after), throttling, strict=True):
        one["cpu_stats"]["throttling_data"] = data
    after |= {"memory_stats": {"usage": GIB, "stats": {"inactive_file": GIB // 4}}, "pids_stats": {"current": 7}}
    used = _container_stats.use(before, after, Limits(1.0, 2 * GIB, None), 8 * GIB)
    assert used == {
        "cpus": 0.5, "cpu_share": 0.5, "throttled_share": 0.4, "memory": GIB * 3 // 4, "memory_share": 0.375, "memory_cached": GIB // 4,
        "pids": 7,
    }  # fmt: skip
    unlimited = _container_stats.use(before, after, Limits(None, None, None), 8 * GIB)
    assert (unlimited["cpu_share"], unlimited["memory_share"]) == (0.125, 0.0938)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (stats(10, 10**9), stats(12, 10**8)),  # restarted between both
        (stats(10, 10**9), stats(10, 10**9)),
        (stats(10, 10**9), {"read": "0001-01-01T00:00:00Z"}),  # what the engine says of one that ended meanwhile
        ({}, {}),
    ],
)
def test_no_data_is_not_no_use(before, after):
    used = _container_stats.use(before, after, Limits(None, None, None), None)
    assert (used["cpus"], used["cpu_share"], used["memory"], used["memory_share"], used["pids"]) == (None,) * 5


def test_one_that_does_not_tell_is_named():
    state = {"Status": "running", "StartedAt": "2026-11-29T11:59:00Z"}
    records = [_container_stats.record(to_replica(inspection(state)), NOW) for _number in range(3)]
    for one, answer in zip(records, ({"cpus": 0.1}, None, OpsError("it refused")), strict=True):
        one.update(_container_stats.outcome(answer, one["name"], 5))
    assert [one["verdict"] for one in records] == ["measured", "unreadable", "unreadable"]
    assert [one["reason"] for one in records] == ["ok", "timed_out", "refused"]
    assert _container_stats.overall(records, []) == "partial"
    assert _container_stats.overall(records[1:], []) == "unreadable"
    assert _container_stats.overall(records[:1], []) == "measured"
    told = _container_stats.summary(records, [])
    assert told.startswith("3 containers, 3 running; app-2: could not be measured (demo-app-2 did not tell what it uses within 5 s)")


def test_services_without_a_container_are_missing():
    missing = _container_stats.without(["app", "web", "web"], [{"service": "app"}], "demo")
    assert [(one["service"], one["reason"]) for one in missing] == [("web", "no_container")]
    assert _container_stats.overall([{"verdict": "measured"}], missing) == "partial"
    assert _container_stats.without([], [], "demo")[0]["message"] == "there is no container in project demo"
    assert _container_stats.without([], [{"service": "app"}], "demo") == []
    assert "no container could be looked at: there is no container of web" in _container_stats.summary([], missing)


def event(action, second, identity="one", **more):
    labels = {"com.docker.compose.service": "app", "com.docker.compose.container-number": "1", **more}
    return {"Action": action, "timeNano": int((NOW.timestamp() + second) * 10**9), "Actor": {"ID": identity, "Attributes": labels}}


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([], []),
        # The kernel killed the container's own process, which the engine then started again.
        ([event("oom", 1), event("die", 2, exitCode="137")], [(137, True, False, False)]),
        # A worker in it, and it went on.
        ([event("oom", 1)], [(None, True, False, False)]),
        # It was restarted for that.
        ([event("oom", 1), event("kill", 5), event("die", 6, exitCode="0")], [(0, False, True, False), (None, True, False, True)]),
        ([event("die", 1, exitCode="1"), event("kill", 5)], [(1, False, False, True)]),
        # Out of order, and of a container that is gone.
        ([event("die", 2, exitCode="143"), event("kill", 1)], [(143, False, True, False)]),
        ([event("die", 2, identity="gone", exitCode="3")], [(3, False, False, True)]),
    ],
)
def test_what_ended_and_whether_somebody_wanted_that(events, found):
    told = _container_stats.deaths(events, {"one"})
    assert [(one["exit_code"], one["oom_killed"], one["asked"], one["settled"]) for one in told] == found
    assert {one["replica"] for one in told} <= {"app-1"}
