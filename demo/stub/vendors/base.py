"""What a vendor is: a pure answer to a call. No web framework in here, so that every vendor can be tested by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class BadRequest(ValueError):
    """The call is not one the vendor understands; answered with 400 and the message."""


@dataclass(frozen=True)
class Call:
    """``headers`` with lower-case names; ``query`` with the last value of a name, ``pairs`` with all of them."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pairs: tuple[tuple[str, str], ...] = ()

    def values(self, name: str) -> list[str]:
        """Every value that the query has for ``name``."""
        found = [value for key, value in self.pairs if key == name]
        return found or ([self.query[name]] if name in self.query else [])

    def bearer(self) -> str:
        """The token of an Authorization header; empty without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise BadRequest("the body is not JSON") from None

    def json_object(self) -> dict[str, Any]:
        value = self.json()
        if not isinstance(value, dict):
            raise BadRequest("the body is not a JSON object")
        return value


@dataclass(frozen=True)
class Reply:
    """``body``: text as it is, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> tuple[bytes, str]:
        if isinstance(self.body, str):
            return self.body.encode(), "text/plain; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json"


NOT_FOUND = Reply(404, {"error": "not found"})
METHOD_NOT_ALLOWED = Reply(405, {"error": "method not allowed"})


class Vendor:
    """``prefixes``: the paths that are the vendor's. Subclasses keep their state in memory and set it up in ``reset``."""

    name = ""
    prefixes: tuple[str, ...] = ()

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.reset()

    def reset(self) -> None:
        """As at the start."""

    def configure(self, settings: dict[str, Any]) -> None:
        """Take the settings of ``POST /__control``; raises BadRequest for one that is not known."""
        if settings:
            raise BadRequest(f"{self.name} has no settings")

    def settings(self) -> dict[str, Any]:
        """What is in force, without secrets."""
        return {}

    def owns(self, path: str) -> bool:
        return any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in self.prefixes)

    def answer(self, call: Call) -> Reply:
        raise NotImplementedError
