from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, backup, cache_backup, folder, stack_backup
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

READ = {"at": "2026-01-02T00:00:00.000Z", "verdict": "pass", "findings": [], "restore_seconds": None, "data_age_seconds": 60}
DATABASE, CACHE = backup(1, checks={"checksum": READ}), cache_backup(2, checks={"checksum": READ})
NEWEST = stack_backup(4, DATABASE, CACHE)
OTHERS = stack_backup(5, DATABASE, environment="other"), stack_backup(6, DATABASE, database="other")
FILES = folder(DATABASE, CACHE, stack_backup(3, DATABASE), NEWEST, *OTHERS)


def case(_world):
    there = {"path": FOLDER, "environment": "test", "database": "stack"}
    altered = FILES | {f"backups/{NEWEST[0]['name']}/files/environment/web-1.tar.gz": "something else\n"}
    return Case(
        scenes={
            "base": Scene(there, "changed", FILES),
            "altered": Scene(there, "changed", altered),
            "a member is gone": Scene(there, "changed", folder(DATABASE, NEWEST)),
            "a member was not verified": Scene(there, "failed", folder(backup(1), CACHE, NEWEST), foreseen=False),
            "encrypted": Scene(there, "failed", folder(DATABASE, CACHE, stack_backup(4, DATABASE, encrypted=True)), foreseen=False),
            "no backup": Scene(there | {"name": "none"}, "failed", FILES),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True),
            "name": Other("backup_test_20260103_000000"),
            "environment": Other("other", together={"database": None}),
            "database": Other("other", together={"environment": None}),
            "level": Other("restore", fails=True),
            "identity_path": Other("/nonexistent/key", scene="encrypted"),
            "max_age_seconds": Other(1),
            "metrics_path": Other("{work}/backups.prom"),
        },
        reduced=dict.fromkeys(("data_age_seconds", "seconds", "restore_seconds", "parts"), type),
        opaque=["*/catalog.json", "*.prom"],
    )
