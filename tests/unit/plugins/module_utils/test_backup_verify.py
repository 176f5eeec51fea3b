"""What is found without a server: real verifications of integration targets go on from here."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_verify import Verification
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
