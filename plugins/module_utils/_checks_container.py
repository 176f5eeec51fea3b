# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks of containers, crashed ones included. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._checks import Outcome, name_of, weigh
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import engine, replicas, to_replica, trouble
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, utc_now

CONTAINER_SPEC = {
    "project": {"type": "str"},
    "services": {"type": "list", "elements": "str", "aliases": ["service"]},
    "all_services": {"type": "bool"},
    "containers": {"type": "list", "elements": "str"},
    "replicas": {"type": "int"},
    "completed": {"type": "list", "elements": "str"},
    "restart_window": {"type": "float"},
}
CONTAINER_DEFAULTS = {"all_services": False, "completed": [], "restart_window": 60.0}
#: What a container whose process has died is found to be. One that lives and lost a child to the kernel is merely degraded.
DOWN = ("not_running", "crash_loop", "oom_killed")
LOGS = "Read its last words: docker logs --tail 100 {0}"


def containers_of(check, context, services=None):
    """The replicas that a check is about, stopped ones included. An engine that does not answer is a verdict, not a failure."""
    if services is not None and not check["project"]:
        raise ProbeError("not_configured", "not_configured", "declared, but no Compose project is given", "Set project.")
    try:
        with engine(context["docker_host"], timeout=check["timeout"]) as client:
            if services is None:
                return [to_replica(client.api.inspect_container(name)) for name in check["containers"] if _exists(client, name)]
            found = replicas(client, check["project"], services[0] if len(services) == 1 else None)
            return [replica for replica in found if not services or replica.service in services]
    except OpsError as error:
        raise trouble(error)


def _exists(client, name):
    import docker

    try:
        client.api.inspect_container(name)
        return True
    except docker.errors.NotFound:
        return False


def probe_container(check, context):
    """One outcome for every service (or named container), over all of its containers."""
    if check["containers"]:
        found = containers_of(check, context)
        groups = {name: [replica for replica in found if name in (replica.name, replica.id[: len(name)])] for name in check["containers"]}
    else:
        wanted = check["services"] or []
        narrowed = [] if check["all_services"] or not wanted else wanted
        found = containers_of(check, context, narrowed)
        names = list(wanted) + sorted({replica.service for replica in found} - set(wanted))
        groups = {name: [replica for replica in found if replica.service == name] for name in names}
        if not groups:
            message = "project {0} has no container".format(check["project"])
            raise ProbeError("wrong_answer", "no_container", message, "Start the stack, or correct the project's name.")
    return [judge(check, name, group, utc_now()) for name, group in groups.items()]


def judge(check, name, group, now):
    """The Outcome of one service or container by its list of Replica: pure."""
    findings, label = [], "{0} {1}".format(name_of(check), name) if check["name"] else "container {0}".format(name)
    if not group:
        message = "there is no container of {0}, not even a stopped one".format(name)
        return Outcome("wrong_answer", "no_container", message, "Create it: docker compose up -d {0}".format(name), name=label, target=name)
    down = 0
    for replica in group:
        said = replica_findings(check, replica, now)
        down += any(verdict == "wrong_answer" and reason in DOWN for verdict, reason, _sentence, _next in said)
        findings += said
    running = sum(replica.state == "running" for replica in group)
    if check["replicas"] is not None and running != check["replicas"]:
        sentence = "{0} of it run, {1} expected".format(running, check["replicas"])
        findings.append(("wrong_answer", "replica_count", sentence, "Scale it, or correct the expected number."))
    details = {"containers": [describe(replica) for replica in group], "all_down": down == len(group)}
    healthy = "{0} running".format(running) + (", healthy" if any(replica.health for replica in group) else ", without a health check")
    message = healthy if running else "completed with exit code 0"
    return weigh(findings, message, name=label, target=name, details=details)


def replica_findings(check, replica, now):
    """What is wrong with one container, as findings."""
    state, said = replica.inspection["State"], []
    logs, code = LOGS.format(replica.name), state.get("ExitCode")
    if replica.state == "exited" and code == 0 and replica.service in check["completed"]:
        return []
    if replica.state == "paused":
        return [("wrong_answer", "paused", "{0} is paused".format(replica.name), "docker unpause {0}".format(replica.name))]
    if replica.state != "running":
        why = "{0} with exit code {1}".format(replica.state, code)
        reason = "not_running"
        if state.get("OOMKilled"):
            reason, why = "oom_killed", why + ", killed for lack of memory"
            logs = "Raise its memory limit, or find what it uses it for."
        elif replica.state == "restarting":
            reason = "crash_loop"
        if state.get("Error"):
            why += " ({0})".format(state["Error"])
        return [("wrong_answer", reason, "{0} is {1}".format(replica.name, why), logs)]
    restarts, uptime = replica.inspection.get("RestartCount", 0), seconds_up(state.get("StartedAt"), now)
    if restarts and uptime is not None and uptime < check["restart_window"]:
        sentence = "{0} restarted {1:.0f} s ago, for the {2}. time".format(replica.name, uptime, restarts)
        said.append(("wrong_answer", "crash_loop", sentence, logs))
    if replica.health == "unhealthy":
        said.append(("wrong_answer", "unhealthy", "{0} is unhealthy: {1}".format(replica.name, last_probe(state)), logs))
    elif replica.health == "starting":
        said.append(("wrong_answer", "starting", "{0} is still starting".format(replica.name), "Wait; it has not passed its check yet."))
    if state.get("OOMKilled"):
        sentence = "a process in {0} was killed for lack of memory".format(replica.name)
        said.append(("degraded", "oom_killed", sentence, "Raise its memory limit, or find what it uses it for."))
    return said


def seconds_up(started_at, now):
    """Seconds since Docker's ``StartedAt`` (nanoseconds, which datetime does not read), or None."""
    try:
        return (now - from_iso((started_at or "")[:19] + "Z")).total_seconds()
    except ValueError:
        return None


def last_probe(state):
    """What the container's own health check printed last, in one short line."""
    log = (state.get("Health") or {}).get("Log") or []
    return " ".join((log[-1].get("Output") or "").split())[:160] if log else "its check has printed nothing"


def describe(replica):
    """What the check returns of one container."""
    state = replica.inspection["State"]
    return {
        "name": replica.name,
        "service": replica.service,
        "state": replica.state,
        "health": replica.health,
        "exit_code": state.get("ExitCode"),
        "restarts": replica.inspection.get("RestartCount", 0),
        "oom_killed": bool(state.get("OOMKilled")),
        "started_at": state.get("StartedAt"),
    }
