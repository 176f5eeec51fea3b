"""What happens around every request: an id, one log line, the metrics, and JSON for whatever goes wrong."""

from __future__ import annotations

import json
import logging
import random
import time
from typing import Any

from . import metrics, validation
from .config import Settings
from .logs import log

LOGGER = logging.getLogger("app.request")
# Asked every few seconds by machines: logged only when the answer is not the usual one.
QUIET = ("/api/health", "/metrics")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RequestMiddleware:
    """The outermost ASGI application."""

    def __init__(self, app: Any, settings: Settings) -> None:
        """``app``: the Starlette application; its routes give the metrics their label, so that no path with an id becomes one."""
        self._app = app
        self._labels = {route.endpoint: route.path.replace(":int", "") for route in app.routes}
        for route in app.routes:
            metrics.prepare(settings.release, sorted(route.methods - {"HEAD"}), self._labels[route.endpoint])
        self._release = settings.release

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"x-request-id", b"x-forwarded-for")}
        request_id = validation.request_id(headers.get(b"x-request-id")) or f"{random.getrandbits(128):032x}"
        peer = scope["client"][0] if scope.get("client") else None
        state = scope.setdefault("state", {})
        state["client"] = client = validation.client_address(headers.get(b"x-forwarded-for"), peer)
        state["request_id"] = request_id
        status, complete = 0, False

        async def send_stamped(message: dict[str, Any]) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            else:
                complete = not message.get("more_body", False)
            await send(message)

        error: BaseException | None = None
        metrics.IN_PROGRESS.inc()
        try:
            await self._app(scope, receive, send_stamped)
        except Exception as caught:
            # Starlette raises it once more after the answer to it has been sent, so that it is logged: here.
            error = caught
            if status and not complete:
                # An answer that has begun cannot become an error any more: breaking the connection is the only honest end.
                raise
            if not status:
                await _send_json(send_stamped, 500, {"error": "internal error", "request_id": request_id})
        finally:
            metrics.IN_PROGRESS.dec()
            seconds = time.perf_counter() - started
            route = self._labels.get(scope.get("endpoint"), "unmatched")
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            metrics.observe(self._release, method, route, status, seconds)
            if status >= 400 or error or scope["path"] not in QUIET:
                LOGGER.log(
                    logging.ERROR if status >= 500 or not status else logging.INFO,
                    "request",
                    exc_info=error,
                    extra={
                        "fields": {
                            "request_id": request_id,
                            "client": client,
                            "method": method,
                            "route": route,
                            "path": scope["path"][:200],
                            "status": status,
                            "duration": round(seconds, 4),
                        }
                    },
                )


async def _send_json(send: Any, status: int, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def log_start(settings: Settings) -> None:
    log(LOGGER, logging.INFO, "serving", port=settings.port, faults=settings.faults.active())
