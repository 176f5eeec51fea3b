from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

FIGURES = ("cpus", "cpu_share", "throttled_share", "memory", "memory_share", "memory_cached", "pids", "uptime", "health_output", "summary")


def case(world):
    small = world.small
    there = {"project": small.project, "services": ["app-blue"], "interval": 0.1}
    return Case(
        scenes={
            "base": Scene(there),
            "all of it": Scene({"project": small.project, "interval": 0.1}),
            "nothing there": Scene(there | {"services": ["app-blue", "nothing"]}),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}),
            "what ended": Scene(there | {"deaths_since": "5m"}),
            "no time": Scene(there | {"timeout": 0.05}, "failed"),
        },
        options={
            "project": Other("nothing"),
            "services": Other(["app-green"]),
            "interval": Other(3.1, slower=1),
            "deaths_since": Other("15m"),
            "timeout": Other(0.05, fails=True),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        reduced=dict.fromkeys(FIGURES, lambda value: value is not None),
    )
