from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _lock
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.locks import request


@pytest.mark.parametrize(("age", "state"), [(-5, "held"), (0, "held"), (44.999, "held"), (45, "expired"), (1e6, "expired")])
def test_the_heartbeat_expires_at_the_exact_second(lock, clock, age, state):
    record = lock.acquire(request()).record
    assert _lock.judge(record, clock.now + age) == state
    assert _lock.status(lock.read(), clock.now + age) == state
    # Late, and yet nobody took it: it is still the holder's.
    assert _lock.mine(lock.read(), record["token"]) == record
    assert _lock.mine(lock.read(), record["token"] + 1) is None


@pytest.mark.parametrize("token", [None, 0, 7])
def test_nothing_is_free_whoever_asks(token):
    assert _lock.mine(_lock.nobody(), token) is None
    assert _lock.status(_lock.nobody(), 0) == "free"


def test_a_sign_of_life_is_a_newer_heartbeat_or_a_new_holder():
    first = [{"token": 1, "heartbeat": 5.0}]
    assert not _lock.shows_life(first, first)
    assert not _lock.shows_life(first, [])
    assert _lock.shows_life(first, [{"token": 1, "heartbeat": 5.1}])
    assert _lock.shows_life(first, [{"token": 1, "heartbeat": 5.0}, {"token": 2, "heartbeat": 1.0}])
    assert _lock.shows_life([], first)


def test_people_and_machines_are_told_who_holds_it(lock, clock):
    record = lock.acquire(request(lease_hosts=["app-1", "app-2"])).record
    described = (
        "deploy by ada on laptop, since 1970-01-12T13:46:40.000Z, last sign of life 12 s ago (expires after 45 s); it works on app-1, "
        "app-2 and gives signs of life there"
    )
    assert _lock.describe(record, clock.now + 12) == described
    assert _lock.lines(lock.read(), clock.now + 12) == [described + " (alive)"]
    assert _lock.lines(_lock.nobody(), 0) == ["nobody is at work"]
    # A clock that was set back must not make it look alive in the future.
    assert "last sign of life 0 s ago" in _lock.describe(record, clock.now - 100)
    assert _lock.public_manual(None) is None
    public = {
        "token": record["token"],
        "status": "held",
        "operation": "deploy",
        "owner": "ada",
        "host": "laptop",
        "reason": "v1.2.3",
        "acquired_at": "1970-01-12T13:46:40.000Z",
        "heartbeat_at": "1970-01-12T13:46:40.000Z",
        "expires_at": "1970-01-12T13:47:25.000Z",
        "lease_hosts": ["app-1", "app-2"],
    }
    assert _lock.public_all(lock.read(), clock.now) == {"holders": [public], "manual": None}
    (refusal,) = _lock.refusals(lock.read(), "restore", clock.now)
    assert refusal["fact"].endswith("restore cannot run beside it (both need: app, database).")
    assert _lock.public_refusal(refusal) == {"guard": "lock", "message": refusal["fact"] + " " + refusal["remedy"]}
    assert "talk to ada" in refusal["remedy"]
    assert _lock.refusals(lock.read(), "silence", clock.now) == []
    assert _lock.refusals(lock.read(), "deploy", clock.now + 45) == []
