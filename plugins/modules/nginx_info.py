#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_info
short_description: Say where an nginx upstream sends traffic and whether it may be switched harmlessly
version_added: 0.1.0
description:
  - Reads the file of one C(upstream), the replicas behind it, and nginx's worker processes.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._upstream
seealso:
  - module: astraldraft.ops.nginx_upstream
"""

EXAMPLES = r"""
- name: Ask which colour is live
  astraldraft.ops.nginx_info:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
  register: traffic

- name: Say it
  ansible.builtin.debug:
    msg: "{{ traffic.services | join(', ') }} gets traffic; {{ traffic.draining_workers }} workers still serve the former one."
"""

RETURN = r"""
servers:
  description: The servers that get traffic.
  returned: always
  type: list
  elements: dict
  contains:
    address:
      description: Address and port.
      type: str
    weight:
      description: The server's weight.
      type: int
    replica:
      description: The service and number of the container.
      type: str
  sample: [{address: "172.18.0.5:3000", weight: 1, replica: app-blue-1}]
services:
  description: The Compose services that get traffic, in the order of the file.
  returned: always
  type: list
  elements: str
  sample: [app-blue]
stale:
  description: >-
    The servers whose address no longer belongs to the replica they name, for example after the engine was restarted.
    Run M(astraldraft.ops.nginx_upstream) to name the right ones.
  returned: always
  type: list
  elements: str
  sample: []
pending:
  description: Whether a switch was begun and not seen through.
  returned: always
  type: bool
active_workers:
  description: How many workers serve new connections.
  returned: always
  type: int
draining_workers:
  description: How many workers of former configurations are still finishing their connections.
  returned: always
  type: int
valid:
  description: Whether nginx takes its configuration as it lies there. It would not start again with one that it does not take.
  returned: always
  type: bool
complaint:
  description: What nginx says against it, or V(null).
  returned: always
  type: str
version:
  description: nginx's version. V(null) when it does not say.
  returned: always
  type: str
  sample: 1.30.6
keepalive_min_timeout:
  description: How long an idle connection outlives a reload, as nginx's configuration says it. V(null) when it does not.
  returned: always
  type: str
  sample: 10s
reload_cost:
  description: >-
    What a reload costs clients that keep connections and do not retry, in a sentence. V(null) when it costs nothing, which takes nginx
    1.27.4 or newer and C(keepalive_min_timeout).
  returned: always
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker, _nginx
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import UPSTREAM_SPEC, LoadBalancer

RESULT = {
    "servers": [],
    "services": [],
    "stale": [],
    "pending": None,
    "active_workers": 0,
    "draining_workers": 0,
    "valid": None,
    "complaint": None,
    "version": None,
    "keepalive_min_timeout": None,
    "reload_cost": None,
}


def stale(servers, replicas):
    """Which ``servers`` name an address that their replica does not have (list of str)."""
    addresses = {
        "{0}-{1}".format(replica.service, replica.number): replica.addresses.values() for replica in replicas if replica.state == "running"
    }
    return [server.replica for server in servers if server.address.rpartition(":")[0] not in addresses.get(server.replica, ())]


def work(module, result):
    with _docker.engine(module.params["docker_host"]) as client:
        balancer = LoadBalancer(client, module.params["project"], module.params["service"], module.params["path"])
        servers = balancer.servers()
        active, draining = balancer.workers()
        version, (valid, text) = balancer.version(), balancer.configuration()
        configured = _nginx.keepalive_min_timeout(text)
        result.update(
            servers=[dict(server._asdict()) for server in servers],
            services=_nginx.services(servers),
            stale=stale(servers, _docker.replicas(client, module.params["project"])),
            pending=balancer.pending(),
            active_workers=len(active),
            draining_workers=len(draining),
            valid=valid,
            complaint=None if valid else _nginx.complaint(text),
            version=".".join(str(part) for part in version) if version else None,
            keepalive_min_timeout=configured,
            reload_cost=_nginx.reload_cost(version, configured),
        )


def main():
    run(work, dict(UPSTREAM_SPEC, **_docker.DOCKER_SPEC), RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
