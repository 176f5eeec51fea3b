"""PagerDuty's windows of maintenance: listMaintenanceWindows, createMaintenanceWindow, updateMaintenanceWindow, deleteMaintenanceWindow."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from .base import BadRequest, Call, Reply
from .pagerduty_shapes import SERVICE, Refused, invalid, iso, reference, user_reference

FIELDS: dict[str, type] = {"type": str, "start_time": str, "end_time": str, "description": str, "services": list, "teams": list}
NEEDED = ("type", "start_time", "end_time", "services")
FILTERS = ("past", "future", "ongoing", "open", "all")
NAMES = {SERVICE: "Astral Draft", "POTHER": "Mail"}


class Windows:
    def __init__(self) -> None:
        self._known: dict[str, dict[str, Any]] = {}

    def preset(self, windows: Any) -> None:
        if not isinstance(windows, list) or not all(isinstance(one, dict) and one.get("description") for one in windows):
            raise BadRequest("windows is a list of dicts with a description")
        now, self._known = time.time(), {}
        for one in windows:
            self._keep(
                str(one.get("id", f"PWINDOW{len(self._known) + 1}")), now + float(one.get("starts_in", -60)),
                now + float(one.get("ends_in", 3600)), one["description"], one.get("services", [SERVICE]), "PADA001",
            )  # fmt: skip

    def _keep(self, identity: str, start: float, end: float, description: str, services: list[str], user: str) -> dict[str, Any]:
        self._known[identity] = {"id": identity, "number": len(self._known) + 1, "start": start, "end": end, "description": description,
                                 "services": services, "user": user}  # fmt: skip
        return self._known[identity]

    def all(self) -> list[dict[str, Any]]:
        return [self._shown(one) for one in self._known.values()]

    def found(self, call: Call) -> list[dict[str, Any]]:
        which, services, query = call.query.get("filter", "all"), call.values("service_ids[]"), call.query.get("query", "")
        if which not in FILTERS:
            raise invalid(f"filter must be one of {', '.join(FILTERS)}")
        now = time.time()
        return [
            self._shown(one)
            for one in self._known.values()
            if which in self._states(one, now) and query in one["description"] and (not services or set(services) & set(one["services"]))
        ]

    @staticmethod
    def _states(one: dict[str, Any], now: float) -> set[str]:
        state = "past" if one["end"] <= now else "future" if one["start"] > now else "ongoing"
        return {state, "all"} | ({"open"} if state != "past" else set())

    def add(self, call: Call, user: str) -> Reply:
        start, end, wanted = self._wanted(call)
        known = self._keep(f"PWINDOW{len(self._known) + 1}", max(start, time.time()), end, wanted.get("description", ""),
                           [one["id"] for one in wanted["services"]], user)  # fmt: skip
        return Reply(201, {"maintenance_window": self._shown(known)})

    def get(self, _call: Call, identity: str) -> Reply:
        return Reply(200, {"maintenance_window": self._shown(self._one(identity))})

    def update(self, call: Call, identity: str) -> Reply:
        known = self._one(identity)
        start, end, wanted = self._wanted(call)
        if "past" in self._states(known, time.time()):
            raise invalid("Maintenance window has already ended")
        if known["start"] > time.time():
            known["start"] = max(start, time.time())
        known |= {"end": end, "description": wanted.get("description", known["description"])}
        known["services"] = [one["id"] for one in wanted["services"]]
        return Reply(200, {"maintenance_window": self._shown(known)})

    def end(self, _call: Call, identity: str) -> Reply:
        known, now = self._one(identity), time.time()
        if "past" in self._states(known, now):
            raise Refused(405, 2101, "Maintenance window has already ended")
        if known["start"] > now:
            del self._known[identity]
        else:
            known["end"] = now
        return Reply(204, "")

    def _one(self, identity: str) -> dict[str, Any]:
        if identity not in self._known:
            raise Refused(404, 2100, "Not Found")
        return self._known[identity]

    @staticmethod
    def _wanted(call: Call) -> tuple[float, float, dict[str, Any]]:
        body = call.json_object()
        wanted = body.get("maintenance_window")
        if set(body) != {"maintenance_window"} or not isinstance(wanted, dict):
            raise invalid("the body must be an object with maintenance_window")
        for name, value in wanted.items():
            if name not in FIELDS:
                raise invalid(f"maintenance_window has no {name}")
            if not isinstance(value, FIELDS[name]):
                raise invalid(f"{name} has the wrong type")
        missing = [name for name in NEEDED if not wanted.get(name)]
        if missing or wanted["type"] != "maintenance_window":
            raise invalid(f"{', '.join(missing or ['type'])} is missing or wrong")
        for one in wanted["services"]:
            if not isinstance(one, dict) or one.get("type") != "service_reference" or one.get("id") not in NAMES:
                raise invalid("Services must be references to services of this account")
        try:
            start, end = (datetime.fromisoformat(wanted[name]).timestamp() for name in ("start_time", "end_time"))
        except ValueError:
            raise invalid("start_time and end_time must be dates with a time") from None
        if end <= max(start, time.time()):
            raise invalid("End time must be in the future and after the start time")
        return start, end, wanted

    @staticmethod
    def _shown(one: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": one["id"], "type": "maintenance_window", "summary": one["description"], "sequence_number": one["number"],
            "self": f"https://api.pagerduty.com/maintenance_windows/{one['id']}",
            "html_url": f"https://astraldraft.pagerduty.com/maintenance_windows#/show/{one['id']}",
            "start_time": iso(one["start"]), "end_time": iso(one["end"]), "description": one["description"],
            "services": [reference("service", service, NAMES[service]) for service in one["services"]], "teams": [],
            "created_by": user_reference(one["user"]),
        }  # fmt: skip
