"""Most of what is written here is no dump: every verification of it finds something, and none needs a server."""

from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, backup, folder, taken
from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene

FILES = folder(backup(1), backup(2), backup(3, environment="other"), backup(4, database="other"))
ENCRYPTED = folder(backup(1, encrypted=True))
DATABASE = "astral_draft_v4"


def case(world):
    stack = world.stack
    whole = {"path": FOLDER, "environment": "test", "database": DATABASE, "project": stack.project, "service": "postgres-master"}
    there = {"path": FOLDER, "environment": "test", "database": "shop", "project": stack.project, "service": "postgres-master"}
    altered = FILES | {"backups/backup_test_20260102_000000/dump/toc.dat": "something else\n"}
    container = stack.containers("postgres-master")[0]["Name"].lstrip("/")
    return Case(
        scenes={
            "base": Scene(there, "changed", FILES),
            "altered": Scene(there, "changed", altered),
            "whole": Scene(whole, "changed", taken(stack, DATABASE)),
            "encrypted": Scene(there, "failed", ENCRYPTED, foreseen=False),
            "no backup": Scene(there | {"name": "none"}, "failed", FILES),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed", FILES, foreseen=False),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True),
            "name": Other("backup_test_20260101_000000"),
            "environment": Other("other", together={"database": None}),
            "database": Other("other", together={"environment": None}),
            "level": Other("restore", scene="whole"),
            "jobs": Other(1, scene="whole"),
            "queries": Other(["SELECT false"], scene="whole", together={"level": "restore"}),
            "identity_path": Other("/nonexistent/key", scene="encrypted"),
            "max_age_seconds": Other(1),
            "metrics_path": Other("{work}/backups.prom"),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", fails=True),
            "service": Other("nginx", fails=True),
            "container": Other(container, together={"service": None, "project": None}, fails=True),
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
