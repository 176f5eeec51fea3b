"""The one API outside that the app depends on: what season it is, asked anew for every request that wants to know."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

#: Whoever asks us waits for it, too.
SECONDS = 2.0
MAX_ANSWER = 64 * 1024


class ExternalUnavailable(RuntimeError):
    """The API gave no usable answer; the message says whose and why. ``late``: it gave none in time."""

    def __init__(self, message: str, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


class External:
    """``url`` is http or https, ``key`` goes into a header: addresses end up in logs. ``count`` is told how each request ended."""

    def __init__(self, url: str, key: str | None, count: Callable[[str], None]) -> None:
        self._request = urllib.request.Request(url, headers={"Ocp-Apim-Subscription-Key": key} if key else {})  # noqa: S310
        self._count = count
        self._host = urlsplit(url).netloc
        # Threads of their own: while the API hangs, logins still find one for their hashes.
        self._threads = ThreadPoolExecutor(8, "external")

    async def season(self) -> Any:
        """Raises ExternalUnavailable after SECONDS at the latest."""
        try:
            async with asyncio.timeout(SECONDS):
                found = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask)
        except urllib.error.HTTPError as error:
            error.close()
            raise self._failed("refused", f"answered {error.code}") from None
        except TimeoutError:
            raise self._failed("timed_out", f"no answer in {SECONDS:g} s", late=True) from None
        except (OSError, ValueError) as error:
            raise self._failed("unreachable", str(getattr(error, "reason", error))) from None
        self._count("answered")
        return found

    def _failed(self, outcome: str, reason: str, late: bool = False) -> ExternalUnavailable:
        self._count(outcome)
        return ExternalUnavailable(f"{self._host}: {reason}", late)

    def _ask(self) -> Any:
        with urllib.request.urlopen(self._request, timeout=SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read(MAX_ANSWER))
