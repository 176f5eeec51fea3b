import os
from pathlib import Path

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate_store, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._certificate_store import Store, version_name
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.certificates import signed

ROOT = signed("Root", authority=True)
FIRST, SECOND, THIRD = (ROOT.below("a.test", names=["a.test"], begins=-days) for days in (3, 2, 1))


def name(pair):
    return version_name(_x509.describe(pair.der))


@pytest.fixture
def store(tmp_path):
    """Plain files, as somebody put them there."""
    (tmp_path / "server.crt").write_text(FIRST.pem + ROOT.pem)
    (tmp_path / "server.key").write_text(FIRST.key_pem)
    return Store(str(tmp_path))


def served(store):
    """What a server would load: certificate and key."""
    return [Path(store.inside(file)).read_text() for file in ("server.crt", "server.key")]


def test_plain_files_become_the_first_version_and_stay_what_they_are(store):
    before = served(store)
    store.adopt()
    assert served(store) == before and store.whole() and store.current() == name(FIRST) and store.previous() is None
    assert os.readlink(store.inside("server.crt")) == "current/fullchain.pem"
    store.adopt()
    assert served(store) == before


def test_a_switch_is_one_rename_and_the_one_before_is_kept(store):
    store.adopt()
    version = store.add(SECOND.pem, SECOND.key_pem)
    assert served(store)[0].startswith(FIRST.pem)
    store.switch(version)
    assert served(store) == [SECOND.pem, SECOND.key_pem]
    assert (store.current(), store.previous()) == (name(SECOND), name(FIRST))
    store.switch(store.previous())
    assert served(store)[0].startswith(FIRST.pem)
    assert not [entry for entry in os.listdir(store.path) if entry.startswith(".")]


def test_nobody_else_reads_the_key(store):
    store.adopt()
    folder = store.inside("versions", store.current())
    assert [os.stat(path).st_mode & 0o777 for path in (folder, os.path.join(folder, "privkey.pem"))] == [0o700, 0o600]


@pytest.mark.parametrize("step", range(1, 8))
def test_broken_off_anywhere_the_same_is_served_and_the_next_run_ends_it(store, monkeypatch, step):
    before, calls, replace = served(store), [], os.replace

    def dying(*arguments):
        calls.append(arguments)
        if len(calls) == step:
            raise KeyboardInterrupt
        replace(*arguments)

    monkeypatch.setattr(_certificate_store.os, "replace", dying)
    try:
        store.adopt()
    except KeyboardInterrupt:
        assert served(store) == before
    monkeypatch.undo()
    store.adopt()
    assert served(store) == before and store.whole() and os.listdir(store.inside("versions")) == [name(FIRST)]


def test_a_first_certificate_where_there_was_none(tmp_path):
    store = Store(str(tmp_path), "site.pem", "site.key")
    store.adopt()
    assert store.installed() is None and store.current() is None
    store.switch(store.add(FIRST.pem, FIRST.key_pem))
    assert store.installed().der == FIRST.der and (tmp_path / "site.key").read_text() == FIRST.key_pem


@pytest.mark.parametrize(("certificate", "key"), [(FIRST.pem, SECOND.key_pem), ("nothing", FIRST.key_pem), (FIRST.pem, "")])
def test_plain_files_that_no_server_could_load_are_replaced_and_not_kept(tmp_path, certificate, key):
    (tmp_path / "server.crt").write_text(certificate)
    (tmp_path / "server.key").write_text(key)
    store = Store(str(tmp_path))
    store.adopt()
    assert store.current() is None and served(store) == [certificate, key]
    store.switch(store.add(THIRD.pem, THIRD.key_pem))
    assert served(store) == [THIRD.pem, THIRD.key_pem] and store.previous() is None


def test_a_key_of_another_certificate_is_refused_and_nothing_is_left_of_it(store):
    store.adopt()
    with pytest.raises(OpsError, match="no pair"):
        store.add(SECOND.pem, THIRD.key_pem)
    assert os.listdir(store.inside("versions")) == [name(FIRST)]


@pytest.mark.parametrize("key", ["", "no key", FIRST.pem])
def test_what_is_no_key_is_refused(store, key):
    with pytest.raises(OpsError, match="no pair"):
        store.add(FIRST.pem, key)


def test_the_oldest_go_but_never_the_current_one_and_the_one_before(store):
    store.adopt()
    for pair in (SECOND, THIRD):
        store.add(pair.pem, pair.key_pem)
    store.switch(name(THIRD))
    assert store.prune(1) == [name(SECOND)]
    assert sorted(os.listdir(store.inside("versions"))) == [name(FIRST), name(THIRD)]
    assert store.prune(1) == []


def test_what_was_broken_off_leaves_no_key_behind(store):
    store.adopt()
    os.mkdir(store.inside("versions", ".killed"))
    Path(store.inside("versions", ".killed", "privkey.pem")).write_text(SECOND.key_pem)
    assert store.prune(5) == [] and os.listdir(store.inside("versions")) == [name(FIRST)]


def test_what_cannot_be_read_is_no_certificate(tmp_path):
    (tmp_path / "server.crt").write_text("nothing")
    assert Store(str(tmp_path)).installed() is None
