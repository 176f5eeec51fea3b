# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Incidents of PagerDuty, by its REST API v2. Private: other collections must not import it.

The contract is PagerDuty's own OpenAPI document (github.com/PagerDuty/api-schema, reference/REST/openapiv3.json).
"""

from __future__ import annotations

import re
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import WAY_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._json_service import JsonService
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._patience import retry_after, seconds_of
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

SERVICE = "PagerDuty"
URL = "https://api.pagerduty.com"
ACCEPT = "application/vnd.pagerduty+json;version=2"
TRIGGERED, ACKNOWLEDGED, RESOLVED = "triggered", "acknowledged", "resolved"
STATUSES = (TRIGGERED, ACKNOWLEDGED, RESOLVED)
PAGE = 100
FURTHEST = 10000  # offset and limit together, by PagerDuty's pages about pagination
#: What every module that asks PagerDuty takes.
SPEC = dict(
    WAY_SPEC,
    url={"type": "str", "default": URL},
    token={"type": "str", "required": True, "no_log": True},
    wait_timeout={"type": "float", "default": 60.0},
)
_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_ALREADY_RESOLVED = re.compile(r"already resolved", re.IGNORECASE)
_NO_USER = re.compile(r"requester user not found", re.IGNORECASE)


class PagerDuty(JsonService):
    """The service, as an account's token sees it. A reason of its own is unknown_requester."""

    name = SERVICE

    def _headers(self):
        return {"Accept": ACCEPT, "Authorization": "Token token=" + self._token, "Content-Type": "application/json"}

    @staticmethod
    def _delay_of(headers, now):
        seconds = seconds_of(headers.get("ratelimit-reset"))
        return retry_after(headers, now) if seconds is None else seconds

    def _refusal(self, answer):
        if _NO_USER.search(answer.said):
            message = "{0} at {1} answered {2}: {3}".format(SERVICE, answer.url, answer.status, answer.said)
            advice = "Give from_email the address of a user of this account."
            return ProbeError("wrong_answer", "unknown_requester", message, advice)
        error = super()._refusal(answer)
        if _ALREADY_RESOLVED.search(answer.said):
            error.reason, error.next = "conflict", super()._refusal(answer._replace(status=409)).next
        return error

    def _pages(self, path, name, parameters, maximum):
        """``(items, whether there are more than maximum)``, page by page to the end."""
        found, offset = [], 0
        while True:
            if self._heartbeat:
                self._heartbeat()
            # One more than is wanted tells whether there are more.
            limit = min(PAGE, maximum + 1 - len(found), FURTHEST - offset)
            if limit <= 0:
                return found[:maximum], True
            answer = self._ask(path, [*parameters, ("limit", limit), ("offset", offset)])
            page = answer.document.get(name)
            if not isinstance(page, list) or not all(isinstance(item, dict) for item in page):
                raise not_like(SERVICE, answer.url)
            found += page
            offset += len(page)
            if not answer.document.get("more") or not page:
                return found[:maximum], len(found) > maximum

    def list(self, parameters, maximum):
        """``(incidents, whether there are more)``."""
        found, more = self._pages("/incidents", "incidents", parameters, maximum)
        return [shown(one) for one in found], more

    def get(self, identity):
        path = "/incidents/{0}".format(urllib.parse.quote(identity, safe=""))
        try:
            return self._incident(self._ask(path))
        except ProbeError as error:
            raise _named(error, identity)

    def by_key(self, key):
        """The incident that is open under a deduplication key, or None."""
        parameters = [("incident_key", key), ("date_range", "all")] + [("statuses[]", status) for status in (TRIGGERED, ACKNOWLEDGED)]
        found, _more = self.list(parameters, 1)
        return found[0] if found else None

    def update(self, identity, requester, **fields):
        """Change an incident; returns it as it is then."""
        body = {"incident": dict({"type": "incident_reference"}, **fields)}
        return self._incident(self._ask("/incidents/{0}".format(identity), method="PUT", body=body, headers={"From": requester}))

    @staticmethod
    def _incident(answer):
        raw = answer.document.get("incident")
        if not isinstance(raw, dict) or not raw.get("id"):
            raise not_like(SERVICE, answer.url)
        return shown(raw)

    def notes(self, identity):
        """The notes of an incident, the oldest first."""
        answer = self._ask("/incidents/{0}/notes".format(identity))
        notes = answer.document.get("notes")
        if not isinstance(notes, list) or not all(isinstance(note, dict) for note in notes):
            raise not_like(SERVICE, answer.url)
        found = [
            {"id": str(note.get("id")), "content": str(note.get("content") or ""), "user": name_of(note.get("user")),
             "created_at": moment_of(note.get("created_at"))}
            for note in notes
        ]  # fmt: skip
        return sorted(found, key=lambda note: note["created_at"] or "")

    def add_note(self, identity, requester, content):
        self._ask("/incidents/{0}/notes".format(identity), method="POST", body={"note": {"content": content}}, headers={"From": requester})

    def level_of(self, incident):
        """The level of its escalation policy at which an incident is: the highest whose people on call are all those it is assigned to.

        None when it is assigned to others, or to nobody.
        """
        assigned = {user["id"] for user in incident["assignees"]}
        if not assigned or not incident["escalation_policy_id"]:
            return None
        parameters = [("escalation_policy_ids[]", incident["escalation_policy_id"])]
        oncalls, _more = self._pages("/oncalls", "oncalls", parameters, FURTHEST)
        levels = {}
        for oncall in oncalls:
            user = (oncall.get("user") or {}).get("id")
            levels.setdefault(oncall.get("escalation_level"), set()).add(user)
        return max((level for level, users in levels.items() if isinstance(level, int) and users == assigned), default=None)


def _named(error, identity):
    if error.reason == "not_found":
        error.message = "{0} knows no incident {1}".format(SERVICE, identity)
        error.next = "Correct id: it is the end of the incident's address, or its number. Does the token belong to that account?"
    return error


def check(params):
    """Raises OpsError on options that PagerDuty would refuse in a way that says less."""
    if params.get("id") and not _ID.fullmatch(params["id"]):
        raise OpsError("id is {0!r}, which is none of PagerDuty's. It looks like Q1DHTL9FOUKPY6, or is a number.".format(params["id"]))
    if params.get("from_email") is not None and not _ADDRESS.fullmatch(params["from_email"]):
        raise OpsError("from_email is {0!r}, which is no address. Give that of a user of the account.".format(params["from_email"]))
    if params.get("escalation_level") is not None and params["escalation_level"] < 1:
        raise OpsError("escalation_level is {0}. Levels begin with 1.".format(params["escalation_level"]))


def shown(raw):
    """An incident as modules return it, whatever PagerDuty left out."""
    policy = raw.get("escalation_policy") or {}
    return {
        "id": str(raw.get("id")),
        "number": raw.get("incident_number"),
        "title": str(raw.get("title") or raw.get("summary") or ""),
        "status": str(raw.get("status") or ""),
        "urgency": raw.get("urgency"),
        "incident_key": raw.get("incident_key"),
        "url": raw.get("html_url"),
        "service": name_of(raw.get("service")),
        "service_id": (raw.get("service") or {}).get("id"),
        "escalation_policy": name_of(policy),
        "escalation_policy_id": policy.get("id"),
        "assignees": _people(raw.get("assignments"), "assignee"),
        "acknowledgers": _people(raw.get("acknowledgements"), "acknowledger"),
        "created_at": moment_of(raw.get("created_at")),
        "changed_at": moment_of(raw.get("last_status_change_at")),
    }


def _people(items, name):
    found = [(item or {}).get(name) or {} for item in items or []]
    return [{"id": person.get("id"), "name": name_of(person)} for person in found]


def name_of(thing):
    return str((thing or {}).get("summary") or "")


def moment_of(text):
    """A time in UTC; as it was given when it is none."""
    try:
        return to_iso(from_iso(text))
    except (AttributeError, TypeError, ValueError):
        return text
