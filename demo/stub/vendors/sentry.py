"""Sentry under /sentry: envelopes of one project, and the API's projects and issues.

The DSN is ``http://KEY@HOST/sentry/42`` with STUB_SENTRY_KEY (default ``demo-sentry-key``), the API's token STUB_SENTRY_TOKEN (default
``demo-sentry-token``): words, not secrets. The organization is ``astral-draft``, its project ``web``. Settings: ``{"key": ...}``,
``{"token": ...}``, ``{"limited": {"count": 2, "seconds": 1}}`` (so many envelopes are too many, and how long to wait), and
``{"events": [...]}``, each with ``message`` and perhaps ``level``, ``release``, ``environment``, ``age`` in seconds and ``times``.
"""

from __future__ import annotations

import hmac
import json
import re
import shlex
import time
from datetime import UTC, datetime
from typing import Any

from .base import METHOD_NOT_ALLOWED, BadRequest, Call, Reply, Vendor

ORGANIZATION, PROJECT, NUMBER = "astral-draft", "web", "42"
LARGEST = 200 * 1024
DEFAULT_PAGE = 100
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
NOT_FOUND = Reply(404, {"detail": "The requested resource does not exist"})
NO_TOKEN = Reply(401, {"detail": "Authentication credentials were not provided."})
WRONG_TOKEN = Reply(401, {"detail": "Invalid token"})


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def seconds_of(moment: Any) -> float:
    """A time as Sentry takes it: seconds since the epoch, or RFC 3339; what is neither is now."""
    if isinstance(moment, int | float):
        return float(moment)
    try:
        return datetime.fromisoformat(str(moment)).timestamp()
    except ValueError:
        return time.time()


def refused(status: int, detail: str, *causes: str) -> Reply:
    body: dict[str, Any] = {"detail": detail}
    return Reply(status, body | ({"causes": list(causes)} if causes else {}), {"x-sentry-error": detail})


def items_of(body: bytes) -> tuple[dict[str, Any], list[tuple[dict[str, Any], bytes]]]:
    """The headers of an envelope and its items; BadRequest when it is not well formed."""
    line, _, rest = body.partition(b"\n")
    headers, items = _object(line), []
    while rest:
        line, _, rest = rest.partition(b"\n")
        item = _object(line)
        length = item.get("length")
        if length is None:
            payload, _, rest = rest.partition(b"\n")
        else:
            payload, rest = rest[:length], rest[length:]
            if len(payload) < length or rest[:1] not in (b"", b"\n"):
                raise BadRequest("unexpected end of an item")
            rest = rest[1:]
        items.append((item, payload))
    return headers, items


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        raise BadRequest("invalid header") from None
    if not isinstance(value, dict):
        raise BadRequest("invalid header")
    return value


class Sentry(Vendor):
    name = "sentry"
    prefixes = ("/sentry",)

    def reset(self) -> None:
        self._key = self.environment.get("STUB_SENTRY_KEY", "demo-sentry-key")
        self._token = self.environment.get("STUB_SENTRY_TOKEN", "demo-sentry-token")
        self._limited = {"count": 0, "seconds": 1}
        self._events: dict[str, dict[str, Any]] = {}

    def configure(self, settings: dict[str, Any]) -> None:
        unknown = set(settings) - {"key", "token", "limited", "events"}
        if unknown:
            raise BadRequest("settings are key, token, limited, events")
        self._key, self._token = settings.get("key", self._key), settings.get("token", self._token)
        self._limited = dict(self._limited, **settings.get("limited", {}))
        if "events" in settings:
            self._preset(settings["events"])

    def _preset(self, events: Any) -> None:
        if not isinstance(events, list) or not all(isinstance(one, dict) and one.get("message") for one in events):
            raise BadRequest("events is a list of dicts with a message")
        self._events = {}
        for one in events:
            for number in range(int(one.get("times", 1))):
                event = {"timestamp": time.time() - float(one.get("age", 0)) - number * 0.001, "level": one.get("level", "error")}
                event |= {name: one.get(name) for name in ("message", "release", "environment")}
                self._events[f"{len(self._events):032x}"] = event

    def settings(self) -> dict[str, Any]:
        return {"limited": self._limited, "events": len(self._events)}

    def answer(self, call: Call) -> Reply:
        path = call.path.removeprefix("/sentry")
        match = re.fullmatch(r"/api/([^/]+)/envelope/", path)
        if match:
            return self._envelope(call, match[1]) if call.method == "POST" else METHOD_NOT_ALLOWED
        if not path.startswith("/api/0/"):
            return NOT_FOUND
        if not call.bearer():
            return NO_TOKEN
        if not hmac.compare_digest(call.bearer().encode(), self._token.encode()):
            return WRONG_TOKEN
        if call.method not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        if path in (f"/api/0/projects/{ORGANIZATION}/{name}/" for name in (PROJECT, NUMBER)):
            return Reply(200, {"id": NUMBER, "slug": PROJECT, "name": PROJECT, "platform": "other"})
        return self._issues(call) if path == f"/api/0/organizations/{ORGANIZATION}/issues/" else NOT_FOUND

    # -- ingestion

    def _envelope(self, call: Call, project: str) -> Reply:
        given = dict(part.strip().partition("=")[::2] for part in call.headers.get("x-sentry-auth", "").removeprefix("Sentry ").split(","))
        if not given.get("sentry_key"):
            return refused(403, "missing authorization information", "missing authorization information")
        if given.get("sentry_version") != "7":
            return refused(400, "bad sentry authentication header", "bad sentry auth: bad version")
        if project != NUMBER or not hmac.compare_digest(given["sentry_key"].encode(), self._key.encode()):
            return refused(403, "event submission rejected with_reason: ProjectId")
        if self._limited["count"] > 0:
            self._limited["count"] -= 1
            seconds = self._limited["seconds"]
            headers = {"retry-after": str(seconds), "x-sentry-rate-limits": f"{seconds}:default;error;security:organization:quota"}
            return Reply(429, {"detail": "Sentry dropped data due to a quota or internal rate limit being reached."}, headers)
        return self._store(call.body)

    def _store(self, body: bytes) -> Reply:
        try:
            headers, items = items_of(body)
        except BadRequest as error:
            return refused(400, "invalid event envelope", str(error))
        identity = str(headers.get("event_id", "")).replace("-", "")
        for item, payload in items:
            if item.get("type") != "event":
                continue
            if len(payload) > LARGEST:
                return refused(413, "envelope exceeded size limits")
            if not re.fullmatch("[0-9a-f]{32}", identity):
                return refused(400, "invalid event envelope", "missing event identifier")
            try:
                event = _object(payload)
            except BadRequest:
                return refused(400, "invalid JSON data")
            # The first of an id is kept.
            self._events.setdefault(identity, event | {"timestamp": seconds_of(event.get("timestamp"))})
        return Reply(200, {"id": identity} if identity else {})

    # -- issues

    def _issues(self, call: Call) -> Reply:
        period = re.fullmatch(r"(\d+)([smhdw]?)", call.query.get("statsPeriod", "14d"))
        if not period:
            return Reply(400, {"detail": "Invalid statsPeriod"})
        numbers = call.values("project")
        if any(not re.fullmatch(r"-?\d+", number) for number in numbers):
            return Reply(400, {"detail": "Invalid project parameter. Values must be numbers."})
        if numbers and not {NUMBER, "-1"} & set(numbers):
            return Reply(403, {"detail": "You do not have permission to perform this action."})
        try:
            terms = dict(term.partition(":")[::2] for term in shlex.split(call.query.get("query", "is:unresolved")))
        except ValueError:
            return Reply(400, {"detail": "Error parsing search query"})
        starts = time.time() - int(period[1]) * UNITS[period[2]]
        found = [self._issue(*group, starts, terms.get("release"), call.values("environment")) for group in self._groups()]
        found = [issue for issue in found if issue and terms.get("is", "unresolved") == "unresolved"]
        orders = {"freq": lambda issue: int((issue["filtered"] or issue)["count"]), "new": lambda issue: issue["lifetime"]["firstSeen"]}
        found.sort(key=orders.get(call.query.get("sort", "date"), lambda issue: issue["lastSeen"]), reverse=True)
        return self._page(call, found)

    def _groups(self) -> list[tuple[int, str, list[dict[str, Any]]]]:
        """Events of one fingerprint, or of one message, are an issue."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for event in self._events.values():
            groups.setdefault("".join(event.get("fingerprint") or []) or self._title(event), []).append(event)
        return [(number, self._title(events[0]), events) for number, events in enumerate(groups.values(), 1)]

    @staticmethod
    def _title(event: dict[str, Any]) -> str:
        message = event.get("message", "")
        return str(message.get("formatted", "") if isinstance(message, dict) else message)

    def _issue(self, number: int, title: str, events: list[dict[str, Any]], starts: float, release: str | None,
               environments: list[str]) -> dict[str, Any] | None:  # fmt: skip
        window = [one for one in events if one["timestamp"] >= starts and (not environments or one.get("environment") in environments)]
        met = [one for one in window if not release or one.get("release") == release]
        if not met:
            return None

        def seen(these: list[dict[str, Any]]) -> dict[str, Any]:
            times = sorted(one["timestamp"] for one in these)
            return {"count": str(len(these)), "userCount": 0, "firstSeen": iso(times[0]), "lastSeen": iso(times[-1])}

        return {"id": str(number), "shortId": f"{PROJECT.upper()}-{number}", "title": title, "culprit": "", "level": events[0].get("level"),
                "status": "unresolved", "project": {"id": NUMBER, "slug": PROJECT, "name": PROJECT}, "permalink":
                f"https://sentry.example.com/organizations/{ORGANIZATION}/issues/{number}/", "lifetime": seen(events),
                "filtered": seen(met) if release else None} | seen(window)  # fmt: skip

    def _page(self, call: Call, found: list[dict[str, Any]]) -> Reply:
        limit = min(int(call.query.get("limit", DEFAULT_PAGE)), DEFAULT_PAGE)
        first = int(call.query.get("cursor", "0:0:0").split(":")[1])
        base = f"http://stub.invalid{call.path}"

        def link(offset: int, direction: str, more: bool) -> str:
            cursor = f"0:{max(0, offset)}:{int(direction == 'previous')}"
            return f'<{base}?&cursor={cursor}>; rel="{direction}"; results="{str(more).lower()}"; cursor="{cursor}"'

        links = ", ".join([link(first - limit, "previous", first > 0), link(first + limit, "next", first + limit < len(found))])
        return Reply(200, found[first : first + limit], {"link": links, "x-hits": str(len(found))})
