from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

USUAL = [
    {"name": "Prometheus", "type": "prometheus", "health": "ok"},
    {"name": "PostgreSQL", "type": "grafana-postgresql-datasource", "health": "ok"},
    {"name": "Alertmanager", "type": "alertmanager", "health": "browser"},
]
BROKEN = [{"name": "Prometheus", "type": "prometheus", "health": "error"}, {"name": "Loki", "type": "loki", "health": "down"}]


def case(world):
    closed = f"http://127.0.0.1:{world.closed_port}"
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
            "refused": Scene(one | {"url": closed}),
            "hung": Scene(one | {"url": f"http://127.0.0.1:{world.hanging.port}", "timeout": 0.2}),
            "tls": Scene(one | {"url": f"https://127.0.0.1:{world.stack.port('LB_TLS')}"}),
            "gated": Scene(one | {"url": closed, "gate": True}, "failed"),
        },
        options={
            "url": Other(closed),
            "url_username": Other("grafana-user", scene="no token"),
            "url_password": Other("grafana-password", scene="no token", together={"url_username": "grafana-user"}),
            "bearer_token": Other("another-token"),
            "proxy": Other(closed, scene="hung"),
            "validate_certs": Other(False, scene="tls"),
            "ca_path": Other(world.stack.ca, scene="tls"),
            "timeout": Other(0.4, scene="hung"),
            "datasources": Other(["Prometheus"]),
            "expected": Other(["Loki"]),
            "gate": Other(True, scene="refused", fails=True),
        },
    )
