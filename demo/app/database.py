"""PostgreSQL: a small pool of connections and the queries of the app."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from psycopg import AsyncConnection, errors
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from .config import Settings
from .logs import log
from .schema import COLUMNS_QUERY, SchemaMismatch, Statements, statements

LOGGER = logging.getLogger("app.database")


class LastProblem(logging.Handler):
    """The pool says why it has no connection only in its log, many times a second: kept here, and told once by who asks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        what, _, why = record.getMessage().partition("': ")
        if what.startswith("error connecting"):
            self.text = " ".join(why.split())


class Database:
    """``open`` never waits for the server: the app starts without it, says that it is unhealthy, and connects when it can."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._statements: Statements | None = None
        self._leaked: list[AsyncConnection] = []
        self._last_leak = 0.0
        self._problem = LastProblem()
        pool_log = logging.getLogger("psycopg.pool")
        pool_log.addHandler(self._problem)
        pool_log.propagate = False
        self._options = {
            "connect_timeout": 2,
            "application_name": f"astraldraft-app/{settings.release}",
            "options": "-c statement_timeout=8000 -c idle_in_transaction_session_timeout=30000",
            "keepalives_idle": 10,
            "tcp_user_timeout": 5000,
        }
        self.pool = AsyncConnectionPool(
            settings.database_url,
            kwargs={**self._options, "autocommit": True, "row_factory": dict_row},
            min_size=1,
            max_size=settings.pool_size,
            timeout=8,
            max_waiting=200,
            # Short: after it, the next request makes a new attempt at once, instead of a backoff that has grown to minutes.
            reconnect_timeout=2,
            # One round trip, so that a connection that died with a restarted server is replaced and no request fails for it.
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    async def open(self) -> None:
        await self.pool.open(wait=False)

    async def close(self) -> None:
        await self.pool.close(timeout=2)

    async def check(self) -> None:
        """Raises when the server does not answer or its schema is not one this release can work on."""
        try:
            async with self.pool.connection(timeout=0.9) as connection:
                await self._read_schema(connection)
        except PoolTimeout as error:
            raise errors.OperationalError(self._problem.text or f"{error}: all in use") from None
        self._problem.text = ""

    async def _read_schema(self, connection: AsyncConnection) -> Statements:
        rows = await (await connection.execute(COLUMNS_QUERY)).fetchall()
        self._statements = statements(self._settings.number, frozenset(row["attname"] for row in rows))
        return self._statements

    async def _run(self, which: str, values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """A migration may run under us at any time: on a column that is no longer there, look again, once."""
        async with self.pool.connection() as connection:
            known = self._statements or await self._read_schema(connection)
            try:
                return await (await connection.execute(getattr(known, which), values)).fetchall()
            except (errors.UndefinedColumn, errors.UndefinedTable):
                known = await self._read_schema(connection)
                return await (await connection.execute(getattr(known, which), values)).fetchall()

    async def recent_drafts(self) -> list[dict[str, Any]]:
        return await self._run("recent")

    async def add_draft(self, name: str, kind: str) -> dict[str, Any]:
        return (await self._run("insert", {"name": name, "format": kind}))[0]

    async def draft(self, draft_id: int) -> dict[str, Any] | None:
        """With its picks as a list; None when there is no such draft."""
        rows = await self._run("one", {"id": draft_id})
        if not rows:
            return None
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id, round, player, team, picked_at FROM picks WHERE draft_id = %s ORDER BY round, id LIMIT 1000", [draft_id]
            )
            return {**rows[0], "picks": await cursor.fetchall()}

    async def add_pick(self, draft_id: int, values: dict[str, Any]) -> dict[str, Any]:
        """Raises errors.ForeignKeyViolation for an unknown draft, errors.UniqueViolation for a player already picked."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "INSERT INTO picks (draft_id, round, player, team) VALUES (%(draft_id)s, %(round)s, %(player)s, %(team)s)"
                " RETURNING id, draft_id, round, player, team, picked_at",
                {"draft_id": draft_id, **values},
            )
            return await cursor.fetchone()

    async def user(self, username: str) -> dict[str, Any] | None:
        async with self.pool.connection() as connection:
            cursor = await connection.execute("SELECT id, username, password_hash FROM users WHERE username = %s", [username])
            return await cursor.fetchone()

    async def leak(self) -> None:
        """The fault: a connection of its own, left open inside a transaction, until the server has none to give."""
        rate = self._settings.faults.leaked_connections_per_second
        if not rate or time.monotonic() - self._last_leak < 1 / rate:
            return
        self._last_leak = time.monotonic()
        options = {**self._options, "options": "-c statement_timeout=5000"}
        try:
            connection = await AsyncConnection.connect(self._settings.database_url, **options)
            await connection.execute("SELECT count(*) FROM drafts")
        except errors.Error as error:
            log(LOGGER, logging.ERROR, "no connection to be had", reason=str(error).strip())
        else:
            self._leaked.append(connection)


UNAVAILABLE = (errors.OperationalError, errors.InterfaceError, SchemaMismatch, asyncio.TimeoutError)
