"""What was received, bounded in number and size, without the secrets."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import deque
from typing import Any

from .vendors.base import Call

KEPT = 2000
KEPT_BODY = 64 * 1024
NAMED_SECRET = re.compile(r"(sentry_key|sentry_secret)=([^,\s]*)")
SECRET_HEADERS = ("authorization", "cookie", "ocp-apim-subscription-key", "x-api-key", "x-sentry-auth", "x-routing-key")


def masked(value: str) -> str:
    """Enough to see that it was sent, and whether it was the same one: never the value. Of ``name=value`` pairs, those of Sentry's."""
    if NAMED_SECRET.search(value):
        return NAMED_SECRET.sub(lambda pair: f"{pair[1]}=sha256:{digest_of(pair[2])}", value)
    scheme, _, rest = value.rpartition(" ")
    return f"{scheme} sha256:{digest_of(rest)}".strip()


def digest_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:12]


class Recorder:
    def __init__(self) -> None:
        self._calls: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._next = 1

    def add(self, vendor: str | None, call: Call, status: int, fault: bool) -> None:
        """``fault``: the status came from a fault, not from the vendor."""
        text = call.body[:KEPT_BODY].decode("utf-8", "replace")
        try:
            parsed = json.loads(call.body) if call.body and len(call.body) <= KEPT_BODY else None
        except ValueError:
            parsed = None
        self._calls.append(
            {
                "id": self._next,
                "time": time.time(),
                "vendor": vendor,
                "method": call.method,
                "path": call.path,
                "query": dict(call.query),
                "headers": {name: masked(value) if name in SECRET_HEADERS else value for name, value in call.headers.items()},
                "json": parsed,
                "body": None if parsed is not None else text,
                "size": len(call.body),
                "status": status,
                "fault": fault,
            }
        )
        self._next += 1

    def find(
        self, vendor: str | None = None, path: str | None = None, after: int = 0, limit: int = 100, status: int | None = None
    ) -> list[dict[str, Any]]:
        """The newest ``limit`` that match, oldest first. ``status``: those that were answered so, 200 for what was taken."""
        found = [
            call
            for call in self._calls
            if call["id"] > after
            and (not vendor or call["vendor"] == vendor)
            and (not path or call["path"].startswith(path))
            and status in (None, call["status"])
        ]
        return found[-limit:] if limit > 0 else []

    def clear(self) -> None:
        self._calls.clear()
