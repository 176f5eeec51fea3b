# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sessions a policy means, and which are never ended."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_sessions as sessions
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError


def session(pid: int = 7, **more) -> dict:
    return {"pid": pid, "started": "2026-11-24T10:00:00+00:00", "began": 1.0, "user": "app", "application": "web", "database": "shop",
            "address": "10.0.0.5", "state": "idle", "changed": "2026-11-24T11:00:00+00:00", "seconds": 100.0,
            "backend_type": "client backend", "own": False, "superuser": False, "replication": False, "may": True} | more  # fmt: skip


def policy(states=("idle",), older_than=60, allow_list=(), **patterns) -> sessions.Policy:
    entries = [dict.fromkeys(sessions.FIELDS) | entry for entry in allow_list]
    return sessions.Policy(list(states), older_than, {field: patterns.get(field, []) for field in sessions.FIELDS}, entries)


@pytest.mark.parametrize(
    ("meant", "more", "matches"),
    [
        (policy(), {}, True),
        (policy(older_than=100), {}, True),
        (policy(older_than=101), {}, False),
        (policy(), {"seconds": None}, False),
        (policy(), {"state": "active"}, False),
        (policy(), {"state": None}, False),
        (policy(user=["a*"]), {}, True),
        (policy(user=["b*", "app"]), {}, True),
        (policy(user=["A*"]), {}, False),
        (policy(application=["w?b"], database=["other"]), {}, False),
        (policy(application=[""]), {"application": None}, True),
        (policy(address=["10.0.0.0/8"]), {}, True),
        (policy(address=["10.0.0.6"]), {}, False),
        (policy(address=["::/0"]), {}, False),
        (policy(address=["local"]), {}, False),
        (policy(address=["local"]), {"address": "local"}, True),
        (policy(address=["0.0.0.0/0"]), {"address": "local"}, False),
        (policy(address=["10.0.0.0/8"]), {"address": None}, False),
    ],
)
def test_who_is_meant(meant, more, matches) -> None:
    assert sessions.matches(meant, session(**more)) == matches


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"own": True}, "own"),
        ({"application": "astraldraft.ops"}, "own"),
        ({"superuser": True, "replication": True}, "superuser"),
        ({"replication": True}, "replication"),
        ({"backend_type": "walsender", "superuser": True}, "replication"),
        ({"backend_type": "logical replication worker"}, "background worker"),
        ({"backend_type": None}, "background worker"),
        ({"application": "pg_dump"}, "allow_list"),
        ({"user": "reporter", "database": "shop"}, "allow_list"),
        ({"user": "reporter", "database": "other"}, ""),
        ({"address": "192.168.1.9"}, "allow_list"),
    ],
)
def test_who_is_spared(more, why) -> None:
    allow_list = [{"application": "pg_*"}, {"user": "reporter", "database": "shop"}, {"address": "192.168.0.0/16"}]
    assert sessions.spared(policy(allow_list=allow_list), session(**more)) == why


def test_the_plan_parts_those_that_go_from_those_that_are_spared() -> None:
    answer = {"sessions": [session(1), session(2, superuser=True), session(3, state="active"), session(4, may=False)]}
    going, kept = sessions.plan(policy(), answer)
    assert [one["pid"] for one in going] == [1, 4]
    assert [(one["pid"], one["why"]) for one in kept] == [(2, "superuser")]
    assert sessions.plan(policy(), {"sessions": None}) == ([], [])


def test_more_than_the_maximum_are_refused_with_their_number() -> None:
    some = [session(pid) for pid in range(3)]
    assert sessions.refusal(some, 3) == ""
    assert sessions.refusal(some, 2).startswith("3 sessions match, more than the maximum of 2. None was ended.")


@pytest.mark.parametrize(
    "bad",
    [
        policy(states=()),
        policy(older_than=-1),
        policy(address=["somewhere"]),
        policy(allow_list=[{}]),
        policy(allow_list=[{"address": "x"}]),
    ],
)
def test_what_cannot_be_meant_is_refused(bad) -> None:
    with pytest.raises(OpsError):
        sessions.check(bad)


def test_counts_leave_out_our_own_and_what_is_no_client() -> None:
    rows = [session(), session(state=None, backend_type=None), session(own=True), session(backend_type="walsender")]
    assert sessions.counts({"usable": 97, "sessions": rows}) == {"usable": 97, "used": 2, "by_state": {"idle": 1, "hidden": 1}}


def test_a_session_is_known_by_its_start_and_since_when_it_is_in_its_state() -> None:
    one = session()
    assert sessions.arguments([one]) == [[7], [one["started"]], [one["changed"]]]
    assert "a.backend_start = t.started" in sessions.SIGNAL
    assert "a.state_change = t.changed" in sessions.SIGNAL
    assert sessions.key(one) != sessions.key(session(started="2026-11-24T10:00:01+00:00"))


def test_what_is_told_of_a_session() -> None:
    told = sessions.told(session(seconds=1.26), why="x")
    assert told["seconds"] == 1.3
    assert told["started"] == "1970-01-01T00:00:01.000Z"
    assert told["why"] == "x"
