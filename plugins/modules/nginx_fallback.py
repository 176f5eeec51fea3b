#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_fallback
short_description: Have nginx answer for some paths by itself
version_added: 0.1.0
description:
  - Where something that the application depends on is down, nginx answers for the paths that need it with a JSON document of your own. So
    nobody waits for a time-out, and no worker of the application does.
  - What is written is tested by nginx before it is put in place by one rename, and again as a whole; then nginx loads it. When it refuses
    it, all is as it was.
  - Each answer carries the header C(X-Fallback) with the fallback's name, C(Retry-After), and C(Cache-Control) V(no-store).
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._upstream
attributes:
  check_mode:
    support: full
    details: nginx is asked for its configuration, and tests nothing new.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description:
      - The folder of the fallbacks on the host, which is made when it is missing. It must be in one that is mounted into the container.
      - nginx's configuration must include C(server*.conf) of it in C(server {}). It is refused with that line when it does not.
    type: path
    required: true
  name:
    description: The fallback's name. Others that are open stay as they are.
    type: str
    required: true
  state:
    description: Whether nginx answers (V(present)), or the application does.
    type: str
    choices: [present, absent]
    default: present
  paths:
    description: The paths for which nginx answers. One that ends with C(/) means all below it. Needed with O(state=present).
    type: list
    elements: str
    default: []
  status:
    description: The status of the answer.
    type: int
    default: 200
  body:
    description: The answer, as data. It is sent as JSON.
    type: raw
  retry_after:
    description: After how many seconds a client is told to try again.
    type: int
    default: 30
  methods:
    description: The methods that are answered. Any other one gets 503, since nothing is done.
    type: list
    elements: str
    default: [GET, HEAD]
  opened_by:
    description:
      - Who decides. What was opened by V(hand) is closed by V(hand) only; V(health), which is for what decides by itself, leaves it
        as it is. Of one that is closed nothing is kept, so V(health) may open it again.
    type: str
    choices: [hand, health]
    default: hand
  wait_timeout:
    description: The longest wait for nginx to load the new configuration, in seconds. When it passes, the former file comes back.
    type: float
    default: 10
seealso:
  - module: astraldraft.ops.nginx_upstream
"""

EXAMPLES = r"""
- name: The sports data API is down
  astraldraft.ops.nginx_fallback:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/fallback
    name: sports-data
    paths: [/api/season]
    body: {season: null, stale: true}

- name: It is back
  astraldraft.ops.nginx_fallback:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/fallback
    name: sports-data
    state: absent
"""

RETURN = r"""
before:
  description: The fallbacks that were open.
  returned: always
  type: list
  elements: str
  sample: []
after:
  description: The fallbacks that are open now, or would be after a run outside check mode.
  returned: always
  type: list
  elements: str
  sample: [sports-data]
held:
  description: Whether it was left as it is because it was opened by hand.
  returned: always
  type: bool
reload_seconds:
  description: The time until nginx had loaded its configuration, in seconds. V(null) when it was not reloaded.
  returned: always
  type: float
nginx_output:
  description: What nginx said of a configuration that it refused.
  returned: when nginx refuses a configuration
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx_fallback as rules
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._nginx import included
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import UPSTREAM_SPEC, LoadBalancer

SPEC = dict(
    UPSTREAM_SPEC,
    name={"type": "str", "required": True},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    paths={"type": "list", "elements": "str", "default": []},
    status={"type": "int", "default": 200},
    body={"type": "raw"},
    retry_after={"type": "int", "default": 30},
    methods={"type": "list", "elements": "str", "default": ["GET", "HEAD"]},
    opened_by={"type": "str", "choices": [rules.HAND, rules.HEALTH], "default": rules.HAND},
    wait_timeout={"type": "float", "default": 10},
)
RESULT = {"before": [], "after": [], "held": False, "reload_seconds": None}


class FallbackSwitch(LoadBalancer):
    """The nginx of a Compose project, and the file of the fallbacks that are open, in the folder ``path``."""

    around = "events {{}}\nhttp {{ server {{ listen 127.0.0.1:65001; include {0}; }} }}\n"

    def __init__(self, client, project, service, path):
        super().__init__(client, project, service, os.path.join(path, rules.FILE))

    def require_include(self):
        """Raises OpsError with the line that nginx's configuration lacks, or with what nginx says of one that it refuses."""
        dump = self.accepted()
        if not included(dump, self.inside(rules.FILE)):
            raise OpsError(
                "nginx in {0} does not include {1}, so it would not answer whatever lies there. Nothing was changed. Its configuration "
                "needs `include {2};` in the server {{}} whose paths these are.".format(
                    self.container.name, self.inside(rules.FILE), self.inside("server*.conf")
                )
            )

    def make(self):
        """The folder, where nginx's workers may look into it."""
        folder = os.path.dirname(self.path)
        if not os.path.isdir(folder):
            os.mkdir(folder)
            os.chmod(folder, 0o755)  # noqa: S103 - they are another user


def wanted(params):
    """The Fallback that is asked for. Raises OpsError for what cannot be meant."""
    fallback = rules.Fallback(*(params[name] for name in rules.Fallback._fields))
    complaint = rules.wrong(fallback)
    if complaint:
        raise OpsError(complaint + " Nothing was changed.")
    return fallback


def work(module, result):
    params = module.params
    with _docker.engine(params["docker_host"]) as client:
        switch = FallbackSwitch(client, params["project"], params["service"], params["path"])
        former = read_text(switch.path)
        blocks = rules.parse(former)
        result["before"] = result["after"] = sorted(blocks)
        result["held"] = params["opened_by"] == rules.HEALTH and rules.by_hand(blocks.get(params["name"]))
        if params["state"] == "present":
            fresh = rules.block(wanted(params))
            switch.require_include()
            blocks[params["name"]] = blocks[params["name"]] if result["held"] else fresh
        elif not result["held"]:
            blocks.pop(params["name"], None)
        # A file without a change in it stays as somebody may have written it.
        content = former if rules.parse(former) == blocks else rules.render(blocks)
        result["diff"] = {"before": former or "", "after": content or "", "before_header": switch.path, "after_header": switch.path}
        result["changed"] = content != former or switch.pending()
        if result["changed"] and not module.check_mode:
            switch.make()
            result["reload_seconds"] = switch.replace(module, content, "the fallback")[1]
        result["after"] = sorted(blocks)


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
