from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, backup, folder
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

BAD = {"at": "2026-01-02T00:00:00.000Z", "level": "checksum", "reason": "A hash differs."}
RESTORED = {"at": "2026-01-02T00:00:00.000Z", "verdict": "pass", "findings": [], "restore_seconds": 2.5, "data_age_seconds": 60}
FILES = folder(
    backup(1, checks={"restore": RESTORED}), backup(2, bad=BAD), backup(3, kind="cache"), backup(4, environment="other"),
    backup(5, database="other"), backup(6, purpose="safety"),
)  # fmt: skip
STRAYS = {"backups/.partial-x/a": "", "backups/lost/a": ""}


def case(_world):
    there = {"path": FOLDER}
    return Case(
        scenes={
            "base": Scene(there, files=FILES),
            "nothing": Scene(there),
            "strays": Scene(there, files=FILES | STRAYS),
            "damaged": Scene(there, "failed", {"backups/catalog.json": "{"}),
        },
        options={
            "path": Other("{work}/elsewhere"),
            "kind": Other("cache"),
            "environment": Other("other"),
            "database": Other("other"),
            "purpose": Other("safety"),
            "limit": Other(1),
            "manifests": Other(True),
            # It asks nobody: who has lost the lock is told so, and answered.
            "operation_token": Other(8, scene="locked"),
        },
        reduced={"age_seconds": type},
    )
