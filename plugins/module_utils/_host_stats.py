# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Linux machine says of itself, out of the texts of /proc. Private: other collections must not import it. Pure.

What the kernel does not tell is None, never 0. Sizes are in bytes, times in seconds, shares from 0 to 1.
"""

from __future__ import annotations

import re

SECTOR = 512
RESOURCES = ("cpu", "memory", "io")
#: File systems without room of their own.
_UNREAL = frozenset((
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl", "hugetlbfs",
    "mqueue", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs",
))  # fmt: skip
_SYSTEM = ("/proc", "/sys", "/dev")
# Parts of another disk, or no disk.
_NO_DISK = re.compile(r"(loop|ram|zram|sr|fd|nbd)\d+|(sd|vd|hd|xvd)[a-z]+\d+|(nvme\d+n\d+|mmcblk\d+|md\d+)p\d+")


def mounts(text):
    """``(path, type)`` of each file system that has room of its own, of a mountinfo. The last of those at one path is the one seen."""
    found = {}
    for line in text.splitlines():
        before, _dash, after = line.partition(" - ")
        fields, more = before.split(), after.split()
        if len(fields) < 5 or not more:
            continue
        path, kind = _unescaped(fields[4]), more[0]
        found.pop(path, None)
        if kind not in _UNREAL and not any(path == one or path.startswith(one + "/") for one in _SYSTEM):
            found[path] = kind
    return list(found.items())


def _unescaped(text):
    """Spaces and the like are octal in /proc."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)


def room(path, kind, replica, told):
    """A file system; ``told``: what statvfs says. None for one without a limit of its own."""
    if not told.f_blocks:
        return None
    used = told.f_blocks - told.f_bfree
    return {
        "path": path,
        "replica": replica,
        "type": kind,
        "holds": [],
        "bytes": told.f_blocks * told.f_frsize,
        "free": told.f_bavail * told.f_frsize,
        # As df: what is kept for root is neither used nor free.
        "used_share": round(used / max(1, used + told.f_bavail), 4),
        "inodes_share": round(1 - told.f_favail / told.f_files, 4) if told.f_files else None,
    }


def memory(text):
    """Of /proc/meminfo."""
    found = {match.group(1): int(match.group(2)) * 1024 for match in re.finditer(r"^(\w+):\s+(\d+) kB$", text or "", re.MULTILINE)}
    total, available = found.get("MemTotal"), found.get("MemAvailable")
    swap, unused = found.get("SwapTotal"), found.get("SwapFree")
    return {
        "total": total,
        "available": available,
        "used_share": round(1 - available / total, 4) if total and available is not None else None,
        "swap_total": swap,
        "swap_used": swap - unused if swap is not None and unused is not None else None,
    }


def load(text, cpus):
    """Of /proc/loadavg."""
    numbers = re.match(r"([\d.]+) ([\d.]+) ([\d.]+) ", text or "")
    found = [float(number) for number in numbers.groups()] if numbers else [None] * 3
    return dict(zip(("minutes_1", "minutes_5", "minutes_15"), found), cpus=cpus)


def pressure(text):
    """Of one file of /proc/pressure: the share of ten seconds in which somebody (``some``) or everybody (``full``) had to wait for it."""
    found = {
        match.group(1): round(float(match.group(2)) / 100, 4) for match in re.finditer(r"^(\w+) avg10=([\d.]+)", text or "", re.MULTILINE)
    }
    return {"some": found.get("some"), "full": found.get("full")}


def _ticks(text):
    match = re.match(r"cpu +(.*)", text or "")
    return [int(number) for number in match.group(1).split()] if match else []


def cpu(before, after):
    """What the processors did between two of /proc/stat."""
    first, second = _ticks(before), _ticks(after)
    spent = [later - earlier for earlier, later in zip(first, second)]
    total = sum(spent[:8])  # guests are counted among the users, too
    if len(spent) < 8 or total <= 0:
        return {"busy_share": None, "io_wait_share": None, "stolen_share": None}
    return {
        "busy_share": round(1 - (spent[3] + spent[4]) / total, 4),
        "io_wait_share": round(spent[4] / total, 4),
        "stolen_share": round(spent[7] / total, 4),
    }


def _disks(text):
    rows = [line.split() for line in (text or "").splitlines()]
    return {row[2]: [int(number) for number in row[3:14]] for row in rows if len(row) >= 14 and not _NO_DISK.fullmatch(row[2])}


def disks(before, after, seconds):
    """What the disks did between two of /proc/diskstats, the busiest first."""
    first, second, found = _disks(before), _disks(after), []
    for name, later in second.items():
        if name not in first:
            continue
        spent = [new - old for old, new in zip(first[name], later)]
        done = spent[0] + spent[4]
        found.append({
            "name": name,
            "operations": round(done / seconds, 1),
            "bytes": round((spent[2] + spent[6]) * SECTOR / seconds),
            "wait": round((spent[3] + spent[7]) / done / 1000, 4) if done else None,
            "busy_share": round(min(1.0, spent[9] / 1000 / seconds), 4),
        })  # fmt: skip
    return sorted(found, key=lambda disk: -disk["busy_share"])


def oom_kills(text):
    """Of /proc/vmstat: how many processes the kernel has killed for lack of memory since the machine was started."""
    match = re.search(r"^oom_kill (\d+)$", text or "", re.MULTILINE)
    return int(match.group(1)) if match else None
