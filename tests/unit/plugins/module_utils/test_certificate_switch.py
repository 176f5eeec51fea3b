import contextlib
import types

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate_switch, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._certificate_store import Store
from ansible_collections.astraldraft.ops.plugins.module_utils._certificate_switch import HookError, Server, Switch, run_hooks
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.certificates import signed

ROOT = signed("Root", authority=True)
OLD, NEW = (ROOT.below("localhost", names=["localhost"], begins=-days) for days in (2, 1))


class Balancer:
    """An nginx by what it is told. ``faults`` are the words of what it does not do, each once."""

    def __init__(self, store, *faults):
        self.store, self.faults, self.told, self.pending = store, list(faults), [], False
        self.serves = store.installed().der
        self.container = types.SimpleNamespace(name="c-nginx-1")

    def _fails(self, word):
        self.told.append(word)
        if word in self.faults:
            self.faults.remove(word)
            return True
        return False

    def inside(self, *parts):
        return "/".join(("/etc/nginx/tls", *parts))

    def test_candidate(self, content, what):
        assert "/etc/nginx/tls/versions/" in content
        if self._fails("candidate"):
            raise OpsError(f"nginx refuses {what}, so nothing was switched: it says so", nginx_output="it says so")

    def test(self):
        if self._fails("test"):
            raise OpsError("nginx in c-nginx-1 refuses its configuration")

    def begin(self):
        self.pending = True

    def settled(self):
        self.pending = False

    def load(self, _module, settle):
        assert not settle, "the mark of a switch was taken away before the certificate was proved"
        if not self._fails("reload"):
            self.serves = self.store.installed().der
        if self._fails("load"):
            raise OpsError("nginx in c-nginx-1 did not load the new configuration within 0 s. nginx says: some words")
        return [1], 0.1


@pytest.fixture
def world(tmp_path):
    (tmp_path / "server.crt").write_text(OLD.pem)
    (tmp_path / "server.key").write_text(OLD.key_pem)
    store = Store(str(tmp_path))
    store.adopt()
    version = store.add(NEW.pem, NEW.key_pem)
    params = {"wait_timeout": 0, "hook_timeout": 30.0}
    module = types.SimpleNamespace(params=params, heartbeat=lambda: None, fence=lambda: None)

    def make(*faults, flaw=None):
        balancer = Balancer(store, *faults)

        def objection(fingerprint, verify=True):
            if _x509.fingerprint(balancer.serves) != fingerprint:
                return "x serves another certificate"
            return flaw if verify else None

        return Switch(module, store, balancer, types.SimpleNamespace(objection=objection), version), balancer

    return types.SimpleNamespace(store=store, module=module, make=make)


def test_it_is_served_and_the_mark_stays_until_all_is_done(world):
    switch, balancer = world.make()
    switch.make(_x509.fingerprint(NEW.der))
    assert balancer.serves == NEW.der and balancer.pending and switch.reload_seconds is not None
    switch.done()
    assert not balancer.pending


def test_a_candidate_that_nginx_refuses_is_never_switched_to(world):
    switch, balancer = world.make("candidate")
    with pytest.raises(OpsError, match="refuses the new certificate, so nothing was switched"):
        switch.make(_x509.fingerprint(NEW.der))
    assert balancer.told == ["candidate"] and not balancer.pending and world.store.installed().der == OLD.der


@pytest.mark.parametrize(
    ("fault", "flaw", "words"),
    [
        ("test", None, "refuses its configuration"),
        ("load", None, "did not load the new configuration within 0 s. nginx says: some words"),
        ("reload", None, "After the reload x serves another certificate"),
        ("none", "its issuer is not known here.", "After the reload its issuer is not known here"),
    ],
)
def test_what_does_not_work_is_taken_back_and_that_is_said(world, fault, flaw, words):
    switch, balancer = world.make(fault, flaw=flaw)
    with pytest.raises(OpsError, match="The certificate before is back in its place, and is the one that is served") as caught:
        switch.make(_x509.fingerprint(NEW.der))
    assert words in caught.value.message and caught.value.evidence["restored"] is True
    assert balancer.serves == OLD.der and not balancer.pending and world.store.installed().der == OLD.der


def test_when_going_back_fails_too_that_is_said_and_the_mark_stays(world):
    switch, balancer = world.make("load", "test")
    balancer.faults = ["load"]
    test, calls = balancer.test, []

    def twice():
        calls.append(1)
        if len(calls) == 2:
            raise OpsError("nginx is broken.")
        test()

    balancer.test = twice
    with pytest.raises(OpsError, match=r"was put back in its place, but: nginx is broken\. Look at once: docker exec c-nginx-1") as caught:
        switch.make(_x509.fingerprint(NEW.der))
    assert caught.value.evidence["restored"] is False and balancer.pending


def test_who_has_lost_the_lock_takes_nothing_back(world):
    switch, balancer = world.make("load")
    fences = iter([None])

    def fence():
        if next(fences, "lost") == "lost":
            raise OpsError("Somebody else has the lock.")

    world.module.fence = fence
    with pytest.raises(OpsError, match="Somebody else has the lock"):
        switch.make(_x509.fingerprint(NEW.der))
    assert balancer.pending and world.store.installed().der == NEW.der and balancer.told.count("reload") == 1


def test_an_interrupted_switch_goes_back_to_the_one_before_that(world):
    world.store.switch(world.store.add(NEW.pem, NEW.key_pem))
    switch, balancer = world.make(flaw="no good")
    with pytest.raises(OpsError, match="is back in its place"):
        switch.make(_x509.fingerprint(NEW.der))
    assert balancer.serves == OLD.der


def test_hooks_run_in_order_and_are_told_what_certbot_would_tell(world, tmp_path):
    told = tmp_path / "told"
    hooks = [["sh", "-c", f'echo "$RENEWED_LINEAGE $RENEWED_DOMAINS" >>{told}'], ["sh", "-c", f"echo two >>{told}"]]
    run_hooks(world.module, hooks, {"RENEWED_LINEAGE": "/x", "RENEWED_DOMAINS": "a b"})
    assert told.read_text() == "/x a b\ntwo\n"


def test_a_hook_that_fails_is_named_with_its_last_words(world):
    with pytest.raises(HookError, match=r"The hook sh failed with exit code 3: no such service\.") as caught:
        run_hooks(world.module, [["true"], ["sh", "-c", "echo no such service >&2; exit 3"], ["true"]], {})
    assert caught.value.number == 1


def test_a_hook_that_hangs_is_ended(world):
    world.module.params["hook_timeout"] = 0.2
    with pytest.raises(HookError, match=r"longer than 0\.2 s"):
        run_hooks(world.module, [["sleep", "60"]], {})


@contextlib.contextmanager
def server(tmp_path, pair, chain=ROOT):
    (tmp_path / "s.crt").write_text(pair.pem + chain.pem)
    (tmp_path / "s.key").write_text(pair.key_pem)
    (tmp_path / "ca.pem").write_text(ROOT.pem)
    with bad.serving(bad.hanging, bad.tls_context(tmp_path / "s.crt", tmp_path / "s.key")) as port:
        params = {"host": "127.0.0.1", "port": port, "names": ["localhost"], "ca_path": str(tmp_path / "ca.pem")}
        yield params | {"validate_certs": True, "timeout": 20.0}


def test_what_is_served_is_compared_and_verified(tmp_path):
    with server(tmp_path, NEW) as params:
        found = Server(params)
        assert found.certificate().der == NEW.der
        assert found.objection(_x509.fingerprint(NEW.der)) is None
        assert "serves another certificate under localhost" in found.objection(_x509.fingerprint(OLD.der))
        other = Server(dict(params, names=["other.test"]))
        assert "for another host" in other.objection(_x509.fingerprint(NEW.der))
        assert other.objection(_x509.fingerprint(NEW.der), verify=False) is None
        assert Server(dict(params, names=["other.test"], validate_certs=False)).objection(_x509.fingerprint(NEW.der)) is None


def test_nobody_serves():
    params = {"host": "127.0.0.1", "port": bad.free_port(), "names": ["a"], "ca_path": None, "validate_certs": True, "timeout": 1.0}
    assert Server(params).seen() is None
    assert "refused" in Server(params).objection("x")
    assert _certificate_switch.IN_A_ROW > 1
