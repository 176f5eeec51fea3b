"""GitHub's REST API under /github, as far as issues need it, held to its published contract: what is not in it is refused.

The contract is GitHub's own OpenAPI document, https://github.com/github/rest-api-description, descriptions/api.github.com (issues/
list-for-repo, get, create, update, add-labels, list-comments, create-comment): the parameters of a query and the fields of a body by name
and type. Accept, the version and User-Agent are what https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api
wants, the limits what https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api says: 403 or 429, with retry-after or
x-ratelimit-reset.

The token is STUB_GITHUB_TOKEN (default ``demo-github-token``: a word, not a secret), the repositories ``astraldraft/operations``,
``incidents`` and ``hostile``. Settings: ``{"token": ...}``, ``{"issues": [...]}`` (of ``{"repository": "operations"}``), each with
``title`` and perhaps ``state``, ``labels``, ``body``, ``comments`` (texts), ``pull_request``; ``{"limited": {"count": 2, "seconds": 1,
"status": 403}}`` (so many calls are too many, and how long to wait; ``"reset": true`` says it by the clock); ``{"may_label": false}``
(labels are left away, as from somebody who may not push); ``{"issues_off": true}``; ``{"conflict": 1}``.
"""

from __future__ import annotations

import hmac
import re
import time
from datetime import UTC, datetime
from typing import Any

from .base import BadRequest, Call, Reply, Vendor

OWNER = "astraldraft"
#: Whoever tries something has one of their own.
REPOSITORIES = ("operations", "incidents", "hostile")
VERSION = "2022-11-28"
ACCEPT = "application/vnd.github+json"
LIST_PARAMETERS = {
    "milestone",
    "state",
    "assignee",
    "type",
    "creator",
    "mentioned",
    "labels",
    "sort",
    "direction",
    "since",
    "per_page",
    "page",
}
COMMENT_PARAMETERS = {"since", "per_page", "page"}
CREATE: dict[str, Any] = {"title": (str, int), "body": str, "assignee": str, "milestone": (str, int), "labels": list, "assignees": list,
                          "type": str}  # fmt: skip
UPDATE = CREATE | {"state": str, "state_reason": str}
LONGEST_TITLE, LONGEST_BODY, LONGEST_LABEL, LONGEST_PAGE = 256, 65536, 50, 100
REASONS = {"open": {None, "reopened"}, "closed": {None, "completed", "not_planned", "duplicate"}}


class Refused(Exception):
    def __init__(self, status: int, message: str, *errors: dict[str, str], **headers: str) -> None:
        super().__init__(message)
        body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
        self.reply = Reply(
            status, body | ({"errors": list(errors)} if errors else {}), {k.replace("_", "-"): v for k, v in headers.items()}
        )


def invalid(field: str, message: str) -> Refused:
    return Refused(422, "Validation Failed", {"resource": "Issue", "field": field, "code": "custom", "message": message})


class GitHub(Vendor):
    name = "github"
    prefixes = ("/github",)

    def reset(self) -> None:
        self._token = self.environment.get("STUB_GITHUB_TOKEN", "demo-github-token")
        self._repositories: dict[str, list[dict[str, Any]]] = {name: [] for name in REPOSITORIES}
        self._choose(REPOSITORIES[0])
        self._limited: dict[str, Any] = {"count": 0, "seconds": 1, "status": 403, "reset": False}
        self._may_label, self._issues_off, self._conflict = True, False, 0

    def configure(self, settings: dict[str, Any]) -> None:
        unknown = set(settings) - {"token", "issues", "repository", "limited", "may_label", "issues_off", "conflict"}
        if unknown:
            raise BadRequest("settings are token, issues, repository, limited, may_label, issues_off, conflict")
        self._token = settings.get("token", self._token)
        self._limited = self._limited | settings.get("limited", {})
        self._may_label = settings.get("may_label", self._may_label)
        self._issues_off = settings.get("issues_off", self._issues_off)
        self._conflict = settings.get("conflict", self._conflict)
        if "issues" in settings:
            if not all(isinstance(one, dict) and one.get("title") for one in settings["issues"]):
                raise BadRequest("issues is a list of dicts with a title")
            if settings.get("repository", REPOSITORIES[0]) not in REPOSITORIES:
                raise BadRequest(f"repository is {', '.join(REPOSITORIES)}")
            self._choose(settings.get("repository", REPOSITORIES[0]))
            self._issues.clear()
            for one in settings["issues"]:
                self._add({"title": one["title"], "body": one.get("body"), "labels": one.get("labels", [])}, **one)

    def _choose(self, repository: str) -> None:
        """What follows is of this one."""
        self._repository, self._issues = repository, self._repositories[repository]

    def settings(self) -> dict[str, Any]:
        return {"issues": self._repositories[REPOSITORIES[0]], "repositories": self._repositories, "limited": self._limited,
                "may_label": self._may_label, "issues_off": self._issues_off, "conflict": self._conflict}  # fmt: skip

    def _add(self, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        added = {"number": len(self._issues) + 1, "title": str(body["title"]), "body": body.get("body"), "state": more.get("state", "open"),
                 "state_reason": None, "labels": [], "comments": list(more.get("comments", [])), "created": time.time(),
                 "pull_request": more.get("pull_request", False)}  # fmt: skip
        self._label(added, body.get("labels") or [])
        self._issues.append(added)
        return added

    def _label(self, issue: dict[str, Any], labels: Any) -> None:
        if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
            raise invalid("labels", "labels must be names")
        if any(len(label) > LONGEST_LABEL for label in labels):
            raise invalid("labels", f"name is too long (maximum is {LONGEST_LABEL} characters)")
        if self._may_label:
            issue["labels"] += [label for label in labels if label not in issue["labels"]]

    # -- a call

    def answer(self, call: Call) -> Reply:
        try:
            self._admitted(call)
            return self._routed(call, call.path.removeprefix("/github"))
        except Refused as refused:
            return refused.reply

    def _admitted(self, call: Call) -> None:
        if not call.headers.get("user-agent"):
            raise Refused(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
        if not hmac.compare_digest(call.bearer().encode(), self._token.encode()):
            raise Refused(401, "Bad credentials")
        if self._limited["count"] > 0:
            self._limited["count"] -= 1
            seconds = int(self._limited["seconds"])
            if self._limited["reset"]:
                limits = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(time.time()) + seconds)}
            else:
                limits = {"retry_after": str(seconds)}
            raise Refused(int(self._limited["status"]), "You have exceeded a secondary rate limit", **limits)
        if call.headers.get("accept") != ACCEPT:
            raise Refused(415, f"Accept must be {ACCEPT}")
        if call.headers.get("x-github-api-version") != VERSION:
            raise Refused(400, f"X-GitHub-Api-Version must be {VERSION}")
        if call.body and call.headers.get("content-type") != "application/json":
            raise Refused(415, "Content-Type must be application/json")

    def _routed(self, call: Call, path: str) -> Reply:
        repository = re.match(rf"/repos/{OWNER}/([^/]+)/", path)
        if not repository or repository[1] not in REPOSITORIES:
            raise Refused(404, "Not Found")
        self._choose(repository[1])
        issues = rf"/repos/{OWNER}/{repository[1]}/issues"
        routes: dict[str, dict[str, Any]] = {
            issues: {"GET": self._list, "POST": self._create},
            issues + r"/(\d+)": {"GET": self._get, "PATCH": self._update},
            issues + r"/(\d+)/labels": {"POST": self._add_labels},
            issues + r"/(\d+)/comments": {"GET": self._comments, "POST": self._comment},
        }
        for pattern, methods in routes.items():
            match = re.fullmatch(pattern, path)
            if match and call.method in methods:
                if self._issues_off:
                    raise Refused(410, "Issues are disabled for this repo")
                return methods[call.method](call, *match.groups())
        raise Refused(404, "Not Found")

    def _known(self, number: str) -> dict[str, Any]:
        known = next((one for one in self._issues if one["number"] == int(number)), None)
        if known is None:
            raise Refused(404, "Not Found")
        return known

    @staticmethod
    def _page(call: Call, found: list[dict[str, Any]], parameters: set[str]) -> Reply:
        unknown = {key for key, _value in call.pairs} - parameters
        if unknown:
            raise invalid("query", f"unknown parameter {', '.join(sorted(unknown))}")
        try:
            size, page = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
        except ValueError:
            raise invalid("per_page", "per_page and page must be integers") from None
        if not 1 <= size <= LONGEST_PAGE or page < 1:
            raise invalid("per_page", f"per_page is 1 to {LONGEST_PAGE}")
        return Reply(200, found[(page - 1) * size : page * size])

    @staticmethod
    def _body(call: Call, fields: dict[str, Any], needed: str = "") -> dict[str, Any]:
        body = call.json_object()
        for name, value in body.items():
            if name not in fields:
                raise invalid(name, f"{name} is not a permitted key")
            if not isinstance(value, fields[name]) or isinstance(value, bool):
                raise invalid(name, f"{name} has the wrong type")
        if needed and not str(body.get(needed, "")).strip():
            raise invalid(needed, f"{needed} can't be blank")
        if len(str(body.get("title", ""))) > LONGEST_TITLE or "title" in body and not str(body["title"]).strip():
            raise invalid("title", f"title is too long (maximum is {LONGEST_TITLE} characters), or blank")
        if len(str(body.get("body", ""))) > LONGEST_BODY:
            raise invalid("body", f"body is too long (maximum is {LONGEST_BODY} characters)")
        return body

    # -- operations

    def _list(self, call: Call) -> Reply:
        state, labels = call.query.get("state", "open"), [label for label in call.query.get("labels", "").split(",") if label]
        if state not in ("open", "closed", "all"):
            raise invalid("state", "state is open, closed or all")
        if call.query.get("sort", "created") not in ("created", "updated", "comments") or call.query.get("direction", "desc") not in (
            "asc",
            "desc",
        ):
            raise invalid("sort", "sort is created, updated or comments, direction asc or desc")
        found = [self._shown(one) for one in self._issues if state in ("all", one["state"]) and set(labels) <= set(one["labels"])]
        return self._page(call, found if call.query.get("direction") == "asc" else found[::-1], LIST_PARAMETERS)

    def _create(self, call: Call) -> Reply:
        return Reply(201, self._shown(self._add(self._body(call, CREATE, "title"))))

    def _get(self, _call: Call, number: str) -> Reply:
        return Reply(200, self._shown(self._known(number)))

    def _update(self, call: Call, number: str) -> Reply:
        known, body = self._known(number), self._body(call, UPDATE)
        if self._conflict:
            self._conflict -= 1
            raise Refused(409, "Conflict")
        state = body.get("state", known["state"])
        if state not in REASONS or body.get("state_reason") not in REASONS[state]:
            raise invalid("state", "state is open or closed, state_reason one that goes with it")
        if "labels" in body:
            known["labels"] = []
            self._label(known, body["labels"])
        known |= {name: body[name] for name in ("title", "body", "state", "state_reason") if name in body}
        return Reply(200, self._shown(known))

    def _add_labels(self, call: Call, number: str) -> Reply:
        known, body = self._known(number), call.json_object()
        if set(body) != {"labels"}:
            raise invalid("labels", "the body must be an object with labels")
        if not self._may_label:
            raise Refused(403, "Must have admin rights to Repository.")
        self._label(known, body["labels"])
        return Reply(200, self._shown(known)["labels"])

    def _comments(self, call: Call, number: str) -> Reply:
        found = [{"id": index, "body": text, "user": {"login": "ada"}} for index, text in enumerate(self._known(number)["comments"], 1)]
        return self._page(call, found, COMMENT_PARAMETERS)

    def _comment(self, call: Call, number: str) -> Reply:
        known, body = self._known(number), self._body(call, {"body": str}, "body")
        known["comments"].append(body["body"])
        return Reply(201, {"id": len(known["comments"]), "body": body["body"], "user": {"login": "ada"}})

    def _shown(self, one: dict[str, Any]) -> dict[str, Any]:
        created = datetime.fromtimestamp(one["created"], UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        labels = [{"id": index, "name": label, "color": "ededed", "default": False} for index, label in enumerate(one["labels"], 1)]
        shown = {"id": 1000 + one["number"], "number": one["number"], "title": one["title"], "body": one["body"], "state": one["state"],
                 "state_reason": one["state_reason"], "labels": labels, "comments": len(one["comments"]), "created_at": created,
                 "html_url": f"https://github.com/{OWNER}/{self._repository}/issues/{one['number']}", "user": {"login": "ada"}}  # fmt: skip
        return shown | ({"pull_request": {"url": "https://api.github.com"}} if one["pull_request"] else {})
