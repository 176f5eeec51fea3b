# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks of Redis servers and clusters. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._checks import Outcome, in_parallel, latency_findings, weigh
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_net import LATENCY_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._net import NEXT, ProbeError, connect, no_answer, where
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

REDIS_SPEC = dict(
    LATENCY_SPEC,
    login_host={"type": "str"},
    login_port={"type": "int"},
    login_user={"type": "str"},
    login_password={"type": "str", "no_log": True},
    tls={"type": "bool"},
    validate_certs={"type": "bool"},
    ca_path={"type": "path"},
    nodes={"type": "list", "elements": "str"},
    cluster={"type": "bool"},
    role={"type": "str", "choices": ["primary", "replica"]},
    memory_warn={"type": "float"},
    memory_fail={"type": "float"},
)
REDIS_DEFAULTS = {"login_port": 6379, "tls": False, "validate_certs": True, "cluster": False}
ALL_SLOTS = 16384


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
        host, _colon, port = node.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isdigit():
            raise ProbeError("wrong_answer", "bad_address", "{0!r} is not host:port".format(node), "Write the nodes as host:port.")
        watch = Deadline(check["timeout"])
        client = client_for(check, redis, host, int(port))
        try:
            pong, seconds = client.ping(), watch.elapsed
            info = client.info()
            cluster = parse_info(client.execute_command("CLUSTER", "INFO")) if check["cluster"] else None
            members = client.execute_command("CLUSTER", "NODES") if check["cluster"] else None
        except redis.exceptions.RedisError as error:
            raise explain(redis, error, host, int(port), watch, check["timeout"])
        finally:
            client.close()
        if pong is not True:
            raise ProbeError("wrong_answer", "not_pong", "{0} answered PING with {1!r}".format(node, pong), "Is this Redis?")
        state = summarize(info, cluster, members)
        findings = judge(check, state) + latency_findings(check, seconds)
        message = "PONG in {0:.0f} ms, Redis {1} {2}".format(seconds * 1000, state["version"], state["role"])
        return weigh(findings, message, target=node, details=dict(state, seconds=seconds))

    return job


def client_for(check, redis, host, port):
    """A client that tries once: the library's own retries would hide a failing server and exceed the time limit."""
    arguments = {
        "host": host,
        "port": port,
        "username": check["login_user"],
        "password": check["login_password"],
        "socket_timeout": check["timeout"],
        "socket_connect_timeout": check["timeout"],
        "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        "client_name": "astraldraft.ops",
    }
    if check["tls"]:
        arguments.update(ssl=True, ssl_cert_reqs="required" if check["validate_certs"] else "none", ssl_ca_certs=check["ca_path"])
        arguments["ssl_check_hostname"] = check["validate_certs"]
    return redis.Redis(**arguments)


def parse_info(answer):
    """``name:value`` lines, or the dict that newer clients make of them, as a dict of str."""
    if isinstance(answer, dict):
        return {str(key): str(value) for key, value in answer.items()}
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return dict(line.strip().split(":", 1) for line in text.splitlines() if ":" in line)


def failed_members(answer):
    """The addresses of the cluster members that the node asked thinks are down. ``answer``: of CLUSTER NODES, text or parsed."""
    if isinstance(answer, dict):
        return sorted(address for address, node in answer.items() if is_down(node.get("flags", "")))
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    fields = [line.split() for line in text.splitlines() if line.strip()]
    return sorted(line[1].split("@")[0] for line in fields if is_down(line[2]))


def is_down(flags):
    return any(flag in ("fail", "fail?", "noaddr") for flag in flags.split(","))


def summarize(info, cluster, members):
    """What a node says of itself, as the check returns it; sizes in bytes."""
    state = {
        "version": str(info.get("redis_version", "")),
        "role": "replica" if info.get("role") == "slave" else "primary",
        "used_memory": int(info.get("used_memory", 0)),
        "max_memory": int(info.get("maxmemory", 0)),
        "clients": int(info.get("connected_clients", 0)),
    }
    if state["role"] == "replica":
        state["link"] = info.get("master_link_status", "unknown")
    if cluster is not None:
        state["cluster"] = cluster.get("cluster_state", "unknown")
        state["slots_ok"] = int(cluster.get("cluster_slots_ok", 0))
        state["failed_members"] = failed_members(members)
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
    for verdict, limit in (("wrong_answer", check["memory_fail"]), ("degraded", check["memory_warn"])):
        if limit is not None and state["max_memory"] and state["used_memory"] > limit * state["max_memory"]:
            sentence = "uses {0:.0%} of its memory limit".format(state["used_memory"] / state["max_memory"])
            found.append((verdict, "memory", sentence, "Find the large keys, or raise maxmemory."))
            break
    return found


def explain(redis, error, host, port, watch, seconds):
    """The ProbeError of a redis-py exception. The server's own sentence is kept: it is not a secret."""
    target, errors = where(host, port), redis.exceptions
    text = " ".join(str(error).split())[:200]
    word = text.split(" ", 1)[0].rstrip(".:").upper()
    auth = isinstance(error, (errors.AuthenticationError, errors.NoPermissionError))
    if auth or word in ("NOAUTH", "WRONGPASS", "NOPERM") or "authentication required" in text.lower():
        return ProbeError("wrong_answer", "our_credentials", "{0} says: {1}".format(target, text), "Correct login_user and login_password.")
    if isinstance(error, errors.BusyLoadingError):
        return ProbeError("wrong_answer", "loading", "{0} says: {1}".format(target, text), "Wait until it has loaded its data set.")
    if isinstance(error, errors.TimeoutError):
        return no_answer(target, seconds)
    if isinstance(error, errors.ResponseError):
        return ProbeError("wrong_answer", "error_reply", "{0} says: {1}".format(target, text), "Follow what the server says.")
    if isinstance(error, errors.InvalidResponse) or "protocol error" in text.lower():
        return ProbeError("wrong_answer", "not_redis", "{0} does not speak Redis: {1}".format(target, text), "Is this Redis's port?")
    try:  # the library gives one exception for all kinds of lost connections: a plain one tells which
        connect(host, port, max(0.2, watch.remaining)).close()
    except ProbeError as found:
        return found
    return ProbeError("wrong_answer", "reset", "{0} closed the connection: {1}".format(target, text), "Read the server's log.")
