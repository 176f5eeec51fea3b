from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

BEGAN = 1764000000000  # 2025-11-24T16:00:00Z
KNOWN = {"text": "v1.2.3", "tags": ["deploy", "astraldraft:contract"], "time": BEGAN}
REGION = KNOWN | {"timeEnd": BEGAN + 60000}
ON_A_PANEL = KNOWN | {"dashboardUID": "abc", "panelId": 4}


def case(world):
    def there(*annotations):
        return told(world, "grafana", annotations=list(annotations))

    mark = {"url": world.stack.url("STUB") + "/grafana", "bearer_token": "demo-grafana-token", "key": "contract", "text": "v1.2.3"}
    nobody = {name: value for name, value in mark.items() if name != "bearer_token"}
    panel = mark | {"dashboard_uid": "abc", "panel_id": 4}
    return Case(
        scenes={
            "base": Scene(mark, "changed", around=there()),
            "there already": Scene(mark, around=there(KNOWN)),
            "a region already": Scene(mark | {"time_end": "now"}, around=there(REGION)),
            "its end": Scene(mark | {"time_end": "2025-11-24T16:05:00Z"}, "changed", around=there(KNOWN)),
            "on a panel": Scene(panel, "changed", around=there(KNOWN)),
            "on a panel already": Scene(panel, around=there(KNOWN, ON_A_PANEL)),
            "removed": Scene(mark | {"state": "absent"}, "changed", around=there(KNOWN, KNOWN)),
            "nothing to remove": Scene(mark | {"state": "absent"}, around=there()),
            "no text": Scene(mark | {"text": ""}, "failed", around=there()),
            "no token": Scene(nobody, "failed"),
            **connection_scenes(world, mark),
        },
        options=connection_options(world, "no token")
        | {
            "url": Other(closed(world), fails=True),
            "bearer_token": Other("another-token", fails=True),
            "state": Other("absent", scene="there already"),
            "key": Other("another"),
            "text": Other("v1.2.4", scene="there already"),
            "tags": Other(["rollback"], scene="there already"),
            "time": Other("2025-11-24T15:00:00Z", scene="there already"),
            "time_end": Other("2025-11-24T16:05:00Z", scene="there already"),
            "dashboard_uid": Other("abc"),
            "panel_id": Other(5, scene="on a panel"),
        },
        noise=[r"\b1[789]\d{11}\b"],  # now, in milliseconds
    )
