from ansible_collections.astraldraft.ops.tests.contract.cases.alertmanager_silence import OURS, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, REDUCED, server, with_silences
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    url, closed = server(world.stack.project), f"http://127.0.0.1:{world.closed_port}"
    silenced = with_silences(url, OURS)
    return Case(
        scenes={
            "base": Scene({"url": url}, around=silenced),
            "a member is gone": Scene({"urls": [url, closed]}, around=silenced),
            "nobody": Scene({}, "failed"),
            "no matcher": Scene({"url": url, "matchers": ["job"]}, "failed"),
            **connection_scenes(world, {"url": url}),
        },
        options=connection_options(world)
        | {
            "url": Other(closed, fails=True),
            "urls": Other([closed]),
            "matchers": Other(["job=app"]),
            "states": Other(["silenced"]),
            "limit": Other(1),
        },
        noise=NOISE,
        reduced=REDUCED,
    )
