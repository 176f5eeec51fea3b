from ansible_collections.astraldraft.ops.tests.contract.cases.prometheus_alerts_info import server
from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import REDUCED
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes


def case(world):
    args = {"url": server()}
    return Case(
        scenes={
            "base": Scene(args),
            "expected": Scene(args | {"jobs": [{"name": "app"}]}),
            "lost": Scene(args | {"jobs": [{"name": "lost"}]}),
            "a real one": Scene({"url": world.stack.url("PROMETHEUS"), "jobs": [{"name": "app"}], "own_metrics": False}),
            "gated": Scene({"url": closed(world), "gate": True}, "failed"),
            **connection_scenes(world, args, "unchanged"),
        },
        options=connection_options(world)
        | {
            "url": Other(closed(world)),
            "jobs.name": Other("web", scene="expected"),
            "jobs.minimum": Other(2, scene="expected"),
            "stale_intervals": Other(1.0),
            "alertmanagers": Other(2),
            "own_metrics": Other(False),
            "watchdog": Other("Watchdog"),
            "gate": Other(True, scene="refused", fails=True),
        },
        noise=[r"\d+(\.\d+)? (s|min) ago"],
        reduced=REDUCED,
    )
