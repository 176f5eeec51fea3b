from ansible_collections.astraldraft.ops.tests.contract.cases.redis_flush import container, server, with_keys
from ansible_collections.astraldraft.ops.tests.contract.cases.redis_keys import WITHOUT_EFFECT, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene


def case(world):
    stack = world.stack
    port = server(stack.project)
    there = {"path": "{work}/backups", "environment": "test", "login_host": "127.0.0.1", "login_port": port}
    elsewhere = dict(there)
    there |= {"container": container(stack.project)}
    some = with_keys(port, "cache:1", "session:1")
    scenes = connection_scenes(world, there)
    scenes["nothing"] = Scene(there, "changed", around=some)
    differing = ("seconds", "bytes", "database_bytes", "needed_bytes", "parts", "name", "folder", "snapshot_at", "catalogued_at")
    return Case(
        scenes={
            "base": Scene(there, "changed", around=some),
            "left behind": Scene(there, "changed", {"backups/.partial-backup_test_1/rdb/x": ""}, some),
            # Beside another server: what is fetched there is not its own.
            "of a service": Scene(elsewhere | {"project": stack.project, "service": "redis-1"}, "failed", foreseen=False),
            "no tools": Scene(there | {"container": stack.containers("nginx")[0]["Name"].lstrip("/")}, "failed", foreseen=False),
            **scenes,
        },
        options=connection_options(world)
        | {
            "topology": Other("cluster", scene="nothing", fails=True),
            "login_user": Other("nobody", scene="nothing", together={"login_password": "redis-password"}),
            "path": Other("{work}/elsewhere"),
            "environment": Other("other"),
            "database": Other("other"),
            "purpose": Other("safety"),
            "encrypt_recipients": Other(["no key"], fails=True),
            "timeout": Other(1.2, scene="hung", slower=0.5),
            "transfer_timeout": Other(0.0, fails=True),
            "space_factor": Other(1e12, fails=True),
            "metrics_path": Other("{work}/backups.prom"),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", scene="of a service"),
            "service": Other("nothing", scene="of a service"),
            "container": Other("nothing", fails=True),
            "bin_dir": Other("/nonexistent"),
            "tools_user": Other("root"),
            "work_dir": Other("/nonexistent", fails=True),
            "tools_login_host": Other("127.0.0.2"),
            "tools_login_port": Other(1, fails=True),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True),
        },
        without_effect={"anomaly_factor": "may be until RV(anomaly) says so", "sentinel_name": WITHOUT_EFFECT["sentinel_name"]},
        noise=[*TOOLS_RUN, r"\d{8}_\d{6}", r"\d+(\.\d+)? s\b"],
        reduced=dict.fromkeys((*differing, "manifest_sha256"), type),
        opaque=["*.rdb", "*/manifest.json", "*/catalog.json"],
    )
