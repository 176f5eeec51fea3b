from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.frozen import WINDOWS, freezes

PATH = "{work}/freezes.json"
KNOWN = {"freezes.json": freezes(*WINDOWS)}


def case(_world):
    freeze = {"path": PATH, "duration": "2h", "reason": "a fair", "owner": "ada"}
    until = {key: value for key, value in freeze.items() if key != "duration"} | {"ends_at": WINDOWS[0]["ends_at"]}
    lift = {"path": PATH, "state": "absent"}
    return Case(
        scenes={
            "base": Scene(freeze, "changed"),
            "until a day": Scene(until, "changed"),
            "frozen already": Scene(until, files=KNOWN),
            "prolonged": Scene(until | {"ends_at": "2100-03-01T00:00:00Z"}, "changed", KNOWN),
            "lifted": Scene(lift, "changed", KNOWN),
            "nothing is frozen": Scene(lift),
            "never in force": Scene(until | {"ends_at": "2025-11-24T16:00:00Z"}, "failed"),
            "damaged": Scene(freeze, "failed", {"freezes.json": "{}"}),
        },
        options={
            "path": Other("{work}/others.json"),
            "state": Other("absent", scene="frozen already"),
            "starts_at": Other("2100-01-15T00:00:00Z", scene="until a day"),
            "ends_at": Other("2100-03-01T00:00:00Z", scene="until a day"),
            "duration": Other("5h"),
            "reason": Other("another"),
            "owner": Other("grace"),
            "id": Other(2, scene="lifted"),
        },
    )
