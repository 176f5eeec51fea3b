"""The sports data API: GET /v3/nfl/scores/json/CurrentSeason with its key in the header Ocp-Apim-Subscription-Key.

The key is STUB_SPORTSDATA_KEY or the content of STUB_SPORTSDATA_KEY_FILE (default ``demo-key``: a word, not a secret).
Setting: ``{"key": ...}``. A key in the URL is not accepted: URLs end up in logs.
"""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from .base import METHOD_NOT_ALLOWED, NOT_FOUND, BadRequest, Call, Reply, Vendor

HEADER = "ocp-apim-subscription-key"


def season(today: date) -> int:
    """A season is named after the year it begins in, and lasts into the February after."""
    return today.year if today.month >= 3 else today.year - 1


class SportsData(Vendor):
    name = "sportsdata"
    prefixes = ("/v3/nfl", "/sportsdata/v3/nfl")

    def reset(self) -> None:
        path = self.environment.get("STUB_SPORTSDATA_KEY_FILE")
        self._key = Path(path).read_text(encoding="utf-8").strip() if path else self.environment.get("STUB_SPORTSDATA_KEY", "demo-key")

    def configure(self, settings: dict[str, Any]) -> None:
        key = settings.get("key")
        if set(settings) != {"key"} or not isinstance(key, str) or not key:
            raise BadRequest('expected {"key": "..."}')
        self._key = key

    def answer(self, call: Call) -> Reply:
        if call.method not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        given = call.headers.get(HEADER)
        if not given:
            return Reply(401, {"statusCode": 401, "message": "Access denied due to missing subscription key."})
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            return Reply(403, {"statusCode": 403, "message": "Access denied due to invalid subscription key."})
        today = datetime.now(UTC).date()
        resource = call.path.rpartition("/nfl")[2]
        if resource == "/scores/json/CurrentSeason":
            return Reply(200, season(today))
        if resource == "/scores/json/AreAnyGamesInProgress":
            return Reply(200, False)
        return NOT_FOUND
