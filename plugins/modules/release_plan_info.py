#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_plan_info
short_description: Say what a deploy or a rollback would do, or why it is refused
version_added: 0.1.0
description:
  - Reads the load balancer (which colour is live), the engine (what each colour runs) and the record of releases, and derives the target.
  - It changes nothing. The same plan serves check mode, the run itself, and a list of what can be rolled back to.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._facts
options:
  operation:
    description:
      - What is planned. V(none) only says how things stand.
      - V(reconfigure) gives the image that is live another environment.
    type: str
    choices: [deploy, rollback, reconfigure, none]
    default: none
  version:
    description: The version to go to. Needed for a deploy; for a rollback by default the last one that was healthy here.
    type: str
  image:
    description: The image's repository. The version is its tag. Needed for a deploy.
    type: str
  environment:
    description: The checksum of the environment that a deploy, or O(operation=reconfigure), brings.
    type: str
    default: ""
  other_environment:
    description:
      - Whether a rollback goes only to what ran with another environment than the live release does.
      - Where a rollback from another environment has brought that one, there is nothing to do, unless O(version) is another.
    type: bool
    default: false
  replicas:
    description: The size of the first release. Later ones start at the size of the live one.
    type: int
    default: 1
  keep_warm_seconds:
    description: How long the colour without traffic is kept warm after the live release was proved, in seconds.
    type: int
    default: 86400
  overrides:
    description: The gates whose refusal is overridden.
    type: list
    elements: str
    default: []
  emergency:
    description: Whether soft gates (staging) only warn.
    type: bool
    default: false
  health_port:
    description:
      - The port on which replicas answer for their health. With it, an idle colour is called warm only if every replica of it is
        healthy and of the right version; each is asked once.
    type: int
  health_path:
    description: The health route.
    type: str
    default: /api/health
  health_version_path:
    description: Where the health answer (JSON) names the version.
    type: str
    default: version
  health_timeout:
    description: How long a replica may take to answer, in seconds.
    type: float
    default: 2
  staging_releases:
    description: The list of releases that staging exports, a URL or a file. Without it the staging gate is not configured.
    type: str
  staging_timeout:
    description: How long to wait for that list, in seconds.
    type: float
    default: 5
"""

EXAMPLES = r"""
- name: Ask what a rollback would do
  astraldraft.ops.release_plan_info:
    operation: rollback
    project: astral-demo
    colours: [app-blue, app-green]
    upstream_path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    history_path: /var/lib/astraldraft/astral-demo/releases.jsonl
  register: plan
"""

RETURN = r"""
verdict:
  description: V(go), V(nothing_to_do) when the target is live already, V(refused), or V(none) when nothing is planned.
  returned: always
  type: str
  sample: go
refusals:
  description: Why it is refused.
  returned: always
  type: list
  elements: dict
  contains:
    gate:
      description: The gate's name, by which it can be overridden.
      type: str
    message:
      description: The fact, the limit, and what to do.
      type: str
    override:
      description: Whether it can be overridden.
      type: bool
notices:
  description: What was overridden or could not be asked.
  returned: always
  type: list
  elements: str
target:
  description: Where to go, or V(null).
  returned: always
  type: dict
  contains:
    service:
      description: The colour that takes it.
      type: str
    version:
      description: The version.
      type: str
    image:
      description: The reference to start it by.
      type: str
    digest:
      description: The image's digest.
      type: str
    id:
      description: The image's id on this host, or V(null) when it must be pulled.
      type: str
    environment:
      description: The checksum of its environment.
      type: str
    replicas:
      description: How many replicas.
      type: int
    release:
      description: The recorded release that a rollback goes back to, or V(null).
      type: str
path:
  description: >-
    V(warm) when the idle colour runs the target already and it was proved there, V(cold) when it must be started first,
    V(resume) when it is live already but nobody proved it. V(null) without a target.
  returned: always
  type: str
  sample: cold
warm_replicas:
  description: >-
    How many replicas of the target are warm. Fewer than RV(target) names are topped up. V(0) where RV(path) is not V(warm).
  returned: always
  type: int
  sample: 2
live:
  description: The service that gets traffic, or V(null).
  returned: always
  type: str
  sample: app-blue
former:
  description: The service to which traffic goes back should the target fail, or V(null).
  returned: always
  type: str
  sample: app-blue
shared:
  description:
    - Whether the idle colour gets a share of the traffic, because a deploy died between two of its steps. The live one is the former
      colour then.
  returned: always
  type: bool
unfinished:
  description: The ids of the recorded releases that have no end, because whoever brought them died, or is at work right now.
  returned: always
  type: list
  elements: str
idle:
  description: The service that does not.
  returned: always
  type: str
  sample: app-green
live_release:
  description: The recorded release that is live, or V(null). In the form of RV(astraldraft.ops.release_history_info#module:releases).
  returned: always
  type: dict
pending_switch:
  description: Whether a switch of traffic was begun and not seen through.
  returned: always
  type: bool
colours:
  description: What each colour runs.
  returned: always
  type: dict
  sample: {app-blue: {replicas: 2, image_ids: ["sha256:1d3f"], environment: 9f86d0}}
warm:
  description: The colour without traffic.
  returned: always
  type: dict
  contains:
    replicas:
      description: How many replicas of it run.
      type: int
    until:
      description: Until when it is kept (ISO 8601, UTC). V(null) where nothing is kept, or the live release is not proved yet.
      type: str
    overdue:
      description: Whether that time is over.
      type: bool
candidates:
  description: What one could roll back to, newest first.
  returned: always
  type: list
  elements: dict
quarantined:
  description: The digests that are refused because they were taken back by themselves.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import json

from ansible.module_utils.urls import open_url
from ansible_collections.astraldraft.ops.plugins.module_utils import _colours, _docker, _facts, _release, _release_plan, _warm
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import LoadBalancer

SPEC = dict(
    _facts.FACTS_SPEC,
    operation={"type": "str", "choices": ["deploy", "rollback", "reconfigure", "none"], "default": "none"},
    version={"type": "str"},
    image={"type": "str"},
    environment={"type": "str", "default": ""},
    other_environment={"type": "bool", "default": False},
    replicas={"type": "int", "default": 1},
    keep_warm_seconds={"type": "int", "default": 86400},
    overrides={"type": "list", "elements": "str", "default": []},
    emergency={"type": "bool", "default": False},
    health_port={"type": "int"},
    health_path={"type": "str", "default": "/api/health"},
    health_version_path={"type": "str", "default": "version"},
    health_timeout={"type": "float", "default": 2},
    staging_releases={"type": "str"},
    staging_timeout={"type": "float", "default": 5},
)
RESULT = {
    "verdict": "none",
    "refusals": [],
    "notices": [],
    "target": None,
    "path": None,
    "warm_replicas": 0,
    "former": None,
    "live": None,
    "shared": False,
    "unfinished": [],
    "idle": None,
    "live_release": None,
    "pending_switch": False,
    "colours": {},
    "warm": {"replicas": 0, "until": None, "overdue": False},
    "candidates": [],
    "quarantined": [],
}


def staging_list(where, timeout):
    """What staging exports (list of dict), or None where it is not configured. Raises OpsError when it cannot be read."""
    if not where:
        return None
    try:
        text = open_url(where, timeout=timeout).read() if "://" in where else read_text(where, default="")
        releases = json.loads(text)
    except Exception as error:  # open_url raises urllib's, ssl's and socket's own errors
        raise OpsError(
            "Staging's list of releases at {0} cannot be read: {1}. Mend it, or give ops_override: [staging] with ops_reason.".format(
                where, error
            )
        )
    if not isinstance(releases, list):
        raise OpsError("Staging's list of releases at {0} is not a JSON list.".format(where))
    return releases


def gather(params, client, balancer):
    """The Facts of this host and of the wanted image."""
    facts = _facts.gather(client, balancer, params["project"], params["colours"], params["history_path"])
    if params["operation"] == "deploy":
        facts.image = _colours.find_image(client, "{0}:{1}".format(params["image"], params["version"]))
        facts.known_versions = _colours.known_tags(client, params["image"])
        skipped = params["emergency"] or "staging" in params["overrides"]
        facts.staging = _release_plan.SKIPPED if skipped else staging_list(params["staging_releases"], params["staging_timeout"])
    return facts


def make_plan(params, client, facts):
    """The Plan of the wanted operation, its path resolved."""
    if params["operation"] == "deploy":
        plan = _release_plan.plan_deploy(
            facts, params["version"], params["environment"], params["replicas"], params["overrides"], params["emergency"]
        )
    elif params["operation"] == "reconfigure":
        plan = _release_plan.plan_reconfigure(facts, params["environment"], params["overrides"], params["emergency"])
    else:
        plan = _release_plan.plan_rollback(facts, params["version"], params["overrides"], params["emergency"], params["other_environment"])
    if plan.target:
        image = _colours.find_image(client, plan.target["image"])
        _release_plan.resolve_path(plan, image and image["id"])
    if plan.path == _release_plan.WARM and params["health_port"]:
        _release_plan.cool(plan, warm_troubles(params, facts.running[facts.idle], plan.target["version"]))
    return plan


def warm_troubles(params, replicas, version):
    """What is wrong with the answers of the idle colour's replicas (list of str)."""
    return _warm.troubles(
        replicas, params["health_port"], params["health_path"], version, params["health_version_path"], params["health_timeout"]
    )


def work(module, result):
    params = module.params
    with _docker.engine(params["docker_host"]) as client:
        balancer = LoadBalancer(client, params["project"], params["balancer"], params["upstream_path"])
        facts = gather(params, client, balancer)
        if params["operation"] != "none":
            plan = make_plan(params, client, facts)
            result.update(
                verdict=plan.verdict,
                refusals=plan.refusals,
                notices=plan.notices,
                target=plan.target or None,
                path=plan.path,
                warm_replicas=plan.warm_replicas,
                former=plan.former,
            )
        result.update(
            live=facts.live,
            idle=facts.idle,
            shared=facts.shared,
            unfinished=[release["id"] for release in _release.unfinished(facts.releases)],
            live_release=facts.live_release,
            pending_switch=balancer.pending(),
            warm=_release_plan.warm(facts, params["keep_warm_seconds"], utc_now()),
            candidates=_release.candidates(facts.releases, facts.live_release),
            quarantined=sorted(_release.quarantined(facts.releases)),
            colours={
                name: {
                    "replicas": len(found),
                    "image_ids": sorted({replica.image_id for replica in found}),
                    "environment": facts.environments[name],
                }
                for name, found in facts.running.items()
            },
        )


def main():
    run(
        work,
        dict(SPEC, **_docker.DOCKER_SPEC),
        RESULT,
        supports_check_mode=True,
        required_if=[("operation", "deploy", ["version", "image"])],
    )


if __name__ == "__main__":
    main()
