# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who takes writes, who could take over, and who must not."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _replication as replication
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_files import Control

LIMITS = replication.Limits(100_000, 30.0, False)
DEAD = ProbeError("refused", "stopped", "its container does not run")


def answer(**more) -> dict:
    return {"in_recovery": False, "version": "17.5 (Debian)", "system": "1", "timeline": 1, "lsn": 1_000_000, "received": None,
            "replayed_at": None, "now": 1000.0, "paused": False, "receiver": None, "standbys": [], "slots": [], "marker": None,
            "application_name": None, "slot": None, "follows": None} | more  # fmt: skip


def replica(lsn: int = 1_000_000, **more) -> dict:
    receiver = {"status": "streaming", "host": "a", "port": 5432, "slot": "b"}
    return answer(in_recovery=True, lsn=lsn, received=more.pop("received", lsn), replayed_at=990.0, receiver=receiver,
                  application_name="b", slot="b") | more  # fmt: skip


def primary(state: str = "async", **more) -> dict:
    standby = {"name": "b", "state": "streaming", "sync_state": state, "address": None, "replay_lsn": 1, "lag_seconds": None}
    return answer(standbys=[standby], **more)


def control(**more) -> Control:
    return Control(
        **({"system": 1, "state": "in production", "clean": False, "standby": False, "checkpoint": 900_000, "timeline": 1} | more)
    )


def of(found: dict, name: str) -> dict:
    return next(server for server in found["servers"] if server["name"] == name)


def test_a_sound_pair() -> None:
    found = replication.judge({"a": primary("sync"), "b": replica()}, {}, LIMITS)
    assert (found["verdict"], found["primary"], found["last_primary"], found["candidate"]) == ("pass", "a", "a", "b")
    assert found["findings"] == []
    assert (of(found, "b")["sync_state"], of(found, "b")["lag_bytes"], of(found, "b")["lag_seconds"]) == ("sync", 0, 0.0)
    assert of(found, "a")["why"] == ["it is the primary already"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"lsn": 800_000, "received": 1_000_000}, "it is 200000 bytes behind, more than 100000"),
        ({"lsn": 950_000, "received": 1_000_000, "replayed_at": 100.0}, "it is 900 s behind, more than 30"),
        ({"paused": True}, "its replay is paused (SELECT pg_wal_replay_resume())"),
        ({"timeline": 2}, "it is on timeline 2, and a on 1: rebuild it (playbook replica_rebuild)"),
        ({"system": "2"}, "it is of another cluster (system identifier 2, not 1)"),
    ],
)
def test_who_may_not_take_over(more: dict, why: str) -> None:
    found = replication.judge({"a": primary(), "b": replica() | more}, {}, LIMITS)
    assert (found["verdict"], found["candidate"]) == ("fail", None)
    assert of(found, "b")["why"] == [why]
    assert found["findings"][0] == f"b could not take over: {why}."


def test_two_primaries_are_worse_than_none() -> None:
    found = replication.judge({"a": answer(), "b": answer(timeline=2)}, {}, LIMITS)
    assert (found["verdict"], found["primary"]) == ("fail", None)
    assert found["findings"][0].startswith("a and b all take writes")


def test_a_synchronous_replica_goes_before_one_that_has_more() -> None:
    standbys = [{"name": name, "state": "streaming", "sync_state": state, "address": None, "replay_lsn": 1, "lag_seconds": None}
                for name, state in (("b", "async"), ("c", "quorum"))]  # fmt: skip
    found = replication.judge({"a": answer(standbys=standbys), "b": replica(), "c": replica(999_000, application_name="c")}, {}, LIMITS)
    assert found["candidate"] == "c"


@pytest.mark.parametrize(("end", "candidate", "missing"), [(1_050_000, "b", 50_000), (1_200_000, None, 200_000), (None, None, None)])
def test_what_a_dead_primary_wrote_is_known_by_its_files(end: int | None, candidate: str | None, missing: int | None) -> None:
    alone = replica(receiver=None)
    found = replication.judge({"a": DEAD, "b": alone}, {"a": replication.Remains(control(), False, end)}, LIMITS)
    assert (found["primary"], found["last_primary"], found["candidate"]) == (None, "a", candidate)
    assert of(found, "b")["missing_bytes"] == missing
    assert (of(found, "a")["role"], of(found, "a")["state"]) == ("down", "in production")


def test_nothing_known_of_the_primary_is_no_good_news() -> None:
    found = replication.judge({"a": DEAD, "b": replica(receiver=None)}, {}, LIMITS)
    assert found["candidate"] is None
    assert "nobody can say what the last primary wrote" in of(found, "b")["why"]
    accepted = replication.judge({"a": DEAD, "b": replica(receiver=None)}, {}, LIMITS._replace(unknown=True))
    assert accepted["candidate"] == "b"


def test_a_fenced_primary_is_the_last_one_and_never_the_next() -> None:
    fenced = answer(in_recovery=True, marker="{}", received=None)
    found = replication.judge({"a": fenced, "b": replica()}, {}, LIMITS)
    assert (found["last_primary"], found["candidate"], of(found, "a")["role"]) == ("a", "b", "fenced")
    stopped = replication.judge({"a": DEAD, "b": replica()}, {"a": replication.Remains(control(clean=True), True, 1_000_000)}, LIMITS)
    assert (stopped["last_primary"], stopped["candidate"], of(stopped, "a")["role"]) == ("a", "b", "fenced")


def test_the_rest_of_a_page_is_no_lag() -> None:
    found = replication.judge(
        {"a": DEAD, "b": replica(receiver=None, replayed_at=1.0)}, {"a": replication.Remains(control(), False, 1_004_000)}, LIMITS
    )
    assert (of(found, "b")["lag_bytes"], of(found, "b")["lag_seconds"], found["candidate"]) == (4_000, 0.0, "b")


def test_a_replica_that_is_down_beside_a_primary_is_inconclusive() -> None:
    found = replication.judge({"a": primary(), "b": DEAD}, {"b": replication.Remains(control(standby=True), False, 1)}, LIMITS)
    assert (found["verdict"], found["primary"]) == ("inconclusive", "a")


def test_a_lost_slot_is_told() -> None:
    slot = {"name": "b", "type": "physical", "active": False, "wal_status": "lost", "retained_bytes": 5}
    found = replication.judge({"a": primary(slots=[slot]), "b": replica()}, {}, LIMITS)
    assert found["findings"] == ["a's slot b has lost the WAL that its user needs (lost)."]
