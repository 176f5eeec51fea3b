#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_archive
short_description: Keep the logs and the state of a service's containers, and optionally restart or remove them
version_added: 0.1.0
description:
  - Docker drops a container's log with the container. This module writes it (compressed), and what the engine knows of the container
    (exit code, restarts, out-of-memory kill, health log), to a folder of their own.
  - Values of environment variables that may be secret are masked.
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
    support: none
  idempotent:
    support: partial
    details:
      - With O(state=absent) a second run finds nothing to do.
      - With O(state=archived) the log is written again, since it may have grown.
      - With O(state=restarted) the containers are restarted again.
options:
  project:
    description: The Compose project.
    type: str
    required: true
  service:
    description: The Compose service whose containers are meant.
    type: str
    required: true
  folder:
    description: Where the archives lie.
    type: path
    required: true
  state:
    description:
      - V(archived) keeps logs and state.
      - V(absent) does so too, then stops the containers with the time for a graceful end that they ask for, and removes them.
      - V(restarted) does so too, then restarts them with that time. They keep what they were made with; a changed Compose file or
        environment is not applied.
    type: str
    choices: [archived, absent, restarted]
    default: archived
  only:
    description: The replicas that are meant, such as V(app-blue-3). By default all of the service.
    type: list
    elements: str
  spare:
    description: The replicas that are not meant.
    type: list
    elements: str
    default: []
  keep:
    description: How many archived containers are kept. The oldest beyond it are deleted.
    type: int
    default: 50
"""

EXAMPLES = r"""
- name: Retire blue and keep what it leaves behind
  astraldraft.ops.container_archive:
    project: astral-demo
    service: app-blue
    folder: /var/lib/astraldraft/astral-demo/logs
    state: absent

- name: Restart one replica and keep what it said before
  astraldraft.ops.container_archive:
    project: astral-demo
    service: app-blue
    only: [app-blue-2]
    folder: /var/lib/astraldraft/astral-demo/logs
    state: restarted
"""

RETURN = r"""
archives:
  description: The folders written, one a container, each with C(log.gz) and C(state.json).
  returned: always
  type: list
  elements: dict
  contains:
    container:
      description: The container's name.
      type: str
    replica:
      description: The service and number of the container, such as V(app-blue-2).
      type: str
    path:
      description: The folder.
      type: str
    size:
      description: The bytes of both files. V(0) in check mode.
      type: int
restarted:
  description: The names of the containers that were restarted, or would be.
  returned: always
  type: list
  elements: str
removed:
  description: The names of the containers that were removed, or would be.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os
import shutil

from ansible_collections.astraldraft.ops.plugins.module_utils import _archive, _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "project": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "folder": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["archived", "absent", "restarted"], "default": "archived"},
    "only": {"type": "list", "elements": "str"},
    "spare": {"type": "list", "elements": "str", "default": []},
    "keep": {"type": "int", "default": 50},
}
START_SECONDS = 60
RESULT = {"archives": [], "restarted": [], "removed": []}


def chosen(params, replicas):
    """Those of ``replicas`` that are meant."""
    names = [(_docker.short_name(replica), replica) for replica in replicas]
    return [replica for name, replica in names if (params["only"] is None or name in params["only"]) and name not in params["spare"]]


def grace(replica):
    """The seconds that a container may take to end."""
    return replica.inspection["Config"].get("StopTimeout") or 10


def stop_running(client, replicas, heartbeat):
    """Ask all containers to end at the same time, then see each one out within its own grace period."""
    running = [replica for replica in replicas if replica.state == "running"]
    for replica in running:
        client.api.kill(replica.id, signal=replica.inspection["Config"].get("StopSignal") or "SIGTERM")
    for replica in running:
        heartbeat()
        client.api.stop(replica.id, timeout=grace(replica))


def restart(module, client, replica):
    """One container, within the time it asks for; the operation's lock is kept alive meanwhile."""
    module.fence()
    seconds = grace(replica)
    answers = in_parallel([(lambda: client.api.restart(replica.id, timeout=seconds) or True, seconds + START_SECONDS)], module.heartbeat)
    for error in (outcome for outcome in answers if isinstance(outcome, Exception)):
        raise error
    if None in answers:
        raise OpsError(
            "{0} has not come back within {1} s of its restart. Look at: docker ps --all --filter name={0}".format(
                replica.name, seconds + START_SECONDS
            )
        )


def work(module, result):
    params = module.params
    with _docker.engine(params["docker_host"], timeout=120) as client:
        found = chosen(params, _docker.replicas(client, params["project"], params["service"]))
        removing = found if params["state"] == "absent" else []
        restarting = found if params["state"] == "restarted" else []
        result["changed"] = bool(found)
        result["restarted"] = [replica.name for replica in restarting]
        result["removed"] = [replica.name for replica in removing]
        result["archives"] = [
            {
                "container": replica.name,
                "replica": _docker.short_name(replica),
                "path": os.path.join(params["folder"], _archive.folder_name(replica)),
                "size": 0,
            }
            for replica in found
        ]
        if module.check_mode:
            return
        module.fence()
        if removing:
            stop_running(client, removing, module.heartbeat)
        for replica, archive in zip(found, result["archives"]):
            chunks = client.api.logs(replica.id, stream=True, timestamps=True, follow=False)
            archive["size"] = _archive.save(params["folder"], replica, chunks, module.heartbeat)[1]
        for replica in restarting:
            restart(module, client, replica)
        for replica in removing:
            client.api.remove_container(replica.id, v=True, force=True)
    for path in _archive.surplus(params["folder"], params["keep"]):
        shutil.rmtree(path, ignore_errors=True)


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
