from ansible_collections.astraldraft.ops.tests.contract.lib.case import LOCK, Case, Other, Scene, lock_record

TAKE = {"path": LOCK, "operation": "deploy", "owner": "ada"}
HELD = {"lock/operation.json": lock_record(operation="restore", owner="grace")}
EXPIRED = {"lock/operation.json": lock_record(expiry=1.0)}


def case(_world):
    return Case(
        scenes={
            "base": Scene(TAKE, "changed"),
            "locked": Scene({"path": LOCK, "operation_token": 7}, files={"lock/operation.json": lock_record()}),
            "release": Scene({"path": LOCK, "operation_token": 7, "state": "absent"}, "changed", {"lock/operation.json": lock_record()}),
            "free already": Scene({"path": LOCK, "operation_token": 7, "state": "absent"}),
            "held": Scene(TAKE | {"wait_timeout": 0.0}, "failed", HELD),
            "seized": Scene(TAKE | {"seize": True}, "changed", HELD),
            "expired": Scene(TAKE, "changed", EXPIRED),
            "damaged": Scene(TAKE, "failed", {"lock/operation.json": "{"}),
            "waiting": Scene(TAKE | {"wait_timeout": 0.3, "wait_interval": 0.2}, "failed", HELD),
        },
        options={
            "path": Other("{work}/lock/another.json"),
            "state": Other("absent", scene="locked"),
            "operation": Other("restore"),
            "owner": Other("grace"),
            "host": Other("laptop"),
            "reason": Other("a reason"),
            "expiry": Other(90),
            "wait_timeout": Other(0.0, scene="waiting"),
            "wait_interval": Other(0.1, scene="waiting"),
            "seize": Other(True, scene="held", fails=True),
            "operation_lock_path": Other("{work}/lock/another.json", scene="locked", fails=True),
            "operation_token": Other(8, scene="locked", together={"wait_timeout": 0.0}, fails=True),
        },
    )
