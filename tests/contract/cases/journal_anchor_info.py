from ansible_collections.astraldraft.ops.tests.contract.cases.journal_anchor import KEPT, OTHER_HASH, anchors
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(_world):
    read = {"path": "{work}/anchors.jsonl"}
    kept = anchors(KEPT, {"sequence": 2, "hash": OTHER_HASH})
    return Case(
        scenes={
            "base": Scene(read, files=kept),
            "nothing yet": Scene(read),
            "damaged": Scene(read, files={"anchors.jsonl": kept["anchors.jsonl"] + "{\n"}),
            "a folder": Scene({"path": "{work}"}, "failed"),
        },
        options={"path": Other("{work}/others.jsonl"), "limit": Other(1)},
    )
