from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.pagerduty import (
    ACKNOWLEDGED,
    LOGINS,
    NOISE,
    RESOLVED,
    account,
    options,
    scenes,
    there,
)


def case(world):
    nobody = account(world) | {"from_email": "ada@astraldraft.test"}
    one = nobody | {"id": "Q1"}
    known = there(world, LOGINS, {"title": "drafts hang", "id": "Q2", "key": "drafts"})
    acknowledge, escalate = one | {"state": "acknowledged"}, one | {"escalation_level": 2}
    return Case(
        scenes={
            "base": Scene(acknowledge, "changed", around=known),
            "acknowledged already": Scene(acknowledge, around=there(world, ACKNOWLEDGED)),
            "resolved": Scene(one | {"state": "resolved", "resolution": "rolled back"}, "changed", around=known),
            "nothing to resolve": Scene(nobody | {"incident_key": "none", "state": "resolved"}, around=known),
            "by its key": Scene(nobody | {"incident_key": "logins", "state": "acknowledged"}, "changed", around=known),
            "escalated": Scene(escalate, "changed", around=known),
            "escalated already": Scene(escalate, around=there(world, LOGINS | {"level": 3})),
            "noted": Scene(one | {"note": "we go back"}, "changed", around=known),
            "noted already": Scene(one | {"note": "we look"}, around=known),
            "resolved before": Scene(acknowledge, "failed", around=there(world, RESOLVED)),
            "not known": Scene(one | {"id": "Q9", "state": "resolved"}, "failed", around=known),
            "a stranger": Scene(acknowledge | {"from_email": "eve@astraldraft.test"}, "failed", around=known, foreseen=False),
            **scenes(world, acknowledge),
        },
        options=options(world)
        | {
            "id": Other("Q2"),
            "incident_key": Other("drafts", scene="by its key"),
            "from_email": Other("grace@astraldraft.test"),
            "state": Other("resolved"),
            "resolution": Other("it came back", scene="resolved"),
            "escalation_level": Other(3, scene="escalated"),
            "note": Other("we wait", scene="noted"),
        },
        noise=NOISE,
    )
