#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_resources
short_description: Limit the CPU and the memory of a service's containers while they run
version_added: 0.1.0
description:
  - Changes the limits of every container of the services at once, without a restart, and writes them down, so that the same module gives
    them to the containers that are made later.
  - Memory and swap move together, since the engine refuses a memory limit above the sum of both. A limit below what a container uses now is
    refused, because the kernel would kill its processes.
  - A program that reads its limit when it starts, to size itself, sees the new one when it is restarted.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  project:
    description: The Compose project.
    type: str
    required: true
  services:
    description: The services that are meant. By default all that are written down in O(path). Needed with O(cpus) and O(memory).
    type: list
    elements: str
  cpus:
    description: How many CPUs each container may use, such as V(1.5). If it is not given, it stays as it is.
    type: float
  memory:
    description: How much memory each container may use, in bytes or such as V(512M). If it is not given, it stays as it is.
    type: str
  path:
    description:
      - The file in which the limits are written down. It is a Compose file that holds nothing else.
      - Without O(cpus) and O(memory) the containers get what is written there.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Give PostgreSQL more memory, without a restart
  astraldraft.ops.container_resources:
    project: astral-demo
    services: [postgres-master]
    memory: 1G
    path: /var/lib/astraldraft/astral-demo/compose.resources.yml

- name: Give new containers the limits that were set for their service
  astraldraft.ops.container_resources:
    project: astral-demo
    services: [app-green]
    path: /var/lib/astraldraft/astral-demo/compose.resources.yml
"""

RETURN = r"""
containers:
  description: The containers of the services, with their limits before and after.
  returned: always
  type: list
  elements: dict
  contains:
    container:
      description: The container's name.
      type: str
    service:
      description: Its Compose service.
      type: str
    before:
      description: C(cpus), C(memory) and C(memory_swap) (both together) before. V(null) where there is no limit.
      type: dict
    after:
      description: The same now, or after a run outside check mode.
      type: dict
    memory_used:
      description: The bytes that it uses now, without cached files. V(null) where it was not asked.
      type: int
  sample:
    - container: astral-demo-postgres-master-1
      service: postgres-master
      before: {cpus: null, memory: null, memory_swap: null}
      after: {cpus: null, memory: 1073741824, memory_swap: 1073741824}
      memory_used: 61865984
recorded:
  description: What is written down, by service.
  returned: always
  type: dict
  sample: {postgres-master: {cpus: null, memory: 1073741824, memory_swap: 1073741824}}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import json

from ansible.module_utils.common.text.formatters import human_to_bytes
from ansible_collections.astraldraft.ops.plugins.module_utils import _docker, _resources
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "project": {"type": "str", "required": True},
    "services": {"type": "list", "elements": "str"},
    "cpus": {"type": "float"},
    "memory": {"type": "str"},
    "path": {"type": "path", "required": True},
}
RESULT = {"containers": [], "recorded": {}}


def to_bytes(text):
    """``512M`` or a number of bytes as an int, None for None. Raises OpsError."""
    if text is None:
        return None
    try:
        return int(human_to_bytes(text.strip().upper().replace("IB", "").rstrip("B") or text))
    except ValueError as error:
        raise OpsError("memory is {0!r}; give it bytes, or such as 512M or 2G ({1}).".format(text, error))


def containers(client, project, services):
    """Every container of the services (list of Replica), those that do not run among them."""
    return [replica for replica in _docker.replicas(client, project) if replica.service in services]


def refuse_unknown(client, project, services, found):
    if found:
        return
    known = sorted({replica.service for replica in _docker.replicas(client, project)})
    raise OpsError(
        "No container of {0} exists in project {1}, so there is nothing to limit. Its services: {2}.".format(
            " or ".join(services), project, ", ".join(known) or "none"
        )
    )


def wanted_limits(params, record, found, memory):
    """The limits that every container shall have: a list of ``(replica, current, wanted)``; ``record`` is brought up to date."""
    given = params["cpus"] is not None or memory is not None
    plans = []
    for replica in found:
        current = _resources.limits_of(replica.inspection["HostConfig"])
        if given:
            wanted = _resources.target(current, params["cpus"], memory)
        else:
            noted = record[replica.service]
            wanted = _resources.Limits(noted.cpus or current.cpus, noted.memory or current.memory, noted.memory_swap or current.memory_swap)
        plans.append((replica, current, wanted))
    if given:
        by_service = {replica.service: wanted for replica, _current, wanted in plans}
        some = next(iter(by_service.values()))
        for name in params["services"]:  # the idle colour may have no container: the next one gets what its sibling has
            noted = record.get(name, _resources.Limits(None, None, None))
            swap = by_service.get(name, some).memory_swap
            record[name] = _resources.Limits(params["cpus"] or noted.cpus, memory or noted.memory, swap if memory else noted.memory_swap)
    return plans


def check(client, plans, params, memory, result):
    """Refuse what cannot be given, before anything is changed. Raises OpsError."""
    if params["cpus"] is not None or memory is not None:
        information = client.info()
        _resources.check_request(params["cpus"], memory, information["NCPU"], information["MemTotal"], len(plans))
    for (replica, current, wanted), entry in zip(plans, result["containers"]):
        lowered = wanted.memory is not None and (current.memory is None or wanted.memory < current.memory)
        if replica.state == "running" and lowered:
            entry["memory_used"] = _docker.usage(client, replica.id)
            _resources.check_use(replica.name, wanted.memory, entry["memory_used"])


def shown(entries, which):
    """Lines of text: the limits ``which`` (before, after) of every container."""
    return "".join("{0}: {1}\n".format(entry["container"], json.dumps(entry[which], sort_keys=True)) for entry in entries)


def work(module, result):
    params, memory = module.params, to_bytes(module.params["memory"])
    text = read_text(params["path"]) or ""
    record = _resources.read_record(text, params["path"])
    given = params["cpus"] is not None or memory is not None
    services = params["services"] if given else [name for name in record if name in (params["services"] or record)]
    with _docker.engine(params["docker_host"]) as client:
        found = containers(client, params["project"], services)
        if given:
            refuse_unknown(client, params["project"], services, found)
        plans = wanted_limits(params, record, found, memory)
        result["containers"] = [
            {
                "container": replica.name,
                "service": replica.service,
                "before": dict(current._asdict()),
                "after": dict(wanted._asdict()),
                "memory_used": None,
            }
            for replica, current, wanted in plans
        ]
        check(client, plans, params, memory, result)
        changes = [(replica, wanted) for replica, current, wanted in plans if _resources.differs(current, wanted)]
        after = _resources.write_record(record) if given else text
        result["recorded"] = {name: dict(limits._asdict()) for name, limits in sorted(record.items())}
        result["changed"] = bool(changes) or after != text
        result["diff"] = {"before": shown(result["containers"], "before") + text, "after": shown(result["containers"], "after") + after}
        if module.check_mode:
            return
        for replica, wanted in changes:
            module.fence()
            _docker.update(client, replica.id, _resources.request(replica.inspection["HostConfig"], wanted))
        if after != text:
            module.fence()
            write_atomically(params["path"], after)


def main():
    run(
        work,
        dict(SPEC, **_docker.DOCKER_SPEC),
        RESULT,
        supports_check_mode=True,
        required_by={"cpus": ["services"], "memory": ["services"]},
    )


if __name__ == "__main__":
    main()
