from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres, _scale

MIB = 2**20
BLUE, GREEN = "app-blue", "app-green"


def member(number, service=BLUE, healthy=True, weight=1, limit=None, used=40 * MIB):
    return _scale.Member("{0}-{1}".format(service, number), number, healthy, weight, limit, used)


def colour(service, *members):
    return _scale.Colour(service, list(members), "v1", "r1")


def of_size(service, count):
    return colour(service, *(member(number, service) for number in range(1, count + 1)))


def slots(usable=97, others=3, pool=5, hosts=1, reserve=4):
    return _scale.Slots(usable, others, pool, hosts, reserve)


def memory(available=1000 * MIB, reserve=0, replica=100 * MIB, growth=0):
    return _scale.Memory(available, reserve, replica, growth)


def plan(wanted, live=2, warm=2, overrides=(), minimum=1, **further):
    made = _scale.make_plan(of_size(BLUE, live), of_size(GREEN, warm) if warm else None, wanted, minimum, idle_count=warm, **further)
    return made.settle(overrides)


def refusal(made):
    assert made.verdict == "refused"
    assert len(made.refusals) == 1
    return made.refusals[0]["gate"], made.refusals[0]["message"]


# -- what is to be done


def test_both_colours_grow_together():
    made = plan(5)
    assert made.verdict == "go"
    assert {name: (move["start"], move["stop"]) for name, move in made.moves.items()} == {BLUE: (3, []), GREEN: (3, [])}


def test_a_colour_that_is_not_warm_stays_out_of_it():
    assert list(plan(5, warm=0).moves) == [BLUE]


def test_the_warm_colour_is_brought_along_though_the_live_one_has_its_size():
    made = plan(3, live=3, warm=1)
    assert (made.verdict, made.moves[BLUE]["start"], made.moves[GREEN]["start"]) == ("go", 0, 2)


def test_what_is_as_it_should_be_needs_nothing():
    assert plan(2).verdict == "nothing_to_do"


@pytest.mark.parametrize(
    ("members", "stopped"),
    [
        ([member(1), member(2), member(3), member(4)], [f"{BLUE}-4", f"{BLUE}-3"]),
        # After an earlier scale-down numbers have gaps.
        ([member(2), member(7), member(11)], [f"{BLUE}-11", f"{BLUE}-7"]),
        ([member(1, healthy=False), member(2), member(3)], [f"{BLUE}-1", f"{BLUE}-3"]),
        ([member(1), member(2, weight=0), member(3, healthy=False), member(4)], [f"{BLUE}-2", f"{BLUE}-3"]),
        # None of an idle colour gets traffic.
        ([member(number, weight=0) for number in (1, 2, 3)], [f"{BLUE}-3", f"{BLUE}-2"]),
    ],
)
def test_who_is_least_missed_is_stopped_first(members, stopped):
    assert _scale.to_stop(members, 2) == stopped
    assert _scale.to_stop(members, 0) == []


# -- the floor


def test_the_floor_is_refused_with_its_name_and_lifted_by_it():
    gate, message = refusal(plan(1, minimum=2))
    assert gate == "floor"
    for word in ("1 replica of app-blue", "floor of 2", "scale_minimum", "ops_override: [floor]"):
        assert word in message
    lifted = plan(1, minimum=2, overrides=["floor"])
    assert (lifted.verdict, lifted.moves[BLUE]["stop"]) == ("go", [f"{BLUE}-2"])
    assert "floor of 2" in lifted.notices[0]


# -- connection slots


@pytest.mark.parametrize(
    ("counted", "largest"),
    [
        (slots(), 9),
        (slots(others=13), 8),
        (slots(pool=10), 4),
        (slots(hosts=3), 3),
        (slots(others=100), 0),
        (slots(pool=200), 0),
    ],
)
def test_the_largest_number_counts_both_colours_all_hosts_and_everybody_else(counted, largest):
    assert _scale.room_for_slots(counted, 2) == largest
    assert plan(2, slots=counted).largest == largest


def test_too_many_for_the_slots_are_refused_with_the_largest_number_that_fits():
    gate, message = refusal(plan(50, slots=slots()))
    assert gate == "connections"
    for word in ("50 replicas need 500 connection slots", "90 are free", "97 usable", "3 that others use", "4 kept free",
                 "The largest number that fits is 9: scale_replicas=9", "ops_override: [connections]"):  # fmt: skip
        assert word in message
    assert plan(9, slots=slots()).verdict == "go"
    assert plan(10, slots=slots()).verdict == "refused"
    assert plan(50, slots=slots(), overrides=["connections"]).verdict == "go"
    assert "on 3 hosts" in refusal(plan(50, slots=slots(hosts=3)))[1]


def test_a_colour_that_is_not_running_counts_all_the_same():
    assert plan(10, warm=0, slots=slots()).verdict == "refused"


def test_what_shrinks_is_not_refused_for_want_of_room():
    assert plan(4, live=5, warm=5, slots=slots(others=96)).verdict == "go"
    assert plan(5, live=5, warm=5, slots=slots(others=96)).verdict == "nothing_to_do"


def test_sessions_of_the_application_are_told_from_those_of_others():
    server = _postgres.Server(100, 3, [("astral", None, 12), ("astral_monitor", None, 2), ("other", "172.18.0.5", 4), ("", None, 1)])
    assert _scale.count_slots(server, "astral", set(), 5, 1, 0)[:2] == (97, 7)
    assert _scale.count_slots(server, "astral", {"172.18.0.5"}, 5, 1, 0).others == 3
    assert _scale.count_slots(server, None, set(), 5, 1, 0).others == 19
    # Nobody's user is the empty one.
    assert _scale.count_slots(server, "", set(), 5, 1, 0).others == 19


# -- memory


@pytest.mark.parametrize(
    ("counts", "room", "largest"),
    [
        ([2, 2], 1000, 7),
        ([2, 0], 1000, 6),
        ([2, 0], 100, 1),
        ([2, 0], 0, 0),
        ([5, 5], 99, 5),
        ([5, 5], 100, 5),
        ([5, 5], 200, 6),
        ([1, 4], 250, 3),
        ([0, 0], 400, 2),
    ],
)
def test_the_largest_number_is_what_the_free_memory_can_start(counts, room, largest):
    found = _scale.room_for_memory(memory(available=room * MIB), counts)
    assert found == largest

    def cost(size):
        return sum(max(0, size - count) for count in counts) * 100

    assert cost(found) <= room < cost(found + 1)


def test_too_many_for_the_memory_are_refused_with_the_largest_number_that_fits():
    gate, message = refusal(plan(50, memory=memory(reserve=100 * MIB, growth=50 * MIB)))
    assert gate == "memory"
    for word in ("50 replicas in both colours need 9600 MiB more", "96 further ones of 100 MiB", "850 MiB are free", "1000 available",
                 "50 by which", "100 kept free", "The largest number that fits is 6", "ops_override: [memory]"):  # fmt: skip
        assert word in message


def test_both_limits_name_the_number_that_both_bear():
    made = plan(50, slots=slots(), memory=memory())
    assert made.largest == 7
    assert [refused["gate"] for refused in made.refusals] == ["connections", "memory"]
    assert all("The largest number that fits is 7" in refused["message"] for refused in made.refusals)
    assert plan(50, slots=slots(), memory=memory(), overrides=["memory"]).refusals[0]["gate"] == "connections"


def test_a_replica_needs_its_limit_or_somewhat_more_than_the_largest_uses():
    measured = _scale.count_memory([member(1, used=40 * MIB), member(2, used=60 * MIB)], 1000 * MIB, 0)
    assert (measured.replica, measured.growth) == (75 * MIB, 0)
    limited = _scale.count_memory([member(1, used=40 * MIB, limit=128 * MIB), member(2, used=60 * MIB, limit=128 * MIB)], 1000 * MIB, 0)
    assert (limited.replica, limited.growth) == (128 * MIB, 156 * MIB)
    # One without a limit may use anything.
    mixed = _scale.count_memory([member(1, used=40 * MIB, limit=50 * MIB), member(2, used=60 * MIB)], 1000 * MIB, 0)
    assert (mixed.replica, mixed.growth) == (75 * MIB, 10 * MIB)


def test_without_numbers_there_is_no_largest():
    assert plan(500).largest is None
    assert plan(500).verdict == "go"


def test_a_refusal_without_an_override_stays():
    made = _scale.make_plan(of_size(BLUE, 2), None, 3, 1)
    made.refuse("live", "No.", override=False)
    assert made.settle(["live"]).verdict == "refused"
