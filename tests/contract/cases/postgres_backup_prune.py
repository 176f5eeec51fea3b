from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, backup, folder
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

FILES = folder(*(backup(day) for day in range(1, 5)), backup(5, purpose="safety", name="safety_test_20260105_000000"))


def case(_world):
    confirmed = {"path": FOLDER, "keep_last": 2, "keep_days": 0, "keep_safety_days": 0, "confirm": True}
    return Case(
        scenes={
            "base": Scene(confirmed, "changed", FILES),
            "asked": Scene(confirmed | {"confirm": False}, files=FILES),
            "nothing to do": Scene(confirmed | {"keep_last": 9, "keep_safety_days": 1e6}, files=FILES),
            "damaged": Scene(confirmed, "failed", {"backups/catalog.json": "{"}),
        },
        options={
            "path": Other("{work}/elsewhere"),
            "keep_last": Other(3),
            "keep_days": Other(1e6),
            "keep_safety_days": Other(1e6),
            "confirm": Other(False),
            "metrics_path": Other("{work}/backups.prom"),
        },
    )
