import contextlib

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command


def case(world):
    small, closed = world.small, f"http://127.0.0.1:{world.closed_port}/"
    # A window of a microsecond: what came by before does not count, so nobody did.
    quiet = {"project": small.project, "path": str(small.upstream), "window": 1e-6, "wait_timeout": 0}
    asked = quiet | {"url": f"http://127.0.0.1:{small.port}/health", "wait_timeout": 10}
    tls = f"https://127.0.0.1:{world.stack.port('LB_TLS')}/api/health"

    @contextlib.contextmanager
    def blue(_work):
        """Blue gets traffic, and has got some."""
        small.blue_serves()
        command("curl", "--silent", "--fail", asked["url"])
        yield

    return Case(
        scenes={
            "base": Scene(quiet, around=blue),
            "asked": Scene(asked, around=blue),
            "somebody misses": Scene(asked | {"replicas": ["app-red-1"], "wait_timeout": 0.6}, around=blue),
            "refused": Scene(asked | {"url": closed}, "failed", around=blue),
            "tls": Scene(asked | {"url": tls, "wait_timeout": 1}, "failed", around=blue),
            "no nginx": Scene(quiet | {"service": "nothing"}, "failed"),
        },
        options={
            "project": Other("nothing", fails=True),
            "service": Other("app-blue", fails=True),
            "path": Other(str(small.upstream.parent / "other.conf")),
            "replicas": Other(["app-red-1"]),
            "url": Other(asked["url"], together={"wait_timeout": 1}),
            "validate_certs": Other(False, scene="tls", fails=True),
            "ca_path": Other(world.stack.ca, scene="tls", fails=True),
            "window": Other(3600),
            "wait_timeout": Other(1.5, slower=1),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"since=\d+(\.\d+)?", r"in \d+ s", r"^\d+ requests"],
        reduced={"served": sorted, "sent": bool},
    )
