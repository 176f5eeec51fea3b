import copy

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.incidents import POLICY


def case(_world):
    broken = copy.deepcopy(POLICY)
    broken["chains"]["only"][0]["notify"] = ["nobody"]
    contradictory = copy.deepcopy(POLICY)
    contradictory["severities"][0]["response_minutes"] = 500
    return Case(
        scenes={
            "base": Scene({"policy": POLICY}),
            "contradictory": Scene({"policy": contradictory}),
            "not usable": Scene({"policy": broken}),
            "no policy": Scene({}, "failed"),
        },
        options={
            "policy": Other(contradictory),
            "addresses": Other({"status_page": "https://status.example.com"}),
        },
    )
