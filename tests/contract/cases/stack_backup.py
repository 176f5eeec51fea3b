from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import (
    FOLDER,
    backup,
    cache_backup,
    folder,
    in_base64,
    packed,
)
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

DATABASE, CACHE = backup(1), cache_backup(2)
BAD = {"at": "2026-01-02T00:00:00.000Z", "level": "checksum", "reason": "A hash differs."}
FILES = folder(DATABASE, CACHE)
NAMES = [DATABASE[0]["name"], CACHE[0]["name"]]


def case(_world):
    archive = {"host": "web-1", "part": "environment", "content": in_base64(packed({"secret": "a secret\n"}))}
    there = {"path": FOLDER, "environment": "test", "members": NAMES, "archives": [archive]}
    bad = folder(DATABASE, cache_backup(2, bad=BAD))
    return Case(
        scenes={
            "base": Scene(there, "changed", FILES),
            "left behind": Scene(there, "changed", FILES | {"backups/.partial-backup_test_1/files/x": ""}),
            "a member is bad": Scene(there, "failed", bad),
            "a member is gone": Scene(there, "failed", folder(DATABASE)),
            "twice": Scene(there | {"archives": [archive, archive]}, "failed", FILES),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True),
            "environment": Other("other"),
            "database": Other("other"),
            "purpose": Other("safety"),
            "members": Other(NAMES[:1]),
            "archives.host": Other("web-2"),
            "archives.part": Other("certificates"),
            "archives.content": Other(in_base64(packed({"secret": "a secret\n", "more": "more\n"}))),
            "encrypt_recipients": Other(["no key"], fails=True),
            "metrics_path": Other("{work}/backups.prom"),
        },
        noise=[r"\d{8}_\d{6}", r"\d+(\.\d+)? s\b"],
        reduced=dict.fromkeys(("seconds", "parts", "name", "folder", "manifest_sha256"), type),
        opaque=["*/manifest.json", "*/catalog.json", "*.prom"],
    )
