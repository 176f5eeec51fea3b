"""What is written here is no dump: every verification of it finds something, and none needs a server."""

from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, backup, folder
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

FILES = folder(backup(1), backup(2), backup(3, environment="other"), backup(4, database="other"))


def case(world):
    stack = world.stack
    there = {"path": FOLDER, "environment": "test", "database": "shop", "project": stack.project, "service": "postgres-master"}
    altered = FILES | {"backups/backup_test_20260102_000000/dump/toc.dat": "something else\n"}
    container = stack.containers("postgres-master")[0]["Name"].lstrip("/")
    return Case(
        scenes={
            "base": Scene(there, "changed", FILES),
            "altered": Scene(there, "changed", altered),
            "no backup": Scene(there | {"name": "none"}, "failed", FILES),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed", FILES, foreseen=False),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True),
            "name": Other("backup_test_20260101_000000"),
            "environment": Other("other", together={"database": None}),
            "database": Other("other", together={"environment": None}),
            "level": Other("restore"),
            "max_age_seconds": Other(1),
            "metrics_path": Other("{work}/backups.prom"),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", fails=True),
            "service": Other("nginx", fails=True),
            "container": Other(container, together={"service": None, "project": None}),
            "bin_dir": Other("/nonexistent"),
            "tools_user": Other("root"),
            "work_dir": Other("/nonexistent", fails=True),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True),
        },
        without_effect={},
        noise=[r"\d{4}-\d\d-\d\dT[\d:.]+Z"],
        reduced=dict.fromkeys(("data_age_seconds", "seconds", "parts"), type),
        opaque=["*/catalog.json"],
    )
