import contextlib

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import NOBODY, command


def case(world):
    small = world.small
    blue = {"project": small.project, "path": str(small.upstream), "port": 3000, "services": [{"service": "app-blue"}]}
    both = [{"service": "app-blue", "share": 1}, {"service": "app-green", "share": 1}]
    stay = {"project": small.project, "path": str(small.upstream)}

    @contextlib.contextmanager
    def afresh(_work):
        small.traffic(NOBODY)
        yield

    @contextlib.contextmanager
    def on_blue(_work):
        small.blue_serves()
        yield

    @contextlib.contextmanager
    def somebody_waits(work):
        with afresh(work), small.half_a_request():
            yield

    @contextlib.contextmanager
    def deaf(work):
        """nginx is there and tests what it is given, but its master does not hear the signal to load it."""
        with afresh(work):
            command("docker", "kill", "--signal", "STOP", f"{small.project}-nginx-1")
            try:
                yield
            finally:
                command("docker", "kill", "--signal", "CONT", f"{small.project}-nginx-1")

    return Case(
        scenes={
            "base": Scene(blue, "changed", around=afresh),
            "as it is": Scene(blue, around=on_blue),
            "only looking": Scene(stay | {"drain": True}, around=on_blue),
            "shared": Scene(blue | {"services": both}, "changed", around=afresh),
            "in use": Scene(blue | {"drain": True, "drain_timeout": 10}, "changed", around=somebody_waits),
            "no nginx": Scene(blue | {"service": "nothing"}, "failed"),
            "refused": Scene(blue | {"directives": ["nonsense"]}, "failed", around=afresh, foreseen=False),
            "deaf": Scene(blue | {"wait_timeout": 1}, "failed", around=deaf, foreseen=False),
        },
        options={
            "project": Other("nothing", fails=True),
            "service": Other("app-blue", fails=True),
            "path": Other(f"{small.upstream.parent}/other.conf", check=True),
            "name": Other("other", check=True),
            "port": Other(3001, check=True),
            "services.service": Other("app-green", check=True),
            "services.share": Other(3, scene="shared", check=True),
            "services.replicas": Other(9, fails=True),
            "services.without": Other(["app-blue-1"], check=True, fails=True),
            "weights": Other({"app-blue-1": 3}, scene="shared", check=True),
            "directives": Other(["keepalive 8"]),
            "drain": Other(True),
            "drain_timeout": Other(0.1, scene="in use"),
            "wait_timeout": Other(2, scene="deaf"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"\d+#\d+", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"],
        reduced={"reload_seconds": lambda value: value is None},
    )
