# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures what maintenance depends on, PostgreSQL 12 to 18. Private: other collections must not import it.

Everything here only reads, and waits for no lock of a table: sizes are the pages that the server noted at its last VACUUM or ANALYZE.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance_bloat as bloat
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_maintenance import (
    Busy,
    Holder,
    Index,
    Server,
    State,
    Table,
    name_of,
    quoted,
)

SERVER = """
SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery(), current_database(),
       current_user::text, extract(epoch FROM clock_timestamp())::float, current_setting('block_size')::int,
       current_setting('autovacuum_freeze_max_age')::int, current_setting('autovacuum_multixact_freeze_max_age')::int,
       current_setting('track_counts')::bool, current_setting('is_superuser')::bool,
       (SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgstattuple')
"""

# Who owns the database may maintain all tables in it but the shared ones; from PostgreSQL 17 on also who was granted MAINTAIN.
TABLES = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text, c.relisshared,
       CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid::bigint END, c.relhassubclass,
       greatest(c.relpages, 0)::bigint + coalesce(t.relpages, 0), c.reltuples::float,
       coalesce(s.n_live_tup, 0)::bigint, coalesce(s.n_dead_tup, 0)::bigint, coalesce(s.n_mod_since_analyze, 0)::bigint,
       extract(epoch FROM greatest(s.last_vacuum, s.last_autovacuum))::float,
       CASE WHEN c.relkind <> 'p' THEN extract(epoch FROM greatest(s.last_analyze, s.last_autoanalyze))::float
            WHEN {parent_analyzed} THEN 0 END,
       t.oid::bigint, coalesce(ts.n_live_tup, 0)::bigint, coalesce(ts.n_dead_tup, 0)::bigint,
       extract(epoch FROM greatest(ts.last_vacuum, ts.last_autovacuum))::float,
       CASE WHEN c.relfrozenxid <> '0' THEN greatest(age(c.relfrozenxid), CASE WHEN t.relfrozenxid <> '0' THEN age(t.relfrozenxid) END)
            ELSE 0 END,
       CASE WHEN c.relminmxid <> '0' THEN greatest(mxid_age(c.relminmxid), CASE WHEN t.relminmxid <> '0' THEN mxid_age(t.relminmxid) END)
            ELSE 0 END,
       pg_has_role(c.relowner, 'USAGE') OR NOT c.relisshared AND pg_has_role(d.datdba, 'USAGE') OR {maintain},
       pg_has_role(c.relowner, 'USAGE')
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_database d ON d.datname = current_database()
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
  LEFT JOIN pg_stat_all_tables ts ON ts.relid = t.oid
 WHERE c.relkind IN ('r', 'm', 'p') AND (%(oids)s IS NULL OR c.oid = ANY (%(oids)s::oid[]))
"""

# The average width of a key, by the statistics of the columns, or of the index itself where it has expressions. The type name is stored
# otherwise in an index than in a table.
INDEXES = """
SELECT i.indexrelid::bigint, n.nspname::text, c.relname::text, i.indrelid::bigint, tn.nspname::text, t.relname::text, am.amname::text,
       i.indisvalid AND i.indislive, i.indisexclusion,
       EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x')),
       c.relpages::bigint, c.reltuples::float,
       coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 90),
       c.reltablespace::bigint, w.width, coalesce(w.nullable, false), pg_has_role(t.relowner, 'USAGE'), NULL
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relpersistence <> 't'
  JOIN pg_am am ON am.oid = c.relam
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
  LEFT JOIN LATERAL (
       SELECT CASE WHEN bool_and(p.avg_width IS NOT NULL AND a.atttypid <> 'name'::regtype)
                   THEN sum((1 - p.null_frac) * p.avg_width)::float END AS width,
              max(p.null_frac) > 0 AS nullable
         FROM pg_attribute a
         LEFT JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[a.attnum - 1] AND k.attnum > 0
         LEFT JOIN pg_stats p ON p.schemaname = n.nspname AND NOT p.inherited
              AND CASE WHEN k.attname IS NULL THEN p.tablename = c.relname AND p.attname = a.attname
                       ELSE p.tablename = t.relname AND p.attname = k.attname END
        WHERE a.attrelid = i.indexrelid AND a.attnum > 0) w ON am.amname = 'btree'
 WHERE n.nspname <> 'pg_catalog' AND t.relpersistence <> 't'
   AND (%(oids)s IS NULL OR i.indexrelid = ANY (%(oids)s::oid[]) OR i.indrelid = ANY (%(oids)s::oid[]))
"""

# Whose progress the server does not let us see has no relid here.
BUSY = """
SELECT p.relid::bigint, p.pid, p.what, p.phase, a.backend_type, a.application_name
  FROM (SELECT pid, relid, 'vacuum' AS what, phase FROM pg_stat_progress_vacuum WHERE datname = current_database()
        UNION ALL SELECT pid, relid, 'create index', phase FROM pg_stat_progress_create_index WHERE datname = current_database()
        UNION ALL SELECT pid, relid, 'cluster', phase FROM pg_stat_progress_cluster WHERE datname = current_database(){analyze}) p
  LEFT JOIN pg_stat_activity a ON a.pid = p.pid
"""
BUSY_ANALYZE = """
        UNION ALL SELECT pid, relid, 'analyze', phase FROM pg_stat_progress_analyze WHERE datname = current_database()"""

# A session's snapshot, or its transaction, is no younger than the moment it became idle in it, or began its statement. Slots keep no time.
# Snapshots in other databases hold back nothing here, those of standbys and slots do.
HOLDERS = """
SELECT 'session', 'of process ' || pid, pid, usename::text, application_name, state,
       extract(epoch FROM clock_timestamp() - xact_start)::float,
       extract(epoch FROM CASE WHEN state LIKE 'idle in transaction%%' THEN state_change ELSE query_start END)::float,
       greatest(age(backend_xid), age(backend_xmin)), false, 0::bigint
  FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
   AND pid <> ALL (%(own)s::int[]) AND pid <> pg_backend_pid()
UNION ALL
SELECT 'prepared transaction', gid, NULL, owner::text, NULL, NULL, extract(epoch FROM clock_timestamp() - prepared)::float,
       extract(epoch FROM prepared)::float, age(transaction), false, 0
  FROM pg_prepared_xacts WHERE database = current_database()
UNION ALL
SELECT 'replication slot', slot_name::text, active_pid, NULL, plugin::text, CASE WHEN active THEN 'active' ELSE 'inactive' END, NULL, NULL,
       greatest(age(xmin), age(catalog_xmin)), xmin IS NULL,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint END
  FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL
UNION ALL
SELECT 'standby with hot_standby_feedback', coalesce(host(client_addr), 'local'), pid, usename::text, application_name, state, NULL, NULL,
       age(backend_xmin), false, 0
  FROM pg_stat_replication WHERE backend_xmin IS NOT NULL
 ORDER BY 9 DESC
"""

NAMED = """
SELECT w.name, to_regclass(w.name)::oid::bigint, c.relkind::text,
       coalesce((SELECT array_agg(relid::oid::bigint) FROM pg_partition_tree(to_regclass(w.name))), '{}')
  FROM unnest(%s::text[]) AS w (name) LEFT JOIN pg_class c ON c.oid = to_regclass(w.name)
"""

# What REINDEX CONCURRENTLY waits for: snapshots older than its own, and whoever has touched the table.
OLD_TRANSACTIONS = """
SELECT a.pid, a.usename::text, a.application_name, a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::float
  FROM pg_stat_activity a
 WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> ALL (%(own)s::int[]) AND a.pid <> pg_backend_pid()
   AND a.xact_start < clock_timestamp() - make_interval(secs => %(seconds)s)
   AND (a.backend_xmin IS NOT NULL
        OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.relation = %(oid)s AND l.locktype = 'relation'))
"""

# Everybody who waits for a lock in this database, and for whom.
WAITING = """
SELECT l.pid, l.mode, pg_blocking_pids(l.pid) FROM pg_locks l
 WHERE NOT l.granted AND l.locktype IN ('relation', 'virtualxid') AND (l.database IS NULL OR l.database IN
       (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
"""
SESSIONS = """
SELECT pid, usename::text, application_name, state, extract(epoch FROM clock_timestamp() - xact_start)::float FROM pg_stat_activity
 WHERE pid = ANY (%s::int[])
"""

MAY_RUN = "SELECT has_function_privilege(%s, 'EXECUTE')"
SIZE = "SELECT coalesce(pg_relation_size(%s::oid), 0)::bigint"
PGSTATINDEX = "SELECT leaf_pages, empty_pages, deleted_pages, avg_leaf_density FROM {0}(%s::oid::regclass)"

SESSION_KEYS = ("pid", "user", "application", "state", "seconds")


class Meter:
    """Measures over one connection, which is used by one thread alone. ``heartbeat()`` is called between what may take long."""

    def __init__(self, psycopg2, connection, options, heartbeat=lambda: None):
        self._psycopg2, self._connection, self.options, self._heartbeat = psycopg2, connection, options, heartbeat
        #: The processes of our own sessions: they are in nobody's way as far as this is concerned.
        self.own = []
        with connection.cursor() as cursor:  # of what is read here, sizes and pgstatindex() take a lock that a DROP or ALTER may hold
            cursor.execute("SET lock_timeout = %s", (max(1, int(options["lock_timeout"] * 1000)),))
        self.server = Server(*self.rows(SERVER)[0])
        self.method = self._method()

    def rows(self, query, parameters=None):
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or {})
            return cursor.fetchall()

    def _method(self):
        """How bloat is told: pgstattuple, where it is there and we may use it, or statistics."""
        wanted, schema = self.options["bloat_method"], self.server.pgstattuple
        if wanted == "statistics":
            return wanted
        usable = schema is not None and self.rows(MAY_RUN, (quoted(schema, "pgstatindex") + "(regclass)",))[0][0]
        if wanted == "pgstattuple" and not usable:
            raise OpsError(
                "pgstattuple is asked for and {0} in the database {1}. CREATE EXTENSION pgstattuple, and grant pg_stat_scan_tables to {2}; "
                "or leave bloat_method at auto.".format(
                    "may not be used" if schema else "is not there", self.server.database, self.server.user
                )
            )
        return "pgstattuple" if usable else "statistics"

    def state(self, oids=None, bloated=None):
        """The State of the database, or of the tables and indexes ``oids`` alone (None: all), with the bloat of the indexes ``bloated``."""
        server = Server(*self.rows(SERVER)[0])
        number = server.number
        maintain = "has_table_privilege(c.oid, 'MAINTAIN')" if number >= 170000 else "false"
        analyzed = (
            "c.reltuples >= 0"
            if number >= 140000
            else "EXISTS (SELECT FROM pg_stats p WHERE p.schemaname = n.nspname AND p.tablename = c.relname AND p.inherited)"
        )
        wanted = {"oids": list(oids) if oids is not None else None}
        tables = [Table(*row) for row in self.rows(TABLES.format(maintain=maintain, parent_analyzed=analyzed), wanted)]
        indexes = [Index(*row) for row in self.rows(INDEXES, wanted)]
        indexes = [index._replace(bloat=self.bloat(index)) if bloated is None or index.oid in bloated else index for index in indexes]
        busy = [Busy(*row) for row in self.rows(BUSY.format(analyze=BUSY_ANALYZE if number >= 130000 else ""))]
        holders = [Holder(*row) for row in self.rows(HOLDERS, {"own": self.own})]
        return State(server, tables, indexes, [one for one in busy if one.pid not in self.own], holders)

    def bloat(self, index):
        """The bytes that a rebuild would gain, or None. Only what could be worth a rebuild is read for it."""
        size = index.pages * self.server.block_size
        if not index.valid or index.method != "btree" or size < self.options["bloat_floor"]:
            return None
        if self.method == "pgstattuple":
            self._heartbeat()
            try:
                found = self.rows(PGSTATINDEX.format(quoted(self.server.pgstattuple, "pgstatindex")), (index.oid,))[0]
                return bloat.measured(*(list(found) + [index.fillfactor, self.server.block_size]))
            except self._psycopg2.Error:
                pass  # too large for the time, locked, or gone: the statistics answer at once
        return bloat.estimated(index, self.server.block_size)

    def named(self, names):
        """The oids of objects, those of their partitions among them. Raises OpsError when one is not there."""
        found = self.rows(NAMED, (list(names),)) if names else []
        missing = [name for name, oid, _kind, _tree in found if oid is None]
        odd = [name for name, oid, kind, _tree in found if oid is not None and kind not in ("r", "m", "p", "i", "I")]
        if missing or odd:
            raise OpsError(
                "{0} {1} in the database {2}. Write schema.name as SQL does, with quotes around what is not in lower case.".format(
                    ", ".join(missing or odd), "is not there" if missing else "is neither a table nor an index", self.server.database
                )
            )
        return frozenset(oid for _name, own, _kind, tree in found for oid in [own] + list(tree))

    def size(self, index):
        """The bytes of an index now; as the server noted them last where it is locked."""
        try:
            return self.rows(SIZE, (index.oid,))[0][0]
        except self._psycopg2.Error:
            return index.pages * self.server.block_size

    def old_transactions(self, oid, seconds):
        """The sessions that a rebuild of an index of table ``oid`` would wait for, and that have been there for more than ``seconds``."""
        found = self.rows(OLD_TRANSACTIONS, {"own": self.own, "oid": oid, "seconds": seconds})
        return [dict(zip(SESSION_KEYS, row)) for row in found]

    def waiting(self):
        """``[(process, lock mode, processes it waits for)]``."""
        return self.rows(WAITING)

    def sessions(self, pids):
        return [dict(zip(SESSION_KEYS, row)) for row in self.rows(SESSIONS, (list(pids),))]


def invalid(indexes):
    """The names of the indexes that are not valid."""
    return sorted(name_of(index) for index in indexes if not index.valid)
