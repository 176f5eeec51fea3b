"""uvicorn, started and stopped as a container expects it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterator

import uvicorn

from . import metrics
from .cache import Cache
from .config import Settings
from .database import Database
from .logs import log
from .middleware import RequestMiddleware, log_start
from .web import Web

LOGGER = logging.getLogger("app.server")


class Server(uvicorn.Server):
    """SIGTERM and SIGINT: no new connections, idle ones closed, requests under way finished, exit code 0.

    uvicorn itself raises the signal once more at the end, which would make an orderly stop look like a killed process.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        yield

    def _stop(self, number: int) -> None:
        log(LOGGER, logging.INFO, "stopping", signal=signal.Signals(number).name)
        self.should_exit = True


async def _serve(settings: Settings) -> None:
    database, cache = Database(settings), Cache(settings.redis_urls)
    metrics.APP.info({"release": settings.release})
    config = uvicorn.Config(
        RequestMiddleware(Web(settings, database, cache).application(), settings),
        host=settings.host,
        port=settings.port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # The client's address is ours to work out (middleware): uvicorn would believe the whole header from some peers.
        proxy_headers=False,
        # Here and not in the app, so that it is also on what uvicorn answers by itself (400 to what is not HTTP).
        headers=[("X-Release", settings.release)],
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.drain_seconds,
    )
    if settings.faults.crash_after_seconds:
        asyncio.get_running_loop().call_later(settings.faults.crash_after_seconds, _crash)
    await database.open()
    log_start(settings)
    try:
        await Server(config).serve()
    finally:
        await cache.close()
        await database.close()
        log(LOGGER, logging.INFO, "stopped")


def _crash() -> None:
    log(LOGGER, logging.CRITICAL, "FAULT_CRASH_AFTER_SECONDS: the process ends without a word to its clients")
    os._exit(1)


def serve(settings: Settings) -> int:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))
    return 0
