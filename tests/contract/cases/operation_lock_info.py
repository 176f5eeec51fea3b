from ansible_collections.astraldraft.ops.tests.contract.lib.case import LOCK, Case, Other, Scene, lock_record


def case(_world):
    return Case(
        scenes={
            "base": Scene({"path": LOCK}, files={"lock/operation.json": lock_record()}),
            "free": Scene({"path": LOCK}),
            "expired": Scene({"path": LOCK}, files={"lock/operation.json": lock_record(expiry=1.0)}),
            "damaged": Scene({"path": LOCK}, "failed", {"lock/operation.json": "{}"}),
        },
        options={"path": Other("{work}/lock/another.json")},
    )
