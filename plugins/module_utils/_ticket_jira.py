# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tickets that are issues of Jira, by its REST API v2. Private: other collections must not import it.

The contract is Atlassian's own OpenAPI document of the platform's version 2 (developer.atlassian.com/cloud/jira/platform/swagger.v3.json).
Version 2 rather than 3: its texts are text, and Jira Data Center has it, too. Only the search is another one there (/search, which Jira
Cloud did away with for /search/jql).
"""

from __future__ import annotations

import base64
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._ticket import CLOSED, OPEN, Tracker, same

SERVICE = "Jira"
PAGE, MOST = 100, 5000
DONE = "done"
_ID = re.compile(r"(?:https?://\S+/browse/)?([A-Z][A-Z0-9_]{0,99}-\d{1,18})", re.ASCII)
_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{0,99}", re.ASCII)
# Of wiki markup: macros, links and mentions, pictures.
_MARKUP = re.compile(r"[\\{\[!]")


class Jira(Tracker):
    """The issues of one project. Reasons of their own are unknown_project and no_transition."""

    name = SERVICE
    credentials = "token, and token_user, which only Jira Cloud wants"
    read = (400, 404, 409, 422)

    def __init__(self, params, heartbeat=None):
        super().__init__(params, heartbeat)
        if not _PROJECT.fullmatch(params["project"] or ""):
            raise OpsError("project is {0!r}, which is no key of a project of Jira. It looks like OPS.".format(params["project"]))
        self.project, self._kind, self._transition = params["project"], params["issue_type"], params["transition"]
        self._user = params["token_user"]

    def _headers(self):
        if not self._user:
            return {"Authorization": "Bearer " + self._token}
        pair = "{0}:{1}".format(self._user, self._token).encode("utf-8")
        return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}

    def _api(self, path, **more):
        return self._ask("/rest/api/2" + path, **more)

    def find(self, key):
        try:
            self._api("/project/" + self.project)
        except ProbeError as error:
            if error.reason == "not_found":
                error.reason = "unknown_project"
                error.message = "{0} at {1} knows no project {2}".format(SERVICE, self._connection["url"], self.project)
                error.next = "Correct project. One that token may not read is unknown, too."
            raise
        parameters = [
            ("jql", 'project = "{0}" AND labels = "{1}" ORDER BY created ASC'.format(self.project, key)),
            ("fields", "summary,status,labels"),
            ("maxResults", PAGE),
        ]
        answer = self._api("/search/jql", parameters=parameters, accepted=(404,), form=None)
        if answer.status == 404:  # Data Center
            answer = self._api("/search", parameters=parameters)
        issues = answer.document.get("issues") if isinstance(answer.document, dict) else None
        if not isinstance(issues, list) or not all(isinstance(one, dict) for one in issues):
            raise not_like(SERVICE, answer.url)
        return [self._shown(one) for one in issues]

    def get(self, identity):
        known = _ID.fullmatch(identity)
        if not known:
            raise OpsError("id is {0!r}, which is no issue of Jira. Give its key, such as OPS-42, or its address.".format(identity))
        try:
            answer = self._api("/issue/" + known[1], parameters=[("fields", "summary,status,labels")])
        except ProbeError as error:
            if error.reason == "not_found":
                error.message = "{0} knows no issue {1}".format(SERVICE, known[1])
                error.next = "Correct id. One that token may not read is unknown, too."
            raise
        if not answer.document.get("key"):
            raise not_like(SERVICE, answer.url)
        return self._shown(answer.document)

    def open(self, title, body, labels):
        fields = {"project": {"key": self.project}, "issuetype": {"name": self._kind}, "summary": title, "description": body,
                  "labels": labels}  # fmt: skip
        answer = self._api("/issue", method="POST", body={"fields": fields})
        if not answer.document.get("key"):
            raise not_like(SERVICE, answer.url)
        return self._shown({"key": answer.document["key"], "fields": fields})

    def change(self, ticket, title, labels):
        body = {"fields": {"summary": title}} if title != ticket["title"] else {}
        new = sorted(set(labels) - set(ticket["labels"]))
        body.update({"update": {"labels": [{"add": label} for label in new]}} if new else {})
        self._api("/issue/" + ticket["id"], method="PUT", body=body, form=None)

    def set_state(self, ticket, state):
        """By the way of the workflow that has the name, or else by the first one that leads there."""
        path = "/issue/{0}/transitions".format(ticket["id"])
        answer = self._api(path)
        ways = answer.document.get("transitions")
        if not isinstance(ways, list) or not all(isinstance(way, dict) for way in ways):
            raise not_like(SERVICE, answer.url)
        there = [way for way in ways if state == (CLOSED if category_of(way.get("to")) == DONE else OPEN)]
        named = [way for way in there if way.get("name") == self._transition]
        if not there:
            names = ", ".join(str(way.get("name")) for way in ways) or "none"
            message = "The workflow of {0} has no way that leads it to {1}; its ways are {2}".format(ticket["id"], state, names)
            raise ProbeError("wrong_answer", "no_transition", message, "Take it there by hand, or have the workflow changed.")
        if self._transition and not named and state == CLOSED:
            names = ", ".join(str(way.get("name")) for way in there)
            message = "The workflow of {0} has no way {1} that leads it to {2}".format(ticket["id"], self._transition, state)
            raise ProbeError("wrong_answer", "no_transition", message, "Give in transition one of: {0}.".format(names))
        self._api(path, method="POST", body={"transition": {"id": (named or there)[0].get("id")}}, form=None)

    def comments(self, ticket):
        found, path = [], "/issue/{0}/comment".format(ticket["id"])
        while True:
            answer = self._api(path, parameters=[("startAt", len(found)), ("maxResults", PAGE)])
            page = answer.document.get("comments")
            if not isinstance(page, list) or not all(isinstance(one, dict) for one in page):
                raise not_like(SERVICE, answer.url)
            found += [same(str(one.get("body") or "")) for one in page]
            if not page or len(found) >= min(answer.document.get("total") or 0, MOST):
                return found

    def comment(self, ticket, text):
        self._api("/issue/{0}/comment".format(ticket["id"]), method="POST", body={"body": text})

    @staticmethod
    def text(text, people=()):
        plain = _MARKUP.sub(lambda found: "\\" + found.group(), text)
        return same("\n\n".join([plain, "cc " + " ".join("[~{0}]".format(person) for person in people)] if people else [plain]))

    def _shown(self, raw):
        """An issue as a ticket."""
        fields = raw.get("fields") or {}
        return {
            "id": str(raw.get("key")),
            "title": str(fields.get("summary") or ""),
            "state": CLOSED if category_of(fields.get("status")) == DONE else OPEN,
            "labels": sorted(str(label) for label in fields.get("labels") or []),
            "url": "{0}/browse/{1}".format(self._connection["url"].rstrip("/"), raw.get("key")),
        }


def category_of(status):
    return (((status or {}).get("statusCategory")) or {}).get("key")
