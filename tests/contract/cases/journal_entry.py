from ansible_collections.astraldraft.ops.plugins.module_utils import _journal
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.frozen import INCIDENT

KEY = "a key that nobody guesses"
TIME = "2025-11-24T16:00:00.000Z"


def journal(*operations, key=None, **more):
    """The lines of a journal with an entry for each of ``operations``, and the entries."""
    lines, entries = "", []
    for number, operation in enumerate(operations, start=1):
        facts = {"id": f"id-{number}", "operation": operation, "verdict": "pass", "operator": "ada", "ended_at": TIME} | more
        entry, line = _journal.seal(_journal.compose(facts), entries[-1] if entries else None, TIME, key)
        entries.append(entry)
        lines += line.decode()
    return lines, entries


def case(_world):
    entry = {"path": "{work}/journal.jsonl", "operation": "deploy", "verdict": "pass", "operator": "ada"}
    lines, _entries = journal("deploy", "rollback")
    waiting, waiting_entries = journal("scale")
    secret = {"arguments": {"note": "the swordfish is in it"}}
    return Case(
        scenes={
            "base": Scene(entry, "changed"),
            "after others": Scene(entry | {"started_at": TIME, "ended_at": "2025-11-24T16:00:01Z"}, "changed", {"journal.jsonl": lines}),
            "after damage": Scene(entry, "changed", {"journal.jsonl": lines + '{"half'}),
            "spooled": Scene(entry | {"spool": ["{work}/spool.jsonl"]}, "changed", {"spool.jsonl": waiting + "no entry\n"}),
            "too long": Scene(entry | {"arguments": {"list": ["x" * 3000] * 20}}, "changed"),
            "a secret": Scene(entry | secret, "changed"),
            "during an incident": Scene(entry | {"incidents_path": "{work}/incidents"}, "changed", INCIDENT),
            "a short key": Scene(entry | {"key": "short"}, "failed"),
            "a folder": Scene(entry | {"path": "{work}"}, "failed", foreseen=False),
        },
        options={
            "path": Other("{work}/another.jsonl"),
            "operation": Other("rollback"),
            "verdict": Other("fail"),
            "operator": Other("grace"),
            "id": Other("an id"),
            "changed": Other(True),
            "stack": Other("astral"),
            "host": Other("laptop"),
            "reason": Other("a reason"),
            "overrides": Other([{"guard": "freeze", "message": "It is frozen."}]),
            "arguments": Other({"release_version": "v1.2.3"}),
            "started_at": Other("2025-11-24T15:00:00Z"),
            "ended_at": Other("2025-11-24T15:00:00Z"),
            "before": Other({"version": "v1.2.2"}),
            "after": Other({"version": "v1.2.3"}),
            "summary": Other("a summary"),
            "token": Other(8),
            "incidents_path": Other("{work}/none", scene="during an incident"),
            "redact": Other(["swordfish"], scene="a secret"),
            "key": Other(KEY),
            "spool": Other(["{work}/none.jsonl"], scene="spooled"),
            "waiting": Other(waiting_entries),
            # What was done is recorded, whoever has the lock: of one that is lost it only warns.
            "operation_token": Other(8, scene="locked"),
        },
        noise=[r"\b[0-9a-f]{32}\b", r"\b[0-9a-f]{64}\b"],
    )
