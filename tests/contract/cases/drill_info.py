from ansible_collections.astraldraft.ops.tests.contract.cases.drill_record import BEGUN, OPEN, OVER, lines
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

RECORD = "{work}/drills.jsonl"


def case(_world):
    both = {"drills.jsonl": OVER["drills.jsonl"] + lines(BEGUN | {"drill": "two", "fault": "upstream_stale", "details": {}})}
    return Case(
        scenes={
            "base": Scene({"path": RECORD}, files=both),
            "cut short": Scene({"path": RECORD}, files=OPEN),
            "nothing yet": Scene({"path": RECORD}),
            "damaged": Scene({"path": RECORD}, files={"drills.jsonl": OVER["drills.jsonl"] + "{\n"}),
            "a folder": Scene({"path": "{work}"}, "failed"),
        },
        options={"path": Other("{work}/other.jsonl"), "fault": Other("upstream_stale"), "limit": Other(1)},
    )
