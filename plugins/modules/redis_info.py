#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_info
short_description: The condition of a Redis server, a Sentinel group or a Redis Cluster, measured
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Asks every node (Redis 6.2 or newer), all at the same time, for memory, evictions, clients, hits, persistence and replication, for
    the state of the cluster, slow commands, latency and large keys.
  - Each figure has its thresholds and a verdict, and names the node where it is worst. What nobody knows is V(unknown), never V(pass).
  - A node that does not answer is an answer, too, and makes the verdict V(fail); the module fails for it only with O(gate=true).
  - Nothing it asks blocks a server. Keys are sampled at random, never listed.
extends_documentation_fragment:
  - astraldraft.ops._redis
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  db:
    description: The database whose keys are sampled. A cluster has only V(0).
    type: int
    default: 0
  timeout:
    description: The seconds that everything but O(window) may take in all, first for finding the nodes and then for asking them.
    type: float
    default: 5.0
  window:
    description: The seconds between two looks at the counters, for C(hit_ratio).
    type: float
    default: 2.0
  sample:
    description: How many keys of each primary are measured. V(0) measures none.
    type: int
    default: 100
  replicas:
    description: How many replicas must follow every primary, at least.
    type: int
    default: 0
  eviction_expected:
    description: Whether the servers are meant to evict keys. Set it for a cache that holds no sessions.
    type: bool
    default: false
  hidden_prefixes:
    description: Of names that begin with these nothing more is told. Who knows the name of a session has the session.
    type: list
    elements: str
    default: ["session:"]
  thresholds:
    description:
      - Other thresholds than the usual ones. By the name of a figure a dictionary with C(warn) and C(fail); null means never.
      - A figure that is more is V(warn) or V(fail). For C(hit_ratio) it is one that is less.
      - C(memory), the fraction of the limit that is used, 0.8 and 0.95. A primary that takes no writes for want of it fails in any case.
      - C(fragmentation), the memory taken by the memory used, where that is 100 MiB more, a warning above 1.5.
      - C(evictions), the keys evicted since the start, a warning above 0.
      - C(clients), the fraction of C(maxclients), 0.8 and 0.95.
      - C(blocked_clients), a warning above 100.
      - C(rejected_connections), the connections turned away since the start, a warning above 0.
      - C(hit_ratio), the fraction of lookups within O(window) that found their key, a warning below 0.8.
      - C(persistence_age), the seconds since the last save of a server that keeps no log and has changes, 7200 and 86400.
      - C(replication_lag), the seconds since a replica heard its primary, 10 and 60.
      - C(replication_behind), the bytes that a replica has not taken yet, a warning above 1 MiB.
      - C(slow_log), the commands in the slow log within the last hour, a warning above 10.
      - C(latency), the median seconds of 20 PINGs, 0.01 and 0.1.
      - C(big_keys), the bytes of the largest sampled key, a warning above 10 MiB.
    type: dict
    default: {}
  limit:
    description: How many keys, prefixes and slow commands are listed.
    type: int
    default: 20
  gate:
    description: Whether the task fails when RV(verdict) is V(fail) or V(unknown).
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.health_check
"""

EXAMPLES = r"""
- name: How is the cluster?
  astraldraft.ops.redis_info:
    nodes: [cache-1.astraldraft.internal:6379, cache-2.astraldraft.internal:6379]
    login_password: "{{ vault_redis_password }}"
    replicas: 1
    thresholds:
      memory: {warn: 0.7}
  register: cache

- name: A pure cache behind Sentinel, with TLS
  astraldraft.ops.redis_info:
    nodes: ["sentinel-1:26379", "sentinel-2:26379"]
    topology: sentinel
    sentinel_name: cache
    tls: true
    ca_path: /etc/ssl/private-ca.pem
    eviction_expected: true
"""

RETURN = r"""
verdict:
  description: V(fail) when a figure fails, else V(unknown) when a required one is not known, else V(warn) when one warns, else V(pass).
  returned: always
  type: str
  sample: warn
summary:
  description: One sentence about all figures.
  returned: always
  type: str
  sample: "16 of 18 figures are good; memory: warn (10.0.0.7:6379 uses 54.1 MiB, 85% of its limit)"
table:
  description: Lines of text for people, one a figure.
  returned: always
  type: list
  elements: str
counts:
  description: How many figures have each verdict, and C(total).
  returned: always
  type: dict
  sample: {"fail": 0, "unknown": 0, "warn": 1, "not_configured": 1, "pass": 16, "total": 18}
figures:
  description: What was measured. The first, C(nodes), is whether all nodes answer.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What it is called.
      type: str
      sample: memory
    verdict:
      description: V(pass), V(warn), V(fail), V(unknown) or V(not_configured).
      type: str
    value:
      description: The measured value. V(null) when it is not known.
      type: raw
      sample: 0.42
    unit:
      description: Its unit.
      type: str
      sample: fraction
    warn:
      description: The threshold of a warning. V(null) when there is none.
      type: float
    fail:
      description: The threshold of a failure. V(null) when there is none.
      type: float
    required:
      description: Whether not knowing it makes RV(verdict) V(unknown).
      type: bool
    message:
      description: What was found.
      type: str
    next:
      description: What to do about it. Empty when it is well.
      type: str
topology:
  description: V(single), V(sentinel) or V(cluster). V(null) when nobody answered.
  returned: always
  type: str
asked:
  description: The address of the server that said which others there are. V(null) when nobody answered.
  returned: always
  type: str
nodes:
  description:
    - Every node, with its C(address), C(role) and what it says of itself.
    - Its C(verdict), C(reason) and C(message) say why one does not answer.
  returned: always
  type: list
  elements: dict
  sample: [{"address": "10.0.0.7:6379", "role": "primary", "verdict": "healthy", "reason": "ok", "version": "8.0.2", "slots": 5461,
            "keys": 81234, "used_memory": 56733696, "max_memory": 67108864, "policy": "noeviction", "latency": 0.0003}]
slow_log:
  description: The latest slow commands, with their first argument only.
  returned: always
  type: list
  elements: dict
  sample: [{"node": "10.0.0.7:6379", "at": "2026-11-24T08:00:00.000Z", "seconds": 0.51, "command": "KEYS session:..."}]
latency_events:
  description: What the servers' own watch found slow, where C(latency-monitor-threshold) is set.
  returned: always
  type: list
  elements: dict
big_keys:
  description: The largest of the sampled keys.
  returned: always
  type: list
  elements: dict
  sample: [{"node": "10.0.0.7:6379", "name": "cache:board", "type": "hash", "bytes": 1048576}]
prefixes:
  description: What the names of sampled keys begin with, up to the first colon. Those that take most come first.
  returned: always
  type: list
  elements: dict
  sample: [{"prefix": "session:", "keys": 80, "share": 0.8, "bytes": 20480, "largest": 320}]
unseen:
  description: What could not be seen, and why.
  returned: always
  type: list
  elements: str
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import merged
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_RULES, CONNECTION_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_ask import ask_all
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_info import THRESHOLDS
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_report import EMPTY, report, unreachable

SPEC = dict(
    CONNECTION_SPEC,
    db={"type": "int", "default": 0},
    timeout={"type": "float", "default": 5.0},
    window={"type": "float", "default": 2.0},
    sample={"type": "int", "default": 100},
    replicas={"type": "int", "default": 0},
    eviction_expected={"type": "bool", "default": False},
    hidden_prefixes={"type": "list", "elements": "str", "default": ["session:"]},
    thresholds={"type": "dict", "default": {}},
    limit={"type": "int", "default": 20},
    gate={"type": "bool", "default": False},
)


def work(module, result):
    params = module.params
    for name in ("timeout", "limit"):
        if params[name] <= 0:
            raise OpsError("{0} is {1}; give it a number above 0.".format(name, params[name]))
    thresholds = merged(THRESHOLDS, params["thresholds"])
    redis = load("redis")
    try:
        topology, answers = ask_all(redis, params, max(0.0, params["window"]), max(0, params["sample"]), module.heartbeat)
        result.update(report(topology, answers, thresholds, params, time.time()))
    except ProbeError as error:
        result.update(unreachable(error))
    if params["gate"] and result["verdict"] in ("fail", "unknown"):
        raise OpsError("{0}: {1}".format(result["verdict"], result["summary"]))


def main():
    run(work, SPEC, dict(EMPTY), supports_check_mode=True, **CONNECTION_RULES)


if __name__ == "__main__":
    main()
