"""What is found without a server: real verifications of integration targets go on from here."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_verify import DumpVerification as Verification
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import NOW, entry, manifest

CONTENT = b"content"


@pytest.fixture
def verification(tmp_path):
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "toc.dat").write_bytes(CONTENT)
    line = {"path": "dump/toc.dat", "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    text = manifests.write_text(manifest(files=[line]))
    (tmp_path / "manifest.json").write_text(text)
    found = entry(1, manifest_sha256=manifests.sha256_of(text))
    return Verification(str(tmp_path), found, "checksum", 2, Progress(), NOW)


def test_a_whole_backup_goes_on_to_its_dump(verification):
    assert verification.files()["name"] == "backup_test_20261124_100000"
    assert verification.conclude(0.0)["verdict"] == "pass" and verification.check["data_age_seconds"] == 86400


@pytest.mark.parametrize(
    ("name", "content", "finding"),
    [
        ("dump/toc.dat", b"conten", "has 6 bytes, not 7"),
        ("dump/toc.dat", b"contenT", "was altered"),
        ("dump/more", b"", "does not belong"),
        ("manifest.json", b"{}", "not the manifest that was catalogued"),
    ],
)
def test_a_finding_ends_it(verification, tmp_path, name, content, finding):
    (tmp_path / name).write_bytes(content)
    assert verification.files() is None
    assert verification.check["verdict"] == "fail" and finding in verification.check["findings"][0]


def test_a_file_that_is_gone_is_a_finding(verification, tmp_path):
    (tmp_path / "dump" / "toc.dat").unlink()
    assert verification.files() is None and verification.check["findings"] == ["dump/toc.dat is missing."]


@pytest.mark.parametrize(
    ("level", "encrypted", "needed"), [("checksum", False, 0), ("checksum", True, 3), ("restore", False, 10), ("restore", True, 13)]
)
def test_a_disk_is_not_filled(tmp_path, monkeypatch, level, encrypted, needed):
    found = manifest(encrypted=encrypted, database_bytes=10 << 20, files=[{"path": "dump/1.dat.zst.age", "plain_bytes": 3 << 20}])
    place, restored = Host(17, work_dir=str(tmp_path)), found["database_bytes"] if level == "restore" else 0
    for free in (needed, needed - 1) if needed else (0,):
        monkeypatch.setattr(place, "free_bytes", lambda _folder, free=free: free << 20)
        attempt = Verification("/backups/b", entry(1), level, 1, Progress(), NOW)
        if free == needed:
            attempt._demand_room(found, place, restored)
            continue
        with pytest.raises(OpsError, match=r"takes {0} MiB in {1} on this host".format(needed, tmp_path)):
            attempt._demand_room(found, place, restored)


def test_what_one_who_died_left_is_found_by_its_folder_of_backups(tmp_path):
    place = Host(17, work_dir=str(tmp_path))
    mine, other = (Verification(folder, entry(1), "restore", 1, Progress(), NOW).label for folder in ("/backups/b", "/elsewhere/b"))
    place.make("{0}/astraldraft-{1}-00".format(tmp_path, mine))
    assert len(place.leftovers(mine)) == 1 and place.leftovers(other) == []
