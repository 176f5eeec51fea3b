#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_stats_info
short_description: Take one sample of what Compose services' containers use and how they fare
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Tells of every container of the services, stopped ones too, its CPU and memory against its limits, its processes, restarts, exit code,
    health, and whether the kernel killed a process of it for lack of memory.
  - All containers are asked at the same time. One that does not tell is named as such; see RV(verdict). The task does not fail for it, nor
    for an engine that does not answer.
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  project:
    description: The Compose project.
    type: str
    required: true
  services:
    description: The services that are meant. By default all that have a container.
    type: list
    elements: str
    default: []
  interval:
    description: The seconds between both reads that CPU is told from.
    type: float
    default: 1.0
  deaths_since:
    description:
      - How far back it is looked for containers that ended (RV(deaths)), such as V(15m). By default not at all.
      - A container that its engine has restarted says nothing of why it ended; the engine's events do. It keeps a few hundred of them.
    type: str
  timeout:
    description: The seconds that all of it may take.
    type: float
    default: 10.0
notes:
  - The engine does not say how many processes were killed for lack of memory, only whether one was since the container was started.
seealso:
  - module: astraldraft.ops.container_logs_info
  - module: astraldraft.ops.container_resources
"""

EXAMPLES = r"""
- name: How the application fares
  astraldraft.ops.container_stats_info:
    project: astral-demo
    services: [app-blue, app-green]
  register: stats
"""

RETURN = r"""
verdict:
  description:
    - V(measured) when every container that runs was measured, V(partial) when one was not or a service has none, V(unreadable) when nothing
      is known of any.
  returned: always
  type: str
containers:
  description: The containers, by service and number.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    service:
      description: Its service.
      type: str
    replica:
      description: The service and number, such as V(app-blue-2).
      type: str
    state:
      description: The engine's word, such as V(running), V(exited) or V(restarting).
      type: str
    verdict:
      description: V(measured), V(stopped) for one that does not run and so uses nothing, or V(unreadable).
      type: str
    reason:
      description: V(ok), or one word why it could not be measured, such as V(timed_out).
      type: str
    message:
      description: The same in a sentence.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    cpus:
      description: The cores that it kept busy between both reads. V(null), as all that is measured, when it was not.
      type: float
    cpu_share:
      description: The same of O(astraldraft.ops.container_resources#module:cpus), or of all cores of the machine. V(null) likewise.
      type: float
    cpus_limit:
      description: How many it may use. V(null) without a limit.
      type: float
    throttled_share:
      description: The share of the scheduler's periods in which that limit held it back. V(null) likewise.
      type: float
    memory:
      description: The bytes that it uses and cannot give back at once, without cached files. V(null) likewise.
      type: int
    memory_share:
      description: The same of its limit, or of the machine's memory. V(null) likewise.
      type: float
    memory_limit:
      description: The bytes that it may use. V(null) without a limit.
      type: int
    memory_cached:
      description: The bytes of files that are cached for it, which are given back when memory is needed. V(null) likewise.
      type: int
    pids:
      description: How many processes and threads it has. V(null) likewise.
      type: int
    pids_limit:
      description: How many it may have. V(null) without a limit.
      type: int
    oom_killed:
      description: Whether the kernel killed a process of it for lack of memory since it was started.
      type: bool
    restarts:
      description: How often the engine restarted it after it ended by itself.
      type: int
    exit_code:
      description: How it ended. V(null) while it runs.
      type: int
    health:
      description: V(healthy), V(unhealthy) or V(starting). V(null) without a check of its own.
      type: str
    health_failures:
      description: How often in a row that check has failed. V(null) without one.
      type: int
    health_output:
      description: What it printed last. V(null) without one.
      type: str
    started_at:
      description: When it was started last (ISO 8601, UTC). V(null) when it never was.
      type: str
    finished_at:
      description: When it ended. V(null) while it runs.
      type: str
    uptime:
      description: The seconds since it was started. V(null) when it does not run.
      type: int
    image:
      description: The id of its image.
      type: str
deaths:
  description: What ended within O(deaths_since), the latest first. V(null) when nobody asked, or the engine did not tell.
  returned: always
  type: list
  elements: dict
  contains:
    replica:
      description: The service and number.
      type: str
    service:
      description: The service.
      type: str
    at:
      description: When (ISO 8601, UTC).
      type: str
    exit_code:
      description: How. V(null) where the kernel killed a process of a container that went on.
      type: int
    oom_killed:
      description: Whether the kernel killed a process of it for lack of memory.
      type: bool
    asked:
      description: Whether somebody had it stopped or killed by the engine.
      type: bool
    settled:
      description: Whether somebody has stopped, restarted or removed it since.
      type: bool
missing:
  description: What could not be looked at, services without a container, or the engine.
  returned: always
  type: list
  elements: dict
  contains:
    service:
      description: The service. Empty for the engine.
      type: str
    reason:
      description: One word why, V(no_container), V(no_engine) or V(slow_engine).
      type: str
    message:
      description: The same in a sentence.
      type: str
    next:
      description: What to do about it.
      type: str
host:
  description: The machine that the engine runs on. V(null) when it was not asked.
  returned: always
  type: dict
  contains:
    cpus:
      description: Its cores.
      type: int
    memory:
      description: Its memory in bytes.
      type: int
summary:
  description: One sentence about all of it.
  returned: always
  type: str
  sample: "3 containers, 2 running; app-blue-2: exited with exit code 137, killed for lack of memory"
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _container_stats, _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._resources import limits_of
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SPEC = {
    "project": {"type": "str", "required": True},
    "services": {"type": "list", "elements": "str", "default": []},
    "interval": {"type": "float", "default": 1.0},
    "deaths_since": {"type": "str"},
    "timeout": {"type": "float", "default": 10.0},
}
RESULT = {"verdict": "unreadable", "containers": [], "deaths": None, "missing": [], "host": None, "summary": ""}
EVENTS = ["die", "kill", "oom"]


def measured(client, replica, interval, memory):
    """A job that says what one container uses: two reads of it."""

    def job():
        before = client.api.stats(replica.id, stream=False, one_shot=True)
        time.sleep(interval)
        after = client.api.stats(replica.id, stream=False, one_shot=True)
        return _container_stats.use(before, after, limits_of(replica.inspection["HostConfig"]), memory)

    return job


def ended(client, project, there, now, seconds):
    """The deaths of the last ``seconds`` before ``now``, the engine's clock."""
    label = "{0}={1}".format(_docker.PROJECT_LABEL, project)
    events = client.api.events(since=int(now - seconds), until=int(now), filters={"event": EVENTS, "label": label}, decode=True)
    return _container_stats.deaths(events, there)


def look(module, client, result, deadline):
    options, services = module.params, module.params["services"]
    told = client.api.info()
    result["host"] = {"cpus": told.get("NCPU"), "memory": told.get("MemTotal")}
    found = [replica for replica in _docker.replicas(client, options["project"]) if not services or replica.service in services]
    now = from_iso(told["SystemTime"])
    if options["deaths_since"]:
        seconds, there = duration_seconds(options["deaths_since"]), {replica.id for replica in found}
        deaths = ended(client, options["project"], there, now.timestamp(), seconds)
        result["deaths"] = [death for death in deaths if not services or death["service"] in services]
    running = [replica for replica in found if replica.state in _container_stats.ALIVE]
    jobs = [(measured(client, replica, options["interval"], told.get("MemTotal")), deadline.remaining) for replica in running]
    answers = dict(zip((replica.id for replica in running), in_parallel(jobs, module.heartbeat)))
    for replica in found:
        record = _container_stats.record(replica, now)
        if replica.id in answers:
            record.update(_container_stats.outcome(answers[replica.id], replica.name, options["timeout"]))
        result["containers"].append(record)


def work(module, result):
    options = module.params
    for option in ("interval", "timeout"):
        if options[option] <= 0:
            raise OpsError("{0} is {1:g}. Nothing was asked. Give a positive number of seconds.".format(option, options[option]))
    if options["interval"] >= options["timeout"]:
        raise OpsError("interval is {interval:g}, timeout {timeout:g}. Nothing was asked. Give a timeout that is longer.".format(**options))
    if options["deaths_since"]:
        try:
            duration_seconds(options["deaths_since"])
        except ValueError as error:
            raise OpsError("deaths_since: {0}. Nothing was asked.".format(error))
    deadline = Deadline(options["timeout"])
    try:
        with _docker.engine(options["docker_host"], timeout=options["timeout"]) as client:
            look(module, client, result, deadline)
    except _docker.EngineError as error:
        result["missing"] = [_container_stats.absent("", _docker.trouble(error))]
    else:
        result["missing"] = _container_stats.without(options["services"], result["containers"], options["project"])
    result["verdict"] = _container_stats.overall(result["containers"], result["missing"])
    result["summary"] = _container_stats.summary(result["containers"], result["missing"])


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), dict(RESULT, containers=[], missing=[]), supports_check_mode=True)


if __name__ == "__main__":
    main()
