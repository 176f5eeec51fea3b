from ansible_collections.astraldraft.ops.tests.contract.cases.journal_entry import journal
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(_world):
    lines, _entries = journal("deploy", "rollback")
    done = {"path": "{work}/spool.jsonl", "ids": ["id-1"]}
    waiting = {"spool.jsonl": lines + "no entry\n"}
    return Case(
        scenes={
            "base": Scene(done, "changed", waiting),
            "not waiting": Scene(done | {"ids": ["id-9"]}, files=waiting),
            "nothing waits": Scene(done),
            "a folder": Scene(done | {"path": "{work}"}, "failed"),
        },
        options={
            "path": Other("{work}/none.jsonl"),
            "ids": Other(["id-2"]),
            # What was done is recorded, whoever has the lock: of one that is lost it only warns.
            "operation_token": Other(8, scene="locked"),
        },
    )
