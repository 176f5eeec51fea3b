# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers that a diagnosis is made of, out of what modules answered. Private: other collections must not import it. Pure.

Each source of evidence gives numbers under names of its own. A source that has no answer gives none, and so does a figure that its module
does not know: what is not in the result is not known, which is neither 0 nor well.
"""

from __future__ import annotations

import collections
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

#: ``about``: whom or what the number is of, in words, of the one that is worst. ``unit``: share, seconds, days, bytes, count or yes.
Number = collections.namedtuple("Number", "value unit about")
#: Of these the smaller one is the worse one, where several hosts know it.
_LOW_IS_BAD = ("containers.least_cpus", "certificate.days_left", "certificate.fraction_left", "replicas.well", "release.age")
# Where nobody has an account of its own. A share says nothing of a file system for a few secrets.
_SMALLEST = 256 * 1024
_KILLED = 137
MIB = 1 << 20
#: Who is given more gets at least so many bytes.
LEAST_MEMORY = 256 * MIB
_RECENT = 30  # seconds


def of_host(evidence):
    """``(numbers, words)`` of one host. ``evidence``: source to what its module returned. ``words``: what sentences and commands name."""
    numbers, words = {}, {}
    for source, function in SOURCES.items():
        answer = evidence.get(source)
        if answer and not answer.get("failed"):
            more, named = function(answer, evidence)
            numbers.update({name: number for name, number in more.items() if number.value is not None})
            words.update({name: word for name, word in named.items() if word})
    # Where the host is what is short, the live colour is who could be given more of it.
    words.setdefault("throttled_service", words.get("live_service"))
    rows = (evidence.get("containers") or {}).get("containers") or []
    memory = _more(rows, words.get("starved_service"), "memory_limit", LEAST_MEMORY)
    words.update(
        more_memory=memory and "{0:.0f}M".format(memory / MIB), more_cpus=_more(rows, words.get("throttled_service"), "cpus_limit", 1)
    )
    return numbers, {name: word for name, word in words.items() if word}


def _more(rows, service, limit, least):
    """Twice what the containers of a service may use, and ``least`` of it; None where nothing limits them."""
    known = [row[limit] for row in rows if row["service"] == service and row[limit]]
    return max(2 * max(known), least) if known else None


def merged(hosts):
    """The same of several hosts: of each number the worst. ``hosts``: name to evidence."""
    numbers, words = {}, {}
    for host, evidence in hosts.items():
        found, named = of_host(evidence)
        for name, number in found.items():
            if len(hosts) > 1:
                number = number._replace(about="{0} on {1}".format(number.about, host) if number.about else host)
            if name not in numbers or _worse(name, number, numbers[name]):
                numbers[name] = number
                words.update(named)
        words.update({name: word for name, word in named.items() if name not in words})
    return numbers, words


def _worse(name, number, than):
    return number.value < than.value if name in _LOW_IS_BAD else number.value > than.value


def _worst(rows, key, name, unit="share"):
    """The Number of the row with the greatest value; None as its value when nobody knows any."""
    known = [row for row in rows if row.get(key) is not None]
    if not known:
        return Number(None, unit, "")
    row = max(known, key=lambda row: row[key])
    return Number(row[key], unit, str(row.get(name) or ""))


def _count(rows, name="name"):
    return Number(len(rows), "count", ", ".join(dict.fromkeys(str(row.get(name) or "?") for row in rows)))


def _yes(truth, about=""):
    return Number(None if truth is None else int(bool(truth)), "yes", about or "")


# -- the sources


def containers(answer, evidence):
    """``expected`` of the evidence: the services that have to run. Any other may have been stopped on purpose."""
    rows = answer["containers"]
    if not rows:  # of one that could not be measured its state is known all the same
        return {}, {}
    limited, deaths = [row for row in rows if row["memory_limit"]], answer.get("deaths")
    open_deaths = [row for row in deaths or [] if not row["settled"]]
    starved = [row for row in open_deaths if row["oom_killed"]] + [row for row in rows if row["oom_killed"]]
    ended = [row for row in open_deaths if not row["asked"] and not row["oom_killed"] and row["exit_code"]]
    expected = evidence.get("expected", ())
    stopped = [
        row for row in rows if row["state"] != "running" and (row["state"] != "exited" or row["exit_code"] or row["service"] in expected)
    ]
    absent = [{"service": service} for service in expected if service not in {row["service"] for row in rows}]
    throttled = _worst(rows, "throttled_share", "replica")
    smallest = min((row for row in rows if row["cpus_limit"]), key=lambda row: row["cpus_limit"], default={})
    return {
        "containers.throttled_share": throttled,
        "containers.cpu_share": _worst([row for row in rows if row["cpus_limit"]], "cpu_share", "replica"),
        "containers.least_cpus": Number(smallest.get("cpus_limit"), "count", smallest.get("replica", "")),
        "containers.memory_share": _worst(limited, "memory_share", "replica"),
        "containers.oom_kills": _count(starved, "replica"),
        "containers.killed": _count([row for row in ended if row["exit_code"] == _KILLED], "replica"),
        "containers.crashes": _count([row for row in ended if row["exit_code"] != _KILLED], "replica"),
        "containers.down": _count(stopped + absent, "service"),
        "containers.unhealthy": _count([row for row in rows if row["health"] == "unhealthy"], "replica"),
    }, {
        "throttled_service": _service(throttled.about if throttled.value else smallest.get("replica", "")),
        "starved_service": starved[0]["service"] if starved else "",
        "down_service": next((row["service"] for row in stopped + absent + ended), ""),
    }  # fmt: skip


def _service(replica):
    return replica.rpartition("-")[0]


def nginx(answer, _evidence):
    return {
        "nginx.invalid": _yes(None if answer["valid"] is None else not answer["valid"], answer["complaint"]),
        "nginx.stale": Number(len(answer["stale"]), "count", ", ".join(answer["stale"])),
        "nginx.servers": Number(len(answer["servers"]), "count", ""),
    }, {"live_service": (answer["services"] or [""])[0]}  # fmt: skip


def access(answer, evidence):
    """Of the requests that nginx answered with an error, by status and by where they were sent."""
    if answer["verdict"] == "unreadable":
        return {}, {}
    balancer = evidence.get("nginx") or {}
    known = {server["address"] for server in balancer.get("servers") or [] if server.get("replica") not in (balancer.get("stale") or [])}
    failed = [group for group in answer["groups"] if group["by"].get("status", "").startswith("5")]
    own = [group for group in failed if group["by"]["status"] == "500"]
    gateway = [group for group in failed if group["by"]["status"] in ("502", "504")]
    # Several addresses where nginx tried one after the other.
    lost = [group for group in failed if known and _addresses(group) - known and _goes_on(group, answer)]
    worst = max(failed, key=lambda group: group["count"], default={"by": {}})["by"]
    return {
        "requests.failed": Number(_sum(failed), "count", "{0} on {1}".format(worst["status"], worst.get("uri") or "?") if worst else ""),
        "requests.failed_500": Number(_sum(own), "count", ""),
        "requests.bad_gateway": Number(_sum(gateway), "count", ""),
        "requests.sent_nowhere": Number(
            _sum(lost), "count", ", ".join(sorted(set().union(*map(_addresses, lost)) - known)[:3]) if lost else ""
        ),
    }, {}


def _goes_on(group, answer):
    """Whether the group still grows, rather than being what is left of something in the window."""
    return group["last_at"] is not None and (from_iso(answer["until"]) - from_iso(group["last_at"])).total_seconds() <= _RECENT


def _addresses(group):
    return set(re.findall(r"[^\s,]+:\d+", group["by"].get("upstream_addr", "")))


def _sum(groups):
    return sum(group["count"] for group in groups)


def signs(answer, evidence):
    """Lines that say something by themselves. ``known_signs`` of the evidence: the name of each sign to its regular expression."""
    if answer["verdict"] == "unreadable":
        return {}, {}
    found = {
        name: [group for group in answer["groups"] if _is(pattern, group)] for name, pattern in evidence.get("known_signs", {}).items()
    }
    return {
        "logs." + name: Number(_sum(groups), "count", ", ".join(dict.fromkeys(group["by"].get("@service", "") for group in groups)))
        for name, groups in found.items()
    }, {}


def _is(pattern, group):
    return re.search(pattern, group["by"].get("sign", ""), re.IGNORECASE) is not None


def postgres(answer, _evidence):
    server, used = answer["server"], answer["connections"]
    numbers = {
        "postgres.down": _yes(server.get("verdict") != "healthy" and server.get("reason") != "connections", server.get("target")),
        "postgres.no_slot": _yes(server.get("reason") == "connections", server.get("target")),
    }
    if not used:
        return numbers, {}
    waiting = {pid: waiters for pid, waiters in answer["blockers"].items() if waiters}
    root = max(waiting, key=lambda pid: len(waiting[pid]), default="")
    session = next((row for row in answer["transactions"] if str(row["pid"]) == root), {})
    states = {state: number for state, number in used["by_state"].items() if state.startswith("idle")}
    idle = sum(states.values())
    user, by_user = next(iter(used["by_user"].items()), ("", 0))
    address = next(iter(used["by_address"].items()), ("", 0))
    stuck = [row for row in answer["transactions"] if (row["state"] or "").startswith("idle in transaction")]
    statement = max(answer["statements"], key=lambda row: row.get("mean_seconds") or 0, default={})
    numbers.update({
        "postgres.used_share": Number(round(used["used"] / max(1, used["usable"]), 4), "share", "{0} of {1} slots".format(
            used["used"], used["usable"])),
        "postgres.idle_share": Number(round(idle / max(1, used["used"]), 4), "share", "{0} idle sessions".format(idle)),
        "postgres.idle_sessions": Number(idle, "count", "{0} of them by {1}".format(by_user, user)),
        "postgres.one_address": Number(address[1], "count", address[0]),
        "postgres.blocked": Number(len(answer["blocked"]), "count", ""),
        "postgres.blocked_by_one": Number(len(waiting.get(root, ())), "count", _session(root, session)),
        "postgres.blocked_seconds": _worst(answer["blocked"], "seconds", "relation", "seconds"),
        "postgres.idle_in_transaction_seconds": _worst(stuck, "state_seconds", "pid", "seconds"),
        "postgres.slowest_statement_seconds": Number(statement.get("mean_seconds"), "seconds", str(statement.get("query") or "")[:80]),
    })  # fmt: skip
    commonest = max(states, key=lambda state: states[state], default="")
    return numbers, {"blocker_pid": root, "blocker_state": session.get("state"), "slot_user": user, "slot_state": commonest}


def _session(pid, session):
    if not session:
        return "session {0}".format(pid) if pid else ""
    named = [session.get(key) or "?" for key in ("user", "application", "state")]
    return "session {0} of {1} ({2}, {3})".format(pid, *named)


def redis(answer, _evidence):
    nodes = answer["nodes"]
    primaries = [
        dict(node, share=node["used_memory"] / node["max_memory"] if node["max_memory"] and node["used_memory"] is not None else None)
        for node in nodes
        if node["role"] == "primary"
    ]
    fullest = _worst(primaries, "share", "address")
    full = next((node for node in primaries if node["address"] == fullest.about), {})
    silent = [node for node in nodes if node["verdict"] != "healthy"]
    numbers = {
        "redis.memory_share": fullest._replace(value=None if fullest.value is None else round(fullest.value, 4)),
        "redis.refuses_when_full": _yes(full.get("policy") == "noeviction" if full else None, full.get("policy")),
        "redis.silent_nodes": _count(silent, "address"),
        "redis.down": _yes(not nodes or len(silent) == len(nodes)),
    }
    return numbers, {"full_node": fullest.about}


def health(answer, evidence):
    """``outside`` of the evidence: the names of the checks that are of somebody else's services."""
    checks = [check for check in answer["checks"] if check["verdict"] != "not_configured"]
    outside = [check for check in checks if check["name"] in evidence.get("outside", ())]
    ours = [check for check in checks if check not in outside]
    replicas = [check for check in ours if check["name"].startswith("replica ") or check["reason"] == "replica_count"]
    front = [check for check in ours if check["name"] == "load balancer"]
    failed = [check for check in outside if check["verdict"] != "healthy" and check["reason"] not in ANSWERED]
    silent = [check for check in replicas if check["verdict"] not in ("healthy", "degraded")]
    numbers = {
        "external.failing": Number(len(failed), "count", "; ".join("{target}: {message}".format(**check) for check in failed)),
        "external.answering": Number(len(outside) - len(failed), "count", ""),
        "replicas.well": Number(len(replicas) - len(silent), "count", ""),
        "replicas.bad": _count(silent),
        "front.down": _yes(front[0]["verdict"] not in ("healthy", "degraded") if front else None, front[0]["message"] if front else ""),
        "clock.offset_seconds": _offset([check for check in ours if check["type"] != "http"]),
        # A server that is short of time puts its header together late.
        "clock.header_seconds": _offset([check for check in ours if check["type"] == "http"]),
        "clock.outside_seconds": _offset(outside),
    }
    if not outside:
        numbers.pop("external.failing")
        numbers.pop("external.answering")
    if not replicas:
        numbers.pop("replicas.well")
        numbers.pop("replicas.bad")
    for check in ours:
        if check["type"] == "tls" and check["details"].get("days_left") is not None:
            details = check["details"]
            numbers["certificate.days_left"] = Number(
                details["days_left"], "days", "{0}, until {1}".format(check["target"], details["not_after"])
            )
            numbers["certificate.fraction_left"] = Number(details["fraction_left"], "share", check["target"])
            numbers["certificate.flawed"] = _yes(check["reason"] in ("expired", "stale_certificate"), check["message"])
    urls = [check["target"] for check in failed]
    return numbers, {"external_url": urls[0] if urls else "", "clock_name": _clock_name(numbers)}


def _clock_name(numbers):
    known = [numbers[name] for name in ("clock.offset_seconds", "clock.header_seconds") if numbers[name].value]
    return max(known, key=lambda number: number.value).about if known else ""


def _offset(checks):
    """The clock that is furthest from the host's; a group's nodes each have one."""
    rows = []
    for check in checks:
        for part in check["details"].get("nodes") or [check["details"]]:
            if part.get("clock_offset") is not None:
                rows.append({"offset": abs(part["clock_offset"]), "name": "{0} {1}".format(check["name"], part.get("node") or "").strip()})
    return _worst(rows, "offset", "name", "seconds")


def prometheus(answer, evidence):
    found, words = {}, {}
    queries = {query["name"]: query for query in answer["queries"]}
    live = live_release(queries, evidence)
    for name, query in queries.items():
        rows = [
            {"value": series["points"][-1]["value"], "about": ", ".join(map(str, series["labels"].values())), "labels": series["labels"]}
            for series in query["series"]
            if series["points"] and isinstance(series["points"][-1]["value"], (int, float))
        ]
        unit = query_unit(name)
        if name == "alerts.firing":
            # None is no series, which is an answer where Prometheus gave one.
            found[name] = _count(rows, "about") if query["reason"] in ("ok", "no_assertion", "no_data") else Number(None, "count", "")
        elif name.startswith("release."):
            mine = [row for row in rows if row["labels"].get("release") == live]
            found[name] = _worst(mine, "value", "about", unit)
            others = [row for row in rows if row["labels"].get("release") != live]
            found["former." + name.partition(".")[2]] = _worst(others, "value", "about", unit)
        else:
            found[name] = _worst(rows, "value", "about", unit)
    words["live_release"] = live
    return found, words


def query_unit(name):
    return next((unit for ending, unit in (("share", "share"), ("seconds", "seconds")) if name.endswith(ending)), "count")


def live_release(queries, evidence):
    """Who answers most requests; where nobody counts them, the last that got traffic."""
    series = (queries.get("release.requests") or {}).get("series") or []
    counted = [(one["points"][-1]["value"], one["labels"].get("release")) for one in series if one["points"]]
    counted = [pair for pair in counted if isinstance(pair[0], (int, float)) and pair[0] > 0 and pair[1]]
    newest = _switched(evidence.get("releases") or {})
    if newest and (not counted or newest["version"] in [release for _value, release in counted]):
        return newest["version"]
    return max(counted)[1] if counted else newest.get("version", "")


def _switched(answer):
    """The last release that got traffic and kept it."""
    found = [one for one in answer.get("releases") or [] if one.get("switched_at") and one["outcome"] not in ("taken_back", "failed")]
    return max(found, key=lambda one: one["switched_at"], default={})


def releases(answer, evidence):
    newest = _switched(answer)
    if not newest:
        return {}, {}
    now = ((evidence.get("host") or {}).get("clock") or {}).get("time")
    age = (from_iso(now) - from_iso(newest["switched_at"])).total_seconds() if now else None
    before = [one for one in answer["releases"] if one.get("switched_at") and one["version"] != newest["version"]]
    former = max(before, key=lambda one: one["switched_at"], default={})
    return {
        "release.age": Number(age, "seconds", newest["version"]),
        "release.has_former": _yes(bool(former), former.get("version")),
    }, {"live_release": newest["version"]}  # fmt: skip


def host(answer, _evidence):
    places = [
        dict(one, name="{0} in {1}".format(one["path"], one["replica"]) if one["replica"] else one["path"])
        for one in answer["filesystems"]
        if (one["holds"] or one["replica"] or one["path"] == "/") and one["bytes"] >= _SMALLEST
    ]
    fullest = _worst(places, "used_share", "name")
    place = next((one for one in places if one["name"] == fullest.about), {})
    load, disk = answer["load"], (answer["disks"] or [{}])[0]
    killed = [row for row in answer.get("containers") or [] if row["oom_kills"]]
    return {
        "host.oom_kills": _count(killed, "replica") if answer.get("containers") is not None else Number(None, "count", ""),
        "host.disk_share": fullest._replace(about=_holding(place) if place else ""),
        "host.inodes_share": _worst(places, "inodes_share", "name"),
        "host.memory_share": Number(answer["memory"].get("used_share"), "share", ""),
        "host.cpu_pressure": Number(answer["pressure"]["cpu"]["some"], "share", ""),
        "host.memory_pressure": Number(answer["pressure"]["memory"]["some"], "share", ""),
        "host.io_pressure": Number(answer["pressure"]["io"]["some"], "share", disk.get("name", "")),
        "host.disk_busy_share": Number(disk.get("busy_share"), "share", disk.get("name", "")),
        "host.cpu_share": Number(answer["cpu"].get("busy_share"), "share", "load {0}".format(load.get("minutes_1"))),
        "host.unsynchronised": _yes(None if answer["clock"]["synchronised"] is None else not answer["clock"]["synchronised"]),
    }, {
        "full_path": place.get("path"),
        "full_replica": place.get("replica"),
        "starved_service": killed[0]["service"] if killed else "",
    }  # fmt: skip


def _holding(place):
    holds = [path for path in place["holds"] if path != place["path"]]
    return "{0}{1}".format(place["name"], ", which holds {0}".format(", ".join(holds)) if holds else "")


#: What somebody answers who is well.
ANSWERED = ("our_credentials", "rate_limited", "unexpected_status", "redirected")
#: In this order: words of later ones win.
SOURCES = {
    "containers": containers, "nginx": nginx, "access": access, "signs": signs, "postgres": postgres, "redis": redis, "health": health,
    "releases": releases, "prometheus": prometheus, "host": host,
}  # fmt: skip
