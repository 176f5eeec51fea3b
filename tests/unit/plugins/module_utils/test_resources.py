from __future__ import annotations

import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _resources
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._resources import Limits

MIB = 2**20
NONE = Limits(None, None, None)


@pytest.mark.parametrize(
    ("host_config", "limits"),
    [
        ({}, NONE),
        ({"NanoCpus": 0, "Memory": 0, "MemorySwap": 0, "CpuQuota": 0}, NONE),
        ({"NanoCpus": 1500000000}, Limits(1.5, None, None)),
        ({"CpuQuota": 50000, "CpuPeriod": 100000}, Limits(0.5, None, None)),
        ({"CpuQuota": 50000, "CpuPeriod": 0}, Limits(0.5, None, None)),
        ({"CpuQuota": -1}, NONE),
        ({"Memory": 64 * MIB, "MemorySwap": 128 * MIB}, Limits(None, 64 * MIB, 128 * MIB)),
        ({"Memory": 64 * MIB, "MemorySwap": -1}, Limits(None, 64 * MIB, -1)),
        # Swap alone is no limit of Docker's.
        ({"Memory": 0, "MemorySwap": -1}, NONE),
    ],
)
def test_limits_are_read_from_what_docker_says(host_config, limits):
    assert _resources.limits_of(host_config) == limits


@pytest.mark.parametrize(
    ("before", "memory", "swap"),
    [
        # Who had no limit gets no swap; who had some keeps as much; who had all of it keeps all of it.
        (NONE, 64 * MIB, 64 * MIB),
        (Limits(None, 64 * MIB, 64 * MIB), 128 * MIB, 128 * MIB),
        (Limits(None, 64 * MIB, 96 * MIB), 128 * MIB, 160 * MIB),
        (Limits(None, 128 * MIB, 256 * MIB), 64 * MIB, 192 * MIB),
        (Limits(None, 64 * MIB, -1), 128 * MIB, -1),
    ],
)
def test_memory_and_swap_move_together(before, memory, swap):
    wanted = _resources.target(before, None, memory)
    assert (wanted.cpus, wanted.memory, wanted.memory_swap) == (None, memory, swap)


def test_what_is_not_asked_for_stays():
    before = Limits(0.5, 64 * MIB, 96 * MIB)
    assert _resources.target(before, 1.0, None) == Limits(1.0, 64 * MIB, 96 * MIB)
    assert _resources.target(before, None, 32 * MIB).cpus == 0.5
    assert not _resources.differs(before, _resources.target(before, 0.5, 64 * MIB))


def test_swap_that_the_kernel_cannot_limit_is_no_difference():
    assert not _resources.differs(Limits(None, MIB, -1), Limits(None, MIB, 2 * MIB))
    assert _resources.differs(Limits(None, MIB, MIB), Limits(None, MIB, 2 * MIB))
    assert not _resources.differs(NONE, NONE)


def test_the_engine_is_asked_in_the_way_the_container_was_made():
    wanted = Limits(1.5, 64 * MIB, 96 * MIB)
    assert _resources.request({}, wanted) == {"NanoCpus": 1500000000, "Memory": 64 * MIB, "MemorySwap": 96 * MIB}
    assert _resources.request({"CpuQuota": 50000, "CpuPeriod": 50000}, wanted._replace(memory=None)) == {
        "CpuPeriod": 50000,
        "CpuQuota": 75000,
    }


@pytest.mark.parametrize(
    ("cpus", "memory", "words"),
    [
        (3, None, ["3 CPUs", "0.01 to 2"]),
        (0.001, None, ["0.001 CPUs"]),
        (-1, None, ["-1 CPUs"]),
        (None, MIB, ["1 MiB", "no less than 6 MiB"]),
        (None, 600 * MIB, ["600 MiB for each of 2", "1000 MiB", "largest limit that fits is 500 MiB"]),
    ],
)
def test_what_no_host_can_give_is_refused_with_what_it_can(cpus, memory, words):
    with pytest.raises(OpsError) as caught:
        _resources.check_request(cpus, memory, 2, 1000 * MIB, 2)
    for word in words:
        assert word in caught.value.message


def test_what_the_host_can_give_is_not_refused():
    _resources.check_request(2, 500 * MIB, 2, 1000 * MIB, 2)
    _resources.check_request(None, None, 2, 1000 * MIB, 2)


def test_what_is_in_use_is_not_taken_away():
    with pytest.raises(OpsError) as caught:
        _resources.check_use("demo-db-1", 100 * MIB, 95 * MIB)
    for word in ("demo-db-1 uses 95 MiB now", "cannot be limited to 100 MiB", "the least is 105 MiB"):
        assert word in caught.value.message
    _resources.check_use("demo-db-1", 105 * MIB, 95 * MIB)
    _resources.check_use("demo-db-1", None, 95 * MIB)


def test_the_record_comes_back_as_it_was_written():
    record = {"db": Limits(1.5, 64 * MIB, 96 * MIB), "cache": Limits(None, 32 * MIB, 32 * MIB), "web": Limits(0.5, None, None)}
    text = _resources.write_record(record)
    assert text.startswith("# ")
    assert _resources.read_record(text, "x") == record


def test_the_record_is_a_compose_file_whose_two_spellings_agree():
    text = _resources.write_record({"db": Limits(1.5, 64 * MIB, 96 * MIB)})
    db = json.loads(text.split("\n", 1)[1])["services"]["db"]
    assert db == {
        "cpus": 1.5,
        "mem_limit": 64 * MIB,
        "memswap_limit": 96 * MIB,
        "deploy": {"resources": {"limits": {"cpus": "1.5", "memory": str(64 * MIB)}}},
    }


@pytest.mark.parametrize("text", [None, "", "# only a comment\n"])
def test_without_a_record_nothing_is_limited(text):
    assert _resources.read_record(text, "x") == {}


@pytest.mark.parametrize(
    "text", ["services: {}", '{"services": []}', "[]", '{"services": {"db": 3}}', '{"services": {"db": {"cpus": "x"}}}']
)
def test_a_file_of_somebody_else_is_refused(text):
    with pytest.raises(OpsError, match=r"/state/compose.resources.yml is not what this collection wrote"):
        _resources.read_record(text, "/state/compose.resources.yml")
