"""``python -m stub``: the service over HTTP, on STUB_HOST (0.0.0.0) and STUB_PORT (9099)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from .service import Service
from .vendors.base import Call, Reply

MAX_BODY = 1024 * 1024


class Application:
    """An ASGI application of one handler: the service decides by the path."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: dict, receive, send) -> None:
        if scope["type"] != "http":
            return
        started = time.time()
        request = Request(scope, receive)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                break
        if len(body) > MAX_BODY:
            reply, delay = Reply(413, {"error": f"larger than {MAX_BODY} bytes"}, {"connection": "close"}), 0.0
        else:
            pairs = tuple(request.query_params.multi_items())
            call = Call(request.method, request.url.path, dict(request.query_params), dict(request.headers), bytes(body), pairs)
            reply, delay = self._service.answer(call)
        await asyncio.sleep(delay)
        content, kind = reply.content()
        await Response(content, reply.status, dict(reply.headers), media_type=kind)(scope, receive, send)
        if request.url.path != "/healthz":
            line = {"time": started, "method": request.method, "path": request.url.path, "status": reply.status}
            print(json.dumps({**line, "duration": round(time.time() - started, 4)}), flush=True)


def main() -> int:
    try:
        service = Service(os.environ)
    except OSError as error:
        print(f"stub: {error}", file=sys.stderr)
        return 2
    uvicorn.run(
        Application(service),
        host=os.environ.get("STUB_HOST", "0.0.0.0"),
        port=int(os.environ.get("STUB_PORT", "9099")),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Somebody may be waiting for a delayed answer; nobody needs it any more.
        timeout_graceful_shutdown=2,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
