import contextlib
import json
import os
import subprocess

from ansible_collections.astraldraft.ops.tests.contract.lib.case import LOCK, Case, Other, Scene, lock_record
from ansible_collections.astraldraft.ops.tests.contract.lib.frozen import AROUND_NOW, FROZEN, INCIDENT, weekly

TAKE = {"path": LOCK, "operation": "deploy", "owner": "ada"}
HELD = {"lock/operation.json": lock_record(operation="restore", owner="grace")}
EXPIRED = {"lock/operation.json": lock_record(expiry=1.0)}
# Silent here, and perhaps alive on another host.
SILENT = {"lock/operation.json": lock_record(expiry=1.0, lease_hosts=["b"])}
BY_HAND = {"lock/operation.json": lock_record(0, by_hand="grace")}


@contextlib.contextmanager
def leftover(_work):
    """What the holder with the token 7 left running."""
    environment = os.environ | {"ASTRALDRAFT_OPERATION": "contract/7"}
    with subprocess.Popen(["sleep", "60"], env=environment) as process:
        yield
        process.kill()


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
            "left behind": Scene(TAKE | {"marker": "contract"}, "changed", EXPIRED, leftover),
            "damaged": Scene(TAKE, "failed", {"lock/operation.json": "{"}),
            "waiting": Scene(TAKE | {"wait_timeout": 0.3, "wait_interval": 0.2}, "failed", HELD),
            "silent": Scene(TAKE, "failed", SILENT),
            "to be asked elsewhere": Scene(TAKE | {"confirm_dead": True}, files=SILENT),
            "declared dead": Scene({"path": LOCK, "state": "absent", "take_over_tokens": [7]}, "changed", EXPIRED),
            "alive here": Scene({"path": LOCK, "state": "absent", "take_over_tokens": [7]}, "failed", HELD),
            "lease": Scene(TAKE | {"lease_token": 7}, "changed"),
            "lease renewed": Scene(TAKE | {"lease_token": 7, "host": "laptop"}, files={"lock/operation.json": lock_record()}),
            "lease overtaken": Scene(
                TAKE | {"lease_token": 7}, "failed", {"lock/operation.json.tokens": json.dumps({"seen": {"restore": 8}, "dead": []})}
            ),
            "by hand": Scene({"path": LOCK, "manual": True, "owner": "ada", "reason": "a new disk"}, "changed"),
            "by hand already": Scene({"path": LOCK, "manual": True, "owner": "grace", "reason": "a new disk"}, files=BY_HAND),
            "locked by hand": Scene(TAKE, "failed", BY_HAND),
            "unlocked": Scene({"path": LOCK, "manual": True, "state": "absent"}, "changed", BY_HAND),
            "frozen": Scene(TAKE, "failed", FROZEN),
            "an incident": Scene(TAKE, "failed", INCIDENT),
            "frozen weekly": Scene(TAKE | {"freeze_weekly": [AROUND_NOW]}, "failed"),
        },
        options={
            "path": Other("{work}/lock/another.json"),
            "state": Other("absent", scene="locked"),
            "operation": Other("restore"),
            "owner": Other("grace"),
            "host": Other("laptop"),
            "reason": Other("a reason"),
            "expiry": [Other(90), Other(90, scene="locked")],
            "wait_timeout": Other(0.0, scene="waiting"),
            "queue_timeout": Other(0.3, scene="held"),
            "wait_interval": Other(0.1, scene="waiting"),
            "seize": Other(True, scene="held", fails=True),
            "overrides": [
                Other(["lock"], scene="held", fails=True),
                Other(["freeze"], scene="frozen", fails=True),
                Other(["incident"], scene="an incident", fails=True),
            ],
            "emergency": Other(True, scene="frozen", fails=True),
            "lease_hosts": Other(["b"]),
            "confirm_dead": Other(True, scene="silent", fails=True),
            "lease_token": Other(9, scene="lease"),
            "take_over_tokens": [Other([7], scene="silent", fails=True), Other([8], scene="declared dead")],
            "marker": Other("another", scene="left behind"),
            "manual": Other(True),
            "freezes_path": Other("{work}/none.json", scene="frozen", fails=True),
            "incidents_path": Other("{work}/none", scene="an incident", fails=True),
            **weekly("frozen weekly"),
            "operation_lock_path": Other("{work}/lock/another.json", scene="locked", fails=True),
            "operation_token": Other(8, scene="locked", together={"wait_timeout": 0.0}, fails=True),
        },
        # Process ids; whom something is sent to stays.
        reduced={"pid": bool, "to": lambda value: value if isinstance(value, str) else bool(value)},
    )
