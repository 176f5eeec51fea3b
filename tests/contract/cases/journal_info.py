from ansible_collections.astraldraft.ops.tests.contract.cases.journal_entry import KEY, journal
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(_world):
    lines, entries = journal("deploy", "rollback", "deploy")
    keyed, _entries = journal("deploy", "rollback", key=KEY)
    first, second, third = lines.splitlines(keepends=True)
    edited = first + second.replace("ada", "eve") + third
    read = {"path": "{work}/journal.jsonl"}
    verify = read | {"verify": True}
    of_another = {"sequence": 3, "hash": "0" * 64}
    kept = {"sequence": 3, "hash": entries[2]["hash"]}
    return Case(
        scenes={
            "base": Scene(read, files={"journal.jsonl": lines}),
            "nothing yet": Scene(read),
            "whole": Scene(verify, files={"journal.jsonl": lines, "anchors.jsonl": str(of_another).replace("'", '"') + "\n"}),
            "nothing to verify": Scene(verify),
            "edited": Scene(verify, files={"journal.jsonl": edited}),
            "removed": Scene(verify, files={"journal.jsonl": first + third}),
            "cut": Scene(verify | {"anchors": [kept]}, files={"journal.jsonl": first}),
            "torn": Scene(verify, files={"journal.jsonl": lines + '{"half'}),
            "keyed": Scene(verify, files={"journal.jsonl": keyed}),
            "an unknown time": Scene(read | {"since": "yesterday"}, "failed"),
            "no anchor": Scene(verify | {"anchors": [{"sequence": 0}]}, "failed"),
        },
        options={
            "path": Other("{work}/another.jsonl"),
            "since": Other("1h"),
            "operation": Other("rollback"),
            "operator": Other("grace"),
            "verdict": Other("fail"),
            "limit": Other(1),
            "verify": Other(True),
            "key": Other(KEY, scene="keyed"),
            "anchors": Other([of_another], scene="whole"),
            "anchors_path": Other("{work}/anchors.jsonl", scene="whole"),
        },
    )
