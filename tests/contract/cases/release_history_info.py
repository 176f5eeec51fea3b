from ansible_collections.astraldraft.ops.tests.contract.cases.release_history import BEGUN, FIRST, lines
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

RECORD = "{work}/releases.jsonl"


def case(_world):
    events = [{"event": event, "release": "one", "time": FIRST["time"]} for event in ("switched", "contracting", "contracted", "healthy")]
    record = BEGUN["releases.jsonl"] + lines(*events)
    return Case(
        scenes={
            "base": Scene({"path": RECORD}, files={"releases.jsonl": record}),
            "nothing yet": Scene({"path": RECORD}),
            "damaged": Scene({"path": RECORD}, files={"releases.jsonl": record + "{\n"}),
            "a folder": Scene({"path": "{work}"}, "failed"),
        },
        options={"path": Other("{work}/other.jsonl"), "limit": Other(1)},
    )
