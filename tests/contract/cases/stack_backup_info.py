from ansible_collections.astraldraft.ops.tests.contract.cases.stack_backup_verify import CACHE, DATABASE, FILES, NEWEST
from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, folder, stack_backup
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(_world):
    there = {"path": FOLDER, "environment": "test", "database": "stack"}
    encrypted = folder(DATABASE, CACHE, stack_backup(4, DATABASE, CACHE, encrypted=True))
    altered = FILES | {f"backups/{NEWEST[0]['name']}/files/environment/web-1.tar.gz": "something else\n"}
    return Case(
        scenes={
            "base": Scene(there, files=FILES),
            "with contents": Scene(there | {"contents": True}, files=FILES),
            "a member is gone": Scene(there, files=folder(DATABASE, NEWEST)),
            "altered": Scene(there | {"contents": True}, "failed", altered),
            "encrypted": Scene(there | {"contents": True}, "failed", encrypted),
            "no backup": Scene(there | {"name": "none"}, "failed", FILES),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True),
            "name": Other("backup_test_20260103_000000"),
            "environment": Other("other", together={"database": None}),
            "database": Other("other", together={"environment": None}),
            "contents": Other(True),
            "identity_path": Other("/nonexistent/key", scene="encrypted"),
            # It asks nobody: who has lost the lock is told so, and answered.
            "operation_token": Other(8, scene="locked"),
        },
    )
