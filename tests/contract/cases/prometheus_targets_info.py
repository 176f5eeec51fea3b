from ansible_collections.astraldraft.ops.tests.contract.cases.alertmanager_silence import connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.cases.prometheus_alerts_info import server
from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import REDUCED
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    args = {"url": server()}
    closed = f"http://127.0.0.1:{world.closed_port}"
    return Case(
        scenes={
            "base": Scene(args),
            "expected": Scene(args | {"jobs": [{"name": "app"}]}),
            "lost": Scene(args | {"jobs": [{"name": "lost"}]}),
            "a real one": Scene({"url": world.stack.url("PROMETHEUS"), "jobs": [{"name": "app"}], "own_metrics": False}),
            "gated": Scene({"url": closed, "gate": True}, "failed"),
            **connection_scenes(world, args, "unchanged"),
        },
        options=connection_options(world)
        | {
            "url": Other(closed),
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
