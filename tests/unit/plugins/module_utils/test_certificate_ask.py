import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate_ask
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.certificates import signed

ROOT = signed("Root", authority=True)
MIDDLE = ROOT.below("Middle", authority=True)
PARAMS = {"fraction_warn": 0.25, "fraction_fail": 0.1, "timeout": 20.0, "server_ca_path": None, "renew_fraction": 1 / 3}


def ask(tmp_path, leaf, *chain, trusted=ROOT, **options):
    """The record of one endpoint that serves ``leaf`` and ``chain``."""
    (tmp_path / "s.crt").write_text(leaf.pem + "".join(one.pem for one in chain))
    (tmp_path / "s.key").write_text(leaf.key_pem)
    (tmp_path / "ca.pem").write_text(trusted.pem)
    with bad.serving(bad.hanging, bad.tls_context(tmp_path / "s.crt", tmp_path / "s.key")) as port:
        endpoint = {"name": None, "host": "127.0.0.1", "port": port, "names": ["localhost"], "ca_path": str(tmp_path / "ca.pem"),
                    "certificate_path": None, "server": None} | options  # fmt: skip
        [outcome] = _certificate_ask.ask_all([endpoint], PARAMS)
    return _certificate_ask.to_record(outcome)


def leaf(by=MIDDLE, names=("localhost", "www.localhost"), **options):
    return by.below("localhost", names=names, **options)


def test_a_good_one(tmp_path):
    own = leaf()
    found = ask(tmp_path, own, MIDDLE, certificate_path=str(tmp_path / "s.crt"))
    assert (found["verdict"], found["reason"], found["next"], found["verified"], found["due"]) == ("healthy", "ok", "", True, [])
    assert "localhost, www.localhost from Middle" in found["message"] and "the same on the disk" in found["message"]
    assert found["served"] == found["on_disk"] and found["served"]["issuer"] == "Middle"
    assert found["chain"] in (None, ["localhost", "Middle"])
    assert 0.95 < found["fraction_left"] < 1 and 88 < found["days_left"] <= 89


@pytest.mark.parametrize(
    ("own", "chain", "options", "verdict", "reason"),
    [
        (leaf(), (), {}, "wrong_answer", "unknown_issuer"),
        (leaf(), (MIDDLE,), {"trusted": MIDDLE.below("X", authority=True)}, "wrong_answer", "unknown_issuer"),
        (leaf(), (MIDDLE,), {"names": ["other.test"]}, "wrong_answer", "wrong_host"),
        (leaf(), (MIDDLE,), {"names": ["localhost", "other.test"]}, "wrong_answer", "missing_names"),
        (leaf(begins=-80, ends=20), (MIDDLE,), {}, "degraded", "expires_soon"),
        (leaf(begins=-80, ends=5), (MIDDLE,), {}, "wrong_answer", "expires_soon"),
        (leaf(begins=-80, ends=-5), (MIDDLE,), {}, "wrong_answer", "expired"),
        (leaf(), (MIDDLE,), {"certificate_path": "/nonexistent"}, "wrong_answer", "certificate_file"),
        (leaf(), (MIDDLE,), {"server": "http://127.0.0.1:9/dir"}, "degraded", "authority"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, own, chain, options, verdict, reason):
    found = ask(tmp_path, own, *chain, **options)
    assert (found["verdict"], found["reason"]) == (verdict, reason) and found["next"] and found["served"]


def test_another_one_lies_on_the_disk(tmp_path):
    (tmp_path / "other.crt").write_text(leaf().pem)
    found = ask(tmp_path, leaf(), MIDDLE, certificate_path=str(tmp_path / "other.crt"))
    assert found["reason"] == "stale_certificate" and found["on_disk"]["serial"] != found["served"]["serial"]


def test_what_is_due_is_told_and_is_no_fault(tmp_path):
    found = ask(tmp_path, leaf(begins=-69, ends=31), MIDDLE)
    assert found["verdict"] == "healthy" and "due to be renewed: 31% of its lifetime is left" in found["message"]


def test_nobody_answers_and_nothing_is_known():
    nothing = {"names": [], "ca_path": None, "certificate_path": None, "server": None}
    [outcome] = _certificate_ask.ask_all([{"name": "x", "host": "127.0.0.1", "port": bad.free_port()} | nothing], PARAMS)
    found = _certificate_ask.to_record(outcome)
    assert (found["name"], found["verdict"], found["served"], found["verified"]) == ("x", "refused", None, None)
