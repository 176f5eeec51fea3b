import ipaddress

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _firewall
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall import Block

NOW, HOUR = 1764000000.0, 3600


def block(text, left=HOUR, why="", packets=0):
    return Block(ipaddress.ip_network(text), None if left is None else NOW + left, why, packets, packets * 60)


def nets(*texts):
    return [ipaddress.ip_network(text) for text in texts]


def present(known, *texts, lasts=HOUR):
    return _firewall.present(known, nets(*texts), lasts, NOW, "why")


def addresses(blocks):
    return [str(one.network) for one in blocks]


@pytest.mark.parametrize(
    ("duration", "seconds"), [("24h", 86400), ("90", 90), ("30d", 2592000)]
)  # fmt: skip
def test_durations(duration, seconds):
    assert _firewall.seconds(duration, "30d") == seconds


@pytest.mark.parametrize(("duration", "sentence"), [("soon", "no duration"), ("0", "from 1 s to 30d"), ("31d", "from 1 s to 30d")])
def test_durations_that_are_refused(duration, sentence):
    with pytest.raises(OpsError, match=sentence):
        _firewall.seconds(duration, "30d")


def test_what_is_new_is_added():
    plan = present([block("203.0.113.1")], "203.0.113.7", "2001:db8::/64")
    assert addresses(plan.add) == ["203.0.113.7/32", "2001:db8::/64"]
    assert plan.add[0] == Block(ipaddress.ip_network("203.0.113.7"), NOW + HOUR, "why", 0, 0)
    assert addresses(plan.after) == ["203.0.113.1/32", "203.0.113.7/32", "2001:db8::/64"]
    assert not plan.remove


@pytest.mark.parametrize("left", [HOUR * 0.9, HOUR, HOUR * 5, None])
def test_what_lasts_long_enough_stays(left):
    plan = present([block("203.0.113.7", left)], "203.0.113.7")
    assert (plan.add, plan.remove) == ([], [])
    assert plan.after == plan.before


def test_what_is_nearly_over_is_prolonged_and_counted_anew():
    old = block("203.0.113.7", HOUR * 0.89, packets=5)
    plan = present([old], "203.0.113.7")
    assert plan.remove == [old]
    assert [(one.expires_at, one.packets, one.bytes) for one in plan.add] == [(NOW + HOUR, 0, 0)]
    assert len(plan.after) == 1


def test_a_network_takes_the_place_of_what_is_inside_it():
    plan = present([block("203.0.113.7", 60), block("203.0.114.7")], "203.0.113.0/24")
    assert addresses(plan.remove) == ["203.0.113.7/32"]
    assert addresses(plan.after) == ["203.0.113.0/24", "203.0.114.7/32"]


@pytest.mark.parametrize("left", [HOUR * 2, None])
def test_a_network_does_not_cut_short_what_is_inside_it(left):
    with pytest.raises(OpsError, match=r"203\.0\.113\.7, which is part of 203\.0\.113\.0/24, is blocked for longer"):
        present([block("203.0.113.7", left)], "203.0.113.0/24")


def test_what_a_network_blocks_for_long_enough_is_blocked():
    assert present([block("203.0.113.0/24")], "203.0.113.7").add == []


def test_what_a_network_blocks_for_less_is_refused():
    with pytest.raises(OpsError, match=r"part of 203\.0\.113\.0/24 already, until .*Block 203\.0\.113\.0/24 for longer"):
        present([block("203.0.113.0/24", 60)], "203.0.113.7")


def test_unblocking_takes_what_is_inside_and_leaves_others():
    plan = _firewall.absent([block("203.0.113.7"), block("203.0.113.8"), block("203.0.114.7")], nets("203.0.113.0/24", "198.51.100.1"))
    assert addresses(plan.remove) == ["203.0.113.7/32", "203.0.113.8/32"]
    assert addresses(plan.after) == ["203.0.114.7/32"]


def test_a_part_of_a_network_is_not_unblocked_alone():
    with pytest.raises(OpsError, match=r"is blocked as part of 203\.0\.113\.0/24"):
        _firewall.absent([block("203.0.113.0/24")], nets("203.0.113.7"))


def test_a_comment_is_one_harmless_line():
    assert _firewall.comment('ada:\n"scan" \\ ' + "\u00e4" * 200) == ("ada: 'scan' / " + "?" * 200)[:120]


def test_a_block_as_it_is_returned():
    told = _firewall.as_dict(block("203.0.113.7", 90.4, "why", 3), NOW)
    assert told == {
        "address": "203.0.113.7", "family": "ipv4", "expires_at": "2025-11-24T16:01:30.400Z", "seconds_left": 90, "comment": "why",
        "packets": 3, "bytes": 180,
    }  # fmt: skip
    assert _firewall.as_dict(block("2001:db8::/64", None), NOW)["expires_at"] is None
    assert _firewall.as_dict(block("203.0.113.7", -5), NOW)["seconds_left"] == 0


@pytest.mark.parametrize(
    ("args", "verdict", "words"),
    [
        (([], [], True), "none", "Nothing is blocked."),
        (([], [], False), "none", "since this host started"),
        (([block("203.0.113.7", packets=4)], [], True), "in_force", "1 is blocked; 4 packets"),
        (([block("203.0.113.7")], ["the rules are others"], True), "broken", "the rules are others"),
        (([], [], False, "no nft"), "unknown", "no nft"),
    ],
)
def test_summaries(args, verdict, words):
    found, sentence = _firewall.summary(*args)
    assert found == verdict
    assert words in sentence


def test_a_table_for_people():
    blocks = [block("203.0.113.7", 7200, "ada: scans", 1), block("2001:db8::/64", None)._replace(packets=None)]
    assert _firewall.table(blocks, NOW) == [
        "203.0.113.7    until 2025-11-24T18:00:00.000Z  2.0 h left  1 packet  ada: scans",
        "2001:db8::/64  until further notice            no end      -",
    ]
