# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is in a database, asked the same way of the live one and of a restored one. Private: other collections must not import it.

Every question is SQL whose answer is rows of one column, JSON: psycopg2 asks it within the snapshot of a dump, psql in a server that only
PostgreSQL's own tools can reach.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import KEEPALIVE, connect

# Of extensions, what they brought is no part of a dump; of the system and of sessions, nothing is.
_OURS = """n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = '{0}'::regclass AND d.objid = {1}.oid AND d.deptype = 'e')"""
_CLASS = _OURS.format("pg_class", "c")

# Who may not read a setting does not find it among these; asking for it by name would fail.
SERVER = """
SELECT json_build_object(
  'version', split_part(current_setting('server_version'), ' ', 1), 'major', current_setting('server_version_num')::int / 10000,
  'port', current_setting('port')::int, 'in_recovery', pg_is_in_recovery(),
  'preload', (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'),
  'database', current_database(), 'database_bytes', pg_database_size(current_database()))
"""
# What pg_restore does not make of the database itself when it restores into one. The locale's column has another name before 17.
_PROPERTIES = """
SELECT json_build_object(
  'owner', pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
  'locale_provider', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
  'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
  'connection_limit', d.datconnlimit,
  'grants', CASE WHEN d.datacl IS NOT NULL THEN (
     SELECT coalesce(json_agg(json_build_object('to', pg_get_userbyid(nullif(a.grantee, 0)), 'privilege', a.privilege_type,
                                                'grantable', a.is_grantable)), '[]') FROM aclexplode(d.datacl) a) END,
  'comment', shobj_description(d.oid, 'pg_database'),
  'settings', (SELECT coalesce(json_agg(json_build_object('role', pg_get_userbyid(nullif(s.setrole, 0)), 'settings', s.setconfig)), '[]')
                 FROM pg_db_role_setting s WHERE s.setdatabase = d.oid))
  FROM pg_database d WHERE d.datname = {0}
"""
PROPERTIES = _PROPERTIES.format("current_database()")
EXTENSIONS = """
SELECT json_build_object('name', e.extname, 'version', e.extversion, 'schema', n.nspname)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.extname
"""
# The largest first, as pg_dump reads them: both then share what was read from the disk.
TABLES = """
SELECT json_build_object('schema', n.nspname, 'name', c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND {0}
 ORDER BY c.relpages DESC, n.nspname, c.relname
""".format(_CLASS)
# Invalid indexes are not dumped; system-made triggers come with their constraints.
_OBJECTS = """
SELECT json_build_object(
  'tables', count(*) FILTER (WHERE c.relkind IN ('r', 'p', 'f')), 'views', count(*) FILTER (WHERE c.relkind = 'v'),
  'materialized views', count(*) FILTER (WHERE c.relkind = 'm'), 'sequences', count(*) FILTER (WHERE c.relkind = 'S'),
  'indexes', count(*) FILTER (WHERE c.relkind = 'I' OR c.relkind = 'i' AND i.indisvalid),
  'constraints', (SELECT count(*) FROM pg_constraint x JOIN pg_namespace n ON n.oid = x.connamespace WHERE {0}),
  'functions', (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {1}),
  'triggers', (SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE NOT t.tgisinternal AND {2}))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
 WHERE c.relpersistence <> 't' AND {2}
"""
OBJECTS = _OBJECTS.format(_OURS.format("pg_constraint", "x"), _OURS.format("pg_proc", "p"), _CLASS)
# How a row reads as text depends on these; a checksum must not.
READABLE = (
    "SET search_path = ''; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3; "
    "SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET row_security = off; SET statement_timeout = 0; SET lock_timeout = '{0}s'; "
    "SET idle_in_transaction_session_timeout = 0"
)
_SWITCH_OFF = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = {0}"
# Of any order of the rows: a sum. The hash is PostgreSQL's own, 64 bits; the alias is no column's name.
_COUNT = "SELECT json_build_array({0}, count(*), {1}) FROM ONLY {2} AS __astraldraft_row"
_CHECKSUM = "coalesce(sum(hashtextextended(__astraldraft_row::text, 0)::numeric), 0)::text"


def identifier(name):
    return '"{0}"'.format(name.replace('"', '""'))


def properties_of(database):
    """PROPERTIES of another database of the same server."""
    return _PROPERTIES.format(literal(database))


def qualified(table):
    return "{0}.{1}".format(identifier(table["schema"]), identifier(table["name"]))


def literal(text):
    """A string as SQL writes it (standard_conforming_strings is on everywhere since 9.1)."""
    return "'{0}'".format(text.replace("'", "''"))


def count_query(number, table, checksum):
    """The rows of one table, and their checksum where it is wanted: ``[number, rows, checksum or null]``."""
    return _COUNT.format(number, _CHECKSUM if checksum else "null", qualified(table))


def with_counts(tables, answers):
    """The tables (dicts) with what count_query said of each."""
    found = {number: (rows, checksum) for number, rows, checksum in answers}
    return [dict(table, rows=found[number][0], checksum=found[number][1]) for number, table in enumerate(tables)]


def observe(ask, checksums):
    """What compare_content wants of a restored database. ``ask(list of SQL)`` -> a list of answers (parsed JSON)."""
    tables = ask([TABLES])
    return {
        "tables": with_counts(tables, ask([count_query(number, table, checksums) for number, table in enumerate(tables)])),
        "objects": ask([OBJECTS])[0],
        "extensions": ask([EXTENSIONS]),
    }


def look(psycopg2, login):
    """What SERVER says, from a plain read-only session."""
    connection = connect(psycopg2, login)
    try:
        with connection.cursor() as cursor:
            cursor.execute(SERVER)
            return cursor.fetchone()[0]
    except psycopg2.Error as error:
        target = where(login["login_host"], login["login_port"])
        raise OpsError("{0} refused what the backup needs: {1}".format(target, one_line(str(error))))
    finally:
        connection.close()


class Snapshot:
    """A snapshot of a database that others can look into, too, for as long as this one is open. All tables are locked against being
    dropped, emptied or altered meanwhile, as pg_dump itself does a moment later."""

    def __init__(self, psycopg2, login, lock_seconds):
        self._psycopg2, self._login, self._lock_seconds = psycopg2, login, lock_seconds
        self._target = where(login["login_host"], login["login_port"])
        self._connection = self._connect()
        try:
            # Before the first question, with which the snapshot is taken: for the locks it may wait, and its data gets older meanwhile.
            self.taken_at = time.time()
            self.server = self._ask(self._connection, SERVER)[0]
            self.id = self._ask(self._connection, "SELECT to_json(pg_export_snapshot())")[0]
            self.properties = self._ask(self._connection, PROPERTIES)[0]
            self.extensions = self._ask(self._connection, EXTENSIONS)
            self.tables = self._ask(self._connection, TABLES)
            for first in range(0, len(self.tables), 500):
                names = ", ".join("ONLY " + qualified(table) for table in self.tables[first : first + 500])
                self._do(self._connection, "LOCK TABLE {0} IN ACCESS SHARE MODE".format(names))
            self.objects = self._ask(self._connection, OBJECTS)[0]
        except BaseException:
            self.close()
            raise
        self._counting = None

    def _connect(self):
        connection = connect(self._psycopg2, self._login, **KEEPALIVE)
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        self._do(connection, READABLE.format(self._lock_seconds))
        # Nobody ends us for taking long: each version has its own ways.
        for name in ("idle_session_timeout", "transaction_timeout"):
            self._do(connection, _SWITCH_OFF.format(literal(name)))
        connection.commit()
        return connection

    def _do(self, connection, sql):
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        except self._psycopg2.Error as error:
            raise OpsError("{0} refused what the backup needs: {1}".format(self._target, one_line(str(error))))

    def _ask(self, connection, sql):
        return [row[0] for row in self._do(connection, sql)]

    @contextlib.contextmanager
    def counting(self, checksums):
        """Count all rows beside, in a session of its own. -> an object whose ``result(tick)`` gives the tables with their counts."""
        counting = _Counting(self, checksums)
        try:
            yield counting
        finally:
            counting.cancel()

    def close(self):
        with contextlib.suppress(self._psycopg2.Error):
            self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()


class _Counting:
    def __init__(self, snapshot, checksums):
        self._snapshot, self._checksums = snapshot, checksums
        self._connection, self._answers, self._error = snapshot._connect(), [], None
        self.done, self.seconds = 0, 0.0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self):
        started = time.monotonic()
        try:
            self._snapshot._do(self._connection, "SET TRANSACTION SNAPSHOT {0}".format(literal(self._snapshot.id)))
            for number, table in enumerate(self._snapshot.tables):
                self._answers += self._snapshot._ask(self._connection, count_query(number, table, self._checksums))
                self.done = number + 1
        except OpsError as error:
            self._error = error
        self.seconds = time.monotonic() - started

    def result(self, tick):
        while self._thread.is_alive():
            tick()
            self._thread.join(0.2)
        if self._error:
            raise self._error
        return with_counts(self._snapshot.tables, self._answers)

    def cancel(self):
        if self._thread.is_alive():
            with contextlib.suppress(self._snapshot._psycopg2.Error):
                self._connection.cancel()
            self._thread.join(5)
        with contextlib.suppress(self._snapshot._psycopg2.Error):
            self._connection.close()


def parse_lines(output):
    """The answers of psql (bytes): one JSON value a line."""
    return [json.loads(line) for line in output.decode("utf-8").split("\n") if line]
