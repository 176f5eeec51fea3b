# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks of Redis servers and clusters. Private: other collections must not import it."""

from __future__ import annotations

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _clock_offset
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import Outcome, in_parallel, latency_findings, weigh
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_net import LATENCY_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._net import NEXT, ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import (
    LOGIN_DEFAULTS,
    LOGIN_SPEC,
    REPLIES,
    Node,
    exhausted,
    parse_info,
    split_address,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import ALL_SLOTS, down, parse_members
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

REDIS_SPEC = dict(
    dict(LOGIN_SPEC, **LATENCY_SPEC),
    cluster={"type": "bool"},
    role={"type": "str", "choices": ["primary", "replica"]},
    memory_warn={"type": "float"},
    memory_fail={"type": "float"},
)
REDIS_DEFAULTS = dict(LOGIN_DEFAULTS, cluster=False)


def probe_redis(check, context):
    """Asks every node at once. A cluster must be whole in the eyes of each of them."""
    nodes = check["nodes"] or ([where(check["login_host"], check["login_port"])] if check["login_host"] else [])
    if not nodes:
        raise ProbeError("not_configured", "not_configured", "declared, but no login_host or nodes are given", "Set them.")
    answers = in_parallel([(_job(check, context["libraries"]["redis"], node), check["timeout"]) for node in nodes])
    outcomes = [answer if isinstance(answer, Outcome) else _failed(answer, node, check["timeout"]) for answer, node in zip(answers, nodes)]
    return [outcomes[0] if len(nodes) == 1 else merge(nodes, outcomes)]


def merge(nodes, outcomes):
    """One Outcome for a group of nodes: the worst verdict, and every node's own answer in the details."""
    bad = [(node, outcome) for node, outcome in zip(nodes, outcomes) if outcome.verdict != "healthy"]
    findings = [(o.verdict, o.reason, "{0}: {1}".format(node, o.message), o.next) for node, o in bad]
    details = {"nodes": [dict(o.details, node=n, verdict=o.verdict, message=o.message) for n, o in zip(nodes, outcomes)]}
    for key in ("cluster", "slots_ok"):
        known = [outcome.details[key] for outcome in outcomes if key in outcome.details]
        if known:
            details[key] = known[0]
    details["seconds"] = max(outcome.details.get("seconds", 0.0) for outcome in outcomes)
    primaries = sum(outcome.details.get("role") == "primary" for outcome in outcomes)
    message = "{0} nodes, {1} of them primaries".format(len(nodes), primaries)
    if "slots_ok" in details:
        message += ", {0} of {1} slots served".format(details["slots_ok"], ALL_SLOTS)
    if bad:
        findings[0] = findings[0][:2] + ("{0} of {1} nodes have trouble; {2}".format(len(bad), len(nodes), findings[0][2]), findings[0][3])
    return weigh(findings, message, target=", ".join(nodes), details=details)


def _failed(answer, node, seconds):
    if isinstance(answer, ProbeError):
        return Outcome.of(answer, target=node)
    if isinstance(answer, Exception):
        raise answer
    return Outcome("timed_out", "hung", "no answer from {0} within {1:g} s".format(node, seconds), NEXT["timed_out"], target=node)


def _job(check, redis, node):
    def job():
        host, port = split_address(node)
        server = Node(redis, check, host, port)
        try:
            watch = Deadline(check["timeout"])
            pong, seconds = server.ask("PING"), watch.elapsed
            before = time.time()
            info = parse_info(server.ask("INFO"))
            told, after = info.get("server_time_usec"), time.time()
            cluster = parse_info(server.ask("CLUSTER", "INFO")) if check["cluster"] else None
            members = server.ask("CLUSTER", "NODES") if check["cluster"] else None
        finally:
            server.close()
        if pong != b"PONG":
            raise ProbeError("wrong_answer", "not_pong", "{0} answered PING with {1!r}".format(node, pong), "Is this Redis?")
        state = summarize(info, cluster, members)
        state["clock_offset"] = None if told is None else _clock_offset.offset(int(told) / 1e6, before, after)
        findings = judge(check, state) + latency_findings(check, seconds)
        message = "PONG in {0:.0f} ms, Redis {1} {2}".format(seconds * 1000, state["version"], state["role"])
        return weigh(findings, message, target=node, details=dict(state, seconds=seconds))

    return job


def summarize(info, cluster, members):
    """What a node says of itself, as the check returns it; sizes in bytes."""
    state: dict[str, object] = {
        "version": str(info.get("redis_version", "")),
        "role": "replica" if info.get("role") == "slave" else "primary",
        "used_memory": int(info.get("used_memory", 0)),
        "max_memory": int(info.get("maxmemory", 0)),
        "out_of_memory": exhausted(info),
        "clients": int(info.get("connected_clients", 0)),
    }
    if state["role"] == "replica":
        state["link"] = info.get("master_link_status", "unknown")
    if cluster is not None:
        state["cluster"] = cluster.get("cluster_state", "unknown")
        state["slots_ok"] = int(cluster.get("cluster_slots_ok", 0))
        state["failed_members"] = sorted(member.name for member in down(parse_members(members)))
    return state


def judge(check, state):
    """Findings about what a node said of itself: pure."""
    found = []
    if check["role"] and check["role"] != state["role"]:
        sentence = "is a {0}, not a {1}".format(state["role"], check["role"])
        found.append(("wrong_answer", "role", sentence, "Was there a failover? Correct the address or the expected role."))
    if state["role"] == "replica" and state["link"] != "up":
        found.append(("wrong_answer", "not_replicating", "its link to its primary is {0}".format(state["link"]), "Look at the primary."))
    if "cluster" in state and state["cluster"] != "ok":
        sentence = "cluster_state is {0}".format(state["cluster"])
        found.append(("wrong_answer", "cluster_state", sentence, "Some slots are not served: see redis-cli --cluster check."))
    if "slots_ok" in state and state["slots_ok"] != ALL_SLOTS:
        sentence = "{0} of {1} slots are served".format(state["slots_ok"], ALL_SLOTS)
        found.append(("wrong_answer", "slots", sentence, "Bring back the primary that owns the others, or fail over."))
    if state.get("failed_members"):
        sentence = "it sees as down: {0}".format(", ".join(state["failed_members"]))
        found.append(("degraded", "members_down", sentence, "Bring those nodes back; until then a second failure loses slots."))
    if state["out_of_memory"]:
        return found + [("wrong_answer", *REPLIES["OOM"])]
    for verdict, limit in (("wrong_answer", check["memory_fail"]), ("degraded", check["memory_warn"])):
        if limit is not None and state["max_memory"] and state["used_memory"] > limit * state["max_memory"]:
            sentence = "uses {0:.0%} of its memory limit".format(state["used_memory"] / state["max_memory"])
            found.append((verdict, "memory", sentence, "Find the large keys, or raise maxmemory."))
            break
    return found
