from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    stack = world.stack
    there = {"project": stack.project, "path": stack.upstream}
    return Case(
        scenes={
            "base": Scene(there),
            "nobody behind it": Scene({"project": world.small.project, "path": str(world.small.upstream)}),
            "no nginx": Scene(there | {"service": "nothing"}, "failed"),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed"),
        },
        options={
            "project": Other(world.small.project, fails=True),
            "service": Other("prometheus", fails=True),
            "path": Other(f"{stack.state}/nginx/upstreams/other.conf"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
    )
