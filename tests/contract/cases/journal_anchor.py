import json

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

HASH, OTHER_HASH = "0f" * 32, "1e" * 32
KEPT = {"sequence": 1, "hash": HASH, "stack": "astral", "time": "2025-11-24T16:00:00.000Z"}


def anchors(*kept):
    return {"anchors.jsonl": "".join(json.dumps(line) + "\n" for line in kept)}


def case(_world):
    keep = {"path": "{work}/anchors.jsonl", "sequence": 1, "hash": HASH}
    return Case(
        scenes={
            "base": Scene(keep, "changed"),
            "kept already": Scene(keep, files=anchors(KEPT)),
            "disagreeing": Scene(keep, "changed", anchors(KEPT | {"hash": OTHER_HASH})),
            "no hash": Scene(keep | {"hash": "0f"}, "failed"),
            "a folder": Scene(keep | {"path": "{work}"}, "failed"),
        },
        options={
            "path": Other("{work}/others.jsonl"),
            "sequence": Other(2),
            "hash": Other(OTHER_HASH),
            "stack": Other("astral"),
            # What was done is recorded, whoever has the lock: of one that is lost it only warns.
            "operation_token": Other(8, scene="locked"),
        },
    )
