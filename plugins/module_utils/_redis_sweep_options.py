# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that go through all keys have in common. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._redis import CONNECTION_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_ask import by_prefix
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import encoded, printable
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_sweep import Sweep

_PREFIXES = {"type": "list", "elements": "str"}
#: The options of a module that goes through all keys.
SWEEP_SPEC = dict(
    CONNECTION_SPEC,
    db={"type": "int", "default": 0},
    timeout={"type": "float", "default": 5.0},
    batch={"type": "int", "default": 500},
    latency_limit={"type": "float", "default": 0.002},
    wait_timeout={"type": "float", "default": 30.0},
)
_TEXT = {"type": "str", "required": True}
#: Which keys are meant, beside the pattern.
WHERE_SPEC = {"idle": {"type": "int", "default": 0}, "where": {"type": "dict", "options": {"field": _TEXT, "value": _TEXT}}}
PROTECTED_SPEC = {
    "protected_prefixes": dict(_PREFIXES, default=["session:", "lock:", "queue:", "auth:"]),
    "allow_prefixes": dict(_PREFIXES, default=[]),
}


def sweep_of(redis, params, progress):
    """The Sweep that the options SWEEP_SPEC mean. Raises OpsError."""
    for name in ("timeout", "batch", "latency_limit"):
        if params[name] <= 0:
            raise OpsError("{0} is {1}; give it a number above 0.".format(name, params[name]))
    return Sweep(redis, params, params["batch"], params["latency_limit"], params["wait_timeout"], progress)


def where_of(params):
    """The option ``where`` as a Job has it. Raises OpsError."""
    if not params["where"]:
        return None
    if not params["where"]["field"]:
        raise OpsError("where names no field. Say which one of a key's content is meant.")
    return encoded(params["where"]["field"]), encoded(params["where"]["value"])


def demand_idle(sweep, params):
    """Raises OpsError where nobody knows how long a key was idle, and that matters."""
    if params["idle"] > 0 and sweep.counts_uses():
        raise OpsError("maxmemory-policy counts uses (lfu), so nobody knows how long a key was idle. Leave idle out.")


def spared_by(parts, prefixes):
    """How many keys each prefix (bytes) spared, those alone that did."""
    counts = [sum(part.spared[index] for part in parts) for index in range(len(prefixes))]
    return {printable(prefix): count for prefix, count in zip(prefixes, counts) if count}


def refuse_protected(spared, what):
    if spared:
        told = ", ".join("{0} of {1}".format(count, prefix) for prefix, count in spared.items())
        raise OpsError(
            "{0} means protected keys: {1}. Nothing was removed. Name a narrower pattern, or allow them: allow_prefixes.".format(what, told)
        )


def measured(sweep, sampled):
    """(name, type, bytes) of sampled (name, member) that are still there. What may not be measured is not."""
    found = []
    for member in {member.name: member for _name, member in sampled}.values():
        names = [name for name, where in sampled if where.name == member.name]
        found += sweep.measure(member, names)
    return found


def estimate(keys, count, limit):
    """What ``count`` keys take, from those that were measured."""
    rows, number = by_prefix(keys), len(keys)
    if not number:
        return {"bytes": 0 if count == 0 else None, "prefixes": []}
    prefixes = [
        {
            "prefix": printable(prefix) or "(none)",
            "keys": round(count * some / number),
            "bytes": round(count * taken / number),
            "largest": largest,
        }
        for prefix, (some, taken, largest) in rows.items()
    ]
    ordered = sorted(prefixes, key=lambda row: (-row["bytes"], row["prefix"]))
    return {"bytes": round(count * sum(size for _name, _kind, size in keys) / number), "prefixes": ordered[:limit]}
