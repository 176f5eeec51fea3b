# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tickets that are issues of GitHub, by its REST API. Private: other collections must not import it.

The contract is GitHub's own OpenAPI document (github.com/github/rest-api-description, descriptions/api.github.com): issues/list-for-repo,
issues/get, issues/create, issues/update, issues/add-labels, issues/list-comments, issues/create-comment. GitHub Enterprise Server has the
same below https://HOST/api/v3.
"""

from __future__ import annotations

import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._patience import retry_after, seconds_of
from ansible_collections.astraldraft.ops.plugins.module_utils._ticket import CLOSED, OPEN, Tracker, same

SERVICE = "GitHub"
URL = "https://api.github.com"
VERSION = "2022-11-28"
PAGE, MOST = 100, 1000
_ID = re.compile(r"(?:https?://\S+/issues/|#)?(\d{1,18})", re.ASCII)
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_MENTION = re.compile(r"(?<![\w/])@(?=\w)")
# Of Markdown: links and pictures, code, and what takes the meaning from a mark.
_MARKUP = re.compile(r"[\\`\[]")


class GitHub(Tracker):
    """The issues of one repository. Reasons of their own are unknown_project and gone."""

    name = SERVICE
    # 403 is how GitHub says "too often", too.
    read = (400, 403, 404, 409, 410, 422)

    def __init__(self, params, heartbeat=None):
        super().__init__(params, heartbeat)
        if not _PROJECT.fullmatch(params["project"] or ""):
            raise OpsError("project is {0!r}, which is no repository. Give it as owner/name.".format(params["project"]))
        self.project = params["project"]

    def _headers(self):
        return {"Accept": "application/vnd.github+json", "Authorization": "Bearer " + self._token, "X-GitHub-Api-Version": VERSION}

    @staticmethod
    def _delay_of(headers, now):
        reset = seconds_of(headers.get("x-ratelimit-reset"))
        if "retry-after" in headers or headers.get("x-ratelimit-remaining") != "0" or reset is None:
            return retry_after(headers, now)
        return max(0.0, reset - now)

    @staticmethod
    def _meant(answer):
        often = "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
        return answer._replace(status=429) if answer.status == 403 and often else answer

    def _refusal(self, answer):
        error = super()._refusal(answer)
        if answer.status == 403:
            error.next = "Give the token the permission to read and write issues of {0}.".format(self.project)
        if answer.status == 410:
            error.message = "{0}: {1}".format(error.message.split(", ", 1)[0], answer.said or "it is gone")
            error.next = "Switch issues on in the settings of {0}, or give another project.".format(self.project)
        return error

    def _issues(self, rest="", **more):
        return self._ask("/repos/{0}/issues{1}".format(self.project, rest), **more)

    def find(self, key):
        try:
            found = self._pages("", [("labels", key), ("state", "all"), ("sort", "created"), ("direction", "asc")])
        except ProbeError as error:
            if error.reason == "not_found":
                error.reason = "unknown_project"
                error.message = "{0} at {1} knows no repository {2}".format(SERVICE, self._connection["url"], self.project)
                error.next = "Correct project. One that token may not read is unknown, too."
            raise
        return [shown(one) for one in found if not one.get("pull_request")]

    def _pages(self, rest, parameters=()):
        found, page = [], 1
        while True:
            answer = self._issues(rest, parameters=[*parameters, ("per_page", PAGE), ("page", page)], form=list)
            if not all(isinstance(one, dict) for one in answer.document):
                raise not_like(SERVICE, answer.url)
            found += answer.document
            if len(answer.document) < PAGE or len(found) >= MOST:
                return found
            page += 1

    def get(self, identity):
        number = _ID.fullmatch(identity)
        if not number:
            raise OpsError("id is {0!r}, which is no issue of GitHub. Give its number, or its address.".format(identity))
        try:
            return self._one(self._issues("/" + number[1]))
        except ProbeError as error:
            if error.reason == "not_found":
                error.message = "{0} knows no issue {1} of {2}".format(SERVICE, number[1], self.project)
                error.next = "Correct id or project. One that token may not read is unknown, too."
            raise

    @staticmethod
    def _one(answer):
        if not isinstance(answer.document.get("number"), int):
            raise not_like(SERVICE, answer.url)
        return shown(answer.document)

    def open(self, title, body, labels):
        ticket = self._one(self._issues(method="POST", body={"title": title, "body": body, "labels": labels}))
        if not set(labels) <= set(ticket["labels"]):
            message = "GitHub opened issue {0} and left its labels away, so it would not be found again".format(ticket["url"])
            raise ProbeError("wrong_answer", "forbidden", message, "Give the token the permission to push or triage, and label it by hand.")
        return ticket

    def change(self, ticket, title, labels):
        if title != ticket["title"]:
            self._issues("/" + ticket["id"], method="PATCH", body={"title": title})
        new = sorted(set(labels) - set(ticket["labels"]))
        if new:
            self._issues("/{0}/labels".format(ticket["id"]), method="POST", body={"labels": new}, form=list)

    def set_state(self, ticket, state):
        reason = {OPEN: "reopened", CLOSED: "completed"}[state]
        self._issues("/" + ticket["id"], method="PATCH", body={"state": state, "state_reason": reason})

    def comments(self, ticket):
        return [same(str(one.get("body") or "")) for one in self._pages("/{0}/comments".format(ticket["id"]))]

    def comment(self, ticket, text):
        self._issues("/{0}/comments".format(ticket["id"]), method="POST", body={"body": text})

    @staticmethod
    def text(text, people=()):
        plain = _MARKUP.sub(lambda found: "\\" + found.group(), text).replace("&", "&amp;").replace("<", "&lt;")
        plain = _MENTION.sub("@\u2060", plain)
        return same("\n\n".join([plain, "cc " + " ".join("@" + person for person in people)] if people else [plain]))


def shown(raw):
    """An issue as a ticket."""
    labels = [label.get("name") if isinstance(label, dict) else label for label in raw.get("labels") or []]
    return {
        "id": str(raw.get("number")),
        "title": str(raw.get("title") or ""),
        "state": CLOSED if raw.get("state") == "closed" else OPEN,
        "labels": sorted(str(label) for label in labels if label),
        "url": raw.get("html_url"),
    }
