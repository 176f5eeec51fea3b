# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of containers: as they are, as they are wanted, as they are recorded. Private: other collections must not import it.

Memory is in bytes, CPU in cores (float). The record is a Compose file with nothing but limits, in JSON, which is YAML: by hand it is
used as ``docker compose -f compose.yml -f compose.resources.yml``.
"""

from __future__ import annotations

import collections
import json

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

#: None stands for "no limit". ``memory_swap`` is memory and swap together, as Docker has it; -1: as much swap as there is.
Limits = collections.namedtuple("Limits", "cpus memory memory_swap")
HEADER = "# Limits that were set with the playbook scale; the collection applies them to every container that it starts.\n"
NANO = 10**9
CPU_PERIOD = 100000
LEAST_MEMORY = 6 * 2**20  # the engine's own
HEADROOM = 1.1  # of what is used now


def limits_of(host_config):
    """The Limits in the ``HostConfig`` of what ``docker inspect`` says."""
    cpus = host_config.get("NanoCpus") or 0
    quota = host_config.get("CpuQuota") or 0
    if not cpus and quota > 0:
        cpus = quota * NANO // (host_config.get("CpuPeriod") or CPU_PERIOD)
    memory = host_config.get("Memory") or None
    swap = host_config.get("MemorySwap") or None
    return Limits(cpus / float(NANO) if cpus else None, memory, swap if memory else None)


def target(current, cpus, memory):
    """The Limits that follow from ``current`` when ``cpus`` and ``memory`` (None: stays) are wanted.

    Memory and swap move together: what a container may swap stays as much as it is, and who had no limit gets no swap with it.
    """
    if memory is None:
        return current._replace(cpus=cpus or current.cpus)
    swap = current.memory_swap
    if swap != -1:
        allowance = max(0, swap - current.memory) if swap and current.memory else 0
        swap = memory + allowance
    return Limits(cpus or current.cpus, memory, swap)


def differs(current, wanted):
    """Whether a container must be told. How much it may swap is the engine's to say where the kernel cannot limit it (-1)."""
    if current.cpus != wanted.cpus or current.memory != wanted.memory:
        return True
    return current.memory_swap not in (wanted.memory_swap, -1)


def request(host_config, wanted):
    """What the engine's API takes to make a container have the limits ``wanted`` (dict)."""
    asked = {}
    if wanted.cpus and (host_config.get("CpuQuota") or 0) > 0:  # the engine refuses the one where the other was used
        period = host_config.get("CpuPeriod") or CPU_PERIOD
        asked.update(CpuPeriod=period, CpuQuota=int(wanted.cpus * period))
    elif wanted.cpus:
        asked["NanoCpus"] = round(wanted.cpus * NANO)
    if wanted.memory:
        asked.update(Memory=wanted.memory, MemorySwap=wanted.memory_swap)
    return asked


def check_request(cpus, memory, engine_cpus, engine_memory, count):
    """Refuse what no host can give. ``count`` is the number of containers. Raises OpsError."""
    if cpus is not None and not 0.01 <= cpus <= engine_cpus:
        raise OpsError("{0:g} CPUs cannot be given: a number from 0.01 to {1} (what the host has) can.".format(cpus, engine_cpus))
    if memory is not None and memory < LEAST_MEMORY:
        raise OpsError("{0} cannot be given: Docker gives no less than {1}.".format(mebibytes(memory), mebibytes(LEAST_MEMORY)))
    if memory is not None and memory * max(1, count) > engine_memory:
        raise OpsError(
            "{0} for each of {1} containers is more than the {2} that the host has. The largest limit that fits is {3}.".format(
                mebibytes(memory), max(1, count), mebibytes(engine_memory), mebibytes(engine_memory // max(1, count))
            )
        )


def check_use(name, memory, used):
    """Refuse to take away what is in use: the kernel would kill processes. Raises OpsError."""
    if memory is not None and memory < used * HEADROOM:
        raise OpsError(
            "{0} uses {1} now, so it cannot be limited to {2}: with a tenth to spare the least is {3}. Make it use less, or restart it, "
            "and try again.".format(name, mebibytes(used), mebibytes(memory), mebibytes(int(used * HEADROOM) + 2**20))
        )


def mebibytes(size):
    return "{0} MiB".format(size // 2**20)


# -- the record


def read_record(text, path):
    """The limits that were recorded: service to Limits. Raises OpsError when the file is not one of ours."""
    body = "".join(line for line in (text or "").splitlines(True) if not line.startswith("#"))
    if not body.strip():
        return {}
    try:
        return {
            name: Limits(float(entry["cpus"]) if "cpus" in entry else None, entry.get("mem_limit"), entry.get("memswap_limit"))
            for name, entry in json.loads(body)["services"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OpsError(
            "{0} is not what this collection wrote there ({1}). Mend it, or remove it and set the limits again with the playbook "
            "scale.".format(path, error)
        )


def write_record(record):
    """The text of the file. Both of Compose's spellings are in it: it refuses two that differ, whichever the stack's own file uses."""
    services = {}
    for name, limits in sorted(record.items()):
        entry, inner = {}, {}
        if limits.cpus:
            entry["cpus"], inner["cpus"] = limits.cpus, "{0:g}".format(limits.cpus)
        if limits.memory:
            entry["mem_limit"], inner["memory"] = limits.memory, str(limits.memory)
            entry["memswap_limit"] = limits.memory_swap
        entry["deploy"] = {"resources": {"limits": inner}}
        services[name] = entry
    return HEADER + json.dumps({"services": services}, indent=1, sort_keys=True) + "\n"
