import json

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

RECORD = "{work}/drills.jsonl"
BEGUN = {"time": "2025-11-24T16:00:00.000Z", "event": "begun", "drill": "one", "fault": "replica_killed", "host": "demo", "operator": "ada"}
ENDED = {
    "time": "2025-11-24T16:01:00.000Z", "event": "ended", "drill": "one", "outcome": "recovered", "detected_by": "health checks",
    "detect_seconds": 2.5, "recover_seconds": 21.0, "summary": "",
}  # fmt: skip


def lines(*events):
    return "".join(json.dumps(event) + "\n" for event in events)


OPEN = {"drills.jsonl": lines(BEGUN | {"details": {"containers": ["one"]}})}
OVER = {"drills.jsonl": OPEN["drills.jsonl"] + lines(ENDED)}


def case(_world):
    begin = {"path": RECORD, "event": "begun", "fault": "replica_killed"}
    end = {"path": RECORD, "event": "ended", "drill": "one", "outcome": "recovered", "recover_seconds": 21}
    return Case(
        scenes={
            "base": Scene(begin, "changed"),
            "an end": Scene(end, "changed", files=OPEN),
            "healed": Scene({"path": RECORD, "event": "healed", "drill": "one"}, "changed", files=OPEN),
            "over already": Scene(end, files=OVER),
            "of nobody": Scene(end | {"drill": "two"}, "failed", files=OPEN),
        },
        options={
            "path": Other("{work}/other.jsonl"),
            "event": Other("healed", scene="an end"),
            "drill": Other("two", scene="an end", fails=True),
            "fault": Other("upstream_stale"),
            "host": Other("app-1"),
            "operator": Other("bob"),
            "details": Other({"containers": ["one"]}),
            "outcome": Other("not_recovered", scene="an end"),
            "detected_by": Other("alert TargetDown", scene="an end"),
            "detect_seconds": Other(3.5, scene="an end"),
            "recover_seconds": Other(7, scene="an end"),
            "summary": Other("It failed.", scene="an end"),
        },
        noise=[r"\d{8}T\d{6}\.\d{3}Z", r"\d{4}-\d\d-\d\dT[\d:.]+Z"],
    )
