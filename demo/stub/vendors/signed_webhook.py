"""A receiver of Standard Webhooks (https://www.standardwebhooks.com, version 1): POST /webhook/signed with id, time and signature.

The key is STUB_WEBHOOK_KEY (default ``demo-webhook-key``: a word, not a secret). What is not signed with it, or is older than five minutes,
is refused; what it has already is taken once. Settings: ``{"key": ...}``, ``{"limited": {"count": 1, "seconds": 1}}``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

from .base import METHOD_NOT_ALLOWED, BadRequest, Call, Reply, Vendor

TOLERANCE_SECONDS = 300


class SignedWebhook(Vendor):
    name = "signed_webhook"
    prefixes = ("/webhook/signed",)

    def reset(self) -> None:
        self._key = self.environment.get("STUB_WEBHOOK_KEY", "demo-webhook-key")
        self._limited = {"count": 0, "seconds": 1}
        self._taken: list[str] = []

    def configure(self, settings: dict[str, Any]) -> None:
        if set(settings) - {"key", "limited"}:
            raise BadRequest("settings are key, limited")
        self._key = settings.get("key", self._key)
        self._limited = dict(self._limited, **settings.get("limited", {}))

    def settings(self) -> dict[str, Any]:
        return {"limited": self._limited, "taken": self._taken}

    def answer(self, call: Call) -> Reply:
        if call.method != "POST":
            return METHOD_NOT_ALLOWED
        if self._limited["count"] > 0:
            self._limited["count"] -= 1
            return Reply(429, {"error": "later"}, {"retry-after": str(self._limited["seconds"])})
        identity, moment = call.headers.get("webhook-id", ""), call.headers.get("webhook-timestamp", "")
        signed = f"{identity}.{moment}.".encode() + call.body
        expected = "v1," + base64.b64encode(hmac.new(self._key.encode(), signed, hashlib.sha256).digest()).decode()
        given = call.headers.get("webhook-signature", "").split()
        if not identity or not any(hmac.compare_digest(one.encode(), expected.encode()) for one in given):
            return Reply(401, {"error": "the signature does not fit"})
        if not moment.isdigit() or abs(time.time() - int(moment)) > TOLERANCE_SECONDS:
            return Reply(400, {"error": "that was sent long ago"})
        call.json_object()
        if identity not in self._taken:
            self._taken.append(identity)
        return Reply(202, {"taken": len(self._taken)})
