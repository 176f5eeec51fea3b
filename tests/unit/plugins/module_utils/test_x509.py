import subprocess

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _x509
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.certificates import DAY, NOW, signed

ROOT = signed("Root", authority=True)
NAMES = ["astraldraft.test", "*.astraldraft.test", "192.0.2.7", "2001:db8::7"]
LEAF = ROOT.below("astraldraft.test", names=NAMES, serial=0x00C0FFEE0000000000000000000000000000FF)


def openssl(der, *options):
    shown = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", *options], input=der, capture_output=True, check=True)
    return shown.stdout.decode().strip().partition("=")[2]


def test_everything_that_is_asked_for_is_read():
    found = _x509.describe(LEAF.der)
    assert (found.subject, found.issuer, found.names, found.authority) == ("astraldraft.test", "Root", NAMES, False)
    assert (found.not_before, found.not_after) == (NOW - DAY, NOW + 89 * DAY)
    assert found.issuer_der == _x509.describe(ROOT.der).subject_der
    assert _x509.describe(ROOT.der).authority


def test_it_is_what_openssl_says():
    found = _x509.describe(LEAF.der)
    assert found.serial.upper() == openssl(LEAF.der, "-serial")
    assert _x509.fingerprint(LEAF.der) == openssl(LEAF.der, "-fingerprint", "-sha256").replace(":", "").lower()


def test_the_bytes_that_renewal_information_goes_by_are_those_of_the_certificate():
    found = _x509.describe(LEAF.der)
    assert found.serial_der == bytes.fromhex("00" + found.serial)  # DER puts a zero before a first bit that is set
    assert len(found.authority_key) == 20


def test_a_certificate_without_common_name_and_without_names():
    found = _x509.describe(ROOT.below("").der)
    assert (found.subject, found.names) == ("", [])


@pytest.mark.parametrize("count", [0, 1, 2, 5, 40, 200, -40, -1])
def test_what_is_cut_short_is_told_and_raises_nothing_else(count):
    with pytest.raises(ValueError):
        _x509.describe(LEAF.der[:count])


@pytest.mark.parametrize("der", [b"\x30\x00", b"\x30\x02\x30\x00", b"no certificate at all", b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_certificate_is_told(der):
    with pytest.raises(ValueError):
        _x509.describe(der)


def test_pem_goes_there_and_back():
    text = _x509.to_pem([LEAF.der, ROOT.der])
    assert text == LEAF.pem + ROOT.pem
    assert _x509.from_pem(("a comment\n" + text).encode()) == [LEAF.der, ROOT.der]


def test_damaged_pem_is_told():
    with pytest.raises(ValueError, match="damaged"):
        _x509.from_pem(b"-----BEGIN CERTIFICATE-----\nabcde\n-----END CERTIFICATE-----\n")
