"""PagerDuty's REST API v2 under /pagerduty, as far as it is needed here, held to its published contract: what is not in it is refused.

The contract is PagerDuty's own OpenAPI document, https://github.com/PagerDuty/api-schema, reference/REST/openapiv3.json (listIncidents,
getIncident, updateIncident, listIncidentNotes, createIncidentNote, listOnCalls): Accept with the version, Content-Type on every call, the
address of a user in From on every call that changes something, the parameters of a query and the fields of a body by name and type. The
reset header of a 429 is that of https://support.pagerduty.com/docs/rest-api-rate-limits, the limits of a page those of
https://developer.pagerduty.com/docs/pagination.

The token is STUB_PAGERDUTY_TOKEN (default ``demo-pagerduty-token``: a word, not a secret), its users ``ada@astraldraft.test`` and
``grace@astraldraft.test``. Settings: ``{"token": ...}``, ``{"incidents": [...]}``, each with ``title`` and perhaps ``id``, ``status``,
``key``, ``service``, ``urgency``, ``level``, ``notes`` (texts), ``age`` in seconds; ``{"limited": {"count": 2, "seconds": 1}}`` (so many
calls are too many, and how long to wait); ``{"meanwhile": "resolved"}`` (somebody else resolves an incident before the next update of it);
``{"conflict": 1}`` (so many updates conflict with another one, 409); ``{"windows": [...]}``, windows of maintenance, each with
``description`` and perhaps ``id``, ``starts_in`` and ``ends_in`` seconds, ``services``.
"""

from __future__ import annotations

import hmac
import re
import time
from datetime import datetime
from typing import Any

from .base import BadRequest, Call, Reply, Vendor
from .pagerduty_shapes import POLICY, POLICY_REFERENCE, SERVICE, USERS, Refused, invalid, iso, reference, user_reference
from .pagerduty_windows import Windows

ACCEPT = "application/vnd.pagerduty+json;version=2"
STATUSES = ("triggered", "acknowledged", "resolved")
#: Who is on call at each level of the one escalation policy.
LEVELS = {1: ["PADA001"], 2: ["PGRACE1", "PMARY01"], 3: ["PMARY01"]}
PAGES = {"limit", "offset", "total", "time_zone", "include[]", "user_ids[]", "since", "until"}
LIST_PARAMETERS = PAGES | {"date_range", "incident_key", "service_ids[]", "team_ids[]", "urgencies[]", "statuses[]", "sort_by"}
ONCALL_PARAMETERS = PAGES | {"escalation_policy_ids[]", "schedule_ids[]", "earliest"}
WINDOW_PARAMETERS = {"query", "limit", "offset", "total", "team_ids[]", "service_ids[]", "include[]", "filter"}
#: Of updateIncident.
FIELDS: dict[str, type] = {"type": str, "status": str, "priority": dict, "resolution": str, "title": str,
                           "escalation_level": int, "assignments": list, "escalation_policy": dict, "urgency": str,
                           "conference_bridge": dict}  # fmt: skip
LONGEST_PAGE, FURTHEST = 100, 10000


class PagerDuty(Vendor):
    name = "pagerduty"
    prefixes = ("/pagerduty",)

    def reset(self) -> None:
        self._token = self.environment.get("STUB_PAGERDUTY_TOKEN", "demo-pagerduty-token")
        self._incidents: dict[str, dict[str, Any]] = {}
        self._limited = {"count": 0, "seconds": 1}
        self._meanwhile, self._conflict = "", 0
        self._windows = Windows()

    def configure(self, settings: dict[str, Any]) -> None:
        known = ("token", "incidents", "limited", "meanwhile", "conflict", "windows")
        if set(settings) - set(known):
            raise BadRequest(f"settings are {', '.join(known)}")
        self._token = settings.get("token", self._token)
        self._limited = dict(self._limited, **settings.get("limited", {}))
        self._meanwhile = settings.get("meanwhile", self._meanwhile)
        self._conflict = settings.get("conflict", self._conflict)
        if "incidents" in settings:
            self._preset(settings["incidents"])
        if "windows" in settings:
            self._windows.preset(settings["windows"])

    def settings(self) -> dict[str, Any]:
        return {
            "incidents": list(self._incidents.values()),
            "limited": self._limited,
            "meanwhile": self._meanwhile,
            "conflict": self._conflict,
            "windows": self._windows.all(),
        }

    def _preset(self, incidents: Any) -> None:
        if not isinstance(incidents, list) or not all(isinstance(one, dict) and one.get("title") for one in incidents):
            raise BadRequest("incidents is a list of dicts with a title")
        self._incidents = {}
        for number, one in enumerate(incidents, 1):
            identity, created = str(one.get("id", f"Q{number:013d}")), time.time() - float(one.get("age", 0))
            self._incidents[identity] = {
                "id": identity, "number": number, "title": one["title"], "key": one.get("key", ""),
                "status": one.get("status", "triggered"), "service": one.get("service", SERVICE),
                "urgency": one.get("urgency", "high"), "level": one.get("level", 1),
                "created": created, "changed": created, "by": None, "resolution": None,
                "notes": [self._note(text, "PADA001", created) for text in one.get("notes", [])],
            }  # fmt: skip

    @staticmethod
    def _note(text: str, user: str, moment: float) -> dict[str, Any]:
        channel = {"summary": "The PagerDuty website or APIs"}
        return {"id": f"PNOTE{abs(hash((text, moment))) % 10**8:08d}", "user": user_reference(user), "channel": channel, "content": text,
                "created_at": iso(moment)}  # fmt: skip

    # -- a call

    def answer(self, call: Call) -> Reply:
        try:
            self._admitted(call)
            return self._routed(call, call.path.removeprefix("/pagerduty"))
        except Refused as refused:
            return refused.reply

    def _admitted(self, call: Call) -> None:
        scheme, _space, token = call.headers.get("authorization", "").partition(" ")
        given = re.fullmatch(r"token=(.+)", token)
        if scheme != "Token" or not given or not hmac.compare_digest(given[1].encode(), self._token.encode()):
            raise Refused(401, 2006, "Unauthorized")
        if self._limited["count"] > 0:
            self._limited["count"] -= 1
            limits = {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": str(self._limited["seconds"])}
            raise Refused(429, 2020, "Rate Limit Exceeded", **limits)
        if call.headers.get("accept") != ACCEPT:
            raise invalid(f"Accept must be {ACCEPT}")
        if call.headers.get("content-type") != "application/json":
            raise invalid("Content-Type must be application/json")

    def _routed(self, call: Call, path: str) -> Reply:
        routes = {
            r"/incidents": {"GET": self._list},
            r"/incidents/([^/]+)": {"GET": self._get, "PUT": self._update},
            r"/incidents/([^/]+)/notes": {"GET": self._notes, "POST": self._add_note},
            r"/oncalls": {"GET": self._oncalls},
            r"/maintenance_windows": {"GET": self._list_windows, "POST": self._add_window},
            r"/maintenance_windows/([^/]+)": {"GET": self._windows.get, "PUT": self._windows.update, "DELETE": self._windows.end},
        }
        for pattern, methods in routes.items():
            match = re.fullmatch(pattern, path)
            if match:
                if call.method not in methods:
                    raise Refused(405, 2101, "Method Not Allowed")
                return methods[call.method](call, *match.groups())
        raise Refused(404, 2100, "Not Found")

    def _known(self, identity: str) -> dict[str, Any]:
        known = self._incidents.get(identity) or next((one for one in self._incidents.values() if str(one["number"]) == identity), None)
        if known is None:
            raise Refused(404, 2100, "Not Found")
        return known

    @staticmethod
    def _requester(call: Call) -> str:
        user = USERS.get(call.headers.get("from", ""))
        if user is None:
            raise Refused(400, 1008, "Requester User Not Found")
        return user["id"]

    @staticmethod
    def _page(call: Call, name: str, found: list[dict[str, Any]], parameters: set[str]) -> Reply:
        unknown = {key for key, _value in call.pairs} - parameters
        if unknown:
            raise invalid(f"unknown parameter {', '.join(sorted(unknown))}")
        try:
            limit, offset = int(call.query.get("limit", 25)), int(call.query.get("offset", 0))
        except ValueError:
            raise invalid("limit and offset must be integers") from None
        if not 1 <= limit <= LONGEST_PAGE or offset < 0 or offset + limit > FURTHEST:
            raise invalid(f"limit is 1 to {LONGEST_PAGE}, and offset + limit at most {FURTHEST}")
        total = len(found) if call.query.get("total") == "true" else None
        more = offset + limit < len(found)
        return Reply(200, {name: found[offset : offset + limit], "limit": limit, "offset": offset, "total": total, "more": more})

    # -- operations

    def _list(self, call: Call) -> Reply:
        statuses, services, urgencies = (call.values(f"{name}[]") for name in ("statuses", "service_ids", "urgencies"))
        if set(statuses) - set(STATUSES):
            raise invalid("Status must be a list of triggered, acknowledged, or resolved.")
        if set(urgencies) - {"high", "low"}:
            raise invalid("Urgency must be a list of high or low.")
        if call.query.get("date_range", "all") != "all":
            raise invalid("date_range can only be all")
        since = self._since(call)
        key = call.query.get("incident_key")
        found = [
            one
            for one in self._incidents.values()
            if (not statuses or one["status"] in statuses)
            and (not services or one["service"] in services)
            and (not urgencies or one["urgency"] in urgencies)
            and (key is None or one["key"] == key)
            and one["created"] >= since
        ]
        found.sort(key=lambda one: one["number"], reverse=call.query.get("sort_by", "").endswith(":desc"))
        return self._page(call, "incidents", [self._shown(one) for one in found], LIST_PARAMETERS)

    @staticmethod
    def _since(call: Call) -> float:
        """A month ago, unless it is said or all are wanted."""
        if "date_range" in call.query:
            return 0.0
        try:
            since = datetime.fromisoformat(call.query["since"]).timestamp() if "since" in call.query else time.time() - 30 * 86400
        except ValueError:
            raise invalid("since is no date") from None
        if time.time() - since > 184 * 86400:
            raise invalid("The date range must be less than 6 months")
        return since

    def _get(self, _call: Call, identity: str) -> Reply:
        return Reply(200, {"incident": self._shown(self._known(identity))})

    def _update(self, call: Call, identity: str) -> Reply:
        user, known, wanted = self._requester(call), self._known(identity), self._wanted(call)
        if self._meanwhile:
            known["status"], self._meanwhile = self._meanwhile, ""
        if self._conflict:
            self._conflict -= 1
            raise Refused(409, 2001, "Conflict", "The incident was changed by another request")
        if known["status"] == "resolved":
            raise invalid("Incident Already Resolved")
        if "escalation_level" in wanted:
            if wanted["escalation_level"] not in LEVELS:
                raise invalid("Escalation level is invalid")
            # Whoever it is assigned to now has not acknowledged it.
            known |= {"level": wanted["escalation_level"], "status": "triggered"}
        known |= {name: wanted[name] for name in ("status", "title", "urgency", "resolution") if name in wanted}
        known |= {"changed": time.time(), "by": user}
        return Reply(200, {"incident": self._shown(known)})

    @staticmethod
    def _wanted(call: Call) -> dict[str, Any]:
        body = call.json_object()
        wanted = body.get("incident")
        if set(body) != {"incident"} or not isinstance(wanted, dict):
            raise invalid("the body must be an object with incident")
        for name, value in wanted.items():
            if name not in FIELDS:
                raise invalid(f"incident has no {name}")
            if not isinstance(value, FIELDS[name]) or isinstance(value, bool):
                raise invalid(f"{name} has the wrong type")
        if wanted.get("type") not in ("incident", "incident_reference"):
            raise invalid("type must be incident or incident_reference")
        if wanted.get("status", "resolved") not in ("acknowledged", "resolved"):
            raise invalid("Status must be acknowledged or resolved.")
        if wanted.get("urgency", "high") not in ("high", "low"):
            raise invalid("Urgency must be high or low.")
        return wanted

    def _notes(self, _call: Call, identity: str) -> Reply:
        return Reply(200, {"notes": self._known(identity)["notes"]})

    def _add_note(self, call: Call, identity: str) -> Reply:
        user, known, body = self._requester(call), self._known(identity), call.json_object()
        note = body.get("note")
        if set(body) != {"note"} or not isinstance(note, dict) or set(note) != {"content"} or not isinstance(note["content"], str):
            raise invalid("the body must be an object with note, an object with content")
        if not note["content"].strip():
            raise invalid("Content cannot be empty.")
        known["notes"].insert(0, self._note(note["content"], user, time.time()))
        return Reply(200, {"note": known["notes"][0]})

    def _oncalls(self, call: Call) -> Reply:
        policies = call.values("escalation_policy_ids[]")
        found = [
            {"escalation_policy": POLICY_REFERENCE, "escalation_level": level, "schedule": None,
             "user": user_reference(user), "start": None, "end": None}
            for level, users in LEVELS.items() for user in users if not policies or POLICY in policies
        ]  # fmt: skip
        return self._page(call, "oncalls", found, ONCALL_PARAMETERS)

    def _list_windows(self, call: Call) -> Reply:
        return self._page(call, "maintenance_windows", self._windows.found(call), WINDOW_PARAMETERS)

    def _add_window(self, call: Call) -> Reply:
        return self._windows.add(call, self._requester(call))

    # -- what is shown

    def _shown(self, one: dict[str, Any]) -> dict[str, Any]:
        created, changed, resolved = iso(one["created"]), iso(one["changed"]), one["status"] == "resolved"
        acknowledged = [{"at": changed, "acknowledger": user_reference(one["by"] or "PADA001")}] if one["status"] == "acknowledged" else []
        return reference("incident", one["id"], f"[#{one['number']}] {one['title']}") | {
            "type": "incident", "incident_number": one["number"], "title": one["title"], "created_at": created, "updated_at": changed,
            "status": one["status"], "incident_key": one["key"], "service": reference("service", one["service"], "Astral Draft"),
            "assignments": [] if resolved else [{"at": changed, "assignee": user_reference(user)} for user in LEVELS[one["level"]]],
            "assigned_via": "escalation_policy", "last_status_change_at": changed,
            "last_status_change_by": user_reference(one["by"] or "PADA001"), "acknowledgements": acknowledged,
            "escalation_policy": POLICY_REFERENCE, "teams": [], "urgency": one["urgency"],
            "resolved_at": changed if resolved else None, "pending_actions": [], "priority": None,
        }  # fmt: skip
