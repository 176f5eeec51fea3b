from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, backup, folder
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

FILES = folder(backup(1), backup(2), backup(3, environment="other"), backup(4, database="other"))
COPIED = {"at": "2026-01-02T00:00:00.000Z", "verdict": "pass", "findings": []}


def case(_world):
    copy = {
        "path": FOLDER, "environment": "test", "database": "shop", "copy_command": ["cp", "-r", "{path}", "{work}/copy"],
        "check_command": ["find", "{work}/copy", "-type", "f", "-exec", "sha256sum", "{}", "+"],
    }  # fmt: skip
    entry, files = backup(1)
    done = folder((entry | {"offsite": COPIED}, files))
    return Case(
        scenes={
            "base": Scene(copy, "changed", FILES),
            "copied": Scene(copy, files=done),
            "not arrived": Scene(copy | {"copy_command": ["true"], "check_command": ["true"]}, "failed", FILES, foreseen=False),
            "no backup": Scene(copy | {"name": "none"}, "failed", FILES),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True),
            "name": Other("backup_test_20260101_000000"),
            "environment": Other("other", together={"database": None}),
            "database": Other("other", together={"environment": None}),
            "copy_command": Other(["cp", "-r", "{path}", "{work}/elsewhere"], fails=True),
            "check_command": Other(["true"], fails=True),
            "timeout": Other(0.0, fails=True),
            "kind": Other("cache", fails=True),
        },
        noise=[r"\d{4}-\d\d-\d\dT[\d:.]+Z"],
    )
