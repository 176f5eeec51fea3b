# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of a cache, without a server."""

from __future__ import annotations

import types

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_backup as backup
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_backup_verify as verify
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_rdb as rdb
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_restore as restore
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_topology import Member, Topology

# As redis-check-rdb of 8.0 and of 7.0 say it.
WHOLE = """[offset 0] Checking RDB file /tmp/x.rdb
[offset 26] AUX FIELD redis-ver = '8.0.2'
[offset 52] AUX FIELD ctime = '1795921936'
[offset 135] AUX FIELD repl-id = '0d6f03e3'
[offset 164] Selecting DB ID 0
[offset 217] Checksum OK
[offset 217] \\o/ RDB looks OK! \\o/
[info] 3 keys read
[info] 1 expires
[info] 0 already expired
[info] 0 subexpires
"""
CUT = """[offset 0] Checking RDB file y.rdb
[offset 26] AUX FIELD redis-ver = '7.0.15'
--- RDB ERROR DETECTED ---
[offset 54] Unexpected EOF reading RDB file
[additional info] While doing: read-aux
[info] 0 keys read
[info] 0 expires
[info] 0 already expired
"""
LOGIN = {
    "login_user": None, "login_password": None, "tls": False, "validate_certs": True, "ca_path": None, "client_cert": None,
    "client_key": None,
}  # fmt: skip


def member(number, slots=(), moving=(), flags=(), role="primary"):
    return Member("id{0}".format(number), "10.0.0.{0}".format(number), 6379, role, "", list(slots), list(moving), flags)


def cluster(*members):
    return Topology("cluster", list(members), "10.0.0.1:6379", {})


THIRDS = [(0, 5460), (5461, 10922), (10923, 16383)]


def thirds(**of_the_last):
    return [member(1, [THIRDS[0]]), member(2, [THIRDS[1]]), member(3, [THIRDS[2]], **of_the_last)]


def test_what_was_read_is_what_was_said():
    assert rdb.parse_read(WHOLE) == rdb.Read("8.0.2", 1795921936.0, 3, 1, None, "0d6f03e3")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (CUT, "Unexpected EOF reading RDB file, at byte 54"),
        ("Wrong signature trying to load DB from file", "Wrong signature trying to load DB from file"),
        ("", "it said nothing"),
    ],
)
def test_what_cannot_be_read_says_why(said, error):
    assert rdb.parse_read(said).error == error


@pytest.mark.parametrize(
    ("more", "argv"),
    [
        ({}, ["redis-cli", "-h", "db", "-p", "6379"]),
        ({"login_user": "ada"}, ["redis-cli", "-h", "db", "-p", "6379", "--user", "ada"]),
        (
            {"tls": True, "ca_path": "/ca", "client_cert": "/c", "client_key": "/k"},
            ["redis-cli", "-h", "db", "-p", "6379", "--tls", "--cacert", "/ca", "--cert", "/c", "--key", "/k"],
        ),
        ({"tls": True, "validate_certs": False}, ["redis-cli", "-h", "db", "-p", "6379", "--tls", "--insecure"]),
    ],
)
def test_every_option_reaches_redis_cli(more, argv):
    assert rdb.client_argv(dict(LOGIN, **more), "db", 6379) == argv


def test_a_password_is_in_no_argument(tmp_path):
    place = Host(None, suite=rdb.REDIS)
    login, passfile = rdb.login_at(place, {**LOGIN, "login_password": "its secret"}, str(tmp_path))
    assert "its secret" not in " ".join(rdb.client_argv(login, "db", 6379, passfile))
    assert (tmp_path / "password").read_text() == "its secret" and (tmp_path / "password").stat().st_mode & 0o077 == 0


def test_certificates_are_brought_to_where_the_tools_are(tmp_path):
    (tmp_path / "ca.pem").write_text("ca")
    brought = {}

    def put(_folder, members):
        brought.update({name: chunks for name, _size, chunks in members})

    place = types.SimpleNamespace(direct=False, put=put)
    login, passfile = rdb.login_at(place, dict(LOGIN, tls=True, ca_path=str(tmp_path / "ca.pem")), "/there")
    assert (login["ca_path"], passfile, brought) == ("/there/ca_path", None, {"ca_path": [b"ca"]})


@pytest.mark.parametrize(
    ("topology", "complaint"),
    [
        (cluster(*thirds()), None),
        (cluster(*thirds(flags=("fail",))), "10.0.0.3:6379 is down"),
        (cluster(*thirds(moving=[5])), "Slots are moving from or to 10.0.0.3:6379"),
        (cluster(*thirds()[:2]), "10923 of 16384 slots are served"),
        (Topology("single", [member(1, role="replica")], "", {}), "10.0.0.1:6379 is a replica"),
        (Topology("single", [member(1)], "", {}), None),
    ],
)
def test_no_key_may_be_missing(topology, complaint):
    if complaint is None:
        backup.refuse_incomplete(topology)
    else:
        with pytest.raises(OpsError, match=complaint):
            backup.refuse_incomplete(topology)


def test_the_snapshot_of_another_server_is_none():
    source = backup.Source(member(1), "8.0.2", 1, None, 6379, 0, "a")
    for replid in ("a", None):
        backup.refuse_others([source], [rdb.Read("8.0.2", 0.0, 3, 1, None, replid)])
    with pytest.raises(OpsError, match="reached another server than 10"):
        backup.refuse_others([source], [rdb.Read("8.0.2", 0.0, 3, 1, None, "b")])


def test_two_primaries_have_two_files():
    names = {backup.name_of(one) for one in (member(1), member(2), member(1)._replace(port=6380), member(1)._replace(host="fd00::1"))}
    assert names == {"10.0.0.1_6379.rdb", "10.0.0.2_6379.rdb", "10.0.0.1_6380.rdb", "fd00__1_6379.rdb"}


def manifest(*keys, memory=1 << 20):
    rows = [{"file": "{0}.rdb".format(n), "keys": count, "expires": 1, "memory_bytes": memory} for n, count in enumerate(keys)]
    return {
        "version": 1, "name": "backup_test_20261124_100000", "kind": "cache", "purpose": "ordinary", "environment": "test",
        "database": "cache", "snapshot_at": "2026-11-24T10:00:00.000Z", "seconds": 4.0, "bytes": 1000, "database_bytes": 10 << 20,
        "server_version": "7.2.4", "encrypted": False, "primaries": rows, "files": [],
    }  # fmt: skip


def test_its_manifest_is_one_and_its_entry_counts_keys(tmp_path):
    (tmp_path / "manifest.json").write_text(manifests.write_text(manifest(3, 4)))
    found, sha256 = manifests.read(str(tmp_path))
    entry = catalogues.entry_of(found, sha256, 0.0)
    assert (entry["key_count"], entry["primaries"], entry["tables"], entry["rows"]) == (7, 2, None, None)


def test_a_manifest_of_another_kind_is_none(tmp_path):
    (tmp_path / "manifest.json").write_text(manifests.write_text(dict(manifest(3), kind="database")))
    with pytest.raises(OpsError, match="is no manifest of a backup"):
        manifests.read(str(tmp_path))


@pytest.mark.parametrize(
    ("read", "findings"),
    [
        (rdb.Read("7.2.4", 0.0, 3, 1, None), []),
        (rdb.Read("7.2.4", 0.0, 2, 1, None), ["0.rdb has 2 keys, not 3."]),
        (rdb.Read("7.2.4", 0.0, 3, 0, None), ["0.rdb has 0 keys that expire, not 1."]),
        (rdb.Read("7.2.4", 0.0, 0, 0, "Unexpected EOF"), ["0.rdb cannot be read: Unexpected EOF."]),
    ],
)
def test_a_snapshot_is_held_against_the_manifest(read, findings):
    assert verify.compare_read(manifest(3)["primaries"][0], read) == findings


def test_what_a_server_loaded_is_held_against_it_too():
    row = manifest(3)["primaries"][0]
    assert verify.compare_loaded(row, {0: 2, 3: 1}) == []
    assert verify.compare_loaded(row, {0: 2}) == ["Of 0.rdb a server has 2 keys, not 3."]


def test_nobody_is_killed_for_a_verification():
    verify.demand_memory(manifest(3, memory=10 << 20), 12 << 20)
    verify.demand_memory(manifest(3, memory=10 << 20), None)
    with pytest.raises(OpsError, match="takes 12 MiB of memory, and 11 MiB are available"):
        verify.demand_memory(manifest(3, memory=10 << 20), 11 << 20)


def cache(version="7.2.5", free=None):
    return types.SimpleNamespace(sources=[backup.Source(member(1), version, 1, free, 6379, 0, "a")])


@pytest.mark.parametrize(
    ("target", "existing", "there", "complaint"),
    [
        (cache(), "refuse", 0, None),
        (cache(), "keep", 5, None),
        (cache(), "refuse", 5, "has 5 keys already"),
        (cache("7.0.15"), "refuse", 0, "The backup is of Redis 7.2.4, and the cache of 7.0.15"),
        (cache("8.0.2"), "refuse", 0, None),
        (cache(free=5 << 20), "refuse", 0, "The keys take 10 MiB of memory, and the cache has 5 MiB left"),
        (cache(free=50 << 20), "refuse", 0, None),
    ],
)
def test_a_cache_is_given_only_what_it_can_take(target, existing, there, complaint):
    entry = catalogues.entry_of(manifest(3), "", 0.0)
    if complaint is None:
        restore.refuse_target(target, entry, existing, there)
    else:
        with pytest.raises(OpsError, match=complaint):
            restore.refuse_target(target, entry, existing, there)


def test_a_cluster_has_one_database():
    restore.refuse_databases({0: 1, 3: 1}, "single")
    restore.refuse_databases({0: 1}, "cluster")
    with pytest.raises(OpsError, match="keys in database 3"):
        restore.refuse_databases({0: 1, 3: 1}, "cluster")


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"used_memory": "1000", "used_memory_dataset": "400"}, 400),
        ({"used_memory": "1000", "used_memory_dataset": str(2**64 - 5000)}, 1000),
        ({"used_memory": "1000"}, 0),
    ],
)
def test_what_the_keys_take_is_never_more_than_what_is_used(info, expected):
    assert backup.dataset_bytes(info) == expected
