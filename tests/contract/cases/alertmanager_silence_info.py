import functools

from ansible_collections.astraldraft.ops.tests.contract.cases.alertmanager_silence import NOBODY, OURS
from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, REDUCED, server, with_silences
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes


def case(world):
    url = server(world.stack.project)
    there = with_silences(url, OURS, functools.partial(OURS, owner="grace", job="app"))
    return Case(
        scenes={
            "base": Scene({"url": url}, around=there),
            "none": Scene({"url": url}, around=with_silences(url)),
            "no matcher": Scene({"url": url, "matchers": ["job"]}, "failed"),
            **connection_scenes(world, {"url": url}),
        },
        options=connection_options(world)
        | {
            "url": Other(closed(world), fails=True),
            "matchers": Other(["job=app"]),
            "owner": Other("grace"),
            "id": Other(NOBODY),
            "states": Other(["pending"]),
        },
        noise=NOISE,
        reduced=REDUCED,
    )
