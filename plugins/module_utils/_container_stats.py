# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One sample of what containers use, and how they fare. Private: other collections must not import it.

Pure: what the engine says in, a record out. CPU is in cores, memory in bytes; a share is of what the container may use.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._checks_container import last_probe, seconds_up
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import NUMBER_LABEL, SERVICE_LABEL, short_name, working_set
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural, size
from ansible_collections.astraldraft.ops.plugins.module_utils._harmless import visible
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact_text
from ansible_collections.astraldraft.ops.plugins.module_utils._resources import limits_of
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

NANO = 10**9
MOST_TOLD = 5
ALIVE = ("running", "paused")
#: What a container that does not run, or did not tell, uses.
NO_USE = {
    "cpus": None, "cpu_share": None, "throttled_share": None, "memory": None, "memory_share": None, "memory_cached": None, "pids": None,
}  # fmt: skip


def record(replica, now):
    """What is known of a Replica without measuring."""
    inspection = replica.inspection
    state, host = inspection["State"], inspection.get("HostConfig") or {}
    limits, health = limits_of(host), state.get("Health") or {}
    running = replica.state in ALIVE
    pids = host.get("PidsLimit")
    return dict(
        {
            "name": replica.name,
            "service": replica.service,
            "replica": short_name(replica),
            "state": replica.state,
            "verdict": "stopped",
            "reason": "ok",
            "message": "",
            "next": "",
            "exit_code": None if running else state.get("ExitCode"),
            "oom_killed": bool(state.get("OOMKilled")),
            "restarts": inspection.get("RestartCount", 0),
            "health": replica.health,
            "health_failures": health.get("FailingStreak"),
            "health_output": visible(redact_text(last_probe(state))) if replica.health else None,
            "started_at": moment(state.get("StartedAt")),
            "finished_at": None if running else moment(state.get("FinishedAt")),
            "uptime": _uptime(state, now) if running else None,
            "image": replica.image_id,
            "cpus_limit": limits.cpus,
            "memory_limit": limits.memory,
            "pids_limit": pids if pids and pids > 0 else None,
        },
        **NO_USE,
    )


def _uptime(state, now):
    seconds = seconds_up(state.get("StartedAt"), now)
    return None if seconds is None else max(0, round(seconds))


def moment(text):
    """A time of the engine's; None for the one that means never."""
    try:
        return None if not text or text.startswith("0001-") else to_iso(from_iso(text))
    except ValueError:
        return None


def deaths(events, there):
    """What ended in the engine's events (dicts of its API), the latest first. ``there``: the ids of the containers that there are.

    ``asked``: somebody stopped or killed it through the engine. ``settled``: somebody has done so since, or removed it. Where the kernel
    killed a process of a container that went on, ``exit_code`` is None.
    """
    found, starved, asked = [], {}, set()
    for event in sorted(events, key=lambda event: event.get("timeNano") or 0):
        actor, action = event.get("Actor") or {}, event.get("Action")
        identity, labels = actor.get("ID"), actor.get("Attributes") or {}
        if action == "kill":
            asked.add(identity)
            for _identity, death in found + list(starved.items()):
                death["settled"] = death["settled"] or _identity == identity
            continue
        code = labels.get("exitCode", "") if action == "die" else ""
        death = {
            "replica": "{0}-{1}".format(labels.get(SERVICE_LABEL, ""), labels.get(NUMBER_LABEL, "")),
            "service": labels.get(SERVICE_LABEL, ""),
            "at": to_iso((event.get("timeNano") or 0) / NANO),
            "exit_code": int(code) if code.isdigit() else None,
            "oom_killed": action == "oom" or identity in starved,
            "asked": identity in asked,
            "settled": identity not in there,
        }
        if action == "oom":
            starved[identity] = death
        else:
            before = starved.pop(identity, None)
            # Stopped later, not killed for it.
            if before and identity in asked:
                found.append((identity, before))
                death["oom_killed"] = False
            found.append((identity, death))
            asked.discard(identity)
    return sorted([death for _identity, death in found] + list(starved.values()), key=lambda death: death["at"], reverse=True)


def use(before, after, limits, host_memory):
    """What a container used between two of the engine's ``stats``. ``limits``: Limits; ``host_memory``: bytes of the machine."""
    memory = after.get("memory_stats") or {}
    used = working_set(memory) if "usage" in memory else None
    may_use = limits.memory or host_memory
    cores = _cores(before, after)
    may_compute = limits.cpus or _online(after)
    return {
        "cpus": _rounded(cores),
        "cpu_share": _share(cores, may_compute),
        "throttled_share": _throttled(before, after),
        "memory": used,
        "memory_share": _share(used, may_use),
        "memory_cached": None if used is None else max(0, memory["usage"] - used),
        "pids": (after.get("pids_stats") or {}).get("current"),
    }


def _share(part, whole):
    return None if part is None or not whole else round(part / whole, 4)


def _rounded(number):
    return None if number is None else round(number, 4)


def _online(stats):
    cpu = stats.get("cpu_stats") or {}
    return cpu.get("online_cpus") or len((cpu.get("cpu_usage") or {}).get("percpu_usage") or []) or None


def _cores(before, after):
    """Cores that were kept busy; None where a read lacks it, or the container was restarted between both."""
    try:
        computed = after["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
        seconds = _nanoseconds(after["read"]) - _nanoseconds(before["read"])
    except (KeyError, TypeError, ValueError):
        return None
    return computed / seconds if computed >= 0 and seconds > 0 else None


def _nanoseconds(text):
    """Of a time of the engine's, whose digits are more than datetime keeps."""
    whole, _dot, rest = text.partition(".")
    digits = rest.rstrip("Z")
    return round(from_iso(whole.rstrip("Z") + "Z").timestamp()) * NANO + int(digits[:9].ljust(9, "0") if digits.isdigit() else 0)


def _throttled(before, after):
    """The share of the scheduler's periods in which the container was held back by its limit."""
    first, second = ((stats.get("cpu_stats") or {}).get("throttling_data") or {} for stats in (before, after))
    periods = second.get("periods", 0) - first.get("periods", 0)
    held = second.get("throttled_periods", 0) - first.get("throttled_periods", 0)
    return round(held / periods, 4) if periods > 0 and held >= 0 else 0.0 if periods == 0 else None


def outcome(answer, name, seconds):
    """What becomes of a record by what measuring came to: a dict of :func:`use`, an exception, or None when it took too long."""
    if isinstance(answer, dict):
        return dict(answer, verdict="measured")
    if answer is None:
        why = ("timed_out", "{0} did not tell what it uses within {1:g} s".format(name, seconds), "See what keeps the engine busy.")
    else:
        why = ("refused", "{0}: {1}".format(name, answer), "Run it again: it may have ended meanwhile.")
    return dict(zip(("reason", "message", "next"), why), verdict="unreadable")


def absent(service, error):
    """What is returned about what could not be looked at. ``error``: a ProbeError."""
    return {"service": service, "reason": error.reason, "message": error.message, "next": error.next}


def without(services, records, project):
    """Of services that have no container, and of a project that has none."""
    there = {one["service"] for one in records}
    message = "there is no container of {0} in project {1}"
    if not services and not records:
        services, message = [""], "there is no container in project {1}"
    advice = "Correct project or services, or start it."
    return [
        absent(service, ProbeError("wrong_answer", "no_container", message.format(service, project), advice))
        for service in dict.fromkeys(services)
        if service not in there
    ]


def overall(records, missing):
    """measured, partial, or unreadable when nothing is known of any."""
    known = [one for one in records if one["verdict"] != "unreadable"]
    if not known:
        return "unreadable"
    return "partial" if missing or len(known) < len(records) else "measured"


def summary(records, missing):
    """One sentence: ``5 containers, 4 running; app-blue-2: exited with exit code 137, killed for lack of memory``."""
    if not records:
        return "no container could be looked at: {0}".format("; ".join(dict.fromkeys(one["message"] for one in missing[:MOST_TOLD])))
    running = sum(one["state"] == "running" for one in records)
    parts = ["{0} {1}, {2} running".format(len(records), plural("container", len(records)), running)]
    odd = [sentence for sentence in map(oddity, records) if sentence]
    parts += odd[:MOST_TOLD] + (["and {0} more".format(len(odd) - MOST_TOLD)] if len(odd) > MOST_TOLD else [])
    return "; ".join(parts + [one["message"] for one in missing[:MOST_TOLD]])


def oddity(one):
    """What is to be said of a container in few words; empty when it runs as it should."""
    found = []
    if one["verdict"] == "unreadable":
        found.append("could not be measured ({0})".format(one["message"]))
    if one["state"] != "running":
        found.append("{0} with exit code {1}".format(one["state"], one["exit_code"]) if one["exit_code"] is not None else one["state"])
    if one["oom_killed"]:
        found.append("killed for lack of memory" if one["state"] != "running" else "a process of it was killed for lack of memory")
    if one["restarts"]:
        found.append("restarted {0} {1}".format(one["restarts"], plural("time", one["restarts"])))
    if one["health"] not in (None, "healthy"):
        found.append(one["health"])
    if (one["memory_share"] or 0) >= 0.9:
        found.append("uses {0:.0f} % of its memory, {1}".format(100 * one["memory_share"], size(one["memory"])))
    if (one["throttled_share"] or 0) >= 0.25:
        found.append("held back by its CPU limit {0:.0f} % of the time".format(100 * one["throttled_share"]))
    return "{0}: {1}".format(one["replica"], ", ".join(found)) if found else ""
