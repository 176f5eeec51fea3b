"""The schema as data: the migrations, and which SQL each release speaks on the columns it finds. Pure.

A column changes its name over three releases, so that two neighbours can always serve side by side:

    v1.2.2  reads and writes drafts.format
    v1.2.3  expand: drafts.draft_type is added and kept equal to format by a trigger; reads either, writes both
    v1.2.4  reads and writes draft_type; contract: format is dropped, and v1.2.3 and older cannot come back
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

Number = tuple[int, int, int]


class SchemaMismatch(RuntimeError):
    """This release cannot work on the schema that is there; the message says what is missing."""


@dataclass(frozen=True)
class Step:
    """One transaction; ``batched`` is repeated, a transaction each time, until it changes no row."""

    sql: str
    batched: bool = False


@dataclass(frozen=True)
class Migration:
    """Every step can be run again, because a killed run leaves the ones it finished behind."""

    name: str
    phase: str
    release: Number
    steps: tuple[Step, ...]

    @property
    def checksum(self) -> str:
        return hashlib.sha256("\0".join(step.sql for step in self.steps).encode()).hexdigest()


LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    phase text NOT NULL,
    checksum text NOT NULL,
    applied_by text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""

INITIAL = Migration(
    "001_initial",
    "expand",
    (1, 2, 2),
    (
        Step("""
        CREATE TABLE IF NOT EXISTS users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            username text NOT NULL UNIQUE,
            password_hash text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE IF NOT EXISTS drafts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
            format text NOT NULL DEFAULT 'snake',
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE IF NOT EXISTS picks (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            draft_id bigint NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
            round integer NOT NULL CHECK (round BETWEEN 1 AND 40),
            player text NOT NULL,
            team text NOT NULL,
            picked_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (draft_id, player)
        )
        """),
    ),
)

ADD_DRAFT_TYPE = Migration(
    "002_draft_type",
    "expand",
    (1, 2, 3),
    (
        Step("""
        ALTER TABLE drafts ADD COLUMN IF NOT EXISTS draft_type text;
        CREATE OR REPLACE FUNCTION drafts_keep_type() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND NEW.draft_type IS NOT DISTINCT FROM OLD.draft_type THEN
                NEW.draft_type := NEW.format;
            ELSIF NEW.draft_type IS NULL THEN
                NEW.draft_type := NEW.format;
            ELSE
                NEW.format := NEW.draft_type;
            END IF;
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER drafts_keep_type BEFORE INSERT OR UPDATE ON drafts
            FOR EACH ROW EXECUTE FUNCTION drafts_keep_type()
        """),
        Step(
            """
        UPDATE drafts SET draft_type = format WHERE id IN (
            SELECT id FROM drafts WHERE draft_type IS NULL ORDER BY id LIMIT 2000 FOR UPDATE)
        """,
            batched=True,
        ),
    ),
)

DROP_FORMAT = Migration(
    "003_drop_format",
    "contract",
    (1, 2, 4),
    (
        Step("""
        DROP TRIGGER IF EXISTS drafts_keep_type ON drafts;
        DROP FUNCTION IF EXISTS drafts_keep_type();
        ALTER TABLE drafts DROP COLUMN IF EXISTS format,
            ALTER COLUMN draft_type SET DEFAULT 'snake', ALTER COLUMN draft_type SET NOT NULL
        """),
    ),
)

MIGRATIONS = (INITIAL, ADD_DRAFT_TYPE, DROP_FORMAT)


@dataclass(frozen=True)
class Plan:
    """``to_apply`` in order; ``blocked_by`` names what must be applied first (then nothing may be)."""

    to_apply: tuple[Migration, ...]
    already: tuple[str, ...]
    blocked_by: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()


def plan(release: Number, phase: str, applied: dict[str, str]) -> Plan:
    """What ``phase`` of ``release`` still has to do. ``applied``: name -> checksum, from the ledger."""
    mine = [migration for migration in MIGRATIONS if migration.release <= release]
    wanted = [migration for migration in mine if migration.phase == phase]
    todo = tuple(migration for migration in wanted if migration.name not in applied)
    blocked = [m.name for m in mine if phase == "contract" and m.phase == "expand" and m.name not in applied]
    return Plan(
        to_apply=todo,
        already=tuple(migration.name for migration in wanted if migration.name in applied),
        blocked_by=tuple(blocked) if todo else (),
        altered=tuple(m.name for m in mine if m.name in applied and applied[m.name] != m.checksum),
    )


# to_regclass gives NULL, and so no row, where there is no such table: no error, whatever state the database is in.
COLUMNS_QUERY = """
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass('drafts') AND attnum > 0 AND NOT attisdropped
"""


@dataclass(frozen=True)
class Statements:
    """``insert`` takes %(name)s and %(format)s; both give rows of id, name, format, created_at (and picks)."""

    recent: str
    one: str
    insert: str


def statements(release: Number, columns: frozenset[str]) -> Statements:
    """Raises SchemaMismatch when this release has no SQL for what is there."""
    if not columns:
        raise SchemaMismatch("the table drafts does not exist: run `migrate expand` of this release first")
    has_new = "draft_type" in columns
    if release < (1, 2, 4) and "format" not in columns:
        raise SchemaMismatch("drafts.format has been dropped by the contract migration of a later release")
    if release < (1, 2, 3) or not has_new:
        kind, written, values = "format", "format", "%(format)s"
    elif release < (1, 2, 4):
        kind, written, values = "coalesce(draft_type, format)", "format, draft_type", "%(format)s, %(format)s"
    else:
        kind, written, values = "draft_type", "draft_type", "%(format)s"
    # Only the column names chosen above go into the text; what a request says travels as a parameter.
    picks = "(SELECT count(*) FROM picks WHERE picks.draft_id = drafts.id) AS picks"
    select = f"SELECT id, name, {kind} AS format, created_at, {picks} FROM drafts"  # noqa: S608
    insert = f"INSERT INTO drafts (name, {written}) VALUES (%(name)s, {values})"  # noqa: S608
    return Statements(
        recent=f"{select} ORDER BY id DESC LIMIT 20",
        one=f"{select} WHERE id = %(id)s",
        insert=f"{insert} RETURNING id, name, {kind} AS format, created_at",
    )
