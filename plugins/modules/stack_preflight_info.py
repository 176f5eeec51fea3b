#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_preflight_info
short_description: Say whether a Compose stack can take an operation
version_added: 0.1.0
description:
  - Looks at the Docker Engine, Compose, the Compose model, the load balancer and the free disk space, and lists what would make an
    operation fail half-way.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  project:
    description: The Compose project.
    type: str
    required: true
  project_src:
    description: The folder of the Compose file.
    type: path
    required: true
  files:
    description: The Compose files, relative to O(project_src). By default Compose's own choice.
    type: list
    elements: str
    default: []
  env_file:
    description: The file of variables for the Compose file.
    type: path
  colours:
    description: The services of which one is live and the other idle.
    type: list
    elements: str
    required: true
  balancer:
    description: The service that runs the load balancer.
    type: str
    default: nginx
  paths:
    description: Folders whose file systems must have room. The engine's own folder is added when it can be seen.
    type: list
    elements: path
    default: []
  minimum_free_bytes:
    description: How much room each must have, in bytes.
    type: int
    default: 1073741824
"""

EXAMPLES = r"""
- name: Look before leaping
  astraldraft.ops.stack_preflight_info:
    project: astral-demo
    project_src: /opt/astral-draft
    env_file: /var/lib/astraldraft/astral-demo/compose.env
    colours: [app-blue, app-green]
    paths: [/var/lib/astraldraft/astral-demo]
  register: preflight
  failed_when: preflight.findings | length > 0
"""

RETURN = r"""
findings:
  description: What is in the way, a sentence each. Empty when nothing is.
  returned: always
  type: list
  elements: str
  sample: ["The load balancer (service nginx of Compose project astral-demo) is not running."]
engine_version:
  description: The version of the Docker Engine.
  returned: always
  type: str
  sample: 20.10.24
compose_version:
  description: The version of Docker Compose. V(null) when it was not asked, because there is no Compose file for it.
  returned: always
  type: str
  sample: 2.26.1
free_bytes:
  description: The free space of each path, in bytes.
  returned: always
  type: dict
  sample: {/var/lib/docker: 85899345920}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import json
import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker, _stack
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "project": {"type": "str", "required": True},
    "project_src": {"type": "path", "required": True},
    "files": {"type": "list", "elements": "str", "default": []},
    "env_file": {"type": "path"},
    "colours": {"type": "list", "elements": "str", "required": True},
    "balancer": {"type": "str", "default": "nginx"},
    "paths": {"type": "list", "elements": "path", "default": []},
    "minimum_free_bytes": {"type": "int", "default": 2**30},
}
RESULT = {"findings": [], "engine_version": None, "compose_version": None, "free_bytes": {}}


def compose(module, *arguments):
    """Run ``docker compose`` with ``arguments`` against the stack. Returns ``(exit code, output, errors)``."""
    params = module.params
    argv = [module.get_bin_path("docker", required=True)]
    if params["docker_host"]:
        argv += ["--host", params["docker_host"]]
    argv += ["compose", "--project-name", params["project"]]
    for name in params["files"]:
        argv += ["--file", name]
    if params["env_file"] and os.path.exists(params["env_file"]):
        argv += ["--env-file", params["env_file"]]
    return module.run_command(argv + list(arguments), cwd=params["project_src"])


def model_findings(module, result):
    """Findings about Compose and its model (list of str)."""
    params = module.params
    if not os.path.isdir(params["project_src"]):
        return ["There is no folder {0}, where the Compose file should be (stack_project_src).".format(params["project_src"])]
    code, output, errors = compose(module, "version", "--short")
    if code != 0:
        return ["`docker compose` does not work here: {0} Install Docker's Compose plugin, version 2.".format(errors.strip())]
    result["compose_version"] = output.strip()
    outdated = _stack.check_compose_version(output)
    if outdated:
        return [outdated]
    code, output, errors = compose(module, "config", "--format", "json")
    if code != 0:
        return ["The Compose file in {0} is not valid: {1}".format(params["project_src"], errors.strip())]
    return _stack.check_model(json.loads(output), params["colours"], params["balancer"])


def engine_findings(module, client, result):
    """Findings about the engine and the load balancer (list of str)."""
    params = module.params
    information = client.info()
    result["engine_version"] = information["ServerVersion"]
    if os.path.isdir(information["DockerRootDir"]):
        params["paths"].append(information["DockerRootDir"])
    found = _docker.replicas(client, params["project"], params["balancer"])
    if any(replica.state == "running" for replica in found):
        return []
    what = "is {0}".format(found[0].state) if found else "does not exist: the stack is not up"
    return [
        "The load balancer (service {0} of Compose project {1}) {2}. Start the stack first.".format(
            params["balancer"], params["project"], what
        )
    ]


def disk_findings(module, result):
    """Findings about free space (list of str)."""
    findings = []
    for path in module.params["paths"]:
        if not os.path.isdir(path):
            continue
        system = os.statvfs(path)
        result["free_bytes"][path] = system.f_bavail * system.f_frsize
        finding = _stack.check_disk(path, result["free_bytes"][path], module.params["minimum_free_bytes"])
        findings += [finding] if finding else []
    return findings


def work(module, result):
    result["free_bytes"] = {}
    with _docker.engine(module.params["docker_host"]) as client:
        findings = engine_findings(module, client, result)
    result["findings"] = findings + model_findings(module, result) + disk_findings(module, result)


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
