import json

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

PATH = "{work}/maintenance.json"
STARTS = "2100-01-01T02:00:00Z"
TO_COME = {
    "id": 1, "title": "moved", "impact": "", "owner": "ada", "starts_at": "2100-01-01T02:00:00.000Z", "ends_at": "2100-01-01T02:40:00.000Z",
    "announced_at": "2025-12-01T02:00:00.000Z", "announced_until": "2100-01-01T02:40:00.000Z",
    "started_at": None, "ended_at": None, "ended_by": None, "told": {"notice": ["chat"]},
}  # fmt: skip
RUNNING = TO_COME | {
    "starts_at": "2025-12-01T02:00:00.000Z",
    "started_at": "2025-12-01T02:00:00.000Z",
    "ends_at": "2100-01-01T00:00:00.000Z",
}
OVER = RUNNING | {"ends_at": "2025-12-01T03:00:00.000Z"}


def known(*windows):
    return {"maintenance.json": json.dumps({"last_id": len(windows), "windows": list(windows)})}


def case(_world):
    announced = {"path": PATH, "state": "announced", "starts_at": STARTS, "length": "40m", "title": "moved", "owner": "ada"}
    started = {"path": PATH, "state": "started", "owner": "ada"}
    told = {"path": PATH, "state": "told", "id": 1, "told": {"notice": ["mail"]}}
    return Case(
        scenes={
            "base": Scene(announced, "changed"),
            "announced already": Scene(announced, files=known(TO_COME)),
            "started": Scene(started | {"length": "1h", "title": "moved"}, "changed"),
            "in progress": Scene(started, files=known(RUNNING)),
            "until then": Scene(started | {"ends_at": "2100-01-02T00:00:00Z"}, "changed", known(RUNNING)),
            "ended": Scene({"path": PATH, "state": "ended"}, "changed", known(RUNNING)),
            "ended by itself": Scene({"path": PATH, "state": "ended"}, "changed", known(OVER)),
            "nothing to end": Scene({"path": PATH, "state": "ended"}),
            "told": Scene(told, "changed", known(TO_COME)),
            "told before": Scene(told | {"told": {"notice": ["chat"]}}, files=known(TO_COME)),
            "told of nothing": Scene(told | {"id": 7}, "failed", known(TO_COME)),
            "not said how long": Scene(started, "failed"),
            "taken back": Scene({"path": PATH, "state": "withdrawn", "starts_at": STARTS}, "changed", known(TO_COME)),
            "not begun after all": Scene({"path": PATH, "state": "withdrawn", "id": 1}, "changed", known(RUNNING)),
            "nothing to take back": Scene({"path": PATH, "state": "withdrawn", "starts_at": STARTS}),
            "begun": Scene({"path": PATH, "state": "withdrawn", "starts_at": RUNNING["starts_at"]}, "failed", known(RUNNING)),
            "damaged": Scene(announced, "failed", {"maintenance.json": "{"}),
        },
        options={
            "path": Other("{work}/another.json"),
            "state": Other("started"),
            "starts_at": Other("2100-01-01T03:00:00Z"),
            "length": Other("2h"),
            "ends_at": Other("2100-01-03T00:00:00Z", scene="until then"),
            "title": Other("something else"),
            "impact": Other("nobody gets in"),
            "owner": Other("grace"),
            "id": Other(7, scene="told", fails=True),
            "told": Other({"notice": ["events"]}, scene="told"),
        },
    )
