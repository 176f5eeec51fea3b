from ansible_collections.astraldraft.ops.tests.contract.lib.case import LOCK, Case, Other, Scene, lock_record
from ansible_collections.astraldraft.ops.tests.contract.lib.frozen import AROUND_NOW, FROZEN, INCIDENT, weekly

HELD = {"lock/operation.json": lock_record(by_hand="grace")}


def case(_world):
    asked = {"path": LOCK, "operation": "deploy"}
    return Case(
        scenes={
            "base": Scene({"path": LOCK}, files=HELD),
            "free": Scene({"path": LOCK}),
            "expired": Scene({"path": LOCK}, files={"lock/operation.json": lock_record(expiry=1.0)}),
            "asked": Scene(asked),
            "asked while it is held": Scene(asked, files=HELD),
            "frozen": Scene(asked, files=FROZEN),
            "an incident": Scene(asked, files=INCIDENT),
            "unreadable": Scene(asked, files={"lock/freezes.json": "{", "incidents/INC-1/incident.json": "{"}),
            "frozen weekly": Scene(asked | {"freeze_weekly": [AROUND_NOW]}),
            "damaged": Scene({"path": LOCK}, "failed", {"lock/operation.json": "{}"}),
        },
        options={
            "path": Other("{work}/lock/another.json"),
            "operation": Other("deploy"),
            "freezes_path": Other("{work}/none.json", scene="frozen"),
            "incidents_path": Other("{work}/none", scene="an incident"),
            **weekly("frozen weekly"),
        },
        # When a holder expires that was renewed just now and need not be heard of for a hundred years.
        noise=[r"21\d\d-\S+Z"],
    )
