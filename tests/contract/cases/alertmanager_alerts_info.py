from ansible_collections.astraldraft.ops.tests.contract.cases.alertmanager_silence import OURS
from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, REDUCED, server, with_silences
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes


def case(world):
    url = server(world.stack.project)
    silenced = with_silences(url, OURS)
    return Case(
        scenes={
            "base": Scene({"url": url}, around=silenced),
            "a member is gone": Scene({"urls": [url, closed(world)]}, around=silenced),
            "nobody": Scene({}, "failed"),
            "no matcher": Scene({"url": url, "matchers": ["job"]}, "failed"),
            **connection_scenes(world, {"url": url}),
        },
        options=connection_options(world)
        | {
            "url": Other(closed(world), fails=True),
            "urls": Other([closed(world)]),
            "matchers": Other(["job=app"]),
            "states": Other(["silenced"]),
            "limit": Other(1),
        },
        noise=NOISE,
        reduced=REDUCED,
    )
