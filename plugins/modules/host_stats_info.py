#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_stats_info
short_description: Take one sample of a Linux machine's disks, memory, processors and clock
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Tells of the file systems of the host, of those that the containers of a Compose project see, of memory, load, what processes had to
    wait for, disks, and of the clock. All of it is read from the kernel.
  - What cannot be seen is named in RV(unseen) and V(null) in its place. The task does not fail for it.
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  paths:
    description: Folders or files on whose file system something depends. The one that each is on is among RV(filesystems) in any case.
    type: list
    elements: path
    default: []
  project:
    description:
      - The Compose project whose containers' file systems are looked at, too, but for the one of their image, which lies in the engine's
        folder. By default none are.
      - It takes root, and an engine on the same machine.
    type: str
  interval:
    description: The seconds between both reads that the use of processors and disks is told from.
    type: float
    default: 1.0
  timeout:
    description: The seconds that looking at file systems and asking the engine may take. A network file system may hang.
    type: float
    default: 5.0
seealso:
  - module: astraldraft.ops.container_stats_info
"""

EXAMPLES = r"""
- name: How the machine is
  astraldraft.ops.host_stats_info:
    paths: [/var/lib/docker, /var/lib/astraldraft/astral-demo]
    project: astral-demo
  register: machine
"""

RETURN = r"""
filesystems:
  description: The file systems with room of their own, each once, the fullest first.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Where it is mounted, as the host or the container sees it.
      type: str
    replica:
      description: The container that sees it, such as V(postgres-master-1). V(null) for the host.
      type: str
    type:
      description: Its type. V(null) when it is not known.
      type: str
    bytes:
      description: Its size.
      type: int
    free:
      description: The bytes that are left for those who are not root.
      type: int
    used_share:
      description: The share of it that is used, from 0 to 1, as C(df) tells it.
      type: float
    holds:
      description: Those of O(paths) that are on it, and itself where it is mounted below one of them.
      type: list
      elements: str
    inodes_share:
      description: The share of its inodes that is used. V(null) where it has no number of them.
      type: float
memory:
  description: C(total), C(available), C(used_share), C(swap_total) and C(swap_used), in bytes. V(null) for what is not known.
  returned: always
  type: dict
load:
  description: How many processes ran or waited, on average over C(minutes_1), C(minutes_5) and C(minutes_15), and the number of C(cpus).
  returned: always
  type: dict
pressure:
  description:
    - For C(cpu), C(memory) and C(io) the share of ten seconds in which at least one process (C(some)) or all (C(full)) had to wait for it.
    - V(null) for what the kernel does not tell.
  returned: always
  type: dict
  sample: {"cpu": {"some": 0.31, "full": 0.0}, "memory": {"some": 0.0, "full": 0.0}, "io": {"some": 0.02, "full": 0.01}}
cpu:
  description: The C(busy_share), C(io_wait_share) and C(stolen_share) of all processors' time. V(null) for what is not known.
  returned: always
  type: dict
disks:
  description:
    - The disks by C(name), with C(operations) and C(bytes) a second, the seconds that one took on average (C(wait), V(null) without any)
      and C(busy_share).
  returned: always
  type: list
  elements: dict
oom_kills:
  description: How many processes were killed for lack of memory since the machine was started. V(null) when it is not known.
  returned: always
  type: int
clock:
  description:
    - The C(time) of the host (ISO 8601, UTC), and whether something keeps it right (C(synchronised), V(null) when it is not known).
  returned: always
  type: dict
  sample: {"time": "2026-11-24T08:00:00.000Z", "synchronised": true}
unseen:
  description: What could not be looked at, and why.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import ctypes
import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker, _host_stats
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

SPEC = {
    "paths": {"type": "list", "elements": "path", "default": []},
    "project": {"type": "str"},
    "interval": {"type": "float", "default": 1.0},
    "timeout": {"type": "float", "default": 5.0},
}
NAMES = ("filesystems", "memory", "load", "pressure", "cpu", "disks", "oom_kills", "clock", "unseen")
RESULT = dict(dict.fromkeys(NAMES), filesystems=[], disks=[], unseen=[], memory={}, load={}, pressure={}, cpu={}, clock={})
UNSYNCHRONISED = 5  # what adjtimex answers then


def told(path):
    """A text of the kernel's; None where it has none."""
    try:
        return read_text(path)
    except OSError:
        return None


class Filesystems:
    """Each file system once, whoever sees it; the host comes first."""

    def __init__(self):
        self.found, self.unseen = {}, []

    @property
    def fullest(self):
        return sorted((one for one in self.found.values() if one), key=lambda one: -one["used_share"])

    def add(self, path, kind, replica=None, root="", holds=False):
        place = root + path
        try:
            device = os.stat(place).st_dev
            if device not in self.found:
                self.found[device] = _host_stats.room(path, kind, replica, os.statvfs(place))
            if holds and self.found[device] and path not in self.found[device]["holds"]:
                self.found[device]["holds"].append(path)
        except OSError as error:
            self.unseen.append("{0}{1}: {2}".format(path, " in " + replica if replica else "", error.strerror))

    def of_host(self, paths):
        for path, kind in _host_stats.mounts(told("/proc/self/mountinfo") or ""):
            # Of the engine's own mounts each container says itself what it sees.
            if not path.startswith(("/var/lib/docker/", "/run/docker/")) and os.access(path, os.R_OK):
                self.add(path, kind)
                for above in paths:
                    if path.startswith(above.rstrip("/") + "/"):
                        self.add(path, kind, holds=True)
        for path in paths:
            self.add(path, None, holds=True)

    def of_containers(self, docker_host, project, timeout):
        try:
            with _docker.engine(docker_host, timeout=timeout) as client:
                replicas = [one for one in _docker.replicas(client, project) if one.state == "running"]
        except _docker.EngineError as error:
            self.unseen.append(error.message)
            return
        for replica in replicas:
            process = "/proc/{0}".format(replica.inspection["State"]["Pid"])
            text = told(process + "/mountinfo")
            if text is None:
                self.unseen.append("the file systems of {0}: they take root, and the engine on this machine".format(replica.name))
            for path, kind in _host_stats.mounts(text or ""):
                if kind == "overlay":  # the image and what was written over it lie in the engine's folder, which is the host's
                    continue
                self.add(path, kind, _docker.short_name(replica), process + "/root")


def synchronised():
    """Whether something keeps the clock right, by the kernel; None where it does not say."""
    try:
        # Room for any version of the structure; its first number says that nothing is to be set.
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (AttributeError, OSError):
        return None
    return None if state < 0 else state != UNSYNCHRONISED


def work(module, result):
    options = module.params
    for option in ("interval", "timeout"):
        if options[option] <= 0:
            raise OpsError("{0} is {1:g}. Nothing was read. Give a positive number of seconds.".format(option, options[option]))
    places = Filesystems()

    def look():
        places.of_host(options["paths"])
        if options["project"]:
            places.of_containers(options["docker_host"], options["project"], options["timeout"])
        return True

    def measure():
        before, began = [told("/proc/stat"), told("/proc/diskstats")], time.monotonic()
        time.sleep(options["interval"])
        after, seconds = [told("/proc/stat"), told("/proc/diskstats")], time.monotonic() - began
        return _host_stats.cpu(before[0], after[0]), _host_stats.disks(before[1], after[1], seconds)

    looked, measured = in_parallel([(look, options["timeout"]), (measure, options["interval"])], module.heartbeat)
    for answer in (looked, measured):
        if isinstance(answer, Exception):
            raise answer
    unseen = list(places.unseen)
    if not looked:
        unseen.append("further file systems: one of them did not answer within {0:g} s".format(options["timeout"]))
    result.update(
        filesystems=places.fullest,
        memory=_host_stats.memory(told("/proc/meminfo")),
        load=_host_stats.load(told("/proc/loadavg"), os.cpu_count()),
        pressure={name: _host_stats.pressure(told("/proc/pressure/" + name)) for name in _host_stats.RESOURCES},
        oom_kills=_host_stats.oom_kills(told("/proc/vmstat")),
        clock={"time": to_iso(time.time()), "synchronised": synchronised()},
        unseen=unseen,
    )
    if measured:
        result["cpu"], result["disks"] = measured


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), dict(RESULT), supports_check_mode=True)


if __name__ == "__main__":
    main()
