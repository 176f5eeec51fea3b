from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.pagerduty import LOGINS, NOISE, RESOLVED, account, options, scenes, there

OTHERS = (
    {"title": "drafts hang", "id": "Q2", "key": "drafts", "status": "acknowledged", "service": "S2", "urgency": "low", "age": 90000},
    RESOLVED | {"id": "Q3"},
)


def case(world):
    ask, known = account(world), there(world, LOGINS, *OTHERS)
    return Case(
        scenes={
            "base": Scene(ask, around=known),
            "none": Scene(ask, around=there(world)),
            "one": Scene(ask | {"id": "Q1", "notes": True}, around=known),
            "not known": Scene(ask | {"id": "Q9"}, "failed", around=known),
            "no time": Scene(ask | {"since": "yesterday"}, "failed", around=known),
            **scenes(world, ask),
        },
        options=options(world)
        | {
            "id": Other("Q3"),
            "incident_key": Other("drafts"),
            "statuses": Other(["resolved"]),
            "service_ids": Other(["S2"]),
            "urgencies": Other(["low"]),
            "since": Other("1h"),
            "notes": Other(False, scene="one"),
            "maximum": Other(1),
        },
        noise=NOISE,
    )
