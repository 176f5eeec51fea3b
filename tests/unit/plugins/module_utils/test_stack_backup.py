"""A set of backups and files, without servers."""

from __future__ import annotations

import json
import re
import shutil
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_store as store
from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_backup as stacks
from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_files as stack_files
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_metrics import render, teller
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import NOW, manifest

ORDER = stacks.Order("test", "stack", "ordinary", [])
HIDDEN = "a-secret-nobody-may-see"


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "secret").write_text(HIDDEN, encoding="utf-8")
    return stack_files.pack(stack_files.look([str(tmp_path / "secret")]))[0]


@pytest.fixture
def catalogue(tmp_path):
    """With one backup of a database and one of a cache."""
    found = catalogues.Catalogue(str(tmp_path / "backups"))
    (tmp_path / "backups").mkdir()
    for number, more in enumerate(({}, {"kind": "cache", "database": "cache", "primaries": [{"keys": 3}]}), start=1):
        name = "backup_test_2026112{0}_100000".format(number)
        one = manifest(name=name, snapshot_at="2026-11-2{0}T10:00:00.000Z".format(number), **more)
        folder = tmp_path / "backups" / name
        folder.mkdir()
        (folder / manifests.FILE).write_text(manifests.write_text(one), encoding="utf-8")
        store.enlist(found, one, manifests.sha256_of(manifests.write_text(one)), teller(None))
    return found


def taken(catalogue, archive, order=ORDER):
    archives = stacks.read_archives([("web-1", "environment", archive)])
    members = stacks.choose_members(catalogue.read(), [entry["name"] for entry in catalogue.read()])
    found, sha256, _parts = stacks.take(order, members, archives, catalogue, lambda: None, lambda: None)
    return store.enlist(catalogue, found, sha256, teller(None))[0]


def check(catalogue, name, level="checksum", verdict="pass"):
    with catalogue.changing() as entries:
        entry = next(entry for entry in entries if entry["name"] == name)
        catalogues.record_check(
            entry, level,
            {"at": "2026-11-24T12:00:00Z", "verdict": verdict, "findings": ["x"], "restore_seconds": 1.5, "data_age_seconds": 1},
        )  # fmt: skip


def members_of(entry):
    return entry["members"]


def verified(catalogue, entry, level="checksum"):
    found = stacks.SetVerification(catalogue.path_of(entry), entry, level, Progress(), time.time())
    one = found.files()
    if one:
        found.archives(one)
        found.members(one, catalogue)
    return found.conclude(time.monotonic())


def test_a_set_names_its_members_and_files(catalogue, archive):
    entry = taken(catalogue, archive)
    assert entry["kind"] == "stack" and entry["members"] == ["backup_test_20261121_100000", "backup_test_20261122_100000"]
    assert entry["snapshot_at"] == "2026-11-21T10:00:00.000Z", "its data is as old as its oldest member's"
    found = manifests.read(catalogue.path_of(entry), entry["manifest_sha256"])[0]
    assert [member["kind"] for member in found["members"]] == ["database", "cache"]
    (line,) = found["archives"]
    assert line["file"] == "files/environment/web-1.tar.gz" and line["files"][-1]["bytes"] == len(HIDDEN)
    assert HIDDEN not in json.dumps(found)
    assert [data for _line, data in stacks.stored(catalogue.path_of(entry), found, None)] == [archive]
    assert catalogues.find(catalogue.read(), "latest", "stack") == entry


def test_no_hash_by_which_a_secret_could_be_guessed_lies_beside_an_encrypted_archive(archive):
    archives = stacks.read_archives([("web-1", "environment", archive)])
    found = stacks._describe(ORDER._replace(recipients=["age1x"]), "backup_test_1", [], archives, [], time.time(), {})
    assert {row["sha256"] for row in found["archives"][0]["files"]} == {None} and found["encrypted"]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "a b"])
def test_a_name_that_cannot_be_a_files_is_refused(archive, name):
    with pytest.raises(OpsError, match="cannot be the name of a file"):
        stacks.read_archives([("web-1", name, archive)])
    with pytest.raises(OpsError, match="cannot be the name of a file"):
        stacks.read_archives([(name, "nginx", archive)])


@pytest.mark.parametrize("name", ["web-1.example.org", "10.0.0.7", "fe80::1", "[fe80::1]", "ops@web"])
def test_the_names_of_hosts_are_taken(archive, name):
    assert stacks.read_archives([(name, "nginx", archive)])[0].host == name


def test_one_part_of_a_host_is_given_once(archive):
    with pytest.raises(OpsError, match="nginx of web-1 is given twice"):
        stacks.read_archives([("web-1", "nginx", archive)] * 2)


def test_what_is_no_archive_is_refused():
    with pytest.raises(OpsError, match="nginx of web-1 cannot be kept: it is cut off or altered"):
        stacks.read_archives([("web-1", "nginx", b"nothing")])


def test_members_have_to_be_there_and_sound(catalogue, archive):
    with pytest.raises(OpsError, match="lists no backup x that a set could have"):
        stacks.choose_members(catalogue.read(), ["x"])
    assert stacks.choose_members(catalogue.read(), ["x"], lambda name: name == "x") == []
    stack = taken(catalogue, archive)
    with pytest.raises(OpsError, match="that a set could have"):
        stacks.choose_members(catalogue.read(), [stack["name"]])
    check(catalogue, "backup_test_20261121_100000", verdict="fail")
    with pytest.raises(OpsError, match="20261121_100000 is marked bad, and no member of a set"):
        stacks.choose_members(catalogue.read(), ["backup_test_20261121_100000"])


def test_a_set_is_sound_when_its_members_are(catalogue, archive):
    entry = taken(catalogue, archive)
    with pytest.raises(OpsError, match=r"20261121_100000 was not verified \(checksum\), so nothing is known of the set"):
        verified(catalogue, entry)
    for name in members_of(entry):
        check(catalogue, name)
    assert verified(catalogue, entry)["verdict"] == "pass" and verified(catalogue, entry)["restore_seconds"] is None
    with pytest.raises(OpsError, match=r"was not verified \(restore\)"):
        verified(catalogue, entry, "restore")
    for name in members_of(entry):
        check(catalogue, name, "restore")
    assert verified(catalogue, entry, "restore")["restore_seconds"] == 3.0


def remove_entry(catalogue, name):
    with catalogue.changing() as entries:
        entries[:] = [entry for entry in entries if entry["name"] != name]


def remove_folder(catalogue, name):
    shutil.rmtree("{0}/{1}".format(catalogue.folder, name))


def mark_bad(catalogue, name):
    check(catalogue, name, verdict="fail")


def alter(catalogue, name):
    with open("{0}/{1}/{2}".format(catalogue.folder, name, manifests.FILE), "a", encoding="utf-8") as stream:
        stream.write(" ")


def replace(catalogue, name):
    with catalogue.changing() as entries:
        next(entry for entry in entries if entry["name"] == name)["manifest_sha256"] = "another"


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (remove_entry, "is not there any more"),
        (remove_folder, "is not there any more"),
        (mark_bad, "is bad: x"),
        (alter, "is altered: .*its hash differs"),
        (replace, "is another one than .*its manifest differs"),
    ],
)
def test_what_happened_to_a_member_is_found(catalogue, archive, harm, words):
    entry = taken(catalogue, archive)
    for name in members_of(entry):
        check(catalogue, name)
    harm(catalogue, members_of(entry)[1])
    found = verified(catalogue, entry)
    assert found["verdict"] == "fail" and len(found["findings"]) == 1
    assert re.match("backup_test_20261122_100000, its cache backup, " + words, found["findings"][0])


def test_an_archive_that_is_altered_is_found(catalogue, archive):
    entry = taken(catalogue, archive)
    path = catalogue.path_of(entry) + "/files/environment/web-1.tar.gz"
    with open(path, "r+b") as stream:
        stream.seek(-3, 2)
        stream.write(b"x")
    assert verified(catalogue, entry)["findings"] == ["files/environment/web-1.tar.gz was altered: its hash differs."]
    with pytest.raises(OpsError, match="is not what was written, and nothing was taken from it: files/environment"):
        stacks.refuse_altered(catalogue.path_of(entry), manifests.read(catalogue.path_of(entry))[0])


def test_an_archive_whose_files_are_others_is_found_whatever_its_hash_says(archive, tmp_path):
    line = {"file": "files/a/b.tar.gz", "files": [stack_files.row(entry) for entry in stack_files.unpack(archive)]}
    assert stacks.compare_rows(line, line["files"]) == []
    assert stacks.compare_rows(line, line["files"][:-1]) == ["files/a/b.tar.gz has no {0}.".format(tmp_path / "secret")]
    more = [*line["files"], dict(line["files"][-1], path="/more")]
    assert stacks.compare_rows(line, more) == ["files/a/b.tar.gz has /more, which the manifest does not know."]
    looser = [*line["files"][:-1], dict(line["files"][-1], mode="0777")]
    assert stacks.compare_rows(line, looser) == ["{0} in files/a/b.tar.gz is not what the manifest says.".format(tmp_path / "secret")]


def test_the_metrics_know_it(catalogue, archive):
    entry = taken(catalogue, archive)
    for name in members_of(entry):
        check(catalogue, name, "restore")
    check(catalogue, entry["name"], "restore")
    assert 'astraldraft_backup_restore_seconds{database="stack",environment="test",kind="stack"} 1.5' in render(catalogue.read())


def test_a_lost_catalogue_lists_it_again(catalogue, archive):
    entry = taken(catalogue, archive)
    entries = []
    assert entry["name"] in store.adopt_strays(catalogue, entries, NOW)
    assert next(one for one in entries if one["kind"] == "stack")["members"] == entry["members"]


AGE = """#!/bin/sh
if [ "$1" = -r ]; then printf sealed; exec cat; fi
[ "$3" = key ] && exec tail -c +7 "$4"
echo no identity >&2
exit 1
"""


def test_an_encrypted_set_is_read_with_the_key_alone(catalogue, archive, tmp_path, monkeypatch):
    """By a program that stands for age: seals with a word in front, and opens with the identity key."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "age").write_text(AGE, encoding="utf-8")
    (tmp_path / "bin" / "age").chmod(0o700)
    monkeypatch.setenv("PATH", "{0}:/usr/bin:/bin".format(tmp_path / "bin"))
    entry = taken(catalogue, archive, ORDER._replace(recipients=["age1x"]))
    folder = catalogue.path_of(entry)
    found = manifests.read(folder, entry["manifest_sha256"])[0]
    assert [line["path"] for line in found["files"]] == ["files/environment/web-1.tar.gz.age"]
    assert [data for _line, data in stacks.stored(folder, found, "key")] == [archive]
    for identity, words in ((None, "no key was given"), ("another", "could not decrypt")):
        with pytest.raises(OpsError, match=words):
            list(stacks.stored(folder, found, identity))
    for name in members_of(entry):
        check(catalogue, name)
    job = stacks.SetVerification(folder, entry, "checksum", Progress(), time.time(), "key")
    job.archives(job.files())
    assert job.check["verdict"] == "pass"
