"""Sessions in Redis: ``session:<id>`` holds one JSON object and expires by itself.

``auth:epoch`` is a counter outside ``session:*``. A session carries the epoch it was issued in and is worth nothing once
the counter has gone past it: one INCR logs everybody out, also those who log in while their old sessions are being deleted.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

EPOCH_KEY = "auth:epoch"
_ID = re.compile(r"[A-Za-z0-9_-]{20,100}")


def new_id() -> str:
    return secrets.token_urlsafe(32)


def key(session_id: str) -> str:
    return f"session:{session_id}"


def valid_id(session_id: str | None) -> bool:
    return bool(session_id and _ID.fullmatch(session_id))


def epoch_number(text: Any) -> int:
    """What ``auth:epoch`` holds; 0 when it was never set. Anything else than a number ends every session: the safe side."""
    if text is None:
        return 0
    try:
        return int(text)
    except (TypeError, ValueError):
        return 2**63


def encode(user_id: int, username: str, epoch: int, now: float, address: str | None, release: str) -> str:
    return json.dumps(
        {"user_id": user_id, "user": username, "epoch": epoch, "issued_at": round(now, 3), "address": address, "release": release}
    )


def decode(text: str | None, epoch: int) -> dict[str, Any] | None:
    """The session, or None when there is none, it is not ours, or it was issued before the current epoch."""
    try:
        session = json.loads(text) if text else None
    except ValueError:
        return None
    if not isinstance(session, dict) or not isinstance(session.get("epoch"), int) or session["epoch"] < epoch:
        return None
    return session
