import contextlib

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command


def case(world):
    small = world.small
    container = f"{small.project}-app-blue-1"
    there = {"project": small.project, "services": ["app-blue"], "path": "{work}/compose.resources.yml"}
    limits = there | {"cpus": 0.5, "memory": "256M"}

    @contextlib.contextmanager
    def unlimited(_work):
        command("docker", "update", "--cpus", "1", "--memory", "512m", "--memory-swap", "512m", container)
        yield

    return Case(
        scenes={
            "base": Scene(limits, "changed", around=unlimited),
            "nothing asked": Scene(there, around=unlimited),
            "too little": Scene(there | {"memory": "1M"}, "failed", around=unlimited),
            "no such service": Scene(limits | {"services": ["nothing"]}, "failed"),
            "no engine": Scene(limits | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed"),
        },
        options={
            "project": Other("nothing", fails=True),
            "services": Other(["app-green"], check=True),
            "cpus": Other(0.7),
            "memory": Other("300M"),
            "path": Other("{work}/other.yml"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        reduced={"memory_used": type},
    )
