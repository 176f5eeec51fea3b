#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scale_plan_info
short_description: Say what changing the number of replicas would do, or why it is refused
version_added: 0.1.0
description:
  - Reads the load balancer (which colour is live), the engine (what runs, and what it uses), the record of releases, PostgreSQL (its
    connection slots) and the host's memory, and derives what is to be started and stopped.
  - Both colours count at the wanted size, since a release runs both side by side.
  - It changes nothing. Without O(replicas) it only says how things stand and how many replicas would fit.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._facts
  - astraldraft.ops._postgres
options:
  replicas:
    description: How many replicas the live colour shall have.
    type: int
  warm:
    description: Whether the idle colour gets the same number, where it is kept warm with a release that was proved there.
    type: bool
    default: true
  minimum:
    description: The floor.
    type: int
    default: 1
  pool_size:
    description: The most connections that one replica opens to PostgreSQL. V(0) means not known; the slots are then not counted.
    type: int
    default: 0
  database_user:
    description:
      - The user that the application connects as. Its sessions are not counted as those of others.
      - Sessions that come from the addresses of replicas are not either, where the server shows addresses to O(login_user).
    type: str
  hosts:
    description: How many hosts run so many replicas each against the same database.
    type: int
    default: 1
  reserve_connections:
    description: How many connection slots stay free for people, migrations and backups.
    type: int
    default: 5
  reserve_memory:
    description: How many bytes of the host's memory stay free.
    type: int
    default: 268435456
  overrides:
    description: The gates whose refusal is overridden, of V(floor), V(connections), V(memory).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Ask how many replicas would fit
  astraldraft.ops.scale_plan_info:
    project: astral-demo
    colours: [app-blue, app-green]
    upstream_path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
    history_path: /var/lib/astraldraft/astral-demo/releases.jsonl
    pool_size: 5
    database_user: astral
    login_host: 127.0.0.1
    login_user: astral_monitor
    login_password: "{{ vault_postgres_monitor_password }}"
  register: plan
"""

RETURN = r"""
verdict:
  description: V(go), V(nothing_to_do), V(refused), or V(none) when no number was asked for.
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
live:
  description: The service that gets traffic, or V(null).
  returned: always
  type: str
  sample: app-blue
warm:
  description: The idle service where it is kept warm with a proved release, or V(null).
  returned: always
  type: str
  sample: app-green
moves:
  description: >-
    What changes, by service: the number of replicas C(before) and C(after), how many to C(start), which to C(stop), and the C(version) and
    the C(release) (its id) that run there.
  returned: always
  type: dict
  sample: {app-blue: {before: 2, after: 5, start: 3, stop: [], version: v1.2.3, release: 20261123T184705.123Z-v1.2.3}}
replicas:
  description:
    - What runs, by service. For each a list of its replicas, each with its C(name) (the service and the number of the container), its
      C(container) and its C(address).
    - C(healthy) is whether Docker's own check does not call it unhealthy, C(weight) its weight in the load balancer beside its siblings,
      C(0) where it gets no traffic.
    - C(memory_used) are the bytes that it uses, without cached files, and C(memory_limit) is its limit in bytes, or null.
  returned: always
  type: dict
  sample:
    app-blue:
      - name: app-blue-1
        container: astral-demo-app-blue-1
        address: 172.18.0.5
        healthy: true
        weight: 1
        memory_used: 41943040
        memory_limit: null
    app-green: []
largest:
  description: The largest number of replicas that fits, or V(null) where neither slots nor memory are known.
  returned: always
  type: int
  sample: 8
connections:
  description: >-
    How it was counted, or V(null): C(usable) slots for ordinary users, those that C(others) use, C(pool) a replica, C(hosts), C(reserve).
  returned: always
  type: dict
  sample: {usable: 97, others: 3, pool: 5, hosts: 1, reserve: 5}
memory:
  description: >-
    How it was counted in bytes, or V(null): C(available) on the host, C(reserve), what a new C(replica) may need, and the C(growth) of
    those that run.
  returned: always
  type: dict
  sample: {available: 8589934592, reserve: 268435456, replica: 52428800, growth: 0}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import (
    _docker,
    _facts,
    _nginx,
    _postgres,
    _release,
    _resources,
    _scale,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import LoadBalancer

SPEC = dict(
    _facts.FACTS_SPEC,
    replicas={"type": "int"},
    warm={"type": "bool", "default": True},
    minimum={"type": "int", "default": 1},
    pool_size={"type": "int", "default": 0},
    database_user={"type": "str"},
    hosts={"type": "int", "default": 1},
    reserve_connections={"type": "int", "default": 5},
    reserve_memory={"type": "int", "default": 2**28},
    overrides={"type": "list", "elements": "str", "default": []},
)
RESULT = {
    "verdict": "none",
    "refusals": [],
    "notices": [],
    "live": None,
    "warm": None,
    "moves": {},
    "replicas": {},
    "largest": None,
    "connections": None,
    "memory": None,
}
MEMINFO = "/proc/meminfo"


def members(client, running, weights):
    """The running replicas of one colour as Members."""
    found = []
    for replica in running:
        limit = _resources.limits_of(replica.inspection["HostConfig"]).memory
        used = _docker.usage(client, replica.id)
        found.append(
            _scale.Member(
                _docker.short_name(replica),
                replica.number,
                replica.health != "unhealthy",
                weights.get(_docker.short_name(replica), 0),
                limit,
                used,
            )
        )
    return found


def slots(params, facts, notices, plan_refusals):
    """The Slots of the database, or None; then a notice or a refusal says why."""
    if not params["pool_size"] or not params["login_host"]:
        notices.append("The connection slots of PostgreSQL were not counted: scale_pool_size and scale_database are not set.")
        return None
    try:
        server = _postgres.ask(load("psycopg2"), {name: params[name] for name in _postgres.LOGIN})
    except OpsError as error:
        plan_refusals.append(
            "The connection slots of PostgreSQL could not be counted: {0} "
            "ops_override: [connections] with ops_reason goes on without.".format(error.message)
        )
        return None
    addresses = {address for found in facts.running.values() for replica in found for address in replica.addresses.values()}
    return _scale.count_slots(
        server, params["database_user"], addresses, params["pool_size"], max(1, params["hosts"]), params["reserve_connections"]
    )


def memory(client, params, everyone, notices):
    """The Memory of the host, or None; then a notice says why."""
    numbers = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in (read_text(MEMINFO) or "").splitlines() if line.endswith("kB")}
    total = client.info()["MemTotal"]
    if "MemAvailable" not in numbers or abs(numbers["MemTotal"] - total) > total // 50:
        notices.append("The host's memory was not counted: the Docker Engine runs on another machine and does not tell what is free there.")
        return None
    return _scale.count_memory(everyone, numbers["MemAvailable"], params["reserve_memory"])


def colour(facts, name, found):
    release = _release.live_release(facts.releases, name)
    return _scale.Colour(name, found[name], release and release["version"], release and release["id"])


def is_warm(facts):
    """Whether the idle colour runs a release that was proved there."""
    release = _release.live_release(facts.releases, facts.idle)
    return bool(facts.running[facts.idle]) and release is not None and facts.proved(facts.idle, release)


def describe(facts, found, result):
    result["replicas"] = {
        name: [
            {
                "name": member.name,
                "container": replica.name,
                "address": next(iter(replica.addresses.values()), ""),
                "healthy": member.healthy,
                "weight": member.weight,
                "memory_used": member.used,
                "memory_limit": member.limit,
            }
            for member, replica in zip(found[name], facts.running[name])
        ]
        for name in facts.services
    }


def plan_for(client, params, facts, found, result):
    """Fill ``result`` with the Plan."""
    unknown = []
    result["warm"] = facts.idle if is_warm(facts) else None
    if found[facts.idle] and not result["warm"]:
        result["notices"].append("{0} is left as it is: what runs there was not proved.".format(facts.idle))
    counted = slots(params, facts, result["notices"], unknown)
    everyone = [member for name in facts.services for member in found[name]]
    measured = memory(client, params, everyone, result["notices"])
    result["connections"] = counted and dict(counted._asdict())
    result["memory"] = measured and dict(measured._asdict())
    live = colour(facts, facts.live, found)
    warm = colour(facts, facts.idle, found) if result["warm"] and params["warm"] else None
    wanted = len(live.members) if params["replicas"] is None else params["replicas"]
    plan = _scale.make_plan(live, warm, wanted, params["minimum"], counted, measured, idle_count=len(found[facts.idle]))
    grows = any(move["start"] for move in plan.moves.values())
    for message in unknown if grows else []:
        plan.refuse("connections", message)
    plan.settle(params["overrides"])
    result.update(largest=plan.largest, notices=result["notices"] + plan.notices)
    if params["replicas"] is not None:
        result.update(verdict=plan.verdict, refusals=plan.refusals, moves=plan.moves)


def work(module, result):
    params = module.params
    result["notices"] = []
    with _docker.engine(params["docker_host"]) as client:
        balancer = LoadBalancer(client, params["project"], params["balancer"], params["upstream_path"])
        facts = _facts.gather(client, balancer, params["project"], params["colours"], params["history_path"])
        weights = _nginx.own_weights(read_text(params["upstream_path"]))
        found = {name: members(client, running, weights) for name, running in facts.running.items()}
        describe(facts, found, result)
        result["live"] = facts.live
        serving = [name for name in _nginx.services(balancer.servers()) if name in params["colours"]]
        if not facts.live:
            refuse(result, "live", "No release gets traffic, so there is nothing to scale. Use: deploy -e release_version=...")
        elif not found[facts.live]:
            refuse(result, "live", "{0} gets the traffic and no replica of it runs. Use: deploy, or rollback.".format(facts.live))
        elif len(serving) > 1:
            refuse(
                result,
                "live",
                "{0} share the traffic: a release stopped half-way. Finish it with deploy or rollback.".format(" and ".join(serving)),
            )
        else:
            plan_for(client, params, facts, found, result)


def refuse(result, gate, message):
    result.update(verdict="refused", refusals=[{"gate": gate, "message": message, "override": False}])


def main():
    run(work, dict(SPEC, **_postgres.LOGIN_SPEC, **_docker.DOCKER_SPEC), RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
