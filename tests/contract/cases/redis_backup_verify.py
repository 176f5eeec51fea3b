"""Most of what is written here is no snapshot: every verification of it finds something, and none needs a server."""

from ansible_collections.astraldraft.ops.tests.contract.cases.redis_flush import container, server
from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, cache_backup, folder, taken_by
from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene

FILES = folder(cache_backup(1), cache_backup(2), cache_backup(3, environment="other"), cache_backup(4, database="other"))
ENCRYPTED = folder(cache_backup(1, encrypted=True))


def case(world):
    stack = world.stack
    port, tools = server(stack.project), {"container": container(stack.project)}
    there = {"path": FOLDER, "environment": "test", "database": "cache", **tools}
    whole = taken_by("redis_backup", {"login_host": "127.0.0.1", "login_port": port, **tools})
    without_container = {key: value for key, value in there.items() if key != "container"}
    altered = FILES | {"backups/backup_test_20260102_000000/rdb/1.rdb": "something else\n"}
    return Case(
        scenes={
            "base": Scene(there, "changed", FILES),
            "altered": Scene(there, "changed", altered),
            "whole": Scene(there, "changed", whole),
            "encrypted": Scene(there, "failed", ENCRYPTED, foreseen=False),
            "of a service": Scene(without_container | {"project": stack.project, "service": "redis-1"}, "changed", FILES),
            "no backup": Scene(there | {"name": "none"}, "failed", FILES),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True),
            "name": Other("backup_test_20260101_000000"),
            "environment": Other("other", together={"database": None}),
            "database": Other("other", together={"environment": None}),
            "level": Other("restore", scene="whole"),
            "identity_path": Other("/nonexistent/key", scene="encrypted"),
            "max_age_seconds": Other(1),
            "metrics_path": Other("{work}/backups.prom"),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", scene="of a service", fails=True),
            "service": Other("nothing", scene="of a service", fails=True),
            "container": Other("nothing", fails=True),
            "bin_dir": Other("/nonexistent"),
            "tools_user": Other("root"),
            "work_dir": Other("/nonexistent", fails=True),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True),
        },
        without_effect={},
        patient=True,
        noise=TOOLS_RUN,
        reduced=dict.fromkeys(("data_age_seconds", "seconds", "restore_seconds", "parts"), type),
        opaque=["*/catalog.json"],
    )
