from __future__ import annotations

import json
import multiprocessing
import os
import stat

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _lock
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

FORK = multiprocessing.get_context("fork")


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


def request(owner="ada", expiry=45.0):
    return {"operation": "deploy", "owner": owner, "host": "laptop", "reason": "v1.2.3", "expiry": expiry}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lock(tmp_path, clock):
    return _lock.LockFile(str(tmp_path / "lock" / "operation.json"), clock)


def test_a_free_lock_is_taken_and_given_back(lock):
    assert lock.read() is None
    record, previous = lock.acquire(request())
    assert previous is None
    assert lock.read() == record
    assert stat.S_IMODE(os.stat(lock.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(lock.path)).st_mode) == 0o700
    assert lock.release(record["token"]) == record
    assert lock.read() is None
    assert lock.release(record["token"]) is None


def test_a_held_lock_is_refused_and_names_its_holder(lock, clock):
    first, _previous = lock.acquire(request("ada"))
    clock.now += 44.999
    assert lock.acquire(request("bob")) == (None, first)
    assert lock.read() == first


@pytest.mark.parametrize(("age", "state"), [(-5, "held"), (0, "held"), (44.999, "held"), (45, "expired"), (1e6, "expired")])
def test_the_heartbeat_expires_at_the_exact_second(lock, clock, age, state):
    record, _previous = lock.acquire(request())
    assert _lock.judge(record, None, clock.now + age) == state
    assert _lock.judge(record, record["token"] + 1, clock.now + age) == state
    # Late, and yet nobody took it: it is still the holder's.
    assert _lock.judge(record, record["token"], clock.now + age) == "mine"


@pytest.mark.parametrize("token", [None, 0, 7])
def test_nothing_is_free_whoever_asks(token):
    assert _lock.judge(None, token, 0) == "free"


def test_an_expired_lock_is_taken_over_and_its_former_holder_is_stopped(lock, clock):
    first, _previous = lock.acquire(request("ada"))
    clock.now += 45
    second, previous = lock.acquire(request("bob"))
    assert previous == first
    assert second["token"] > first["token"]
    with pytest.raises(OpsError, match=r"no longer holds the lock .*: deploy by bob on laptop") as caught:
        lock.renew(first["token"])
    assert "look at what the other operation did" in caught.value.message
    assert lock.release(first["token"]) is None
    assert lock.read() == second


def test_a_seized_lock_stops_its_living_holder(lock):
    first, _previous = lock.acquire(request("ada"))
    second, previous = lock.acquire(request("bob"), seize=True)
    assert (previous, second["owner"]) == (first, "bob")
    with pytest.raises(OpsError, match="by bob"):
        lock.renew(first["token"])


def test_a_released_lock_cannot_be_renewed(lock):
    record, _previous = lock.acquire(request())
    lock.release(record["token"])
    with pytest.raises(OpsError, match="it was released"):
        lock.renew(record["token"])


def test_a_holder_that_was_late_and_not_replaced_goes_on(lock, clock):
    record, _previous = lock.acquire(request())
    clock.now += 500
    assert lock.renew(record["token"])["heartbeat"] == clock.now
    assert lock.acquire(request("bob"))[0] is None


def test_a_longer_expiry_holds_from_now_on(lock, clock):
    record, _previous = lock.acquire(request())
    lock.renew(record["token"], expiry=600)
    clock.now += 599
    assert lock.acquire(request("bob"))[0] is None
    lock.renew(record["token"])
    assert lock.read()["expiry"] == 600
    clock.now += 600
    assert lock.acquire(request("bob"))[0] is not None


def test_tokens_only_ever_grow(lock, clock):
    tokens = []
    for round_number in range(6):
        record, _previous = lock.acquire(request())
        tokens.append(record["token"])
        if round_number % 2:
            clock.now += 45
        else:
            lock.release(record["token"])
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("counter", [None, "", "3\n", "three", "\x00\x00"])
def test_a_lost_or_damaged_counter_never_gives_a_token_twice(lock, clock, counter):
    for _round in range(7):
        record, _previous = lock.acquire(request())
        clock.now += 45
    if counter is None:
        os.unlink(lock.path + ".token")
    else:
        with open(lock.path + ".token", "w", encoding="utf-8") as stream:
            stream.write(counter)
    assert lock.acquire(request("bob"))[0]["token"] > record["token"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"null",
        b"[]",
        b"17",
        b"{}",
        b'{"token": 1, "heartbeat": 5}',
        b'{"token": 1, "heartbeat": 5, "expiry": 45}',
        b'{"token": "1", "heartbeat": "5", "expiry": 45, "acquired": 5, "operation": "x", "owner": "x", "host": "x", "reason": "x"}',
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_is_no_lock_stops_everybody_with_what_to_do(lock, content):
    os.makedirs(os.path.dirname(lock.path))
    with open(lock.path, "wb") as stream:
        stream.write(content)
    for attempt in (lock.read, lambda: lock.acquire(request()), lambda: lock.renew(1), lambda: lock.release(1)):
        with pytest.raises(OpsError, match=r"cannot be read .* delete it and try again"):
            attempt()
    with open(lock.path, "rb") as stream:
        assert stream.read() == content


def try_to_take(path, number, start, answers):
    lock = _lock.LockFile(path)
    start.wait()
    record, previous = lock.acquire(request("process-{0}".format(number)))
    answers.put((number, record, previous))


def stampede(path, count):
    """The answers of ``count`` processes that try to take the lock at the same moment."""
    start, answers = FORK.Event(), FORK.Queue()
    processes = [FORK.Process(target=try_to_take, args=(path, number, start, answers)) for number in range(count)]
    for process in processes:
        process.start()
    start.set()
    found = [answers.get(timeout=60) for _process in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return found


def test_of_fifty_processes_at_once_one_gets_the_lock_and_the_others_see_its_name(lock):
    answers = stampede(lock.path, 50)
    winners = [number for number, record, _previous in answers if record]
    assert len(winners) == 1
    name = "process-{0}".format(winners[0])
    assert lock.read()["owner"] == name
    assert [previous["owner"] for _number, record, previous in answers if not record] == [name] * 49


def test_of_many_that_find_a_dead_holder_one_takes_over(lock, clock):
    clock.now = 1.0
    dead, _previous = lock.acquire(request("dead"))
    answers = stampede(lock.path, 20)
    winners = [record for _number, record, _previous in answers if record]
    assert len(winners) == 1
    assert winners[0]["token"] == dead["token"] + 1
    assert {previous["owner"] for _number, record, previous in answers if not record} == {winners[0]["owner"]}


def test_a_lease_renews_and_stops_when_the_lock_is_lost(lock):
    record, _previous = _lock.LockFile(lock.path).acquire(request())
    lease = _lock.Lease(lock.path, record["token"])
    lease.renew()
    assert lock.read()["heartbeat"] >= record["heartbeat"]
    lock.acquire(request("bob"), seize=True)
    with pytest.raises(OpsError, match="by bob"):
        lease.renew()


def test_people_and_machines_are_told_who_holds_it(lock, clock):
    record, _previous = lock.acquire(request())
    assert _lock.describe(record, clock.now + 12) == (
        "deploy by ada on laptop, since 1970-01-12T13:46:40.000Z, last sign of life 12 s ago (expires after 45 s)"
    )
    # A clock that was set back must not make it look alive in the future.
    assert "last sign of life 0 s ago" in _lock.describe(record, clock.now - 100)
    assert _lock.public(None) is None
    assert _lock.public(record) == {
        "token": 1,
        "operation": "deploy",
        "owner": "ada",
        "host": "laptop",
        "reason": "v1.2.3",
        "acquired_at": "1970-01-12T13:46:40.000Z",
        "heartbeat_at": "1970-01-12T13:46:40.000Z",
        "expires_at": "1970-01-12T13:47:25.000Z",
    }
    assert json.loads(json.dumps(_lock.public(record))) == _lock.public(record)
