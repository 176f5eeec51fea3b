from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import server
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes


def case(world):
    args = {"url": server(world.stack.project)}
    return Case(
        scenes={
            "base": Scene(args),
            "nobody": Scene({}, "failed"),
            "gated": Scene({"url": closed(world), "gate": True}, "failed"),
            **connection_scenes(world, args, "unchanged"),
        },
        options=connection_options(world)
        | {
            "url": Other(closed(world)),
            "urls": Other([closed(world)]),
            "peers": Other(2),
            "gate": Other(True, scene="refused", fails=True),
        },
    )
