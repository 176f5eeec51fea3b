from __future__ import annotations

import hashlib

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import entry, manifest

# As pg_restore 17 prints it.
LISTING = """;
; Archive created at 2026-11-24 18:06:51 UTC
;     dbname: shop
;     TOC Entries: 27
;     Compression: zstd
;     Dump Version: 1.16-0
;     Format: DIRECTORY
;     Dumped from database version: 17.5 (Debian 17.5-1)
;     Dumped by pg_dump version: 17.5 (Debian 17.5-1)
;
221; 1259 16389 TABLE public orders shop
3462; 0 16389 TABLE DATA public orders shop
3463; 0 16400 TABLE DATA odd schema We ird"T the owner
3470; 0 0 SEQUENCE SET public orders_id_seq shop
3301; 2606 16396 CONSTRAINT public orders orders_pkey shop
"""


def backup(tmp_path, **files):
    lines = []
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        lines.append({"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    held = manifest(files=lines)
    text = manifests.write_text(held)
    (tmp_path / "manifest.json").write_text(text)
    return held, manifests.sha256_of(text)


def test_a_manifest_is_read_again(tmp_path):
    held, sha256 = backup(tmp_path, a=b"one")
    assert manifests.read(str(tmp_path), sha256) == (held, sha256)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"name": 1}'])
def test_what_is_no_manifest_is_a_finding(tmp_path, text):
    (tmp_path / "manifest.json").write_bytes(text)
    with pytest.raises(OpsError, match="no manifest of a backup"):
        manifests.read(str(tmp_path))


def test_a_missing_and_another_manifest_are_findings(tmp_path):
    with pytest.raises(OpsError, match="is missing"):
        manifests.read(str(tmp_path))
    backup(tmp_path)
    with pytest.raises(OpsError, match="not the manifest that was catalogued"):
        manifests.read(str(tmp_path), "0" * 64)


def test_files_are_compared_by_their_hashes(tmp_path):
    held, _sha256 = backup(tmp_path, a=b"one", b=b"two", c=b"three")
    assert manifests.compare_files(str(tmp_path), held) == []
    (tmp_path / "a").write_bytes(b"onx")
    (tmp_path / "b").write_bytes(b"tw")
    (tmp_path / "c").unlink()
    (tmp_path / "d").write_bytes(b"")
    assert manifests.compare_files(str(tmp_path), held) == [
        "a was altered: its hash differs.", "b has 2 bytes, not 3.", "c is missing.", "d does not belong to the backup.",
    ]  # fmt: skip


def test_the_table_of_contents_is_read():
    version, tables = manifests.listed_tables(LISTING)
    assert version == "17.5"
    assert tables == [(3462, "public orders shop"), (3463, 'odd schema We ird"T the owner')]


def test_tables_that_are_not_listed_and_another_version_are_findings():
    odd = {"schema": "odd schema", "name": 'We ird"T', "rows": 1, "checksum": None}
    held = manifest()
    assert manifests.compare_listing(LISTING, dict(held, tables=held["tables"] + [odd])) == []
    missing = {"schema": "public", "name": "order", "rows": 1, "checksum": None}
    assert manifests.compare_listing(LISTING, dict(held, tables=[missing], server_version="17.4")) == [
        "The dump is of a server of version 17.5, the manifest of one of 17.4.",
        "The dump's table of contents does not list the data of public.order.",
    ]


def observed(**more):
    found = {"tables": [dict(manifest()["tables"][0])], "objects": {"tables": 1}, "extensions": manifest()["extensions"]}
    return dict(found, **more)


def test_what_was_restored_is_compared_with_the_manifest():
    orders = manifest()["tables"][0]
    assert manifests.compare_content(manifest(), observed()) == []
    assert manifests.compare_content(manifest(), observed(tables=[])) == ["The table public.orders is missing."]
    assert manifests.compare_content(manifest(), observed(tables=[dict(orders, rows=2)])) == ["public.orders has 2 rows, not 3."]
    assert manifests.compare_content(manifest(), observed(tables=[dict(orders, checksum="8")])) == [
        "The content of public.orders differs, with the same number of rows."
    ]
    assert manifests.compare_content(manifest(), observed(tables=[orders, dict(orders, name="extra")])) == [
        "The table public.extra should not be there."
    ]
    assert manifests.compare_content(manifest(), observed(objects={"tables": 2})) == ["There are 2 tables, not 1."]
    assert manifests.compare_content(manifest(), observed(extensions=[])) == ["The extension plpgsql is missing."]


def test_without_a_checksum_in_the_manifest_none_is_compared():
    held = manifest(tables=[dict(manifest()["tables"][0], checksum=None)])
    assert manifests.compare_content(held, observed()) == []


def test_not_every_finding_is_told():
    tables = [{"schema": "public", "name": "t{0}".format(number), "rows": 1, "checksum": None} for number in range(100)]
    assert len(manifests.compare_content(manifest(tables=tables), observed(tables=[]))) == manifests.MOST_FINDINGS


def test_a_copy_elsewhere_is_compared_by_what_sha256sum_says(tmp_path):
    held, sha256 = backup(tmp_path, a=b"one", b=b"two")
    sums = "".join("{0}  /far/away/x/{1}\n".format(line["sha256"], line["path"]) for line in held["files"])
    assert manifests.compare_sums(sums + sha256 + " *x/manifest.json\n", held, sha256) == []
    assert manifests.compare_sums("", held, sha256) == ["manifest.json did not arrive.", "a did not arrive.", "b did not arrive."]
    assert manifests.compare_sums(sums.replace(held["files"][0]["sha256"], "0" * 64), held, sha256)[1:] == ["a differs there."]


def test_the_space_that_is_needed():
    assert manifests.needed_bytes(1000, 0.5, []) == 500
    assert manifests.needed_bytes(1000, 0.5, [entry(1), entry(2)]) == 150


def test_a_strange_size_is_said_when_there_is_something_to_compare_with():
    history = [entry(days) for days in (1, 2, 3)]
    assert manifests.anomaly(1, history[:2], 2) is None
    assert manifests.anomaly(500, history, 2) is None and manifests.anomaly(2000, history, 2) is None
    assert "less than the median" in manifests.anomaly(499, history, 2)
    assert "more than the median" in manifests.anomaly(2001, history, 2)
