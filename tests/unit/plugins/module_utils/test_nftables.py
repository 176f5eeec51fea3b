import copy
import ipaddress
import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _firewall, _nftables
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall import Block, Plan, State

NOW = 1764000000.0


def rule(protocol, name):
    left = {"payload": {"protocol": protocol, "field": "saddr"}}
    match = {"match": {"op": "==", "left": left, "right": "@" + name}}
    return {"rule": {"family": "inet", "table": "ops", "chain": "prerouting", "handle": 4,
                     "expr": [match, {"counter": {"packets": 3, "bytes": 180}}, {"drop": None}]}}  # fmt: skip


ONE_SAID = {"elem": {"val": "192.0.2.1", "timeout": 3600, "expires": 3599, "comment": "ada: x", "counter": {"packets": 3, "bytes": 180}}}
PREFIX = {"prefix": {"addr": "198.51.100.0", "len": 24}}
MANY_SAID = {"elem": {"val": PREFIX, "timeout": 100, "expires": 99, "counter": {"packets": 0, "bytes": 0}}}
# nft 1.0.6 -j list table inet ops
ANSWER = {"nftables": [
    {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
    {"table": {"family": "inet", "name": "ops", "handle": 1}},
    {"set": {"family": "inet", "name": "blocked4", "table": "ops", "type": "ipv4_addr", "handle": 1, "flags": ["interval", "timeout"],
             "elem": [ONE_SAID, MANY_SAID], "stmt": [{"counter": None}]}},
    {"set": {"family": "inet", "name": "blocked6", "table": "ops", "type": "ipv6_addr", "handle": 2, "flags": ["interval", "timeout"],
             "stmt": [{"counter": None}]}},
    {"chain": {"family": "inet", "table": "ops", "name": "prerouting", "handle": 3, "type": "filter", "hook": "prerouting", "prio": -300,
               "policy": "accept"}},
    rule("ip", "blocked4"),
    rule("ip6", "blocked6"),
]}  # fmt: skip
ONE = Block(ipaddress.ip_network("192.0.2.1"), NOW + 3599, "ada: x", 3, 180)
MANY = Block(ipaddress.ip_network("198.51.100.0/24"), NOW + 99, "", 0, 0)


def changed(change):
    answer = copy.deepcopy(ANSWER)
    change(answer["nftables"])
    return _nftables.parse(answer, NOW)


def test_a_table_as_it_should_be():
    assert _nftables.parse(ANSWER, NOW) == State([ONE, MANY], [], True)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda entries: entries.pop(3), "the set blocked6 is missing"),
        (lambda entries: entries[2]["set"].update(flags=["interval"]), "the set blocked4 is missing or another one"),
        (lambda entries: entries.pop(4), "the chain prerouting is missing"),
        (lambda entries: entries[4]["chain"].update(prio=0), "hooked elsewhere"),
        (lambda entries: entries.pop(5), "the rules that drop are missing"),
        (lambda entries: entries[6]["rule"]["expr"].pop(), "the rules that drop"),
        (lambda entries: entries[3]["set"].update(elem=[{"range": ["2001:db8::", "2001:db8::2"]}]), "2001:db8::/127 was added by hand"),
    ],
)
def test_what_somebody_changed_is_seen(change, problem):
    state = changed(change)
    assert len(state.problems) == 1
    assert problem in state.problems[0]


def test_an_address_added_by_hand_never_ends():
    state = changed(lambda entries: entries[2]["set"]["elem"].append("192.0.2.9"))
    assert state.blocks[-1] == Block(ipaddress.ip_network("192.0.2.9"), None, "", 0, 0)


def test_commands_change_what_differs_and_nothing_else():
    longer = ONE._replace(expires_at=NOW + 7200)
    plan = Plan([ONE, MANY], [longer], [longer], [ONE, MANY])
    assert _nftables.commands("ops", State([ONE, MANY], [], True), plan, NOW) == [
        {"delete": {"element": {"family": "inet", "table": "ops", "name": "blocked4",
                                "elem": ["192.0.2.1", {"prefix": {"addr": "198.51.100.0", "len": 24}}]}}},
        {"add": {"element": {"family": "inet", "table": "ops", "name": "blocked4", "elem": [
            {"elem": {"val": "192.0.2.1", "timeout": 7200, "comment": "ada: x"}}]}}},
    ]  # fmt: skip


@pytest.mark.parametrize("state", [State([ONE], ["the rules are others"], True), State([], [], False)])
def test_a_table_that_is_not_as_it_should_be_is_made_anew_with_its_blocks(state):
    plan = Plan(state.blocks, [ONE, MANY], [MANY], [])
    found = _nftables.commands("ops", state, plan, NOW)
    assert [next(iter(one)) for one in found[:3]] == ["add", "delete", "add"]
    assert [kind for one in found[3:] for kind in one["add"]] == ["set", "set", "chain", "rule", "rule", "element"]
    assert len(found[-1]["add"]["element"]["elem"]) == 2


def test_what_it_writes_is_what_it_finds_to_be_as_it_should():
    rows = [row["add"] for row in _nftables.commands("ops", State([], [], False), Plan([], [ONE], [ONE], []), NOW)[2:-1]]
    assert _nftables.parse({"nftables": rows}, NOW).problems == []


class Nft:
    """Programs that answer as they are told."""

    def __init__(self, *answers, there=("nft", "conntrack")):
        self.answers, self.there, self.asked = list(answers), there, []

    def run(self, argv, data):
        self.asked.append((argv, data))
        return self.answers.pop(0)

    def path(self, name):
        return "/usr/sbin/" + name if name in self.there else None

    def own(self):
        return _nftables.Nftables(self.run, self.path, "ops")


NO_TABLE = "Error: No such file or directory\nlist table inet ops\n                ^^^\n"
NOT_ROOT = "Error: Operation not permitted (you must be root)\n"


def test_no_table_is_nothing_blocked():
    assert Nft((1, "", NO_TABLE)).own().read(NOW) == State([], [], False)


@pytest.mark.parametrize(
    ("nft", "sentence"),
    [
        (Nft(there=()), "nft is not installed"),
        (Nft((1, "", NOT_ROOT)), r"Run it as root \(become: true\)"),
        (Nft((1, "", "")), "it says nothing"),
    ],
)
def test_what_cannot_be_read_is_said(nft, sentence):
    with pytest.raises(OpsError, match=sentence):
        nft.own().read(NOW)


def test_all_is_one_transaction():
    nft = Nft((0, json.dumps(ANSWER), ""), (0, "", ""))
    own = nft.own()
    state = own.read(NOW)
    own.apply(state, _firewall.absent(state.blocks, [ONE.network]), NOW)
    argv, data = nft.asked[1]
    assert argv == ["/usr/sbin/nft", "-j", "-f", "-"]
    assert json.loads(data)["nftables"][0]["delete"]["element"]["elem"] == ["192.0.2.1"]


def test_a_refused_transaction_is_said():
    with pytest.raises(OpsError, match="was not changed: nft says 'Error: Could not process rule'"):
        Nft((1, "", "Error: Could not process rule\n")).own().apply(State([], [], True), Plan([], [ONE], [ONE], []), NOW)


def test_connections_are_ended_from_and_to():
    said = "conntrack v1.4.7 (conntrack-tools): {0} flow entries have been deleted."
    nft = Nft((0, "tcp 6", said.format(3)), (1, "", said.format(0)))
    assert nft.own().forget([ipaddress.ip_network("2001:db8::1")]) == 3
    assert nft.asked[0][0][1:] == ["-D", "-f", "ipv6", "--orig-src", "2001:db8::1/128"]
    assert nft.asked[1][0][4] == "--orig-dst"


def test_without_conntrack_nobody_knows():
    assert Nft(there=("nft",)).own().forget([ONE.network]) is None
