# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what Redis servers answered to figures, without a server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis, _redis_topology
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_info as info
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_ask import Answers
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_report import EMPTY, report, unreachable

ROOT = Path(__file__).resolve().parents[4]
NOW = 100000.0
OPTIONS = {"replicas": 0, "eviction_expected": False, "hidden_prefixes": ["session:"], "sample": 10, "limit": 5}
INFO = {
    "redis_version": "8.0.2",
    "role": "master", "used_memory": "50", "maxmemory": "100", "maxmemory_policy": "noeviction",
    "evicted_keys": "0", "connected_clients": "5", "maxclients": "100", "blocked_clients": "0", "rejected_connections": "0",
    "aof_enabled": "1", "keyspace_hits": "1000", "keyspace_misses": "100", "mem_fragmentation_ratio": "9.5", "used_memory_rss": "500",
    "db0": "keys=7,expires=2,avg_ttl=0", "uptime_in_seconds": "9",
}  # fmt: skip
# As nodes of Redis 8.0 and 7.0 print them.
NODES = (
    b"07c3 172.20.0.5:6379@16379,redis-1 myself,master - 0 0 1 connected 0-5460 [5461-<-67ed]\n"
    b"67ed 172.20.0.6:6379@16379 master - 0 0 2 connected 5461 5463-16383\n"
    b"9b1f :0@0 slave,fail,noaddr 07c3 1700000000000 1700000000000 2 disconnected\n"
)


def member(name="a", role="primary", slots=(), moving=(), flags=(), primary=""):
    return _redis_topology.Member(name, name, 6379, role, primary, list(slots), list(moving), tuple(flags))


def answer(which=None, **more):
    found = Answers(which or member())
    found.info = dict(INFO, **more)
    found.first = dict(INFO, keyspace_hits="0", keyspace_misses="0")
    found.window, found.pings, found.slow_log, found.latency, found.config = 2.0, [0.001] * 3, [], [], [b"save", b""]
    return found


def replica(**more):
    return answer(member("r", "replica"), **dict({"role": "slave", "master_link_status": "up", "master_last_io_seconds_ago": "1"}, **more))


NEVER = {name: threshold._replace(warn=None, fail=None) for name, threshold in info.THRESHOLDS.items()}


def of(*answers, kind="single", failures=None, thresholds=None, **options):
    topology = _redis_topology.Topology(kind, [one.member for one in answers], "a:6379", failures or {})
    return report(topology, list(answers), thresholds or info.THRESHOLDS, dict(OPTIONS, **options), NOW)


def verdicts(found):
    return {figure["name"]: figure["verdict"] for figure in found["figures"]}


def test_all_is_well():
    found = of(answer())
    assert {name: verdict for name, verdict in verdicts(found).items() if verdict != "pass"} == {
        "cluster": "not_configured", "replication_lag": "not_configured", "replication_behind": "not_configured", "big_keys": "unknown",
    }  # fmt: skip
    assert found["verdict"] == "pass"
    assert found["nodes"][0]["keys"] == 7


@pytest.mark.parametrize(
    ("node", "options", "name", "verdict"),
    [
        (answer(used_memory="90"), {}, "memory", "warn"),
        (answer(used_memory="96"), {}, "memory", "fail"),
        (answer(used_memory="100", mem_not_counted_for_evict="1"), {"thresholds": NEVER}, "memory", "pass"),
        (answer(used_memory="101"), {"thresholds": NEVER}, "memory", "fail"),
        (answer(maxmemory="0", total_system_memory="1000"), {}, "memory", "warn"),
        (answer(used_memory_rss="500000000"), {}, "fragmentation", "warn"),
        (answer(maxmemory_policy="allkeys-lru"), {}, "eviction_policy", "warn"),
        (answer(maxmemory_policy="volatile-lru"), {}, "eviction_policy", "warn"),
        (answer(maxmemory_policy="allkeys-lru"), {"eviction_expected": True}, "eviction_policy", "pass"),
        (answer(evicted_keys="3"), {}, "evictions", "warn"),
        (answer(evicted_keys="3"), {"eviction_expected": True}, "evictions", "pass"),
        (answer(connected_clients="99"), {}, "clients", "fail"),
        (answer(blocked_clients="101"), {}, "blocked_clients", "warn"),
        (answer(rejected_connections="1"), {}, "rejected_connections", "warn"),
        (answer(keyspace_hits="50", keyspace_misses="150"), {}, "hit_ratio", "warn"),
        (answer(keyspace_hits="50", keyspace_misses="1"), {}, "hit_ratio", "unknown"),
        (answer(keyspace_hits="-5"), {}, "hit_ratio", "unknown"),
        (answer(rdb_last_bgsave_status="err"), {}, "persistence", "fail"),
        (answer(aof_last_write_status="err"), {}, "persistence", "fail"),
        (answer(aof_enabled="0"), {}, "persistence", "warn"),
        (answer(aof_enabled="0", rdb_changes_since_last_save="4", rdb_last_save_time="10"), {}, "persistence_age", "fail"),
        (answer(aof_enabled="0", rdb_changes_since_last_save="0", rdb_last_save_time="10"), {}, "persistence_age", "pass"),
        (answer(), {"replicas": 1}, "replication", "fail"),
        (answer(slave0="ip=r,port=1,state=online,offset=5,lag=0", master_repl_offset="9"), {"replicas": 1}, "replication", "fail"),
        (replica(master_link_status="down"), {}, "replication", "fail"),
        (replica(), {}, "replication", "warn"),
        (replica(), {"kind": "sentinel"}, "replication", "fail"),
        (replica(), {"replicas": 1}, "replication", "fail"),
        (replica(), {}, "replication_behind", "unknown"),
        (replica(master_last_io_seconds_ago="90"), {}, "replication_lag", "fail"),
    ],
)
def test_one_node(node, options, name, verdict):
    assert verdicts(of(node, **options))[name] == verdict


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"used_memory": "100"}, False),
        ({"used_memory": "101"}, True),
        ({"used_memory": "101", "maxmemory": "0"}, False),
        ({"used_memory": "101", "role": "slave"}, False),
        ({"used_memory": "101", "mem_not_counted_for_evict": "1"}, False),
        ({"used_memory": "101", "maxmemory_policy": "allkeys-lru"}, False),
        ({"used_memory": "101", "maxmemory_policy": "allkeys-lru", "db0": "keys=0,expires=0,avg_ttl=0"}, True),
        ({"used_memory": "101", "maxmemory_policy": "volatile-lru"}, False),
        ({"used_memory": "101", "maxmemory_policy": "volatile-lru", "db0": "keys=7,expires=0,avg_ttl=0,subexpiry=0"}, True),
    ],
)
def test_who_takes_no_writes_for_want_of_memory(more, expected):
    assert _redis.exhausted(dict(INFO, **more)) is expected


def test_out_of_memory_has_a_sentence_of_its_own():
    found = of(answer(used_memory="101"), answer(member("b"), used_memory="97"))
    assert "memory: fail (a:6379 has no memory left and takes no writes; a:6379 uses 101 bytes, 101% of its limit)" in found["summary"]


def test_a_primary_and_its_replica():
    found = of(answer(slave0="ip=r,port=6379,state=online,offset=5,lag=0", master_repl_offset="9000005"), replica(), replicas=1)
    assert {name: verdict for name, verdict in verdicts(found).items() if name.startswith("replication")} == {
        "replication": "pass", "replication_lag": "pass", "replication_behind": "warn",
    }  # fmt: skip


def test_a_node_that_is_silent_is_never_well():
    silent = Answers(member("b"))
    silent.failure = ProbeError("refused", "refused", "connection to b:6379 refused", "Start it.")
    found = of(answer(), silent)
    assert found["verdict"] == "fail"
    assert found["figures"][0]["message"] == "1 of 2 answer: connection to b:6379 refused"
    assert found["nodes"][1] == dict.fromkeys(found["nodes"][0]) | {
        "address": "b:6379", "role": "primary", "verdict": "refused", "reason": "refused", "message": "connection to b:6379 refused",
    }  # fmt: skip
    alone = of(silent)
    assert alone["verdict"] == "fail"
    assert set(alone) == set(EMPTY) == set(unreachable(silent.failure))
    assert unreachable(silent.failure)["verdict"] == "fail"


@pytest.mark.parametrize(("kind", "verdict"), [("single", "fail"), ("cluster", "warn")])
def test_an_address_that_was_given_and_is_silent(kind, verdict):
    failures = {"c:1": ProbeError("refused", "refused", "connection to c:1 refused", "Start it.")}
    assert verdicts(of(answer(), kind=kind, failures=failures))["nodes"] == verdict


def view(state="ok", slots=16384, members=None):
    found = answer(member(slots=[(0, 16383)]))
    found.cluster = {"cluster_state": state, "cluster_slots_ok": str(slots)}
    found.members = members if members is not None else [member(slots=[(0, 16383)], flags=("myself", "master"))]
    return found


@pytest.mark.parametrize(
    ("views", "verdict"),
    [
        ([view()], "pass"),
        ([view("fail")], "fail"),
        ([view(slots=16000)], "fail"),
        ([view(members=[member(flags=("myself",), slots=[(0, 9)], moving=[4])])], "warn"),
        ([view(members=[member("z", flags=("fail",))])], "warn"),
        ([view(), view(members=[member("z", slots=[(0, 16383)])])], "warn"),
        ([answer()], "fail"),
    ],
)
def test_a_cluster(views, verdict):
    assert verdicts(of(*views, kind="cluster"))["cluster"] == verdict


def test_members_of_a_cluster():
    one, two, lost = _redis_topology.parse_members(NODES)
    assert (one.name, one.slots, one.moving, one.role) == ("172.20.0.5:6379", [(0, 5460)], [5461], "primary")
    assert two.slots == [(5461, 5461), (5463, 16383)]
    assert _redis_topology.count_slots(two.slots) == 10922
    assert (lost.role, lost.primary) == ("replica", "07c3")
    assert _redis_topology.down([one, two, lost]) == [lost]


def test_no_secret_is_told():
    node = answer()
    node.slow_log = [[1, 99990, 510000, [b"GET", b"session:4711"], b"", b""], [2, 99980, 9000, [b"EVAL", b"return 4711"], b"", b""],
                     [3, 99970, 9000, [b"SET", b"cache:a", b"4711"], b"", b""]]  # fmt: skip
    node.keys = [(b"session:4711", "string", 900), (b"cache:a", "string", 50), (b"plain", "hash", 9)]
    found = of(node)
    assert "4711" not in str(found)
    assert [entry["command"] for entry in found["slow_log"]] == ["GET session:...", "EVAL", "SET cache:a"]
    assert [row["name"] for row in found["big_keys"]] == ["session:...", "cache:a", "plain"]
    assert found["prefixes"][0] == {"prefix": "session:", "keys": 1, "share": 0.3333, "bytes": 900, "largest": 900}


def test_every_figure_is_documented():
    text = (ROOT / "plugins" / "modules" / "redis_info.py").read_text(encoding="utf-8")
    documentation = yaml.safe_load(re.search(r'DOCUMENTATION = r"""(.*?)"""', text, re.DOTALL).group(1))
    documented = documentation["options"]["thresholds"]["description"]
    assert {re.match(r"C\((\w+)\)", line).group(1) for line in documented[2:]} == set(info.THRESHOLDS)


@pytest.mark.parametrize(("node", "host", "port"), [("a:1", "a", 1), ("[::1]:7000", "::1", 7000)])
def test_addresses(node, host, port):
    assert _redis.split_address(node) == (host, port)


@pytest.mark.parametrize("node", ["a", "a:b", ":1", ""])
def test_no_address(node):
    with pytest.raises(ProbeError):
        _redis.split_address(node)
