from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

CALM = {"limited": {"count": 0, "seconds": 1}}


def case(world):
    def limited(count, seconds):
        return told(world, "sentry", CALM, limited={"count": count, "seconds": seconds})

    def dsn(port, scheme="http", key="demo-sentry-key", path="/sentry/42"):
        return f"{scheme}://{key}@127.0.0.1:{port}{path}"

    stub = world.stack.port("STUB")
    event = {"dsn": dsn(stub), "text": "hello"}
    return Case(
        scenes={
            "base": Scene(event, "changed"),
            "limited": Scene(event, "changed", around=limited(1, 1)),
            "limited for long": Scene(event, "failed", around=limited(1, 600), foreseen=False),
            "not configured": Scene(event | {"dsn": ""}),
            "no dsn": Scene(event | {"dsn": "https://sentry.example.com/42"}, "failed"),
            "no such key": Scene(event | {"dsn": dsn(stub, key="another")}, "failed", foreseen=False),
            "refused": Scene(event | {"dsn": dsn(world.closed_port)}, "failed", foreseen=False),
            "hung": Scene(event | {"dsn": dsn(world.hanging.port), "timeout": 0.2}, "failed", foreseen=False),
            "tls": Scene(event | {"dsn": dsn(world.stack.port("LB_TLS"), "https")}, "failed", foreseen=False),
        },
        options={
            "dsn": Other(dsn(stub, path="/sentry/43"), fails=True),
            "text": Other("good bye"),
            "level": Other("error"),
            "tags": Other({"operator": "ada"}),
            "release": Other("v1.2.3"),
            "environment": Other("contract"),
            "key": Other("deploy-1", check=True),
            "test": Other(True),
            "timeout": Other(0.4, scene="hung"),
            "wait_timeout": Other(0, scene="limited", fails=True),
            "proxy": Other(closed(world), scene="hung"),
            "validate_certs": Other(False, scene="tls"),
            "ca_path": Other(world.stack.ca, scene="tls"),
        },
        noise=[r"\b[0-9a-f]{32}\b"],  # ids of events
    )
