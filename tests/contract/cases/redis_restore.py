from ansible_collections.astraldraft.ops.tests.contract.cases.redis_flush import container, server, with_keys
from ansible_collections.astraldraft.ops.tests.contract.cases.redis_keys import WITHOUT_EFFECT, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, cache_backup, folder, taken_by
from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene

BROKEN = folder(cache_backup(1), cache_backup(2), cache_backup(3, environment="other"), cache_backup(4, database="other"))
ENCRYPTED = folder(cache_backup(1, encrypted=True))


def case(world):
    stack = world.stack
    port, tools = server(stack.project), {"container": container(stack.project)}
    login = {"login_host": "127.0.0.1", "login_port": port, **tools}
    # One key: a server says its keys in an order that is another one with every start, and a trace must be the same twice.
    with with_keys(port, "cache:1")(None):
        whole = taken_by("redis_backup", login)
    there = login | {"path": FOLDER, "name": "latest", "environment": "test", "database": "cache"}
    empty, some = with_keys(port), with_keys(port, "cache:1", "cache:2")
    scenes = connection_scenes(world, there)
    scenes = {name: Scene(scene.args, scene.expect, whole, empty) for name, scene in scenes.items()}
    scenes["nothing"] = Scene(there, "changed", whole, empty)
    without_container = {key: value for key, value in there.items() if key != "container"}
    service = without_container | {"project": stack.project, "service": "redis-1"}
    return Case(
        scenes={
            "base": Scene(there, "changed", whole, empty),
            "all there": Scene(there | {"existing": "keep"}, files=whole, around=with_keys(port, "cache:1"), foreseen=False),
            "some there": Scene(there, "failed", whole, some),
            "broken": Scene(there, "failed", BROKEN, empty, foreseen=False),
            "encrypted": Scene(there, "failed", ENCRYPTED, empty, foreseen=False),
            "of a service": Scene(service, "changed", whole, empty),
            **scenes,
        },
        options=connection_options(world)
        | {
            "topology": Other("cluster", scene="nothing", fails=True),
            "login_user": Other("nobody", scene="nothing", together={"login_password": "redis-password"}),
            "path": Other("{work}/elsewhere", fails=True),
            "name": Other("backup_test_20260101_000000", scene="broken"),
            "environment": Other("other", scene="broken", together={"database": None}),
            "database": Other("other", scene="broken", together={"environment": None}),
            "existing": Other("keep", scene="some there", fails=True),
            "identity_path": Other("/nonexistent/key", scene="encrypted"),
            "timeout": Other(1.2, scene="hung", slower=0.5),
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
        patient=True,
        noise=[*TOOLS_RUN, r"\d+(\.\d+)? s\b"],
        reduced=dict.fromkeys(("parts", "seconds", "data_age_seconds"), type),
        opaque=["*/catalog.json"],
        without_effect={"sentinel_name": WITHOUT_EFFECT["sentinel_name"]},
    )
