from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def known(value):
    """What a machine that does other things besides tells another time in the same places."""
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    return value is not None


def places(rows):
    return sorted((row["replica"] or "", row["path"], *row["holds"]) for row in rows)


def case(world):
    small = world.small
    there = {"interval": 0.1, "paths": ["{work}"]}
    return Case(
        scenes={
            "base": Scene(there),
            "with containers": Scene(there | {"project": small.project}),
            "no engine": Scene(there | {"project": small.project, "docker_host": "unix:///nonexistent/docker.sock"}),
            "what is not there": Scene(there | {"paths": ["/nonexistent"]}),
            "no time": Scene(there | {"timeout": 0}, "failed"),
        },
        options={
            "paths": Other(["/"]),
            "project": Other(world.stack.project),
            "interval": Other(2.1, slower=1),
            "timeout": Other(0, fails=True),
            "docker_host": Other("unix:///nonexistent/docker.sock", scene="with containers"),
        },
        reduced=dict.fromkeys(("memory", "load", "pressure", "cpu", "clock", "oom_kills"), known)
        | {"filesystems": places, "disks": bool},
    )
