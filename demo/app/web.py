"""The routes."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg import errors
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import metrics, sessions, validation
from .cache import Cache, CacheUnavailable
from .config import Settings
from .database import UNAVAILABLE, Database
from .external import External, ExternalUnavailable
from .logs import log
from .passwords import NOBODY, verify_password
from .validation import Invalid

LOGGER = logging.getLogger("app.web")
AUTH = logging.getLogger("app.auth")
MAX_BODY = 64 * 1024
CHECK_SECONDS = 1.0
Handler = Callable[[Request], Awaitable[Response]]


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot put a {type(value).__name__} into JSON")


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(body, default=_plain, separators=(",", ":"))
    return Response(content, status, {"cache-control": "no-store", **(headers or {})}, media_type="application/json")


async def body_of(request: Request) -> Any:
    """The JSON of the body; 413 and 400 as HTTPException."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY:
            raise HTTPException(413, f"the body is larger than {MAX_BODY} bytes")
    try:
        return json.loads(content)
    except ValueError:
        raise HTTPException(400, "the body is not JSON") from None


class InjectedError(RuntimeError):
    """The error that FAULT_ERROR_RATE asks for."""


class Web:
    """The handlers, with what they work on."""

    def __init__(self, settings: Settings, database: Database, cache: Cache) -> None:
        self._settings = settings
        self._database = database
        self._cache = cache
        self._external = External(settings.external_url, settings.external_key, metrics.observe_external) if settings.external_url else None
        # A hash takes 50 ms of a core and 16 MB: two at a time, so that a flood of logins leaves the rest of the app alive.
        self._hashing = asyncio.Semaphore(2)

    def application(self) -> Starlette:
        faulty = self._faulty
        more = []
        if self._external:
            metrics.prepare_external()
            more.append(Route("/api/season", faulty(self.season)))
        return Starlette(
            routes=[
                Route("/api/health", self.health),
                Route("/api/drafts", faulty(self.drafts)),
                Route("/api/drafts", faulty(self.add_draft), methods=["POST"]),
                Route("/api/drafts/{draft_id:int}", faulty(self.draft)),
                Route("/api/drafts/{draft_id:int}/picks", faulty(self.add_pick), methods=["POST"]),
                Route("/api/slow", faulty(self.slow)),
                Route("/api/login", faulty(self.login), methods=["POST"]),
                Route("/api/logout", faulty(self.logout), methods=["POST"]),
                Route("/api/session", faulty(self.session)),
                Route("/metrics", self.metrics),
                *more,
            ],
            exception_handlers={
                HTTPException: self._on_http,
                Invalid: self._on_invalid,
                ExternalUnavailable: self._on_external,
                CacheUnavailable: self._on_unavailable,
                **dict.fromkeys(UNAVAILABLE, self._on_unavailable),
                Exception: self._on_error,
            },
        )

    def _faulty(self, handler: Handler) -> Handler:
        """The handler as this release's faults make it; the handler itself where there are none."""
        faults = self._settings.faults
        if not faults.latency_seconds and not faults.error_rate:
            return handler

        async def misbehave(request: Request) -> Response:
            await asyncio.sleep(faults.latency_seconds)
            if random.random() < faults.error_rate:
                raise InjectedError("FAULT_ERROR_RATE")
            return await handler(request)

        return misbehave

    @staticmethod
    async def _on_error(request: Request, _error: Exception) -> Response:
        return answer({"error": "internal error", "request_id": request.state.request_id}, 500)

    @staticmethod
    async def _on_http(_request: Request, error: HTTPException) -> Response:
        return answer({"error": error.detail}, error.status_code, dict(error.headers or {}))

    @staticmethod
    async def _on_invalid(_request: Request, error: Invalid) -> Response:
        return answer({"error": "validation", "detail": error.problems}, 422)

    @staticmethod
    async def _on_unavailable(request: Request, error: Exception) -> Response:
        what = "redis" if isinstance(error, CacheUnavailable) else "database"
        log(LOGGER, logging.ERROR, f"{what} unavailable", request_id=request.state.request_id, reason=str(error).strip()[:500])
        return answer({"error": f"{what} unavailable"}, 503, {"retry-after": "1"})

    @staticmethod
    async def _on_external(request: Request, error: ExternalUnavailable) -> Response:
        log(LOGGER, logging.ERROR, "external API unavailable", request_id=request.state.request_id, reason=str(error)[:500])
        return answer({"error": "external API unavailable"}, 504 if error.late else 502)

    async def health(self, _request: Request) -> Response:
        database, redis = await asyncio.gather(self._verdict(self._database.check()), self._verdict(self._cache.check()))
        healthy = database == redis == "ok" and not self._settings.faults.unhealthy
        body = {
            "status": "ok" if healthy else "unhealthy",
            "version": self._settings.release,
            "checks": {"database": database, "redis": redis},
        }
        if not healthy:
            log(LOGGER, logging.WARNING, "unhealthy", database=database, redis=redis, fault=self._settings.faults.unhealthy)
        return answer(body, 200 if healthy else 503)

    @staticmethod
    async def _verdict(check: Any) -> str:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check
        except TimeoutError:
            return f"no answer in {CHECK_SECONDS:g} s"
        except (*UNAVAILABLE, errors.Error, CacheUnavailable) as error:
            return str(error).strip().splitlines()[0][:200] or type(error).__name__
        return "ok"

    async def drafts(self, _request: Request) -> Response:
        """The newest 20; without Redis they come from PostgreSQL every time."""
        cached = await self._cache.optional("GET", "cache:drafts")
        if cached is not None:
            return Response(cached, 200, {"cache-control": "no-store", "x-cache": "hit"}, media_type="application/json")
        rows = await self._database.recent_drafts()
        response = answer({"drafts": rows}, headers={"x-cache": "miss"})
        await self._cache.optional("SET", "cache:drafts", bytes(response.body), "EX", self._settings.cache_seconds)
        return response

    async def add_draft(self, request: Request) -> Response:
        values = validation.draft(await body_of(request))
        await self._database.leak()
        row = await self._database.add_draft(values["name"], values["format"])
        await self._cache.optional("UNLINK", "cache:drafts")
        return answer(row, 201, {"location": f"/api/drafts/{row['id']}"})

    async def draft(self, request: Request) -> Response:
        row = await self._database.draft(request.path_params["draft_id"])
        if row is None:
            raise HTTPException(404, "no such draft")
        return answer(row)

    async def add_pick(self, request: Request) -> Response:
        values = validation.pick(await body_of(request))
        try:
            row = await self._database.add_pick(request.path_params["draft_id"], values)
        except errors.ForeignKeyViolation:
            raise HTTPException(404, "no such draft") from None
        except errors.UniqueViolation:
            raise HTTPException(409, f"{values['player']} has been picked already") from None
        return answer(row, 201)

    async def slow(self, request: Request) -> Response:
        seconds = validation.slow_seconds(request.query_params.get("seconds"))
        await asyncio.sleep(seconds)
        return answer({"slept": seconds})

    async def season(self, _request: Request) -> Response:
        """As the sports data API has it."""
        return answer({"season": await self._external.season()})

    async def login(self, request: Request) -> Response:
        username, password = validation.credentials(await body_of(request))
        client = request.state.client
        user = await self._database.user(username)
        async with self._hashing:
            right = await asyncio.to_thread(verify_password, password, user["password_hash"] if user else NOBODY)
        if not user or not right:
            metrics.LOGINS.labels("failed").inc()
            log(AUTH, logging.WARNING, "authentication failed", user=username, client=client, request_id=request.state.request_id)
            return answer({"error": "wrong username or password"}, 401)
        epoch = sessions.epoch_number(await self._cache.call("GET", sessions.EPOCH_KEY))
        session_id = sessions.new_id()
        content = sessions.encode(user["id"], username, epoch, time.time(), client, self._settings.release)
        await self._cache.call("SET", sessions.key(session_id), content, "EX", self._settings.session_seconds)
        metrics.LOGINS.labels("succeeded").inc()
        log(AUTH, logging.INFO, "authentication succeeded", user=username, client=client, request_id=request.state.request_id)
        cookie = f"session={session_id}; Path=/; HttpOnly; SameSite=Lax; Max-Age={self._settings.session_seconds}"
        return answer({"user": username, "session": session_id}, 200, {"set-cookie": cookie})

    async def session(self, request: Request) -> Response:
        """Who the caller is; 401 without a session, or with one that was revoked."""
        session_id = _session_id(request)
        if not sessions.valid_id(session_id):
            return answer({"error": "no session"}, 401)
        text, epoch = await asyncio.gather(self._cache.call("GET", sessions.key(session_id)), self._cache.call("GET", sessions.EPOCH_KEY))
        session = sessions.decode(text, sessions.epoch_number(epoch))
        if session is None:
            return answer({"error": "the session has ended"}, 401)
        return answer({"user": session["user"], "issued_at": session["issued_at"]})

    async def logout(self, request: Request) -> Response:
        """Also 200 when there was no session: the caller is logged out either way."""
        session_id = _session_id(request)
        ended = 0
        if sessions.valid_id(session_id):
            ended = await self._cache.call("UNLINK", sessions.key(session_id))
        return answer({"ended": bool(ended)}, 200, {"set-cookie": "session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"})

    async def metrics(self, _request: Request) -> Response:
        metrics.observe_pool(self._database.pool.get_stats())
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _session_id(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.cookies.get("session")
