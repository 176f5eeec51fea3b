from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

USUAL = [
    {"name": "Prometheus", "type": "prometheus", "health": "ok"},
    {"name": "PostgreSQL", "type": "grafana-postgresql-datasource", "health": "ok"},
    {"name": "Alertmanager", "type": "alertmanager", "health": "browser"},
]
BROKEN = [{"name": "Prometheus", "type": "prometheus", "health": "error"}, {"name": "Loki", "type": "loki", "health": "down"}]


def case(world):
    at_ease = {"after": {"datasources": USUAL, "database": "ok"}}
    well = told(world, "grafana", datasources=USUAL, database="ok")
    one = {"url": world.stack.url("STUB") + "/grafana", "bearer_token": "demo-grafana-token"}
    nobody = {"url": one["url"]}
    return Case(
        scenes={
            "base": Scene(one, around=well),
            "broken": Scene(one, around=told(world, "grafana", datasources=BROKEN, **at_ease)),
            "named": Scene(one | {"datasources": ["Prometheus", "Loki"]}, around=well),
            "without its database": Scene(one, around=told(world, "grafana", database="failing", **at_ease)),
            "no token": Scene(nobody, around=well),
            **connection_scenes(world, one, "unchanged"),
            "gated": Scene(one | {"url": closed(world), "gate": True}, "failed"),
        },
        options=connection_options(world, "no token")
        | {
            "url": Other(closed(world)),
            "datasources": Other(["Prometheus"]),
            "expected": Other(["Loki"]),
            "gate": Other(True, scene="refused", fails=True),
        },
    )
