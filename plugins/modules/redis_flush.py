#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_flush
short_description: Empty a Redis database, or every primary, in the background
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Removes all keys of a database, or of all databases, from a Redis server, a Sentinel group or every primary of a Redis Cluster
    (C(FLUSHDB ASYNC), C(FLUSHALL ASYNC)), counted before and after.
  - What cannot be undone has to be typed. O(confirm) must be equal to O(name).
  - Refused while there are keys that O(protected_prefixes) protect, and on a replica.
extends_documentation_fragment:
  - astraldraft.ops._redis
  - astraldraft.ops._redis_keys
  - astraldraft.ops._redis_keys.protected
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.attributes
attributes:
  check_mode:
    support: full
    details: Counts the keys that would be removed. Needs O(confirm) as well.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A server without a key is left alone.
options:
  name:
    description: What people call that which is emptied, such as the name of the stack.
    type: str
    required: true
  confirm:
    description: The same again, as a person has typed it.
    type: str
    default: ""
  all_databases:
    description: Whether all databases are emptied, and not O(db) alone.
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.redis_keys
"""

EXAMPLES = r"""
- name: Empty the cache
  astraldraft.ops.redis_flush:
    nodes: [cache-1.astraldraft.internal:6379, cache-2.astraldraft.internal:6379]
    login_password: "{{ vault_redis_password }}"
    name: "{{ stack_name }}"
    confirm: "{{ cache_confirm }}"
"""

RETURN = r"""
removed:
  description: How many keys were removed, by the others where a primary refuses; in check mode how many would be.
  returned: always
  type: int
  sample: 250000
spared:
  description: How many keys are protected, by their prefix. If there are any, the module refuses.
  returned: always
  type: dict
  sample: {"session:": 400}
before:
  description: How many keys each primary had. Empty when nobody said so.
  returned: always
  type: dict
  sample: {"10.0.0.7:6379": 83000}
after:
  description: The same afterwards, created meanwhile; in check mode and when nothing was removed as before.
  returned: always
  type: dict
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_RULES
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_keys import in_the_way
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import encoded
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_step import Job
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_sweep_options import (
    PROTECTED_SPEC,
    SWEEP_SPEC,
    refuse_protected,
    spared_by,
    sweep_of,
)

SPEC = dict(
    SWEEP_SPEC,
    name={"type": "str", "required": True},
    confirm={"type": "str", "default": ""},
    all_databases={"type": "bool", "default": False},
    **PROTECTED_SPEC,
)
EMPTY = {"removed": 0, "spared": {}, "before": {}, "after": {}}


def work(module, result):
    params = module.params
    every, what = params["all_databases"], "Emptying {0}".format(params["name"])
    if not params["name"] or params["confirm"] != params["name"]:
        raise OpsError(
            "{0} cannot be undone, and is not confirmed. Nothing was removed. Type its name: confirm: {0}.".format(params["name"])
        )
    sweep = sweep_of(load("redis"), params, Progress(module.heartbeat))
    sweep.look()
    result["before"] = result["after"] = sweep.sizes(every)
    there = sum(result["before"].values())
    if not there:
        return
    protected = in_the_way(
        b"*", [encoded(text) for text in params["protected_prefixes"]], [encoded(text) for text in params["allow_prefixes"]]
    )
    if protected:
        for db in sweep.databases() if every else [params["db"]]:
            spared = spared_by(sweep.on(db).count(Job(b"*", protected)), protected)
            result["spared"] = {
                prefix: result["spared"].get(prefix, 0) + spared.get(prefix, 0) for prefix in {**result["spared"], **spared}
            }
        refuse_protected(result["spared"], what)
    if module.check_mode:
        result.update(changed=True, removed=there)
        return
    module.fence()
    empty(sweep, every, result)
    result["after"] = sweep.sizes(every)


def empty(sweep, every, result):
    emptied = {}
    try:
        sweep.flush(emptied, every)
    except OpsError as error:
        note(result, emptied)
        raise OpsError("{0} {1} keys were removed until then.".format(error.message, result["removed"]))
    note(result, emptied)
    # Of a primary that was replaced meanwhile the keys are gone, too.
    result["removed"] = sum(result["before"].values())


def note(result, emptied):
    gone = [name for name, sure in emptied.items() if sure and name in result["before"]]
    result.update(changed=bool(emptied), removed=sum(result["before"][name] for name in gone))
    result["after"] = dict(result["before"], **dict.fromkeys(gone, 0))


def main():
    run(work, SPEC, dict(EMPTY), supports_check_mode=True, **CONNECTION_RULES)


if __name__ == "__main__":
    main()
