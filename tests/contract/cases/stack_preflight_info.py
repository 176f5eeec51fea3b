from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT


def case(world):
    stack = world.stack
    there = {
        "project": stack.project, "project_src": str(ROOT / "demo"), "env_file": str(stack.state / "compose.env"),
        "colours": ["app-blue", "app-green"], "paths": ["{work}"], "minimum_free_bytes": 1,
    }  # fmt: skip
    return Case(
        scenes={
            "base": Scene(there),
            "no folder": Scene(there | {"project_src": "{work}/none"}),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed"),
        },
        options={
            "project": Other("nothing"),
            "project_src": Other("{work}"),
            "files": Other(["compose.yml"]),
            "env_file": Other("{work}/none.env"),
            "colours": Other(["app-blue", "app-red"]),
            "balancer": Other("balancer"),
            "paths": Other(["/"]),
            "minimum_free_bytes": Other(10**15),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"Only \d+ MiB"],
        reduced={"free_bytes": sorted},
    )
