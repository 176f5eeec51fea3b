from ansible_collections.astraldraft.ops.tests.contract.cases.journal_entry import TIME, journal
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.incidents import PATH, POLICY, RESOLVED, incident


def case(_world):
    ask = {"path": PATH}
    before, _entries = journal("deploy", started_at="2025-11-24T15:00:00Z")
    earlier, _entries = journal("backup", ended_at="2025-11-24T15:30:00Z")
    during, _entries = journal("rollback", ended_at=TIME, incident="2025-0001")
    known = incident() | incident("2025-0002", **RESOLVED)
    merged = ask | {"journal_path": "{work}/journal.jsonl"}
    return Case(
        scenes={
            "base": Scene(ask, files=known | {"journal.jsonl": during}),
            "none": Scene(ask),
            "merged": Scene(merged, files=known | {"journal.jsonl": before}),
            "earlier": Scene(merged, files=known | {"journal.jsonl": earlier}),
            "torn": Scene(ask, files=known | {"incidents/2025-0001/timeline.jsonl": '{"half', "incidents/2025-0003/incident.json": "{"}),
            "another hand": Scene(ask, files={"incidents/INC-1/incident.json": known["incidents/2025-0001/incident.json"]}),
            "with a policy": Scene(ask | {"policy": POLICY}, files=known),
            "an unusable policy": Scene(ask | {"policy": {}}, "failed", known),
            "not there": Scene(ask | {"id": "2025-0009"}, "failed", known),
            "no duration": Scene(merged | {"lead": "early"}, "failed", known),
        },
        options={
            "path": Other("{work}/others"),
            "id": Other("2025-0002"),
            "status": Other("all"),
            "journal_path": Other("{work}/journal.jsonl"),
            "lead": Other("1h", scene="earlier"),
            "policy": Other(POLICY),
        },
        # How late something is, in seconds.
        reduced={"late_seconds": bool, "update_overdue_seconds": bool},
        noise=[r"update/\S+Z"],
    )
