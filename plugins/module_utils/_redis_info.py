# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The condition of Redis servers as figures, from what every node answered. Private: other collections must not import it.

Nothing here has a connection. A figure is that of the node where it is worst, which its message names.
"""

from __future__ import annotations

import statistics

from ansible_collections.astraldraft.ops.plugins.module_utils._figures import Figure, Threshold, judged, size, span
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import REPLIES, exhausted, keyspace
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_ask import by_prefix
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import printable, told
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import ALL_SLOTS, count_slots, down

_MIB = 1024**2

#: What is more than these (a hit ratio: less) is a warning or a failure, unless the caller says otherwise. The module documents them.
THRESHOLDS = {
    "memory": Threshold(0.8, 0.95, False, "fraction"),
    "fragmentation": Threshold(1.5, None, False, "ratio"),
    "evictions": Threshold(0.0, None, False, "keys"),
    "clients": Threshold(0.8, 0.95, False, "fraction"),
    "blocked_clients": Threshold(100.0, None, False, "clients"),
    "rejected_connections": Threshold(0.0, None, False, "connections"),
    "hit_ratio": Threshold(0.8, None, True, "fraction"),
    "persistence_age": Threshold(7200.0, 86400.0, False, "seconds"),
    "replication_lag": Threshold(10.0, 60.0, False, "seconds"),
    "replication_behind": Threshold(1.0 * _MIB, None, False, "bytes"),
    "slow_log": Threshold(10.0, None, False, "commands"),
    "latency": Threshold(0.01, 0.1, False, "seconds"),
    "big_keys": Threshold(10.0 * _MIB, None, False, "bytes"),
}
LEAST_WASTE = 100 * _MIB  # a ratio of less is that of a server that holds next to nothing
FEWEST_LOOKUPS = 100  # a ratio of fewer says nothing
SLOW_SECONDS = 3600.0


def number(info, name, default=0):
    """A value of INFO as int or float; ``default`` where the server has none."""
    text = info.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return default


def known(answers):
    return [answer for answer in answers if answer.info]


def _primaries(answers):
    return [answer for answer in known(answers) if answer.info.get("role") != "slave"]


def _replicas(answers):
    return [answer for answer in known(answers) if answer.info.get("role") == "slave"]


def _worst(answers, value, below=False):
    """``(value, answer)`` of the node where it is worst; None where no node has one."""
    found = [(value(answer), answer) for answer in answers]
    found = [pair for pair in found if pair[0] is not None]
    return (min if below else max)(found, key=lambda pair: pair[0]) if found else (None, None)


def of_nodes(topology, answers):
    """Whether all of them answer. One that does not is never well, whatever the others say."""
    silent = [answer for answer in answers if answer.failure]
    good = len(answers) - len(silent)
    if silent:
        message = "{0} of {1} answer: {2}".format(good, len(answers), "; ".join(answer.failure.message for answer in silent[:4]))
        return Figure("nodes", "fail", good, message, silent[0].failure.next)
    message = "all {0} answer".format(good) if good > 1 else "it answers"
    if topology.failures:
        message += ", but not all that were asked first: {0}".format("; ".join(error.message for error in topology.failures.values()))
        # Of single servers each is one of those that were to be looked at.
        verdict = "fail" if topology.kind == "single" else "warn"
        return Figure("nodes", verdict, good, message, next(iter(topology.failures.values())).next)
    return Figure("nodes", "pass", good, message)


def of_cluster(topology, answers):
    """State, slots and members, in the eyes of every node."""
    if topology.kind != "cluster":
        return Figure("cluster", "not_configured", None, "not a cluster")
    views = [answer for answer in known(answers) if answer.cluster]
    if not views:
        return Figure("cluster", "fail", None, "no node says how it is", "Bring the nodes back.")
    slots, _view = _worst(views, lambda answer: number(answer.cluster, "cluster_slots_ok"), below=True)
    broken = [answer.member.name for answer in views if answer.cluster.get("cluster_state") != "ok"]
    lost = sorted({member.name for answer in views for member in down(answer.members or [])})
    moving = sum(len(member.moving) for answer in views for member in answer.members or [] if "myself" in member.flags)
    owners = {_owners(answer.members) for answer in views if answer.members}
    message = "{0} of {1} slots are served".format(slots, ALL_SLOTS)
    if broken:
        message = "cluster_state is not ok in the eyes of {0}; {1}".format(", ".join(broken), message)
    if lost:
        message += "; seen as down: {0}".format(", ".join(lost))
    if broken or slots < ALL_SLOTS:
        return Figure("cluster", "fail", slots, message, "Bring back the primary that owns the others, or fail over to its replica.")
    if len(owners) > 1:
        message += "; the nodes do not agree who serves which"
    if moving:
        message += "; {0} slots are being moved".format(moving)
    if lost or len(owners) > 1 or moving:
        advice = (
            "Bring those nodes back; until then a second failure loses slots." if lost else "Wait until it has settled, then look again."
        )
        return Figure("cluster", "warn", slots, message, advice)
    serving = len({member.id for member in views[0].members or [] if member.slots})
    return Figure("cluster", "pass", slots, "{0}, by {1} primaries".format(message, serving))


def _owners(members):
    return tuple(sorted((member.id, tuple(member.slots)) for member in members if member.slots))


def of_replication(topology, answers, thresholds, expected):
    """The links of replicas, how far they are behind, and whether every primary has as many as it should.

    Where there is no primary nobody can write. Only of a single server that may be meant.
    """
    primaries, replicas = _primaries(answers), _replicas(answers)
    broken = [answer.member.name for answer in replicas if answer.info.get("master_link_status") != "up"]
    short = [answer.member.name for answer in primaries if len(_linked(answer.info)) < expected]
    message = "{0} primaries, {1} replicas".format(len(primaries), len(replicas))
    if broken:
        sentence = "the link to its primary is down: {0}".format(", ".join(broken))
        figure = Figure("replication", "fail", len(replicas), sentence, "Look at the primary, and at the logs of both.")
    elif replicas and not primaries:
        sentence = "only replicas answer, which take no writes: {0}".format(", ".join(answer.member.name for answer in replicas))
        verdict = "warn" if topology.kind == "single" and not expected else "fail"
        figure = Figure("replication", verdict, len(replicas), sentence, REPLIES["READONLY"][2])
    elif short:
        sentence = "fewer than {0} replicas follow {1}".format(expected, ", ".join(short))
        figure = Figure("replication", "fail", len(replicas), sentence, "Start the replica that is missing.")
    else:
        figure = Figure("replication", "pass" if replicas or not expected else "fail", len(replicas), message)
    return [figure] + _lags(primaries, replicas, thresholds)


def _linked(info):
    """The replicas that a primary sends to, as dicts of str."""
    rows = [value for key, value in info.items() if key.startswith("slave") and key[5:].isdigit()]
    found = [dict(part.split("=", 1) for part in row.split(",") if "=" in part) for row in rows]
    return [row for row in found if row.get("state") == "online"]


def _lags(primaries, replicas, thresholds):
    names = ("replication_lag", "replication_behind")
    if not replicas:
        return [Figure(name, "not_configured", None, "no replica", "", thresholds[name]) for name in names]
    advice = "Look at the network between both, and at the load of the primary."
    seconds, slowest = _worst(replicas, lambda answer: max(0, number(answer.info, "master_last_io_seconds_ago", -1)))
    message = "{0} heard its primary {1} ago".format(slowest.member.name, span(seconds))
    lag = judged(names[0], thresholds, float(seconds), message, advice)
    rows = [(answer, row) for answer in primaries for row in _linked(answer.info)]
    if not rows:
        return [lag, judged(names[1], thresholds, None, "no primary says whom it sends to", advice)]
    behind, row = max(
        ((number(answer.info, "master_repl_offset") - int(row.get("offset", 0)), row) for answer, row in rows), key=lambda pair: pair[0]
    )
    message = "{0}:{1} is {2} behind".format(row.get("ip"), row.get("port"), size(max(0, behind)))
    return [lag, judged(names[1], thresholds, max(0, behind), message, advice)]


def of_memory(answers, thresholds):
    nodes = known(answers)

    def used(answer):
        limit = number(answer.info, "maxmemory") or number(answer.info, "total_system_memory")
        return number(answer.info, "used_memory") / limit if limit else None

    value, worst = _worst(nodes, used)
    unlimited = [answer.member.name for answer in nodes if not number(answer.info, "maxmemory")]
    if value is None:
        return judged("memory", thresholds, None, "no node says how much it uses", "Look at INFO memory.")
    limit = number(worst.info, "maxmemory")
    message = "{0} uses {1}, {2:.0%} of {3}".format(
        worst.member.name, size(number(worst.info, "used_memory")), value, "its limit" if limit else "the machine's memory")  # fmt: skip
    if unlimited:
        message += "; without a limit: {0}".format(", ".join(unlimited))
    full = [answer.member.name for answer in nodes if exhausted(answer.info)]
    if full:
        _reason, sentence, advice = REPLIES["OOM"]
        return Figure("memory", "fail", value, "{0} {1}; {2}".format(", ".join(full), sentence, message), advice, thresholds["memory"])
    advice = "Find what grew (big_keys), clear caches (playbook cache_clear), or raise maxmemory."
    figure = judged("memory", thresholds, value, message, advice)
    if unlimited and figure.verdict == "pass":
        return Figure("memory", "warn", value, message, "Set maxmemory: without it the machine's memory ends first.", thresholds["memory"])
    return figure


def of_fragmentation(answers, thresholds):
    def ratio(answer):
        wasted = number(answer.info, "used_memory_rss") - number(answer.info, "used_memory")
        return float(number(answer.info, "mem_fragmentation_ratio")) if wasted >= LEAST_WASTE else None

    value, worst = _worst(known(answers), ratio)
    if value is None:
        return judged("fragmentation", thresholds, 0.0, "no node wastes more than {0}".format(size(LEAST_WASTE)))
    message = "{0} takes {1:.2f} times the memory that it uses".format(worst.member.name, value)
    return judged("fragmentation", thresholds, value, message, "CONFIG SET activedefrag yes, or restart its replica and fail over.")


def of_eviction(answers, thresholds, allowed):
    """Whether somebody's session may vanish for want of memory, and whether it has happened."""
    nodes = known(answers)
    policies = sorted({answer.info.get("maxmemory_policy", "unknown") for answer in nodes})
    evicted, worst = _worst(nodes, lambda answer: number(answer.info, "evicted_keys"))
    evicting = [policy for policy in policies if policy != "noeviction"]
    advice = "Sessions are among what may be evicted: set maxmemory-policy noeviction, or keep them on a server of their own."
    message = "maxmemory-policy is {0}".format(", ".join(policies))
    policy = Figure("eviction_policy", "warn" if evicting and not allowed else "pass", ", ".join(policies), message, advice)
    total = sum(number(answer.info, "evicted_keys") for answer in nodes)
    recently = _grown(answers, "evicted_keys")
    told_of = "none since the start"
    if total:
        told_of = "{0} keys since the start, {1} of them by {2}".format(total, evicted, worst.member.name)
        told_of += ", {0} while it was looked at".format(recently) if recently else ""
    if allowed:
        return [policy, Figure("evictions", "pass", total, told_of, "", thresholds["evictions"])]
    advice = "Sessions may be among them. Give it memory, then CONFIG RESETSTAT begins to count anew."
    return [policy, judged("evictions", thresholds, total, told_of, advice)]


def of_clients(answers, thresholds):
    nodes = known(answers)
    value, worst = _worst(nodes, lambda answer: number(answer.info, "connected_clients") / max(1, number(answer.info, "maxclients", 10000)))
    message = "{0} has {1} of {2} clients".format(
        worst.member.name, number(worst.info, "connected_clients"), number(worst.info, "maxclients", 10000))  # fmt: skip
    figures = [judged("clients", thresholds, value, message, "See who they are (CLIENT LIST), or raise maxclients.")]
    value, worst = _worst(nodes, lambda answer: number(answer.info, "blocked_clients"))
    message = "nobody waits" if not value else "{0} clients of {1} wait for something".format(value, worst.member.name)
    advice = "See for what (CLIENT LIST): workers that wait for a queue are no trouble."
    figures.append(judged("blocked_clients", thresholds, value, message, advice))
    value, worst = _worst(nodes, lambda answer: number(answer.info, "rejected_connections"))
    message = "none since the start" if not value else "{0} has turned away {1} since the start".format(worst.member.name, value)
    advice = "Raise maxclients, then CONFIG RESETSTAT begins to count anew."
    figures.append(judged("rejected_connections", thresholds, value, message, advice))
    return figures


def of_hits(answers, thresholds):
    """Over the window, all primaries together: what was a year ago says nothing about today."""
    hits, misses = (_grown(answers, name) for name in ("keyspace_hits", "keyspace_misses"))
    window = max([answer.window for answer in known(answers)] or [0.0])
    if hits < 0 or misses < 0:
        message, ratio = "the counters were reset meanwhile", None
    elif hits + misses < FEWEST_LOOKUPS:
        message, ratio = "only {0} lookups within {1:.1f} s".format(hits + misses, window), None
    else:
        ratio = hits / (hits + misses)
        message = "{0:.1%} of {1} lookups within {2:.1f} s found their key".format(ratio, hits + misses, window)
    advice = "Ask for a longer window." if ratio is None else "Look what is missed, and whether it expires too early."
    return judged("hit_ratio", thresholds, ratio, message, advice, required=False)


def _grown(answers, name):
    return sum(number(answer.info, name) - number(answer.first, name) for answer in known(answers))


_SAVING = (
    ("rdb_last_bgsave_status", "snapshot"),
    ("aof_last_write_status", "write of the log"),
    ("aof_last_bgrewrite_status", "rewrite of the log"),
)


def of_persistence(answers, thresholds, now):
    nodes, problems = known(answers), []
    for answer in nodes:
        for name, what in _SAVING:
            if answer.info.get(name, "ok") != "ok":
                problems.append("the last {0} of {1} failed".format(what, answer.member.name))
    nowhere = [answer.member.name for answer in nodes if not number(answer.info, "aof_enabled") and _saves(answer) is False]
    if problems:
        figure = Figure("persistence", "fail", len(problems), "; ".join(problems[:4]), "Look at the disk and the log of the node.")
    elif nowhere:
        message = "nothing is kept on disk by {0}".format(", ".join(nowhere))
        figure = Figure("persistence", "warn", len(nowhere), message, "A restart empties it. Set appendonly yes, unless that is meant.")
    else:
        logs = sum(bool(number(answer.info, "aof_enabled")) for answer in nodes)
        figure = Figure("persistence", "pass", 0, "{0} of {1} nodes keep a log, and nothing failed".format(logs, len(nodes)))

    def age(answer):
        if number(answer.info, "aof_enabled") or not number(answer.info, "rdb_changes_since_last_save"):
            return 0.0
        return max(0.0, now - number(answer.info, "rdb_last_save_time"))

    value, worst = _worst(nodes, age)
    message = "nothing waits to be saved"
    if value:
        changes = number(worst.info, "rdb_changes_since_last_save")
        message = "{0} has not saved {1} changes since {2}".format(worst.member.name, changes, span(value))
    return [figure, judged("persistence_age", thresholds, value, message, "Save it (BGSAVE), and set appendonly yes or save.")]


def _saves(answer):
    """Whether it takes snapshots by itself; None where that may not be seen."""
    if not answer.config or len(answer.config) < 2:
        return None
    return bool(answer.config[1].strip())


def of_slow_log(answers, thresholds, now, hidden):
    entries = slow_entries(answers, hidden)
    recent = [entry for entry in entries if now - entry["at"] <= SLOW_SECONDS]
    if not any(answer.slow_log is not None for answer in known(answers)):
        return judged("slow_log", thresholds, None, "it cannot be seen", "Allow SLOWLOG to the user.", required=False)
    message = "none within {0}".format(span(SLOW_SECONDS))
    if recent:
        slowest = max(recent, key=lambda entry: entry["seconds"])
        message = "{0} commands within {1}, the slowest {2} on {3}, {4:.3f} s".format(
            len(recent), span(SLOW_SECONDS), slowest["command"], slowest["node"], slowest["seconds"])  # fmt: skip
    return judged(
        "slow_log", thresholds, len(recent), message, "Look at what was slow: KEYS, and commands on large values.", required=False
    )


def slow_entries(answers, hidden=()):
    """The entries of every node, the newest first. Of arguments only the first one's name is told: the others are somebody's data."""
    found = []
    for answer in known(answers):
        for entry in answer.slow_log or []:
            words = entry[3]
            command = printable(words[0]).upper() if words else ""
            if len(words) > 1 and command not in ("EVAL", "EVAL_RO", "AUTH", "HELLO", "CONFIG", "ACL"):
                command += " " + told(words[1], hidden)
            found.append({"node": answer.member.name, "at": entry[1], "seconds": entry[2] / 1e6, "command": command})
    return sorted(found, key=lambda entry: -entry["at"])


def of_latency(answers, thresholds):
    value, worst = _worst(known(answers), lambda answer: statistics.median(answer.pings) if answer.pings else None)
    if value is None:
        return judged("latency", thresholds, None, "no PING was answered", "Look at the nodes.")
    message = "half of {0} PINGs took up to {1:.1f} ms, of {2}".format(len(worst.pings), value * 1000, worst.member.name)
    return judged("latency", thresholds, value, message, "Look at the slow log, at LATENCY LATEST and at the load of the machine.")


def of_big_keys(answers, thresholds, hidden):
    keys = [key for answer in known(answers) for key in answer.keys]
    if not keys:
        empty = not any(keyspace(answer.info) for answer in known(answers))
        message = "there is no key" if empty else "no key was looked at"
        return judged("big_keys", thresholds, 0 if empty else None, message, "Sample more keys.", required=False)
    name, kind, largest = max(keys, key=lambda key: key[2])
    message = "the largest of {0} sampled keys is {1} ({2}), {3}".format(len(keys), told(name, hidden), kind, size(largest))
    advice = "Split it, or let it expire: what is large blocks others when it is read or removed."
    return judged("big_keys", thresholds, largest, message, advice, required=False)


def prefixes(answers, limit):
    """What the sampled keys begin with, those that take most first."""
    rows = by_prefix([key for answer in known(answers) for key in answer.keys])
    total = sum(count for count, _bytes, _largest in rows.values())
    found = [
        {"prefix": printable(prefix) or "(none)", "keys": count, "share": round(count / total, 4), "bytes": taken, "largest": largest}
        for prefix, (count, taken, largest) in rows.items()
    ]
    return sorted(found, key=lambda row: (-row["bytes"], row["prefix"]))[:limit]


def node_row(answer, kind):
    """One node for the report: what it is, and what it says of itself."""
    info, member = answer.info, answer.member
    return {
        "address": member.name,
        "role": ("replica" if info.get("role") == "slave" else "primary") if info else member.role,
        "verdict": answer.failure.verdict if answer.failure else "healthy",
        "reason": answer.failure.reason if answer.failure else "ok",
        "message": answer.failure.message if answer.failure else "",
        "version": info.get("redis_version"),
        "uptime": number(info, "uptime_in_seconds", None),
        "slots": count_slots(member.slots) if kind == "cluster" else None,
        "keys": sum(row["keys"] for row in keyspace(info).values()) if info else None,
        "used_memory": number(info, "used_memory", None),
        "max_memory": number(info, "maxmemory", None),
        "fragmentation": number(info, "mem_fragmentation_ratio", None),
        "policy": info.get("maxmemory_policy"),
        "evicted": number(info, "evicted_keys", None),
        "clients": number(info, "connected_clients", None),
        "operations": number(info, "instantaneous_ops_per_sec", None),
        "latency": round(statistics.median(answer.pings), 6) if answer.pings else None,
    }
