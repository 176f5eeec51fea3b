import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.certificates import DAY, NOW, signed

ROOT = signed("Root", authority=True, ends=900)
MIDDLE = ROOT.below("Middle", authority=True, ends=300)
LEAF = MIDDLE.below("a.test", names=["a.test", "www.a.test"])
CERTIFICATE = _x509.describe(LEAF.der)


def described(*pairs):
    return [_x509.describe(pair.der) for pair in pairs]


@pytest.mark.parametrize(
    ("names", "wanted", "missing"),
    [
        (["a.test"], ["a.test"], []),
        (["A.test"], ["a.TEST"], []),
        (["a.test"], ["a.test", "b.test"], ["b.test"]),
        (["*.a.test"], ["www.a.test"], []),
        (["*.a.test"], ["a.test", "x.y.a.test"], ["a.test", "x.y.a.test"]),
        (["127.0.0.1"], ["127.0.0.1"], []),
        ([], ["a.test"], ["a.test"]),
    ],
)
def test_names(names, wanted, missing):
    assert _certificate.missing_names(names, wanted) == missing


def test_not_due_while_more_than_a_third_is_left():
    assert _certificate.due(CERTIFICATE, NOW, ["a.test"]) == []


@pytest.mark.parametrize(
    ("certificate", "after", "options", "words"),
    [
        (None, 0, {}, "there is none yet"),
        (CERTIFICATE, 0, {"force": True}, "forced"),
        (CERTIFICATE, 0, {"wanted": ["a.test", "b.test"]}, "not for b.test"),
        (CERTIFICATE, 60, {}, "32% of its lifetime is left, less than 33%"),
        (CERTIFICATE, 100, {}, "0% of its lifetime is left"),
        (CERTIFICATE, 0, {"fraction": 0.999}, "99% of its lifetime is left"),
        (CERTIFICATE, 0, {"window": {"start": to_iso(NOW - 2 * DAY), "end": to_iso(NOW - DAY)}}, "its authority suggests"),
    ],
)
def test_due(certificate, after, options, words):
    (reason,) = _certificate.due(certificate, NOW + after * DAY, **options)
    assert words in reason


def test_a_window_to_come_makes_nothing_due():
    assert _certificate.due(CERTIFICATE, NOW, window={"start": to_iso(NOW + DAY), "end": to_iso(NOW + 2 * DAY)}) == []


def test_the_moment_in_a_window_is_the_same_every_time_and_another_for_every_certificate():
    window = {"start": to_iso(NOW), "end": to_iso(NOW + DAY)}
    moments = {_certificate.moment_in(window, bytes([number])) for number in range(20)}
    assert len(moments) == 20 and all(NOW <= moment <= NOW + DAY for moment in moments)
    assert _certificate.moment_in(window, b"x") == _certificate.moment_in(window, b"x")


def test_a_whole_chain_is_fit():
    assert _certificate.unfit(described(LEAF, MIDDLE, ROOT), ["a.test", "www.a.test"], NOW) == []
    assert _certificate.chain_findings("x", described(LEAF, MIDDLE)) == []
    assert _certificate.chain_findings("x", None) == []


@pytest.mark.parametrize(
    ("pairs", "wanted", "after", "words"),
    [
        ((LEAF, MIDDLE), ["b.test"], 0, "it is for a.test, www.a.test, and not for b.test"),
        ((LEAF, MIDDLE), ["a.test"], 89, "it has expired"),
        ((LEAF, MIDDLE), ["a.test"], -2, "valid only from"),
        ((LEAF, ROOT), ["a.test"], 0, "sends Root after a.test, which Middle issued"),
        ((MIDDLE, ROOT), [], 0, "an authority's own"),
    ],
)
def test_unfit(pairs, wanted, after, words):
    (reason,) = _certificate.unfit(described(*pairs), wanted, NOW + after * DAY)
    assert words in reason


def test_an_issuer_that_ends_earlier_is_told():
    short = ROOT.below("Short", authority=True, ends=10)
    (found,) = _certificate.chain_findings("x", described(short.below("a.test", names=["a.test"]), short))
    assert found[:2] == ("degraded", "chain_expires")


def test_what_is_told_of_none_is_none():
    assert _certificate.told(None) is None
    assert set(_certificate.told(CERTIFICATE)) == {"subject", "issuer", "names", "serial", "fingerprint_sha256", "not_before", "not_after"}
