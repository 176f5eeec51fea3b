import functools

from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, REDUCED, server, silence, with_silences
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes

NOBODY = "00000000-0000-0000-0000-000000000000"
OURS = functools.partial(silence, job="web", environment="demo")


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
            "url": Other(closed(world), fails=True),
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
