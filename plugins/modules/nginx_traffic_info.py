#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_traffic_info
short_description: Say which replicas nginx really sends requests to, by its access log
version_added: 0.1.0
description:
  - Counts the requests that each server of one C(upstream) answered, from nginx's access log as Docker keeps it. Whatever its format, a
    line must hold C($upstream_addr).
  - With O(url) it sends requests itself until every replica of O(replicas) has answered one, or until O(wait_timeout) is over. With real
    users that is not needed.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._upstream
  - astraldraft.ops._http.tls
options:
  replicas:
    description: The replicas, such as V(app-blue-3), that must have answered. By default all that get traffic.
    type: list
    elements: str
  url:
    description: A harmless address behind this nginx to ask, such as that of the health route.
    type: str
  window:
    description: How far back the log is read, in seconds.
    type: float
    default: 0
  wait_timeout:
    description: The longest wait for every replica to have answered, in seconds. V(0) does not wait.
    type: float
    default: 10
seealso:
  - module: astraldraft.ops.nginx_info
  - module: astraldraft.ops.nginx_upstream
"""

EXAMPLES = r"""
- name: See that the new replicas get requests
  astraldraft.ops.nginx_traffic_info:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    replicas: [app-blue-3, app-blue-4]
    url: http://127.0.0.1:8080/api/health
  register: proof
  failed_when: proof is failed or proof.verdict != 'pass'

- name: Say who served the last minute
  astraldraft.ops.nginx_traffic_info:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    window: 60
    wait_timeout: 0
"""

RETURN = r"""
verdict:
  description: >-
    V(pass) when every replica has answered, V(fail) when others did and these did not, V(inconclusive) when no request at all was found.
  returned: always
  type: str
  sample: pass
served:
  description: The number of requests that each replica answered.
  returned: always
  type: dict
  sample: {app-blue-1: 12, app-blue-2: 11}
missing:
  description: The replicas that answered none.
  returned: always
  type: list
  elements: str
sent:
  description: How many requests the module sent itself.
  returned: always
  type: int
summary:
  description: One sentence.
  returned: always
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker, _nginx
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import TLS_SPEC, request, safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import UPSTREAM_SPEC, LoadBalancer
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

SPEC = dict(
    UPSTREAM_SPEC,
    **TLS_SPEC,
    replicas={"type": "list", "elements": "str"},
    url={"type": "str"},
    window={"type": "float", "default": 0},
    wait_timeout={"type": "float", "default": 10},
)
RESULT = {"verdict": "inconclusive", "served": {}, "missing": [], "sent": 0, "summary": ""}
MOST_REQUESTS = 20  # in one round
REQUEST_SECONDS = 5.0


def send(module, count, result):
    """Ask the address ``count`` times, each time on a connection of its own. What comes back does not matter here."""
    for _number in range(count):
        try:
            request(
                module.params["url"],
                timeout=REQUEST_SECONDS,
                validate_certs=module.params["validate_certs"],
                ca_path=module.params["ca_path"],
            )
        except ProbeError as error:
            raise OpsError(
                "{0} cannot be asked: {1} So nobody knows who would answer. {2}".format(
                    safe_url(module.params["url"]), error.message, error.next
                )
            )
        result["sent"] += 1


def count(lines, names):
    """How many requests each server answered. ``names``: address to replica."""
    served = dict.fromkeys(names.values(), 0)
    for line in lines:
        address = _nginx.answered(line, names)
        if address:
            served[names[address]] += 1
    return served


def work(module, result):
    with _docker.engine(module.params["docker_host"]) as client:
        balancer = LoadBalancer(client, module.params["project"], module.params["service"], module.params["path"])
        names = {server.address: server.replica for server in balancer.servers()}
        expected = set(names.values()) if module.params["replicas"] is None else set(module.params["replicas"])
        since = time.time() - module.params["window"]

        def look():
            if module.params["url"] and result["served"]:
                send(module, min(MOST_REQUESTS, 2 * len(names)), result)
            result["served"] = count(balancer.log_lines(since), names)
            return sorted(name for name in expected if not result["served"].get(name))

        result["missing"] = poll(look, lambda missing: not missing, module.params["wait_timeout"], 0.5, module.heartbeat)[0]
    total = sum(result["served"].values())
    result["verdict"] = "pass" if not result["missing"] else "fail" if total else "inconclusive"
    if not total:
        result["summary"] = (
            "nginx's log tells of no request to a replica in {0:.0f} s: nobody came by, or its format lacks $upstream_addr.".format(
                time.time() - since
            )
        )
    elif result["missing"]:
        result["summary"] = "{0} requests were answered, none by {1}.".format(total, ", ".join(result["missing"]))
    else:
        result["summary"] = "{0} requests were answered by all of {1}.".format(total, ", ".join(sorted(expected)) or "nobody")


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
