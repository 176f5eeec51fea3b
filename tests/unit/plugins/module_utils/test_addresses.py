import ipaddress

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

OPERATOR = {"guard": "operator", "addresses": ["203.0.113.9"]}
MANAGEMENT = {"guard": "management", "addresses": ["198.51.100.0/24", ""]}


def refused(texts, protected=(), overrides=(), own=()):
    others = _addresses.spared(protected) + [_addresses.found_out(guard, ipaddress.ip_network(text)) for guard, text in own]
    return _addresses.refusals(_addresses.networks(texts), others, overrides)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.0/24 ", "203.0.113.0/24"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_what_a_text_means(text, means):
    assert str(_addresses.network(text)) == means


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("example.org", "is no address and no network"),
        ("203.0.113", "is no address and no network"),
        ("203.0.113.7/24", "Write 203.0.113.7 for the one or 203.0.113.0/24 for the other"),
        ("", "is no address"),
    ],
)
def test_what_means_nothing_is_refused(text, sentence):
    with pytest.raises(OpsError, match=sentence):
        _addresses.network(text)


def test_each_network_counts_once_and_none_inside_another():
    found = _addresses.networks(["2001:db8::1", "203.0.113.7", "203.0.113.0/24", "203.0.113.0/24"])
    assert [_addresses.told(one) for one in found] == ["203.0.113.0/24", "2001:db8::1"]


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", "::/0", "::1", "224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0"]
)
def test_what_no_override_lifts(text):
    left, _lifted = refused([text], overrides=_addresses.OVERRIDABLE)
    assert "never" in {refusal.guard for refusal in left}
    assert "no override lifts that" in _addresses.refused(left).message


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("10.1.2.3", "private"),
        ("192.168.1.100", "private"),
        ("172.31.0.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("fe80::1", "private"),
        ("198.18.0.0/15", "breadth"),
        ("2001:d00::/24", "breadth"),
        ("203.0.113.9", "operator"),
        ("203.0.113.0/24", "operator"),
        ("198.51.100.200", "management"),
    ],
)
def test_each_guard_refuses_and_is_lifted_by_its_name(text, guard):
    left, _lifted = refused([text], [OPERATOR, MANAGEMENT])
    assert [refusal.guard for refusal in left] == [guard]
    assert "override {0} (ops_override with ops_reason)".format(guard) in _addresses.refused(left).message
    left, lifted = refused([text], [OPERATOR, MANAGEMENT], [guard])
    assert not left
    assert [refusal.guard for refusal in lifted] == [guard]


@pytest.mark.parametrize(("guard", "text"), [("own", "10.0.0.5/32"), ("gateway", "10.0.0.1/32"), ("bridge", "172.17.0.0/16")])
def test_what_the_host_needs_itself_stands_whatever_is_overridden(guard, text):
    left, _lifted = refused([text.partition("/")[0]], own=[(guard, text)], overrides=_addresses.OVERRIDABLE)
    assert [refusal.guard for refusal in left] == [guard]


def test_an_ordinary_address_is_not_refused():
    assert refused(["203.0.113.7", "203.0.113.128/25", "2001:db8::1"], [OPERATOR, MANAGEMENT]) == ([], [])


def test_all_overrides_that_are_needed_are_named_at_once():
    left, _lifted = refused(["10.0.0.9", "203.0.113.9"], [OPERATOR])
    assert "override private, operator (" in _addresses.refused(left).message
