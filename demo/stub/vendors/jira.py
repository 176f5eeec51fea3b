"""Jira's REST API v2 under /jira, as far as issues need it, held to its published contract: what is not in it is refused.

The contract is Atlassian's own OpenAPI document of the platform's version 2,
https://developer.atlassian.com/cloud/jira/platform/swagger.v3.json (getProject, searchAndReconsileIssuesUsingJql, createIssue, getIssue,
editIssue, getTransitions, doTransition, getComments, addComment). ``/rest/api/2/search`` is gone from Jira Cloud (changelog,
CHANGE-2046); of Jira Data Center, https://developer.atlassian.com/server/jira/platform/rest/, it is the only search.

The token is STUB_JIRA_TOKEN (default ``demo-jira-token``: a word, not a secret), in Jira Cloud of ``ada@astraldraft.test`` (Basic), in
Jira Data Center by itself (Bearer). The one project is OPS. Settings: ``{"token": ...}``, ``{"deployment": "Server"}`` (Cloud),
``{"issues": [...]}``, each with ``summary`` and perhaps ``labels``, ``description``, ``status``, ``comments`` (texts); ``{"ways":
["Start", "Resolve"]}`` (those of the workflow that there are); ``{"limited": {"count": 1, "seconds": 1}}``; ``{"conflict": 1}`` (so many
transitions conflict with another one).
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import Any

from .base import BadRequest, Call, Reply, Vendor

USER, PROJECT = "ada@astraldraft.test", "OPS"
ISSUE_TYPES = ("Task", "Incident")
#: The ways of the workflow, each with the status that it leads to; statuses with their category.
WAYS = {"Start": "In Progress", "Resolve": "Done", "Cancel": "Cancelled", "Reopen": "To Do"}
STATUSES = {"To Do": "new", "In Progress": "indeterminate", "Done": "done", "Cancelled": "done"}
FIELDS: dict[str, type] = {"project": dict, "issuetype": dict, "summary": str, "description": str, "labels": list, "assignee": dict,
                           "priority": dict}  # fmt: skip
JQL = re.compile(r'project = "(\w+)" AND labels = "([^"\s]+)" ORDER BY created ASC')
LONGEST_SUMMARY, LONGEST_TEXT = 255, 32767


class Refused(Exception):
    def __init__(self, status: int, *messages: str, **errors: str) -> None:
        super().__init__(", ".join(messages))
        self.reply = Reply(status, {"errorMessages": list(messages), "errors": errors})


class Jira(Vendor):
    name = "jira"
    prefixes = ("/jira",)

    def reset(self) -> None:
        self._token = self.environment.get("STUB_JIRA_TOKEN", "demo-jira-token")
        self._cloud, self._ways, self._conflict = True, list(WAYS), 0
        self._issues: dict[str, dict[str, Any]] = {}
        self._limited = {"count": 0, "seconds": 1}

    def configure(self, settings: dict[str, Any]) -> None:
        if set(settings) - {"token", "deployment", "issues", "ways", "limited", "conflict"}:
            raise BadRequest("settings are token, deployment, issues, ways, limited, conflict")
        self._token = settings.get("token", self._token)
        self._cloud = settings.get("deployment", "Cloud" if self._cloud else "Server") == "Cloud"
        self._ways = settings.get("ways", self._ways)
        self._limited = self._limited | settings.get("limited", {})
        self._conflict = settings.get("conflict", self._conflict)
        if "issues" in settings:
            if not all(isinstance(one, dict) and one.get("summary") for one in settings["issues"]):
                raise BadRequest("issues is a list of dicts with a summary")
            self._issues = {}
            for one in settings["issues"]:
                self._add(one, one.get("status", "To Do"), one.get("comments", []))

    def settings(self) -> dict[str, Any]:
        return {"deployment": "Cloud" if self._cloud else "Server", "issues": list(self._issues.values()), "ways": self._ways,
                "limited": self._limited, "conflict": self._conflict}  # fmt: skip

    def _add(self, fields: dict[str, Any], status: str = "To Do", comments: Any = ()) -> dict[str, Any]:
        key = f"{PROJECT}-{len(self._issues) + 1}"
        self._issues[key] = {"key": key, "summary": fields["summary"], "description": fields.get("description"), "status": status,
                             "labels": sorted(fields.get("labels", [])), "comments": list(comments),
                             "issuetype": fields.get("issuetype", {}).get("name", "Task")}  # fmt: skip
        return self._issues[key]

    # -- a call

    def answer(self, call: Call) -> Reply:
        if self._limited["count"] > 0:
            self._limited["count"] -= 1
            return Reply(429, {"errorMessages": ["Rate limit exceeded."], "errors": {}}, {"retry-after": str(self._limited["seconds"])})
        try:
            self._admitted(call)
            return self._routed(call, call.path.removeprefix("/jira"))
        except Refused as refused:
            return refused.reply

    def _admitted(self, call: Call) -> None:
        expected = "Bearer " + self._token
        if self._cloud:
            expected = "Basic " + base64.b64encode(f"{USER}:{self._token}".encode()).decode()
        if not hmac.compare_digest(call.headers.get("authorization", "").encode(), expected.encode()):
            raise Refused(401, "Client must be authenticated to access this resource.")
        if call.headers.get("accept") != "application/json":
            raise Refused(406, "Accept must be application/json")
        if call.body and call.headers.get("content-type") != "application/json":
            raise Refused(415, "Content-Type must be application/json")

    def _routed(self, call: Call, path: str) -> Reply:
        issue = r"/rest/api/2/issue/([^/]+)"
        routes: dict[str, dict[str, Any]] = {
            r"/rest/api/2/project/([^/]+)": {"GET": self._project},
            r"/rest/api/2/search/jql": {"GET": self._search_cloud},
            r"/rest/api/2/search": {"GET": self._search_server},
            r"/rest/api/2/issue": {"POST": self._create},
            issue: {"GET": self._get, "PUT": self._edit},
            issue + r"/transitions": {"GET": self._transitions, "POST": self._transition},
            issue + r"/comment": {"GET": self._comments, "POST": self._comment},
        }
        for pattern, methods in routes.items():
            match = re.fullmatch(pattern, path)
            if match:
                if call.method not in methods:
                    raise Refused(405, "Method Not Allowed")
                return methods[call.method](call, *match.groups())
        raise Refused(404, "Not Found")

    @staticmethod
    def _parameters(call: Call, *known: str) -> None:
        unknown = {key for key, _value in call.pairs} - set(known)
        if unknown:
            raise Refused(400, f"unknown parameter {', '.join(sorted(unknown))}")

    def _known(self, key: str) -> dict[str, Any]:
        if key not in self._issues:
            raise Refused(404, "Issue does not exist or you do not have permission to see it.")
        return self._issues[key]

    # -- operations

    def _project(self, call: Call, key: str) -> Reply:
        self._parameters(call, "expand", "properties")
        if key != PROJECT:
            raise Refused(404, f"No project could be found with key '{key}'.")
        return Reply(200, {"id": "10000", "key": PROJECT, "name": "Operations", "issueTypes": [{"name": name} for name in ISSUE_TYPES]})

    def _found(self, call: Call) -> list[dict[str, Any]]:
        asked = JQL.fullmatch(call.query.get("jql", ""))
        if not asked:
            raise Refused(400, "Error in the JQL Query")
        if asked[1] != PROJECT:
            raise Refused(400, f"The value '{asked[1]}' does not exist for the field 'project'.")
        names = call.query.get("fields", "").split(",")
        return [self._shown(one, names) for one in self._issues.values() if asked[2] in one["labels"]]

    def _search_cloud(self, call: Call) -> Reply:
        if not self._cloud:
            raise Refused(404, "Not Found")
        self._parameters(
            call, "jql", "nextPageToken", "maxResults", "fields", "expand", "properties", "fieldsByKeys", "failFast", "reconcileIssues"
        )
        return Reply(200, {"issues": self._found(call)[: int(call.query.get("maxResults", 50))], "isLast": True})

    def _search_server(self, call: Call) -> Reply:
        if self._cloud:
            raise Refused(410, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
        self._parameters(call, "jql", "startAt", "maxResults", "validateQuery", "fields", "expand")
        found = self._found(call)
        return Reply(200, {"startAt": 0, "maxResults": 50, "total": len(found), "issues": found[: int(call.query.get("maxResults", 50))]})

    @staticmethod
    def _fields(fields: Any) -> dict[str, Any]:
        if not isinstance(fields, dict):
            raise Refused(400, "fields must be an object")
        for name, value in fields.items():
            if name not in FIELDS:
                raise Refused(400, **{name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."})
            if not isinstance(value, FIELDS[name]):
                raise Refused(400, **{name: "Operation value must be of another type"})
        summary = fields.get("summary", "-")
        if not summary.strip() or len(summary) > LONGEST_SUMMARY or "\n" in summary:
            raise Refused(400, summary=f"You must specify a summary of the issue, in a line of up to {LONGEST_SUMMARY} characters.")
        if len(fields.get("description", "")) > LONGEST_TEXT:
            raise Refused(400, description=f"The entered text is too long. It exceeds the allowed limit of {LONGEST_TEXT:,} characters.")
        if any(not isinstance(label, str) or " " in label for label in fields.get("labels", [])):
            raise Refused(400, labels="The label contains spaces which is invalid.")
        return fields

    def _create(self, call: Call) -> Reply:
        body = call.json_object()
        if set(body) - {"fields", "update", "historyMetadata", "properties", "transition"}:
            raise Refused(400, "Unrecognized field")
        fields = self._fields(body.get("fields"))
        if fields.get("project") != {"key": PROJECT}:
            raise Refused(400, project="valid project is required")
        if fields.get("issuetype", {}).get("name") not in ISSUE_TYPES:
            raise Refused(400, issuetype="Specify a valid issue type")
        if "summary" not in fields:
            raise Refused(400, summary="You must specify a summary of the issue.")
        key = self._add(fields)["key"]
        return Reply(
            201, {"id": str(10000 + len(self._issues)), "key": key, "self": f"https://astraldraft.atlassian.net/rest/api/2/issue/{key}"}
        )

    def _get(self, call: Call, key: str) -> Reply:
        self._parameters(call, "fields", "fieldsByKeys", "expand", "properties", "updateHistory", "failFast")
        return Reply(200, self._shown(self._known(key), call.query.get("fields", "*all").split(",")))

    def _edit(self, call: Call, key: str) -> Reply:
        known, body = self._known(key), call.json_object()
        if not body or set(body) - {"fields", "update", "historyMetadata", "properties", "transition"}:
            raise Refused(400, "one of 'fields' or 'update' required")
        fields = self._fields(body.get("fields", {}))
        for change in body.get("update", {}).get("labels", []):
            if list(change) != ["add"] or " " in change["add"]:
                raise Refused(400, labels="The label contains spaces which is invalid.")
            known["labels"] = sorted({*known["labels"], change["add"]})
        known |= {name: fields[name] for name in ("summary", "description", "labels") if name in fields}
        return Reply(204, "")

    def _ways_of(self, known: dict[str, Any]) -> list[dict[str, Any]]:
        numbered = enumerate(WAYS.items(), 1)
        return [
            {"id": str(10 * number + 1), "name": name, "to": self._status(status), "isAvailable": True, "hasScreen": False}
            for number, (name, status) in numbered if name in self._ways and status != known["status"]
        ]  # fmt: skip

    def _transitions(self, call: Call, key: str) -> Reply:
        self._parameters(
            call, "expand", "transitionId", "skipRemoteOnlyCondition", "includeUnavailableTransitions", "sortByOpsBarAndStatus"
        )
        return Reply(200, {"expand": "transitions", "transitions": self._ways_of(self._known(key))})

    def _transition(self, call: Call, key: str) -> Reply:
        known, body = self._known(key), call.json_object()
        if set(body) - {"transition", "fields", "update", "historyMetadata", "properties"} or not isinstance(body.get("transition"), dict):
            raise Refused(400, "Missing 'transition' identifier")
        if self._conflict:
            self._conflict -= 1
            raise Refused(409, "The issue could not be transitioned due to a conflicting update.")
        way = next((way for way in self._ways_of(known) if way["id"] == body["transition"].get("id")), None)
        if way is None:
            raise Refused(400, f"It is not valid to transition the issue {key} by that transition.")
        known["status"] = way["to"]["name"]
        return Reply(204, "")

    def _comments(self, call: Call, key: str) -> Reply:
        self._parameters(call, "startAt", "maxResults", "orderBy", "expand")
        comments, start, size = self._known(key)["comments"], int(call.query.get("startAt", 0)), int(call.query.get("maxResults", 5000))
        page = [{"id": str(index), "body": text} for index, text in enumerate(comments, 1)][start : start + size]
        return Reply(200, {"comments": page, "startAt": start, "maxResults": size, "total": len(comments)})

    def _comment(self, call: Call, key: str) -> Reply:
        known, body = self._known(key), call.json_object()
        if set(body) - {"body", "visibility", "properties"} or not isinstance(body.get("body"), str) or not body["body"].strip():
            raise Refused(400, comment="Comment body can not be empty!")
        if len(body["body"]) > LONGEST_TEXT:
            raise Refused(400, comment=f"The entered text is too long. It exceeds the allowed limit of {LONGEST_TEXT:,} characters.")
        known["comments"].append(body["body"])
        return Reply(201, {"id": str(len(known["comments"])), "body": body["body"]})

    # -- what is shown

    @staticmethod
    def _status(name: str) -> dict[str, Any]:
        return {"name": name, "statusCategory": {"key": STATUSES[name]}}

    def _shown(self, one: dict[str, Any], names: list[str]) -> dict[str, Any]:
        fields = {"summary": one["summary"], "description": one["description"], "labels": one["labels"],
                  "status": self._status(one["status"]), "issuetype": {"name": one["issuetype"]}}  # fmt: skip
        wanted = fields if "*all" in names else {name: value for name, value in fields.items() if name in names}
        return {"id": one["key"].split("-")[1], "key": one["key"], "fields": wanted}
