"""Against the stack's own database: backups of a small database of it, in the run's own folder."""

from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene


def case(world):
    stack = world.stack
    there = {
        "path": "{work}/backups", "environment": "test", "project": stack.project, "service": "postgres-master", "login_host": "127.0.0.1",
        "login_port": stack.port("POSTGRES"), "login_password": stack.secret("postgres-superuser-password"), "login_db": "postgres",
    }  # fmt: skip
    container = stack.containers("postgres-master")[0]["Name"].lstrip("/")
    no_service = {"service": None, "project": None}
    differing = ("seconds", "bytes", "database_bytes", "needed_bytes", "parts", "name", "folder", "snapshot_at", "catalogued_at")
    return Case(
        scenes={
            "base": Scene(there, "changed"),
            "left behind": Scene(there, "changed", {"backups/.partial-backup_test_1/dump/x": ""}),
            "no server": Scene(there | {"login_port": world.closed_port}, "failed"),
            "no space": Scene(there | {"space_factor": 1e9}, "failed"),
            "no tools": Scene(there | {"service": "nginx"}, "failed", foreseen=False),
        },
        options={
            "path": Other("{work}/elsewhere"),
            "environment": Other("other"),
            "purpose": Other("safety"),
            "jobs": Other(1),
            "compression": Other("none"),
            "checksums": Other(True, together={"login_db": "astral_draft_v4"}),
            "role_passwords": Other(True),
            "encrypt_recipients": Other(["no key"], fails=True),
            "lock_timeout": Other(31),
            "space_factor": Other(1e9, fails=True),
            "metrics_path": Other("{work}/backups.prom"),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", fails=True),
            "service": Other("nothing", fails=True),
            "container": Other(container, together=no_service, fails=True),
            "bin_dir": Other("/nonexistent"),
            "tools_user": Other("root"),
            "work_dir": Other("/nonexistent", fails=True),
            "tools_login_host": Other("127.0.0.2"),
            "tools_login_port": Other(1, fails=True),
            "login_host": Other("127.0.0.2", fails=True),
            "login_port": Other(world.closed_port, fails=True),
            "login_user": Other("nobody", fails=True),
            "login_password": Other("wrong-password", fails=True),
            "login_db": Other("astral_draft_v4"),
            "ssl_mode": Other("require"),
            "ca_cert": Other(stack.ca),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True),
        },
        without_effect={"anomaly_factor": "may be until RV(anomaly) says so"},
        noise=[*TOOLS_RUN, r"\d{8}_\d{6}"],
        reduced=dict.fromkeys((*differing, "manifest_sha256"), type),
        opaque=["*.zst", "*/toc.dat", "*/manifest.json", "*/catalog.json", "*.sql"],
    )
