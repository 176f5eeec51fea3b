"""What the parts of PagerDuty's stub share: its users, its refusals, and the form of a reference."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .base import Reply

USERS = {
    "ada@astraldraft.test": {"id": "PADA001", "name": "Ada"},
    "grace@astraldraft.test": {"id": "PGRACE1", "name": "Grace"},
    "mary@astraldraft.test": {"id": "PMARY01", "name": "Mary"},
}
POLICY, SERVICE = "PPOLICY", "PSERVICE"


class Refused(Exception):
    def __init__(self, status: int, code: int, message: str, *errors: str, **headers: str) -> None:
        super().__init__(message)
        error = {"message": message, "code": code} | ({"errors": list(errors)} if errors else {})
        self.reply = Reply(status, {"error": error}, headers)


def invalid(*errors: str) -> Refused:
    return Refused(400, 2001, "Invalid Input Provided", *errors)


def reference(kind: str, identity: str, summary: str) -> dict[str, Any]:
    return {"id": identity, "type": f"{kind}_reference", "summary": summary, "self": f"https://api.pagerduty.com/{kind}s/{identity}",
            "html_url": f"https://astraldraft.pagerduty.com/{kind}s/{identity}"}  # fmt: skip


def user_reference(identity: str) -> dict[str, Any]:
    return reference("user", identity, next(user["name"] for user in USERS.values() if user["id"] == identity))


POLICY_REFERENCE = reference("escalation_policy", POLICY, "Operations") | {
    "self": f"https://api.pagerduty.com/escalation_policies/{POLICY}"
}


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
