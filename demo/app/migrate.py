"""Runs the migrations of one phase, one runner at a time, and seeds the demonstration user."""

from __future__ import annotations

import logging
import time

import psycopg
from psycopg import errors

from .config import Settings
from .logs import log
from .passwords import hash_password, verify_password
from .schema import LEDGER, MIGRATIONS, Migration, Plan, plan

LOGGER = logging.getLogger("app.migrate")
# Any number that is ours alone; session level, so it ends with the connection, also when we are killed.
ADVISORY_LOCK = 0x41535452  # "ASTR"
CONNECT_SECONDS = 20
LOCK_TRIES = 10


class MigrationFailed(RuntimeError):
    """The message says which migration, why and what to do."""


def run(settings: Settings, phase: str) -> int:
    """0 done (also when there was nothing to do), 1 failed. The last line logged holds ``applied`` and ``already``."""
    started = time.monotonic()
    try:
        with _connect(settings) as connection:
            if phase == "status":
                found = _applied(connection)
                log(LOGGER, logging.INFO, "migration status", applied=sorted(found), known=[m.name for m in MIGRATIONS])
                return 0
            _lock(connection)
            todo = _apply_all(connection, settings, phase)
            seeded = _seed_user(connection, settings) if phase == "expand" else False
    except (MigrationFailed, psycopg.Error) as error:
        log(LOGGER, logging.ERROR, "migration failed", phase=phase, reason=str(error).strip())
        return 1
    log(
        LOGGER,
        logging.INFO,
        "migration done",
        phase=phase,
        applied=[migration.name for migration in todo.to_apply],
        already=list(todo.already),
        user_seeded=seeded,
        changed=bool(todo.to_apply) or seeded,
        duration=round(time.monotonic() - started, 3),
    )
    return 0


def _connect(settings: Settings) -> psycopg.Connection:
    """A database that is just starting is waited for; one that is not there is an error after CONNECT_SECONDS."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return psycopg.connect(
                settings.database_url,
                autocommit=True,
                connect_timeout=5,
                application_name=f"astraldraft-migrate/{settings.release}",
            )
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _lock(connection: psycopg.Connection) -> None:
    connection.execute("SET lock_timeout = '60s'")
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
    except errors.LockNotAvailable:
        raise MigrationFailed("another migration has been running for over 60 s: wait for it or end its session") from None
    # Short from here on: an ALTER TABLE that waits for a long transaction would make every request wait behind it.
    connection.execute("SET lock_timeout = '2s'")


def _applied(connection: psycopg.Connection) -> dict[str, str]:
    if connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,):
        return {}
    return dict(connection.execute("SELECT name, checksum FROM schema_migrations").fetchall())


def _apply_all(connection: psycopg.Connection, settings: Settings, phase: str) -> Plan:
    connection.execute("SET client_min_messages = warning")
    connection.execute(LEDGER)
    todo = plan(settings.number, phase, _applied(connection))
    if todo.altered:
        raise MigrationFailed(f"{', '.join(todo.altered)}: applied with other contents than this release has; use an image of that release")
    if todo.blocked_by:
        raise MigrationFailed(f"{', '.join(todo.blocked_by)} must be applied first: run `migrate expand`")
    for migration in todo.to_apply:
        _apply(connection, settings, migration)
    return todo


def _apply(connection: psycopg.Connection, settings: Settings, migration: Migration) -> None:
    started = time.monotonic()
    for step in migration.steps:
        while _step(connection, migration, step.sql) and step.batched:
            pass
    connection.execute(
        "INSERT INTO schema_migrations (name, phase, checksum, applied_by) VALUES (%s, %s, %s, %s)",
        [migration.name, migration.phase, migration.checksum, settings.release],
    )
    log(LOGGER, logging.INFO, "migration applied", name=migration.name, duration=round(time.monotonic() - started, 3))


def _step(connection: psycopg.Connection, migration: Migration, sql: str) -> int:
    """Rows changed. A lock that cannot be had at once is tried again: requests pass in between."""
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            with connection.transaction():
                return connection.execute(sql).rowcount
        except errors.LockNotAvailable:
            log(LOGGER, logging.WARNING, "table is locked, trying again", name=migration.name, attempt=attempt)
            time.sleep(0.5)
    raise MigrationFailed(f"{migration.name}: no lock on the table in {LOCK_TRIES} tries of 2 s: look for a long transaction")


def _seed_user(connection: psycopg.Connection, settings: Settings) -> bool:
    if not settings.demo_password:
        return False
    row = connection.execute("SELECT password_hash FROM users WHERE username = %s", [settings.demo_user]).fetchone()
    if row and verify_password(settings.demo_password, row[0]):
        return False
    connection.execute(
        "INSERT INTO users (username, password_hash) VALUES (%s, %s)"
        " ON CONFLICT (username) DO UPDATE SET password_hash = excluded.password_hash",
        [settings.demo_user, hash_password(settings.demo_password)],
    )
    return True
