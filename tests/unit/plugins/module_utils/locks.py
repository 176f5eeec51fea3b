"""Who asks for a lock, in tests, and a clock that stands still."""

from __future__ import annotations

START = 1_000_000.0


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


def request(owner="ada", expiry=45.0, operation="deploy", lease_hosts=()):
    return {
        "operation": operation,
        "owner": owner,
        "host": "laptop",
        "reason": "v1.2.3",
        "expiry": expiry,
        "lease_hosts": list(lease_hosts),
    }


def person(owner="ada", reason="the disk is being replaced"):
    return {"owner": owner, "host": "laptop", "reason": reason}
