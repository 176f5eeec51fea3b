import functools

from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, REDUCED, server, silence, with_silences
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

NOBODY = "00000000-0000-0000-0000-000000000000"
OURS = functools.partial(silence, job="web", environment="demo")


def connection_scenes(world, args, closed="failed"):
    """The scenes that connection_options needs, of a module with these arguments."""
    hanging = f"http://127.0.0.1:{world.hanging.port}"
    return {
        "refused": Scene(args | {"url": f"http://127.0.0.1:{world.closed_port}"}, closed),
        "hung": Scene(args | {"url": hanging, "timeout": 0.2}, closed),
        "tls": Scene(args | {"url": f"https://127.0.0.1:{world.stack.port('LB_TLS')}"}, closed),
    }


def connection_options(world):
    return {
        "url_username": Other("monitor-user"),
        "url_password": Other("monitor-password", together={"url_username": "monitor-user"}),
        "bearer_token": Other("monitor-token"),
        "proxy": Other(f"http://127.0.0.1:{world.closed_port}", scene="hung"),
        "validate_certs": Other(False, scene="tls"),
        "ca_path": Other(world.stack.ca, scene="tls"),
        "timeout": Other(0.4, scene="hung"),
    }


def case(world):
    url = server(world.stack.project)
    state = functools.partial(with_silences, url)
    matchers = ["job=web", "environment=demo"]
    base = {"url": url, "matchers": matchers, "owner": "ada", "comment": "why"}
    until = base | {"ends_at": "2100-01-01T00:00:00Z", "maximum_duration": "40000d"}
    absent = {"url": url, "state": "absent", "matchers": matchers, "owner": "ada"}
    many = base | {"matchers": ["job=app", "environment=demo"]}
    return Case(
        scenes={
            "base": Scene(base, "changed", around=state()),
            "there": Scene(base, around=state(OURS)),
            "nearly over": Scene(base, "changed", around=state(functools.partial(OURS, 20))),
            "longer than asked for": Scene(base, "changed", around=state(functools.partial(OURS, 200))),
            "another comment": Scene(base, "changed", around=state(functools.partial(OURS, comment="because"))),
            "another's": Scene(base, "changed", around=state(functools.partial(OURS, owner="grace"))),
            "two of them": Scene(base, "changed", around=state(OURS, OURS)),
            "until a day": Scene(until, "changed", around=state()),
            "ended": Scene(absent, "changed", around=state(OURS)),
            "nothing to end": Scene(absent, around=state(functools.partial(OURS, owner="grace"))),
            "unknown": Scene({"url": url, "state": "absent", "id": NOBODY}, around=state(OURS)),
            "too broad": Scene(base | {"matchers": ["alertname=HighErrorRate"]}, "failed", around=state()),
            "too many": Scene(many, "failed", around=state()),
            "no pattern": Scene(base | {"matchers": ["job=web", "instance=~("]}, "failed", around=state()),
            **connection_scenes(world, base),
        },
        options=connection_options(world)
        | {
            "url": Other(f"http://127.0.0.1:{world.closed_port}", fails=True),
            "state": Other("absent"),
            "matchers": Other(["job=web", "environment=~demo"]),
            "owner": Other("grace"),
            "comment": Other("because"),
            "duration": Other("5h"),
            "ends_at": Other("2100-02-01T00:00:00Z", scene="until a day"),
            "id": Other(NOBODY, scene="ended"),
            "maximum_duration": Other("30m", fails=True),
            "maximum_share": Other(1.0, scene="too many", fails=True),
            "maximum_share_floor": Other(4, scene="too many", fails=True),
            "allow_broad": Other(True, scene="too broad", fails=True),
        },
        noise=NOISE,
        reduced=REDUCED,
    )
