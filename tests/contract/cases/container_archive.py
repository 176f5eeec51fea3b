import contextlib

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

OLD = {f"logs/app-blue-1-{number}/log.gz": "" for number in range(3)}


def case(world):
    small = world.small
    there = {"project": small.project, "service": "app-blue", "folder": "{work}/logs"}

    @contextlib.contextmanager
    def put_back(_work):
        yield
        small.start()

    return Case(
        scenes={
            "base": Scene(there, "changed"),
            "removed": Scene(there | {"service": "app-green", "state": "absent"}, "changed", around=put_back),
            "restarted": Scene(there | {"service": "app-green", "state": "restarted"}, "changed"),
            "replaceable": Scene(there | {"service": "app-green"}, "changed", around=put_back),
            "with others": Scene(there, "changed", OLD),
            "nothing there": Scene(there | {"service": "nothing", "state": "absent"}),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed"),
        },
        options={
            "project": Other("nothing"),
            "service": Other("app-green"),
            "folder": Other("{work}/elsewhere"),
            "state": [Other("absent", scene="replaceable"), Other("restarted", scene="replaceable")],
            "only": Other(["app-blue-9"]),
            "spare": Other(["app-blue-1"]),
            "keep": Other(1, scene="with others"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        opaque=["*.gz", "*/state.json"],
        reduced={"size": bool},
    )
