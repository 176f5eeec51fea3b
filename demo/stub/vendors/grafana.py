"""Grafana's HTTP API under /grafana, as far as operations use it: its health, its data sources and theirs, annotations.

The token of its service account is STUB_GRAFANA_TOKEN (default ``demo-grafana-token``: a word, not a secret). Settings:
``{"token": ...}``, ``{"database": "failing"}``, ``{"annotations": [...]}`` as GET lists them, and ``{"datasources": [...]}``, each a
dict with ``name``, ``type`` and ``health``: ok, error (with ``message``), unsupported, browser, down, gone.
"""

from __future__ import annotations

import hmac
import re
import time
from typing import Any

from .base import METHOD_NOT_ALLOWED, BadRequest, Call, Reply, Vendor

VERSION = "12.1.0"
HEALTHS = ("ok", "error", "unsupported", "browser", "down", "gone")
DATASOURCES = (
    {"name": "Prometheus", "type": "prometheus", "health": "ok", "message": "Successfully queried the Prometheus API."},
    {"name": "PostgreSQL", "type": "grafana-postgresql-datasource", "health": "ok", "message": "Database Connection OK"},
    {"name": "Alertmanager", "type": "alertmanager", "health": "browser"},
    {"name": "Seasons", "type": "marcusolsson-csv-datasource", "health": "unsupported"},
)
NOT_KNOWN = Reply(401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401, "traceID": ""})
NO_TOKEN = Reply(401, {"message": "Unauthorized", "messageId": "auth.unauthorized", "statusCode": 401, "traceID": ""})
NOT_FOUND = Reply(404, {"message": "Not found"})
UNAVAILABLE = Reply(500, {"message": "Plugin unavailable", "messageId": "plugin.unavailable", "statusCode": 500, "traceID": ""})
NOT_IMPLEMENTED = Reply(404, {"message": "Method not implemented", "messageId": "plugin.notImplemented", "statusCode": 404, "traceID": ""})
NOT_REGISTERED = Reply(404, {"message": "Plugin not registered", "messageId": "plugin.notRegistered", "statusCode": 404, "traceID": ""})


def _is_source(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("name")) and value.get("health") in HEALTHS


def uid_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


class Grafana(Vendor):
    name = "grafana"
    prefixes = ("/grafana",)

    def reset(self) -> None:
        self._token = self.environment.get("STUB_GRAFANA_TOKEN", "demo-grafana-token")
        self._database = "ok"
        self._datasources: list[dict[str, Any]] = [dict(one) for one in DATASOURCES]
        self._annotations: dict[int, dict[str, Any]] = {}
        self._next = 1

    def configure(self, settings: dict[str, Any]) -> None:
        setters = {"token": self._set_token, "database": self._set_database, "datasources": self._set_datasources,
                   "annotations": self._set_annotations}  # fmt: skip
        for name, value in settings.items():
            if name not in setters:
                raise BadRequest(f"settings are {', '.join(setters)}")
            setters[name](value)

    def settings(self) -> dict[str, Any]:
        return {"database": self._database, "datasources": self._datasources, "annotations": list(self._annotations.values())}

    def _set_token(self, value: Any) -> None:
        if not isinstance(value, str) or not value:
            raise BadRequest("token must be text")
        self._token = value

    def _set_database(self, value: Any) -> None:
        self._database = str(value)

    def _set_datasources(self, value: Any) -> None:
        if not isinstance(value, list) or not all(_is_source(one) for one in value):
            raise BadRequest(f"datasources is a list of name, type and health, one of {', '.join(HEALTHS)}")
        self._datasources = value

    def _set_annotations(self, value: Any) -> None:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise BadRequest("annotations must be a list")
        self._annotations, self._next = {}, 1
        for one in value:
            self._add({"text": "", "tags": [], "time": 0} | one)

    def answer(self, call: Call) -> Reply:
        path = call.path.removeprefix("/grafana")
        if path == "/api/health":
            ok = self._database == "ok"
            return Reply(200 if ok else 503, {"commit": "stub", "database": self._database, "version": VERSION})
        if path == "/login":
            return Reply(200, "<!DOCTYPE html><html><title>Grafana</title></html>", {"content-type": "text/html; charset=UTF-8"})
        if not path.startswith("/api/"):
            return Reply(302, "", {"location": "/grafana/login"})
        if not call.bearer():
            return NO_TOKEN
        if not hmac.compare_digest(call.bearer().encode(), self._token.encode()):
            return NOT_KNOWN
        if path.startswith("/api/annotations"):
            return self._annotation(call, path.removeprefix("/api/annotations").strip("/"))
        if call.method not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        return self._read(path)

    def _read(self, path: str) -> Reply:
        if path == "/api/datasources":
            return Reply(200, [self._listed(number, one) for number, one in enumerate(self._datasources, 1)])
        if path == "/api/frontend/settings":
            meta = {one["name"]: {"uid": uid_of(one["name"]), "meta": {"backend": one["health"] != "browser"}} for one in self._datasources}
            return Reply(200, {"datasources": meta, "buildInfo": {"version": VERSION}})
        match = re.fullmatch(r"/api/datasources/uid/([^/]+)/health", path)
        if not match:
            return NOT_FOUND
        source = next((one for one in self._datasources if uid_of(one["name"]) == match[1]), None)
        if source is None:
            return Reply(404, {"message": "Data source not found"})
        return self._health(source)

    def _listed(self, number: int, source: dict[str, Any]) -> dict[str, Any]:
        return {"id": number, "uid": uid_of(source["name"]), "orgId": 1, "name": source["name"], "type": source.get("type", "prometheus"),
                "access": "proxy", "url": source.get("url", ""), "isDefault": number == 1, "readOnly": True, "jsonData": {}}  # fmt: skip

    def _health(self, source: dict[str, Any]) -> Reply:
        message = source.get("message", "")
        return {
            "ok": Reply(200, {"status": "OK", "message": message or "Data source is working"}),
            "error": Reply(400, {"status": "ERROR", "message": message or "connection refused", "details": {}}),
            "unsupported": NOT_IMPLEMENTED,
            "gone": NOT_REGISTERED,
        }.get(source["health"], UNAVAILABLE)

    # -- annotations

    def _annotation(self, call: Call, rest: str) -> Reply:
        if not rest:
            if call.method == "GET":
                return Reply(200, self._found(call))
            return self._post(call.json_object()) if call.method == "POST" else METHOD_NOT_ALLOWED
        if not rest.isdigit():
            return Reply(400, {"message": "annotationId is invalid"})
        known = self._annotations.get(int(rest))
        if known is None:
            return Reply(404, {"message": "Annotation not found"})
        if call.method == "GET":
            return Reply(200, known)
        if call.method == "DELETE":
            del self._annotations[known["id"]]
            return Reply(200, {"message": "Annotation deleted"})
        return self._patch(known, call.json_object()) if call.method == "PATCH" else METHOD_NOT_ALLOWED

    def _found(self, call: Call) -> list[dict[str, Any]]:
        """By AND of the tags, by place and by time span, newest first, as many as ``limit``."""
        tags, dashboard, panel = set(call.values("tags")), call.query.get("dashboardUID"), call.query.get("panelId")
        begin, end = int(call.query.get("from", "0")), int(call.query.get("to", "0"))
        found = [
            one
            for one in self._annotations.values()
            if tags <= set(one["tags"])
            and (not dashboard or one["dashboardUID"] == dashboard)
            and (not panel or str(one["panelId"]) == panel)
            and (not (begin and end) or one["time"] <= end and one["timeEnd"] >= begin)
        ]
        newest = sorted(found, key=lambda one: (one["time"], one["id"]), reverse=True)
        return newest[: int(call.query.get("limit", "100"))]

    def _post(self, body: dict[str, Any]) -> Reply:
        if not body.get("text"):
            return Reply(400, {"message": "Failed to save annotation", "error": "text field should not be empty"})
        if not isinstance(body.get("tags", []), list) or sum(len(str(tag)) for tag in body.get("tags", [])) > 500:
            return Reply(400, {"message": "tags length exceeds the maximum allowed"})
        return Reply(200, {"message": "Annotation added", "id": self._add(body)["id"]})

    def _add(self, body: dict[str, Any]) -> dict[str, Any]:
        """What has no end ends where it begins; what comes in the wrong order is swapped."""
        begin = body.get("time") or int(time.time() * 1000)
        begin, end = sorted((begin, body.get("timeEnd") or begin))
        added = {"id": self._next, "alertId": 0, "dashboardUID": body.get("dashboardUID"), "panelId": body.get("panelId") or 0, "userId": 0,
                 "login": "", "newState": "", "prevState": "", "time": begin, "timeEnd": end, "text": body["text"],
                 "tags": body.get("tags") or [], "data": {}}  # fmt: skip
        self._annotations[self._next] = added
        self._next += 1
        return added

    def _patch(self, known: dict[str, Any], body: dict[str, Any]) -> Reply:
        if body.get("tags") is not None:
            known["tags"] = body["tags"]
        if body.get("text"):
            known["text"] = body["text"]
        known["time"], known["timeEnd"] = sorted((body.get("time") or known["time"], body.get("timeEnd") or known["timeEnd"]))
        return Reply(200, {"message": "Annotation patched"})
