"""What holds an operation back: freezes and incidents as they lie in files, and a freeze of every week that is in force now."""

from __future__ import annotations

import datetime
import json
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Other

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def window(number: int, starts_at: str, reason: str) -> dict[str, Any]:
    return {"id": number, "starts_at": starts_at, "ends_at": "2100-02-01T00:00:00.000Z", "reason": reason, "owner": "ada"}


def freezes(*windows: dict[str, Any]) -> str:
    return json.dumps({"last_id": len(windows), "freezes": windows})


WINDOWS = window(1, "2025-11-24T16:00:00.000Z", "a fair"), window(2, "2100-01-01T00:00:00.000Z", "the new century")
FROZEN = {"lock/freezes.json": freezes(*WINDOWS)}
INCIDENT = {
    "incidents/INC-1/incident.json": json.dumps({"id": "INC-1", "severity": "SEV-1", "status": "investigating", "title": "the draft hangs"})
}


def some_days_from_now(days: int) -> str:
    """A day of the week."""
    return DAYS[(datetime.datetime.now(datetime.UTC).weekday() + days) % len(DAYS)]


# Its ends are far enough away for any time zone.
AROUND_NOW = {"starts": f"{some_days_from_now(-2)} 00:00", "ends": f"{some_days_from_now(2)} 00:00"}


def weekly(scene: str) -> dict[str, Other]:
    """Other values for such a freeze."""
    values = {
        "starts": f"{some_days_from_now(-2)} 01:00", "ends": f"{some_days_from_now(2)} 01:00", "timezone": "Europe/Berlin",
        "reason": "a reason",
    }  # fmt: skip
    return {f"freeze_weekly.{name}": Other(value, scene=scene) for name, value in values.items()}
