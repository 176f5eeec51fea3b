from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.incidents import PATH, RESOLVED, incident


def case(_world):
    opened = {"path": PATH, "state": "open", "operator": "ada", "title": "logins fail", "severity": "SEV-2"}
    update = {"path": PATH, "state": "updated", "operator": "ada", "note": "we go back"}
    action = {"title": "Alert earlier", "owner": "grace", "due": "2025-12-24", "done": False}
    people = {"commander": "ada", "scribe": "grace", "communications": "mary"}
    known, over = incident(), incident(**RESOLVED)
    return Case(
        scenes={
            "base": Scene(opened, "changed"),
            "open already": Scene(opened, files=known),
            "worse": Scene(opened | {"severity": "SEV-1"}, "changed", known),
            "opened again": Scene(opened | {"id": "2025-0001"}, "changed", over),
            "updated": Scene(update | {"people": people, "actions": [action]}, "changed", known),
            "nothing new": Scene({"path": PATH, "state": "updated", "operator": "ada", "note": "we look"}, files=known),
            "given back": Scene(
                {"path": PATH, "state": "updated", "operator": "ada", "unsent": ["a"]},
                "changed",
                incident(notifications={"a": {"claimed_at": "2025-11-24T16:00:00.000Z", "sent_at": None}}),
            ),
            "claimed": Scene(update | {"claim": ["a", "b"]}, "changed", known),
            "another one": Scene(update, "changed", incident("2025-0002") | over),
            "resolved": Scene(update | {"state": "resolved"}, "changed", known),
            "resolved already": Scene(update | {"state": "resolved"}, files=over),
            "not in the record yet": Scene(update, "changed", {name: text for name, text in known.items() if "timeline" in name}),
            "two are open": Scene(update, "failed", known | incident("2025-0002", title="drafts hang")),
            "resolved and not": Scene(update | {"state": "resolved", "status": "monitoring"}, "failed", known),
            "no title": Scene(opened | {"title": " "}, "failed"),
        },
        options={
            "path": Other("{work}/others"),
            "state": Other("resolved", scene="updated"),
            "id": Other("2025-0001", scene="another one"),
            "operator": Other("grace"),
            "title": Other("drafts hang"),
            "severity": Other("SEV-3"),
            "status": Other("monitoring", scene="updated"),
            "impact": Other("all of them", scene="updated"),
            "cause": Other("the pool", scene="updated"),
            "resolution": Other("rolled back", scene="updated"),
            "conditions": Other(["data_loss"], scene="updated"),
            "people.commander": Other("grace", scene="updated"),
            "people.scribe": Other("ada", scene="updated"),
            "people.communications": Other("ada", scene="updated"),
            "references": Other({"pagerduty": "Q1"}, scene="updated"),
            "actions.title": Other("Alert", scene="updated"),
            "actions.owner": Other("ada", scene="updated"),
            "actions.due": Other("2025-12-31", scene="updated"),
            "actions.done": Other(True, scene="updated"),
            "note": Other("we wait", scene="updated"),
            "announcement": Other("It is being mended.", scene="updated"),
            "started_at": Other("2025-11-24T15:00:00Z"),
            "acknowledged_by": Other("grace", scene="updated"),
            "next_update": Other("2025-11-24T18:00:00Z", scene="updated"),
            "claim": Other(["a"], scene="claimed"),
            "sent": Other(["a"], scene="claimed"),
            "unsent": Other(["b"], scene="given back"),
            "operation_token": Other(8, scene="locked"),
        },
    )
