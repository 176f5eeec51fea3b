"""The same lock on several hosts: leases."""

from __future__ import annotations

import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _lock, _lock_file
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.locks import START, person, request


def lease(elsewhere, record, **more):
    return elsewhere.acquire({**request(record["owner"], operation=record["operation"]), **more}, token=record["token"])


def test_a_lease_has_the_token_of_the_lock_and_is_renewed_where_it_lies(lock, elsewhere, clock):
    record = lock.acquire(request(lease_hosts=["app-2"])).record
    placed = lease(elsewhere, record).record
    assert placed["token"] == record["token"]
    clock.now += 30
    elsewhere.renew(record["token"])
    assert elsewhere.read()["holders"][0]["heartbeat"] == clock.now
    assert lock.read()["holders"][0]["heartbeat"] == START
    # Placed again, it is renewed.
    clock.now += 1
    again = lease(elsewhere, record).record
    assert (again["acquired"], again["heartbeat"]) == (START, clock.now)
    assert elsewhere.release(record["token"])


def test_on_the_host_of_the_lock_itself_a_lease_is_the_lock(lock, clock):
    record = lock.acquire(request(lease_hosts=["app-2"])).record
    clock.now += 30
    lease(lock, record)
    assert lock.read()["holders"] == [{**record, "heartbeat": clock.now}]


def test_a_lease_is_refused_while_another_one_is_alive_there(elsewhere, clock):
    lease(elsewhere, {"token": 17, "owner": "ada", "operation": "deploy"})
    taken = lease(elsewhere, {"token": 18, "owner": "bob", "operation": "rollback"})
    assert taken.record is None
    assert taken.blocking[0]["owner"] == "ada"
    assert lease(elsewhere, {"token": 18, "owner": "bob", "operation": "backup"}).record
    clock.now += 45
    assert lease(elsewhere, {"token": 19, "owner": "bob", "operation": "rollback"}).replaced[0]["token"] == 17


def test_a_lease_is_refused_when_a_later_one_was_seen_there(elsewhere):
    lease(elsewhere, {"token": 18, "owner": "bob", "operation": "rollback"})
    elsewhere.release(18)
    with pytest.raises(OpsError, match=r"\(deploy, token 17\) has been overtaken on this host by a later one: rollback"):
        lease(elsewhere, {"token": 17, "owner": "ada", "operation": "deploy"})
    # A later one that it does not exclude is none of its business.
    assert lease(elsewhere, {"token": 16, "owner": "ada", "operation": "backup"}).record
    seized = elsewhere.acquire(request(), token=17, seize=True)
    assert seized.record["token"] == 17


def test_a_token_that_two_hosts_gave_is_not_shared(elsewhere):
    local = elsewhere.acquire(request("eve", operation="rollback")).record
    with pytest.raises(OpsError, match="overtaken on this host by a later one: rollback"):
        lease(elsewhere, {"token": local["token"], "owner": "ada", "operation": "deploy"})


def test_a_lock_by_hand_is_asked_about_on_the_state_host_only(elsewhere):
    elsewhere.lock_by_hand(person())
    assert lease(elsewhere, {"token": 17, "owner": "ada", "operation": "deploy"}).record


def test_a_silent_holder_with_leases_elsewhere_is_asked_after_first(lock, elsewhere, clock):
    record = lock.acquire(request(lease_hosts=["app-2"])).record
    lease(elsewhere, record)
    clock.now += 40
    elsewhere.renew(record["token"])
    clock.now += 20
    taken = lock.acquire(request("bob"))
    assert (taken.record, taken.blocking, taken.unconfirmed) == (None, [], [record])
    assert _lock.refusals_of(taken, "deploy", clock.now) == []
    # It is alive there ...
    with pytest.raises(OpsError, match=r"is alive on this host: deploy by ada .* talk to its owner"):
        elsewhere.declare_dead([record["token"]])
    assert elsewhere.renew(record["token"])
    # ... and now it is not.
    clock.now += 45
    buried = []
    assert [gone["token"] for gone in elsewhere.declare_dead([record["token"]], bury=buried.extend)] == [record["token"]]
    assert buried == [record["token"]]
    taken = lock.acquire(request("bob"), confirmed=[record["token"]])
    assert taken.replaced == [record]
    with pytest.raises(OpsError, match="no longer holds"):
        elsewhere.renew(record["token"])


def test_who_was_declared_dead_gets_no_lease_on_a_host_where_it_had_none(elsewhere):
    assert elsewhere.declare_dead([17]) == []
    with pytest.raises(OpsError, match="it was declared dead"):
        lease(elsewhere, {"token": 17, "owner": "ada", "operation": "deploy"})
    elsewhere.declare_dead(list(range(1000, 1000 + _lock_file.MOST_DEAD + 10)))
    with open(elsewhere.path + ".tokens", encoding="utf-8") as stream:
        assert len(json.load(stream)["dead"]) == _lock_file.MOST_DEAD


def test_a_token_that_came_alive_meanwhile_is_not_taken_over(lock, clock):
    record = lock.acquire(request(lease_hosts=["app-2"])).record
    clock.now += 60
    lock.renew(record["token"])
    taken = lock.acquire(request("bob"), confirmed=[record["token"]])
    assert (taken.record, taken.blocking[0]["token"]) == (None, record["token"])


def test_a_living_lease_is_removed_when_the_lock_is_seized(elsewhere):
    lease(elsewhere, {"token": 17, "owner": "ada", "operation": "deploy"})
    assert [record["token"] for record in elsewhere.declare_dead([17], seize=True)] == [17]


def test_looking_says_what_taking_it_would_say_and_writes_nothing(lock, elsewhere, clock, tmp_path):
    assert lock.look(request()).record["token"] == START + 1
    assert list(tmp_path.iterdir()) == []
    record = lock.acquire(request(lease_hosts=["app-2"])).record
    assert lock.look(request("bob")).blocking == [record]
    clock.now += 45
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert lock.look(request("bob")).unconfirmed == [record]
    assert lock.look(request("bob"), confirmed=[record["token"]]).replaced == [record]
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    lease(elsewhere, {"token": 18, "owner": "bob", "operation": "rollback"})
    with pytest.raises(OpsError, match="overtaken on this host by a later one: rollback"):
        elsewhere.look(request(), token=17)
