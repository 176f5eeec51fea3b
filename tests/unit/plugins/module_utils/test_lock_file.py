from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import stat

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _files, _lock, _lock_file
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.locks import START, person, request

FORK = multiprocessing.get_context("fork")


def test_a_free_lock_is_taken_and_given_back(lock):
    assert lock.read() == _lock.nobody()
    taken = lock.acquire(request())
    assert (taken.replaced, taken.blocking, taken.unconfirmed, taken.by_hand) == ([], [], [], None)
    assert lock.read() == {"holders": [taken.record], "manual": None}
    assert stat.S_IMODE(os.stat(lock.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(lock.path)).st_mode) == 0o700
    assert lock.release(taken.record["token"]) == taken.record
    assert not os.path.exists(lock.path)
    assert lock.read() == _lock.nobody()
    assert lock.release(taken.record["token"]) is None


def test_a_held_lock_is_refused_and_names_its_holder(lock, clock):
    first = lock.acquire(request("ada")).record
    clock.now += 44.999
    taken = lock.acquire(request("bob"))
    assert (taken.record, taken.blocking) == (None, [first])
    assert lock.read()["holders"] == [first]


def test_an_expired_lock_is_taken_over_and_its_former_holder_is_stopped(lock, clock):
    first = lock.acquire(request("ada")).record
    clock.now += 45
    taken = lock.acquire(request("bob"))
    assert taken.replaced == [first]
    assert taken.record["token"] > first["token"]
    with pytest.raises(OpsError, match=r"no longer holds the lock .*: deploy by bob on laptop") as caught:
        lock.renew(first["token"])
    assert "look at what the other operation did" in caught.value.message
    assert lock.release(first["token"]) is None
    assert lock.read()["holders"] == [taken.record]


def test_a_seized_lock_stops_its_living_holder(lock):
    first = lock.acquire(request("ada")).record
    taken = lock.acquire(request("bob"), seize=True)
    assert (taken.replaced, taken.blocking, taken.record["owner"]) == ([first], [first], "bob")
    with pytest.raises(OpsError, match="by bob"):
        lock.renew(first["token"])


def test_a_released_lock_cannot_be_renewed(lock):
    record = lock.acquire(request()).record
    lock.release(record["token"])
    with pytest.raises(OpsError, match="it was released"):
        lock.renew(record["token"])


def test_a_holder_that_was_late_and_not_replaced_goes_on(lock, clock):
    record = lock.acquire(request()).record
    clock.now += 500
    assert lock.renew(record["token"])["heartbeat"] == clock.now
    assert lock.acquire(request("bob")).record is None


def test_a_longer_expiry_holds_from_now_on_and_is_told(lock, clock):
    record = lock.acquire(request()).record
    assert "long step" not in _lock.describe(record, clock.now)
    lock.renew(record["token"], expiry=600)
    clock.now += 599
    (blocking,) = lock.acquire(request("bob")).blocking
    assert "announced a long step and may be alive without a sign until 1970-01-12T13:56:40.000Z" in _lock.describe(blocking, clock.now)
    lock.renew(record["token"])
    assert lock.read()["holders"][0]["expiry"] == 600
    clock.now += 600
    assert lock.acquire(request("bob")).record is not None


def test_tokens_only_ever_grow(lock, clock):
    tokens = []
    for round_number in range(6):
        record = lock.acquire(request()).record
        tokens.append(record["token"])
        if round_number % 2:
            clock.now += 45
        else:
            lock.release(record["token"])
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("memory", [None, "", "3\n", "three", "\x00\x00", "[]", '{"seen": {"deploy": "x"}}', '{"seen": [], "dead": {}}'])
def test_lost_or_damaged_memory_never_gives_a_token_twice(lock, clock, memory):
    for _round in range(7):
        record = lock.acquire(request()).record
        clock.now += 45
    lock.release(record["token"])
    if memory is None:
        os.unlink(lock.path + ".tokens")
    else:
        with open(lock.path + ".tokens", "w", encoding="utf-8") as stream:
            stream.write(memory)
    assert lock.acquire(request("bob")).record["token"] > record["token"]


def test_a_clock_that_was_set_back_never_gives_a_token_twice(lock, clock):
    first = lock.acquire(request()).record
    lock.release(first["token"])
    clock.now -= 86400
    assert lock.acquire(request("bob")).record["token"] > first["token"]


GOOD = {"token": 1, "heartbeat": 5, "expiry": 45, "acquired": 5, "usual_expiry": 45, "lease_hosts": []}
GOOD.update(dict.fromkeys(("operation", "owner", "host", "reason"), "x"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"null",
        b"[]",
        b"17",
        b"{}",
        json.dumps({"holders": [GOOD]}).encode(),
        json.dumps({"holders": {}, "manual": 5}).encode(),
        json.dumps({"holders": [{"token": 1, "heartbeat": 5}], "manual": None}).encode(),
        json.dumps({"holders": [{**GOOD, "token": "1"}], "manual": None}).encode(),
        json.dumps({"holders": [{**GOOD, "lease_hosts": "app-1"}], "manual": None}).encode(),
        json.dumps({"holders": [GOOD], "manual": {"owner": "ada"}}).encode(),
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_is_no_lock_stops_everybody_with_what_to_do(lock, content):
    os.makedirs(os.path.dirname(lock.path))
    with open(lock.path, "wb") as stream:
        stream.write(content)
    attempts = (
        lock.read,
        lambda: lock.acquire(request()),
        lambda: lock.renew(1),
        lambda: lock.release(1),
        lambda: lock.declare_dead([1]),
        lambda: lock.lock_by_hand({"owner": "ada", "host": "x", "reason": "x"}),
        lock.unlock,
    )
    for attempt in attempts:
        with pytest.raises(OpsError, match=r"cannot be read .* delete it and try again"):
            attempt()
    with open(lock.path, "rb") as stream:
        assert stream.read() == content


def test_a_stopped_process_that_keeps_the_file_is_waited_for_with_a_limit(lock, monkeypatch):
    lock.acquire(request())
    with _files.exclusive(lock.path + ".mutex"), monkeypatch.context() as patch:
        patch.setattr(_lock_file, "exclusive", lambda path: _files.exclusive(path, timeout=0.1))
        with pytest.raises(OpsError, match=r"was locked by another process for 0 s.*fuser .*operation.json.mutex"):
            lock.acquire(request("bob"))


# -- several at once


def test_operations_that_do_not_exclude_each_other_hold_it_at_once(lock):
    deploy, backup = lock.acquire(request()).record, lock.acquire(request(operation="backup")).record
    silence = lock.acquire(request(operation="silence")).record
    assert [record["token"] for record in lock.read()["holders"]] == [deploy["token"], backup["token"], silence["token"]]
    restore = lock.acquire(request(operation="restore"))
    assert [record["operation"] for record in restore.blocking] == ["deploy", "backup"]
    lock.renew(backup["token"])
    assert lock.release(deploy["token"]) == deploy
    assert [record["operation"] for record in lock.acquire(request(operation="restore")).blocking] == ["backup"]
    assert lock.acquire(request(operation="rollback")).record


def test_only_what_is_in_the_way_is_taken_over_or_seized(lock, clock):
    backup = lock.acquire(request(operation="backup")).record
    deploy = lock.acquire(request()).record
    clock.now += 500
    rollback = lock.acquire(request(operation="rollback"))
    assert rollback.replaced == [deploy]
    # The backup is late, and in nobody's way: it may go on.
    assert lock.renew(backup["token"])["heartbeat"] == clock.now
    seized = lock.acquire(request(operation="scale"), seize=True)
    assert seized.replaced == [rollback.record]
    assert {record["operation"] for record in lock.read()["holders"]} == {"backup", "scale"}


def test_a_dead_holder_that_is_in_nobodys_way_is_cleared_away(lock, clock):
    silence = lock.acquire(request(operation="silence")).record
    far = lock.acquire(request(operation="block_address", lease_hosts=["app-1"])).record
    clock.now += 45
    assert lock.acquire(request()).replaced == [silence]
    # Its leases elsewhere are not asked after; it may well be alive.
    clock.now += _lock.FORGET_SECONDS
    assert lock.acquire(request(operation="silence")).replaced == [far]


def test_the_dead_are_buried_before_their_records_are_removed(lock, clock):
    first = lock.acquire(request("ada")).record
    clock.now += 45
    seen = []

    def bury(tokens):
        seen.append((tokens, [record["owner"] for record in lock.read()["holders"]]))
        clock.now += 3

    record = lock.acquire(request("bob"), bury=bury).record
    assert seen == [([first["token"]], ["ada"])]
    # Its life begins after the burial.
    assert record["heartbeat"] == clock.now
    lock.acquire(request(operation="silence"), bury=bury)
    assert len(seen) == 1


def test_when_the_dead_cannot_be_buried_nothing_is_taken(lock, clock):
    first = lock.acquire(request("ada")).record
    clock.now += 45

    def bury(_tokens):
        raise OpsError("a process cannot be ended")

    with pytest.raises(OpsError):
        lock.acquire(request("bob"), bury=bury)
    assert lock.read()["holders"] == [first]


# -- by hand


def test_a_lock_by_hand_refuses_whatever_uses_something_and_never_expires(lock, clock):
    before, after = lock.lock_by_hand(person())
    assert (before, after["since"]) == (None, START)
    clock.now += 1e7
    for operation in ("deploy", "backup", "nobody_knows_it"):
        taken = lock.acquire(request("bob", operation=operation))
        assert (taken.record, taken.by_hand) == (None, after)
        (refusal,) = _lock.refusals_of(taken, operation, clock.now)
        assert refusal["guard"] == "lock"
        assert refusal["fact"] == "The stack is locked by hand by ada since 1970-01-12T13:46:40.000Z: the disk is being replaced."
        assert "never expires" in refusal["remedy"]
        assert "ops_override: [lock]" in refusal["remedy"]
    assert lock.acquire(request("bob", operation="incident_open")).record
    assert _lock.status(lock.read(), clock.now) == "locked"


def test_a_lock_by_hand_is_passed_once_and_stays(lock):
    lock.lock_by_hand(person())
    taken = lock.acquire(request("bob"), seize=True)
    assert taken.record
    assert taken.by_hand["owner"] == "ada"
    lock.release(taken.record["token"])
    assert lock.read()["manual"]["owner"] == "ada"
    assert lock.acquire(request("bob")).record is None


def test_a_lock_by_hand_disturbs_nobody_who_is_at_work(lock):
    record = lock.acquire(request()).record
    lock.lock_by_hand(person("bob"))
    lock.renew(record["token"])
    lock.release(record["token"])
    assert lock.read() == {"holders": [], "manual": {**person("bob"), "since": START}}


def test_locking_again_changes_nothing_and_another_person_is_refused(lock, clock):
    _before, first = lock.lock_by_hand(person())
    clock.now += 60
    assert lock.lock_by_hand(person()) == (first, first)
    assert lock.lock_by_hand(person(reason="two disks"))[1] == {**first, "reason": "two disks"}
    with pytest.raises(OpsError, match=r"already locked by hand by ada since .*: two disks. Talk to ada; the playbook unlock removes it"):
        lock.lock_by_hand(person("bob"))


def test_unlocking_gives_back_what_was_there(lock):
    assert lock.unlock() is None
    _before, manual = lock.lock_by_hand(person())
    assert lock.unlock() == manual
    assert lock.unlock() is None
    assert not os.path.exists(lock.path)


# -- many at once


def try_to_take(path, number, start, answers):
    lock = _lock_file.LockFile(path)
    start.wait()
    answers.put((number, lock.acquire(request("process-{0}".format(number)))))


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
    winners = [number for number, taken in answers if taken.record]
    assert len(winners) == 1
    name = "process-{0}".format(winners[0])
    assert [record["owner"] for record in lock.read()["holders"]] == [name]
    assert [taken.blocking[0]["owner"] for _number, taken in answers if not taken.record] == [name] * 49


def test_of_many_that_find_a_dead_holder_one_takes_over(lock, clock):
    clock.now = 1.0
    dead = lock.acquire(request("dead")).record
    answers = stampede(lock.path, 20)
    winners = [taken for _number, taken in answers if taken.record]
    assert len(winners) == 1
    assert winners[0].replaced == [dead]
    assert winners[0].record["token"] > dead["token"]
    assert {taken.blocking[0]["owner"] for _number, taken in answers if not taken.record} == {winners[0].record["owner"]}


def test_a_lease_renews_and_stops_when_the_lock_is_lost(lock):
    record = _lock_file.LockFile(lock.path).acquire(request()).record
    held = _lock_file.Lease(lock.path, record["token"])
    held.renew()
    assert lock.read()["holders"][0]["heartbeat"] >= record["heartbeat"]
    lock.acquire(request("bob"), seize=True)
    with pytest.raises(OpsError, match="by bob"):
        held.renew()


def test_who_goes_on_does_not_make_a_folder_that_somebody_removed(lock):
    token = lock.acquire(request()).record["token"]
    folder = os.path.dirname(lock.path)
    shutil.rmtree(folder)
    with pytest.raises(OpsError, match=r"the folder .* was removed while it ran\. It stops here") as caught:
        _lock_file.Lease(lock.path, token).renew()
    assert folder in caught.value.message
    assert lock.release(token) is None and lock.unlock() is None
    assert not os.path.exists(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write into somebody else's folder")
def test_a_lock_that_root_renews_stays_its_users(lock):
    """A module that becomes root takes part in an operation of an ordinary user, who must be able to read his lock afterwards."""
    os.makedirs(os.path.dirname(lock.path))
    os.chown(os.path.dirname(lock.path), 65534, 65533)
    token = lock.acquire(request()).record["token"]
    lock.renew(token)
    found = {name: os.stat(lock.path + name) for name in ("", ".tokens")}
    assert {name: (one.st_uid, one.st_gid) for name, one in found.items()} == dict.fromkeys(found, (65534, 65533))
