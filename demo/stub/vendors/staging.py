"""The list of releases that staging exports: GET /staging/releases.json. Until one is set (PUT, any JSON) there is none: 404."""

from __future__ import annotations

from typing import Any

from .base import METHOD_NOT_ALLOWED, NOT_FOUND, Call, Reply, Vendor


class Staging(Vendor):
    name = "staging"
    prefixes = ("/staging",)

    def reset(self) -> None:
        self._releases: Any = None

    def configure(self, settings: dict[str, Any]) -> None:
        self._releases = settings.get("releases")

    def settings(self) -> dict[str, Any]:
        return {"releases": self._releases}

    def answer(self, call: Call) -> Reply:
        if call.path != "/staging/releases.json":
            return NOT_FOUND
        if call.method == "PUT":
            self._releases = call.json()
            return Reply(200, {"stored": True})
        if call.method == "DELETE":
            self._releases = None
            return Reply(200, {"stored": False})
        if call.method not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        return NOT_FOUND if self._releases is None else Reply(200, self._releases)
