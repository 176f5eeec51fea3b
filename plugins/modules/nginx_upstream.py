#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_upstream
short_description: Say which Compose services an nginx upstream sends traffic to
version_added: 0.1.0
description:
  - Writes the file of one C(upstream) so that it names every running replica of the services, has nginx test it, puts it in place by
    one rename and has nginx load it without closing a connection.
  - With O(drain) it then waits until every worker process of the former configuration has exited. Only then has the last connection
    left the former servers, and only then is it safe to stop them.
  - A switch that was cut short is seen through by the next run, also when the file already reads as it should.
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
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description:
      - The upstream's file on the host. Its folder must be mounted into the container and included in C(http {}) by nginx's configuration.
    type: path
    required: true
  name:
    description: The name of the upstream.
    type: str
    default: app
  port:
    description: The port on which the replicas listen. Needed with O(services).
    type: int
  services:
    description:
      - The services that get traffic. All others get none.
      - If it is not given, the servers stay as they are; a switch that was cut short is seen through, and O(drain) still applies.
    type: list
    elements: dict
    suboptions:
      service:
        description: The Compose service.
        type: str
        required: true
      share:
        description: Its share of the traffic, on any scale that the services have in common.
        type: int
        default: 100
      replicas:
        description: The number of replicas that must be running. Fewer are refused.
        type: int
      without:
        description:
          - The replicas, such as V(app-blue-2), that get no traffic for now although they run, because they are about to be stopped.
          - They are not written down, so the next run that does not name them sends them traffic again.
        type: list
        elements: str
        default: []
  weights:
    description:
      - What single replicas get beside their siblings of the same service, as a dictionary of replica, such as C(app-blue-2), to weight.
        V(0) means no traffic, and whoever is not named has V(1). The shares of the services stay as they are.
      - An empty dictionary makes them equal. If it is not given, replicas keep the weights that they have.
    type: dict
  directives:
    description: Further directives of the upstream, without semicolons.
    type: list
    elements: str
    default:
      - zone app 64k
      - keepalive 32
      - keepalive_timeout 60s
  drain:
    description: Whether to wait until the workers of the former configuration have exited.
    type: bool
    default: false
  drain_timeout:
    description:
      - The longest wait for O(drain), in seconds. It should be longer than nginx's C(worker_shutdown_timeout).
      - When it passes, the module succeeds with RV(drained=false).
    type: float
    default: 60
  wait_timeout:
    description: The longest wait for nginx to load the new configuration, in seconds. When it passes, the former file comes back.
    type: float
    default: 10
seealso:
  - module: astraldraft.ops.nginx_info
"""

EXAMPLES = r"""
- name: Send all traffic to green
  astraldraft.ops.nginx_upstream:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    port: 3000
    services:
      - service: app-green
        replicas: 2

- name: Wait until nobody is served by the former colour any more
  astraldraft.ops.nginx_upstream:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    drain: true

- name: Send no traffic to a replica that fails
  astraldraft.ops.nginx_upstream:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    port: 3000
    services:
      - service: app-green
    weights:
      app-green-2: 0
    drain: true

- name: Give green a tenth of the traffic
  astraldraft.ops.nginx_upstream:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    port: 3000
    services:
      - service: app-green
        share: 10
      - service: app-blue
        share: 90
"""

RETURN = r"""
before:
  description: The servers that got traffic before.
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
after:
  description: The servers that get traffic now, or would after a run outside check mode.
  returned: always
  type: list
  elements: dict
  sample: [{address: "172.18.0.7:3000", weight: 1, replica: app-green-1}]
left_out:
  description: The replicas that get no traffic because their weight is 0.
  returned: always
  type: list
  elements: str
  sample: [app-green-2]
drained:
  description: Whether no worker of a former configuration is left. V(null) when it was not asked for.
  returned: always
  type: bool
draining_workers:
  description: How many workers of former configurations are still finishing their connections.
  returned: always
  type: int
reload_seconds:
  description: The time from the request to reload until workers of the new configuration served. V(null) when nginx was not reloaded.
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

from ansible_collections.astraldraft.ops.plugins.module_utils import _colours, _docker, _nginx
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import short_name
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import UPSTREAM_SPEC, LoadBalancer
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

SPEC = dict(
    UPSTREAM_SPEC,
    name={"type": "str", "default": "app"},
    port={"type": "int"},
    services={
        "type": "list",
        "elements": "dict",
        "options": {
            "service": {"type": "str", "required": True},
            "share": {"type": "int", "default": 100},
            "replicas": {"type": "int"},
            "without": {"type": "list", "elements": "str", "default": []},
        },
    },
    weights={"type": "dict"},
    directives={"type": "list", "elements": "str", "default": ["zone app 64k", "keepalive 32", "keepalive_timeout 60s"]},
    drain={"type": "bool", "default": False},
    drain_timeout={"type": "float", "default": 60},
    wait_timeout={"type": "float", "default": 10},
)
MOST_WEIGHT = 1000
RESULT = {"before": [], "after": [], "left_out": [], "drained": None, "draining_workers": 0, "reload_seconds": None}


def as_dicts(servers):
    return [dict(server._asdict()) for server in servers]


def running_of(module, client, reachable, wanted):
    """The replicas of one service (list of Replica) that nginx can reach. Raises OpsError when too few run."""
    running = [
        replica
        for replica in _docker.replicas(client, module.params["project"], wanted["service"])
        if replica.state == "running" and reachable & set(replica.addresses)
    ]
    if len(running) < (wanted["replicas"] or 1) and not module.check_mode:
        raise OpsError(
            "Only {0} of {1} replicas of {2} in project {3} run on a network that nginx shares, so no traffic is sent there. "
            "Look at: docker ps --all --filter label={4}={2}".format(
                len(running), wanted["replicas"] or 1, wanted["service"], module.params["project"], _docker.SERVICE_LABEL
            )
        )
    return running


def too_few(module, client):
    """In check mode: whether fewer replicas run than are asked for, since they are yet to be started."""
    return module.check_mode and any(
        wanted["replicas"] and len(_colours.running(client, module.params["project"], wanted["service"])) < wanted["replicas"]
        for wanted in module.params["services"] or []
    )


def check_weights(given, replicas):
    """Refuse weights that cannot be meant. ``replicas``: all of the services, stopped ones too. Raises OpsError."""
    states = {short_name(replica): replica.state for replica in replicas}
    for name, weight in sorted((given or {}).items()):
        if not str(weight).isdigit() or int(weight) > MOST_WEIGHT:
            raise OpsError("The weight of {0} is {1}; give it a whole number from 0 to {2}.".format(name, weight, MOST_WEIGHT))
        if name not in states:
            raise OpsError("There is no replica {0}. There are: {1}.".format(name, ", ".join(sorted(states)) or "none"))
        if int(weight) and states[name] != "running":
            raise OpsError("{0} is {1}, so it cannot get traffic: leave it out, or give it 0.".format(name, states[name]))


def wanted_servers(module, client, balancer, text):
    """The servers of the services as they run now (list of Server). ``text`` is the file as it is. Raises OpsError."""
    reachable, given = set(balancer.container.addresses), module.params["weights"]
    services = module.params["services"]
    found = [running_of(module, client, reachable, wanted) for wanted in services]
    if given:
        check_weights(given, [one for wanted in services for one in _docker.replicas(client, module.params["project"], wanted["service"])])
    kept, shares, own = _nginx.own_weights(text), [], []
    for wanted, running in zip(services, found):
        staying = [replica for replica in running if short_name(replica) not in wanted["without"]]
        weights = _nginx.weigh([short_name(replica) for replica in staying], given, kept)
        if running and wanted["share"] and not sum(weights.values()):
            raise OpsError(
                "This would leave {0} without a replica that gets traffic ({1} run), so nothing was switched. "
                "Start another one first, with the playbook scale, or give one of them a weight.".format(wanted["service"], len(running))
            )
        own.append([(replica, weights[short_name(replica)]) for replica in staying])
        shares.append((wanted["share"], sum(weights.values())))
    servers = []
    for part, weighed in zip(_nginx.spread(shares), own):
        for replica, weight in weighed if part else []:
            network = sorted(reachable & set(replica.addresses))[0]
            address = "{0}:{1}".format(replica.addresses[network], module.params["port"])
            servers.append(_nginx.Server(address, part * weight, short_name(replica)))
    return servers


def work(module, result):
    with _docker.engine(module.params["docker_host"]) as client:
        balancer = LoadBalancer(client, module.params["project"], module.params["service"], module.params["path"])
        before = after = balancer.servers()
        former = content = read_text(balancer.path)
        if module.params["services"] is not None:
            after = wanted_servers(module, client, balancer, former)
            content = _nginx.render(module.params["name"], after, module.params["directives"])
        result["before"], result["after"] = as_dicts(before), as_dicts(server for server in after if server.weight)
        result["left_out"] = [name for name, weight in sorted(_nginx.own_weights(content).items()) if not weight]
        result["diff"] = {"before": former or "", "after": content or "", "before_header": balancer.path, "after_header": balancer.path}
        result["changed"] = content != former or balancer.pending() or too_few(module, client)
        former_workers, patience = [], 0
        if result["changed"] and not module.check_mode:
            former_workers, result["reload_seconds"] = balancer.replace(module, content)
        if module.params["drain"] and not module.check_mode:
            patience = module.params["drain_timeout"]
        left = poll(lambda: balancer.leaving(former_workers), lambda pids: not pids, patience, 0.2, module.heartbeat)[0]
        result["draining_workers"] = len(left)
        if module.params["drain"]:
            result["drained"] = not left


def main():
    run(
        work,
        dict(SPEC, **_docker.DOCKER_SPEC),
        RESULT,
        supports_check_mode=True,
        required_by={"services": ["port"], "weights": ["services"]},
    )


if __name__ == "__main__":
    main()
