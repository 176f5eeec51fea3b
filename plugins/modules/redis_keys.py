#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_keys
short_description: Remove keys by pattern from every primary, without anyone else noticing
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Removes the keys that match a pattern from a Redis server, a Sentinel group or a Redis Cluster, on all primaries at the same time, in
    small steps whose size follows what others feel.
  - Found and removed (C(UNLINK)) where they are, in a short script, and by their names where the server does not allow scripts to the
    user. Names may hold any bytes.
  - When all are gone, a last pass proves it. Keys that were created meanwhile are counted apart, and left alone.
  - A failover, a restart and slots that move to another server are waited for, and what that brought back is removed as well. A run that
    was killed is completed by the next one.
extends_documentation_fragment:
  - astraldraft.ops._redis
  - astraldraft.ops._redis_keys
  - astraldraft.ops._redis_keys.meant
  - astraldraft.ops._redis_keys.protected
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.attributes
attributes:
  check_mode:
    support: full
    details: Counts exactly the keys that would be removed.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A second run finds none, unless somebody has created new ones.
options:
  pattern:
    description: Which keys are meant, as C(SCAN) has it, such as V(cache:board:*). A backslash takes the meaning from the next character.
    type: str
    required: true
  state:
    description: What becomes of them. There is no other choice.
    type: str
    choices: [absent]
    default: absent
  maximum:
    description: How many keys may be removed at most. If more match, none is removed, and the module fails with their number.
    type: int
    default: 1000000
  progress_path:
    description: A file that says in one line how far it is.
    type: path
seealso:
  - module: astraldraft.ops.redis_keys_info
  - module: astraldraft.ops.redis_flush
"""

EXAMPLES = r"""
- name: Forget all boards
  astraldraft.ops.redis_keys:
    nodes: [cache-1.astraldraft.internal:6379, cache-2.astraldraft.internal:6379]
    login_password: "{{ vault_redis_password }}"
    pattern: cache:board:*

- name: Log ada out
  astraldraft.ops.redis_keys:
    login_host: cache-1.astraldraft.internal
    pattern: session:*
    allow_prefixes: ["session:"]
    where: {field: user, value: ada}

- name: Log out whoever has done nothing for a day
  astraldraft.ops.redis_keys:
    login_host: cache-1.astraldraft.internal
    pattern: session:*
    allow_prefixes: ["session:"]
    idle: 86400
"""

RETURN = r"""
matched:
  description: How many keys match and may be removed; in check mode what would be. V(null) when they could not all be counted.
  returned: always
  type: int
  sample: 81234
removed:
  description: How many were removed.
  returned: always
  type: int
  sample: 81234
created:
  description: How many match at the end that were created meanwhile. They are left alone.
  returned: always
  type: int
left:
  description: How many match at the end that were there before. If there are any, the module fails.
  returned: always
  type: int
spared:
  description: How many match that are protected, by their prefix. If there are any, the module refuses.
  returned: always
  type: dict
  sample: {"session:": 400}
nodes:
  description:
    - Every primary, with its C(address), how many keys it lost (C(removed)), what others felt (C(p99), in seconds), the C(limit) that was
      kept to, how many times it had to slow down (C(slowed)), and whether it was done in C(scripts).
    - Empty when nothing was removed.
  returned: always
  type: list
  elements: dict
  sample: [{"address": "10.0.0.7:6379", "removed": 27078, "p99": 0.0007, "limit": 0.002, "slowed": 0, "scripts": true}]
passes:
  description: How many times all keys were gone through, without counting and proof.
  returned: always
  type: int
before:
  description: How many keys of any name each primary had. Empty when nobody said so.
  returned: always
  type: dict
  sample: {"10.0.0.7:6379": 83000}
after:
  description: The same afterwards; in check mode and when nothing was removed as before.
  returned: always
  type: dict
parts:
  description:
    - Where the time went, in seconds. C(count_seconds) where they were counted beforehand, C(remove_seconds), and C(prove_seconds) for the
      pass that proves that none is left.
  returned: always
  type: dict
  sample: {remove_seconds: 2.2, prove_seconds: 0.4}
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress, timed
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_RULES
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_keys import Budget, in_the_way
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import encoded, printable
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_step import Job
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_sweep import Broken
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_sweep_options import (
    PROTECTED_SPEC,
    SWEEP_SPEC,
    WHERE_SPEC,
    demand_idle,
    refuse_protected,
    spared_by,
    sweep_of,
    where_of,
)

SPEC = dict(
    SWEEP_SPEC,
    pattern={"type": "str", "required": True},
    state={"type": "str", "choices": ["absent"], "default": "absent"},
    maximum={"type": "int", "default": 1000000},
    progress_path={"type": "path"},
    **WHERE_SPEC,
    **PROTECTED_SPEC,
)
EMPTY = {"matched": None, "removed": 0, "created": 0, "left": 0, "spared": {}, "nodes": [], "passes": 0, "before": {}, "after": {},
         "parts": {}}  # fmt: skip


def by_node(parts):
    """One row a primary, whatever it was that broke a pass off."""
    rows = {}
    for part in parts:
        row = rows.setdefault(
            part.member.name, {"address": part.member.name, "removed": 0, "p99": 0.0, "limit": 0.0, "slowed": 0, "scripts": True}
        )
        row.update(removed=row["removed"] + part.meant, p99=round(max(row["p99"], part.p99), 6), slowed=row["slowed"] + part.slowed)
        row["limit"] = round(max(row["limit"], part.limit), 6)
        row["scripts"] = row["scripts"] and part.scripts
    return list(rows.values())


def note(result, parts):
    result["nodes"] = by_node(parts)
    result["removed"] = sum(part.meant for part in parts)
    result["changed"] = result["removed"] > 0


def remove(module, sweep, job, result):
    try:
        found = sweep.remove(job, module.fence, result["parts"])
    except Broken as error:
        note(result, error.parts)
        raise OpsError("{0} {1} keys were removed until then.".format(error.message, result["removed"]))
    note(result, found["removed"])
    result.update({key: found[key] for key in ("created", "left", "passes")}, after=sweep.sizes())
    result["matched"] = result["removed"] + result["left"]
    pattern = printable(job.pattern)
    if found["capped"]:
        raise OpsError("{0} keys that match {1} were removed, the maximum, and there are more. Set maximum to go on.".format(
            result["removed"], pattern))  # fmt: skip
    if result["left"]:
        raise OpsError("{0} keys that match {1} are there again after {2} passes. Who brings them back?".format(
            result["left"], pattern, result["passes"]))  # fmt: skip


def work(module, result):
    params = module.params
    pattern, allowed = encoded(params["pattern"]), [encoded(text) for text in params["allow_prefixes"]]
    if not pattern:
        raise OpsError("pattern is empty and means no key. Say which are meant, such as cache:*.")
    sweep = sweep_of(load("redis"), params, Progress(module.heartbeat, None if module.check_mode else params["progress_path"]))
    sweep.look()
    demand_idle(sweep, params)
    result["before"] = result["after"] = sweep.sizes()
    protected = in_the_way(pattern, [encoded(text) for text in params["protected_prefixes"]], allowed)
    job = Job(pattern, protected, params["idle"], Budget(params["maximum"]), where=where_of(params))
    # Counting beforehand costs one pass more: only where there may be something to refuse.
    if module.check_mode or protected or sum(result["before"].values()) > params["maximum"]:
        with timed(result["parts"], "count_seconds"):
            parts = sweep.count(job.counting())
        result.update(matched=sum(part.meant for part in parts), spared=spared_by(parts, protected))
        refuse_protected(result["spared"], printable(pattern))
        if result["matched"] > params["maximum"]:
            raise OpsError("{0} keys match {1}, more than the maximum of {2}. None was removed.".format(
                result["matched"], printable(pattern), params["maximum"]))  # fmt: skip
        if module.check_mode or not result["matched"]:
            result["changed"] = result["matched"] > 0
            return
    remove(module, sweep, job, result)


def main():
    run(work, SPEC, dict(EMPTY), supports_check_mode=True, **CONNECTION_RULES)


if __name__ == "__main__":
    main()
