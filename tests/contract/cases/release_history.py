import json

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

RECORD = "{work}/releases.jsonl"
DETAILS = {
    "operation": "deploy", "version": "v1.2.3", "image": "astraldraft/app:v1.2.3", "digest": "sha256:1d3f", "environment": "9f86",
    "service": "app-green", "replicas": 2, "operator": "ada", "migration_phase": "none",
}  # fmt: skip
FIRST = {"time": "2026-11-23T18:47:05.123Z", "event": "started", "release": "one", "reason": "", "emergency": False} | DETAILS
SECOND = FIRST | {"release": "two", "version": "v1.2.4"}
HEALTHY = {"time": FIRST["time"], "event": "healthy", "release": "one"}


def lines(*events):
    return "".join(json.dumps(event) + "\n" for event in events)


BEGUN = {"releases.jsonl": lines(FIRST, SECOND)}


def case(_world):
    starting = Scene({"path": RECORD, "event": "started", "details": DETAILS}, "changed")
    again = {"releases.jsonl": lines(FIRST, HEALTHY)}
    return Case(
        scenes={
            "base": starting,
            "begun": Scene({"path": RECORD, "event": "healthy", "release": "one"}, "changed", BEGUN),
            "recorded already": Scene({"path": RECORD, "event": "healthy", "release": "one"}, files=again),
            "scaled": Scene({"path": RECORD, "event": "scaled", "release": "one", "replicas": 3}, "changed", BEGUN),
            "closing": Scene(starting.args, "changed", BEGUN),
            "unknown": Scene({"path": RECORD, "event": "healthy", "release": "none"}, "failed", BEGUN, foreseen=False),
        },
        options={
            "path": Other("{work}/other.jsonl"),
            "export_path": Other("{work}/releases.json"),
            "event": Other("failed", scene="begun"),
            "release": Other("two", scene="begun"),
            "replicas": Other(4, scene="scaled"),
            "comment": Other("why", scene="begun"),
            "details.operation": Other("rollback"),
            "details.version": Other("v1.2.4"),
            "details.image": Other("astraldraft/app:v1.2.4"),
            "details.digest": Other("sha256:2e4f"),
            "details.environment": Other("0a1b"),
            "details.service": Other("app-blue"),
            "details.replicas": Other(3),
            "details.operator": Other("grace"),
            "details.reason": Other("a reason"),
            "details.emergency": Other(True),
            "details.migration_phase": Other("expand"),
        },
    )
