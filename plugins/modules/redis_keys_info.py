#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_keys_info
short_description: Count keys by pattern on every primary, and estimate their memory
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Goes through the keys of a Redis server, a Sentinel group or a Redis Cluster, all primaries at the same time, in steps so small that
    others do not feel it. Never C(KEYS).
  - Counted where the keys are, in a script that only reads (C(EVAL_RO), Redis 7), and by their names where that is not allowed.
  - How much memory they take is estimated from a random sample of them.
  - A primary that does not answer to the end fails the module. What could not be counted is never called none.
extends_documentation_fragment:
  - astraldraft.ops._redis
  - astraldraft.ops._redis_keys
  - astraldraft.ops._redis_keys.meant
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  pattern:
    description: Which keys are meant, as C(SCAN) has it, such as V(cache:board:*). A backslash takes the meaning from the next character.
    type: str
    default: "*"
  sample:
    description: How many of them are measured.
    type: int
    default: 200
  hidden_prefixes:
    description: Of names that begin with these nothing more is told. Who knows the name of a session has the session.
    type: list
    elements: str
    default: ["session:"]
  limit:
    description: How many names and prefixes are listed.
    type: int
    default: 20
seealso:
  - module: astraldraft.ops.redis_keys
  - module: astraldraft.ops.redis_info
"""

EXAMPLES = r"""
- name: How many sessions are there?
  astraldraft.ops.redis_keys_info:
    nodes: [cache-1.astraldraft.internal:6379, cache-2.astraldraft.internal:6379]
    login_password: "{{ vault_redis_password }}"
    pattern: session:*
  register: sessions
"""

RETURN = r"""
count:
  description: How many keys match. V(null) when they could not all be counted.
  returned: always
  type: int
  sample: 81234
total:
  description: How many keys there are in all. V(null) when nobody said so.
  returned: always
  type: int
  sample: 250000
bytes:
  description: What the matching ones take, estimated. V(null) when none was measured.
  returned: always
  type: int
  sample: 16777216
nodes:
  description:
    - Every primary, with its C(address), C(total) of keys, how many match (C(count)), what others felt (C(p99), in seconds) and the
      C(limit) of that.
  returned: always
  type: list
  elements: dict
  sample: [{"address": "10.0.0.7:6379", "total": 83000, "count": 27078, "p99": 0.0004, "limit": 0.002}]
prefixes:
  description: What the matching names begin with, up to the first colon, by C(keys) and C(bytes), both estimated from the sample.
  returned: always
  type: list
  elements: dict
  sample: [{"prefix": "session:", "keys": 81234, "bytes": 16777216, "largest": 320}]
names:
  description: Some of their names. What is not printable is escaped.
  returned: always
  type: list
  elements: str
  sample: ["session:..."]
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_RULES
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import encoded, told
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_step import Job
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_sweep_options import (
    SWEEP_SPEC,
    WHERE_SPEC,
    demand_idle,
    estimate,
    measured,
    sweep_of,
    where_of,
)

SPEC = dict(
    SWEEP_SPEC,
    pattern={"type": "str", "default": "*"},
    sample={"type": "int", "default": 200},
    hidden_prefixes={"type": "list", "elements": "str", "default": ["session:"]},
    limit={"type": "int", "default": 20},
    **WHERE_SPEC,
)
EMPTY = {"count": None, "total": None, "bytes": None, "nodes": [], "prefixes": [], "names": []}


def work(module, result):
    params = module.params
    sweep = sweep_of(load("redis"), params, Progress(module.heartbeat))
    sweep.look()
    demand_idle(sweep, params)
    sizes = sweep.sizes()
    result["total"] = sum(sizes.values())
    job = Job(encoded(params["pattern"]), idle=params["idle"], sample=max(0, params["sample"]), where=where_of(params))
    parts = sweep.count(job)
    count, hidden = sum(part.meant for part in parts), [encoded(text) for text in params["hidden_prefixes"]]
    keys = measured(sweep, job.sample.names)
    result.update(estimate(keys, count, params["limit"]))
    result["count"] = count
    result["nodes"] = [
        {
            "address": part.member.name,
            "total": sizes.get(part.member.name),
            "count": part.meant,
            "p99": round(part.p99, 6),
            "limit": round(part.limit, 6),
        }
        for part in parts
    ]
    result["names"] = sorted({told(name, hidden) for name, _kind, _size in keys})[: params["limit"]]


def main():
    run(work, SPEC, dict(EMPTY), supports_check_mode=True, **CONNECTION_RULES)


if __name__ == "__main__":
    main()
