from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    stack, small = world.stack, world.small
    # A window of a microsecond: what came by before does not count, so nobody did.
    quiet = {"project": stack.project, "path": stack.upstream, "window": 1e-6, "wait_timeout": 0}
    asked = quiet | {"url": stack.url("LB") + "/api/health", "wait_timeout": 10}
    tls = f"https://127.0.0.1:{stack.port('LB_TLS')}/api/health"
    return Case(
        scenes={
            "base": Scene(quiet),
            "asked": Scene(asked),
            "tls": Scene(asked | {"url": tls}, "failed"),
            "no nginx": Scene(quiet | {"service": "nothing"}, "failed"),
        },
        options={
            "project": Other(small.project, fails=True),
            "service": Other("prometheus", fails=True),
            "path": Other(f"{stack.state}/nginx/upstreams/other.conf"),
            "replicas": Other(["app-red-1"]),
            "url": Other(asked["url"], together={"wait_timeout": 3}),
            "validate_certs": Other(False, scene="tls", fails=True),
            "ca_path": Other(stack.ca, scene="tls", fails=True),
            "window": Other(3600),
            "wait_timeout": Other(2, slower=1.5),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"since=\d+(\.\d+)?", r"in \d+ s", r"^\d+ requests"],
        reduced={"served": sorted, "sent": bool},
    )
