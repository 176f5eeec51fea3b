from __future__ import annotations

import os

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _host_stats

MOUNTINFO = r"""22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
28 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 28 0:26 / /dev/shm rw - tmpfs shm rw
31 28 7:1 / /state/my\040backups rw - ext4 /dev/loop1 rw
32 28 0:40 / /run/secrets ro - tmpfs tmpfs rw,size=4k
33 28 0:41 / /srv rw - xfs /dev/vdb rw
34 33 0:42 / /srv rw - proc proc rw
a line that is torn"""


def test_mounts_are_those_with_room_of_their_own():
    assert _host_stats.mounts(MOUNTINFO) == [("/", "ext4"), ("/state/my backups", "ext4"), ("/run/secrets", "tmpfs")]


def room(**more):
    told = {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1000, "f_bfree": 100, "f_bavail": 50, "f_files": 200, "f_favail": 20} | more
    names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_flag", "f_namemax")
    return _host_stats.room("/srv", "ext4", None, os.statvfs_result([told.get(name, 0) for name in names]))


def test_room_is_told_as_df_tells_it():
    found = room()
    assert (found["bytes"], found["free"], found["used_share"], found["inodes_share"]) == (4096000, 204800, round(900 / 950, 4), 0.9)
    assert room(f_bavail=0)["used_share"] == 1.0
    assert room(f_files=0)["inodes_share"] is None
    assert room(f_blocks=0) is None


def test_memory_load_and_pressure():
    found = _host_stats.memory("MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n")
    assert found == {"total": 1024000, "available": 256000, "used_share": 0.75, "swap_total": 102400, "swap_used": 61440}
    assert _host_stats.load("3.67 3.75 4.76 2/900 12\n", 2) == {"minutes_1": 3.67, "minutes_5": 3.75, "minutes_15": 4.76, "cpus": 2}
    text = "some avg10=29.21 avg60=33.47 avg300=52.32 total=45791825971\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    assert _host_stats.pressure(text) == {"some": 0.2921, "full": 0.0}


def test_what_happened_between_two_reads():
    before, after = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1\n", "cpu  150 0 70 810 70 0 0 0 0 0\n"
    assert _host_stats.cpu(before, after) == {"busy_share": 0.7, "io_wait_share": 0.2, "stolen_share": 0.0}
    disk = " 253 0 vda {0} 0 {1} {2} {3} 0 {4} {5} 0 {6} {7}\n 7 0 loop0 1 1 1 1 1 1 1 1 1 1 1\n 253 1 vda1 1 1 1 1 1 1 1 1 1 1 1\n"
    found = _host_stats.disks(disk.format(10, 100, 5, 20, 200, 10, 0, 0), disk.format(20, 300, 15, 40, 600, 30, 500, 0), 2.0)
    assert found == [{"name": "vda", "operations": 15.0, "bytes": 153600, "wait": 0.001, "busy_share": 0.25}]
    assert _host_stats.oom_kills("pgfault 1\noom_kill 8\n") == 8


@pytest.mark.parametrize("text", [None, "", "something else\n"])
def test_what_the_kernel_does_not_tell_is_not_known(text):
    assert set(_host_stats.memory(text).values()) == {None}
    assert _host_stats.load(text, None) == {"minutes_1": None, "minutes_5": None, "minutes_15": None, "cpus": None}
    assert _host_stats.pressure(text) == {"some": None, "full": None}
    assert set(_host_stats.cpu(text, text).values()) == {None}
    assert _host_stats.disks(text, text, 1.0) == []
    assert _host_stats.oom_kills(text) is None
    assert _host_stats.mounts(text or "") == []
