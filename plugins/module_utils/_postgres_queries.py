# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a PostgreSQL server about its condition, as text by its version. Private: other collections must not import it.

Each query is one statement that returns one JSON object, so one round trip brings one picture. ``version`` is the server's number, such as
170002. Nothing here waits for a lock that a user's transaction holds: sizes and definitions of relations that somebody locks are left out.
"""

from __future__ import annotations

import string

# An ordinary user is not told the type of others' sessions; those with a database are nearly all clients. Walsenders take no slot.
CLIENT = "(a.backend_type = 'client backend' OR a.backend_type IS NULL AND a.datid IS NOT NULL)"
# They take the log of changes and run no queries, so that they read no index.
RECEIVERS = ("pg_receivewal", "pg_basebackup", "barman_receive_wal")

ACTIVITY = """
WITH a AS MATERIALIZED (
  SELECT * FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid()
), waiting AS MATERIALIZED (
  SELECT l.pid, min($waitstart) AS since, min(l.locktype) AS locktype, min(l.mode) AS mode,
         min(CASE WHEN l.database = $here THEN l.relation::regclass::text END) AS relation
    FROM pg_locks l WHERE NOT l.granted AND l.pid <> pg_backend_pid() GROUP BY l.pid
), blocked AS MATERIALIZED (
  SELECT w.*, pg_blocking_pids(w.pid) AS blockers FROM waiting w LIMIT 1000
), here AS MATERIALIZED (
  SELECT CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
              ELSE pg_current_wal_lsn() END AS lsn
)
SELECT json_build_object(
  'server', json_build_object(
    'version', split_part(current_setting('server_version'), ' ', 1),
    'in_recovery', pg_is_in_recovery(),
    'database', current_database(),
    'user', current_user,
    'sees_all', pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
    'started', extract(epoch FROM pg_postmaster_start_time()),
    'now', extract(epoch FROM clock_timestamp()),
    'maximum', current_setting('max_connections')::int,
    'reserved', current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true), '0')::int,
    'track_counts', current_setting('track_counts')::bool,
    'autovacuum', current_setting('autovacuum')::bool,
    'checksums', current_setting('data_checksums')::bool,
    'commit_times', current_setting('track_commit_timestamp')::bool AND NOT pg_is_in_recovery(),
    'statements', (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                    WHERE e.extname = 'pg_stat_statements'),
    'statements_columns', (SELECT json_agg(c.attname) FROM pg_extension e JOIN pg_class r ON r.relnamespace = e.extnamespace
                             JOIN pg_attribute c ON c.attrelid = r.oid AND c.attnum > 0
                            WHERE e.extname = 'pg_stat_statements' AND r.relname = 'pg_stat_statements')
  ),
  'sessions', (SELECT json_agg(s) FROM (
     SELECT a.state, a.usename AS user, a.application_name AS application, a.datname AS database,
            coalesce(host(a.client_addr), CASE WHEN a.client_port = -1 THEN 'local' END) AS address, count(*)::int AS number
       FROM a WHERE $client GROUP BY 1, 2, 3, 4, 5) s),
  'transactions', (SELECT json_agg(s) FROM (
     SELECT a.pid, a.usename AS user, a.application_name AS application, a.datname AS database,
            coalesce(host(a.client_addr), CASE WHEN a.client_port = -1 THEN 'local' END) AS address, a.state,
            extract(epoch FROM clock_timestamp() - a.xact_start) AS transaction_seconds,
            extract(epoch FROM clock_timestamp() - a.query_start) AS query_seconds,
            extract(epoch FROM clock_timestamp() - a.state_change) AS state_seconds,
            a.wait_event_type, a.wait_event, left(a.query, 500) AS query
       FROM a WHERE $client AND (a.xact_start IS NOT NULL OR a.pid IN (SELECT unnest(b.blockers) FROM blocked b))
      ORDER BY a.xact_start NULLS LAST LIMIT 1000) s),
  'blocked', (SELECT json_agg(s) FROM (
     SELECT b.pid, b.blockers, b.locktype, b.mode, b.relation, a.usename AS user, a.application_name AS application, a.datname AS database,
            left(a.query, 500) AS query, extract(epoch FROM clock_timestamp() - coalesce(b.since, a.query_start)) AS seconds
       FROM blocked b JOIN a ON a.pid = b.pid) s),
  'holders', (SELECT json_agg(s) FROM (
     SELECT a.pid, a.usename AS user, a.application_name AS application, a.datname AS database, a.backend_type, a.state,
            extract(epoch FROM clock_timestamp() - a.xact_start) AS seconds,
            greatest(age(a.backend_xmin), age(a.backend_xid))::bigint AS age
       FROM a WHERE coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL
            AND coalesce(a.backend_type, '') NOT IN ('walsender', 'autovacuum worker')
            AND a.pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
      ORDER BY 8 DESC LIMIT 20) s),
  'slots', (SELECT json_agg(s) FROM (
     SELECT slot_name AS name, slot_type AS type, database, active, $slot_status AS wal_status,
            greatest(age(xmin), age(catalog_xmin))::bigint AS age, pg_wal_lsn_diff(here.lsn, restart_lsn)::bigint AS bytes
       FROM pg_replication_slots, here ORDER BY slot_name) s),
  'prepared', (SELECT json_agg(s) FROM (
     SELECT gid AS name, owner AS user, database, age(transaction)::bigint AS age,
            extract(epoch FROM clock_timestamp() - prepared) AS seconds
       FROM pg_prepared_xacts ORDER BY prepared LIMIT 20) s),
  'standbys', (SELECT json_agg(s) FROM (
     SELECT r.application_name AS application, coalesce(host(r.client_addr), 'local') AS address, r.usename AS user, r.state, r.sync_state,
            extract(epoch FROM r.replay_lag) AS lag_seconds, pg_wal_lsn_diff(here.lsn, r.replay_lsn)::bigint AS lag_bytes,
            age(r.backend_xmin)::bigint AS age,
            coalesce((SELECT p.slot_type = 'logical' FROM pg_replication_slots p WHERE p.active_pid = r.pid), false) AS logical
       FROM pg_stat_replication r, here ORDER BY 1, 2) s),
  'receiver', CASE WHEN pg_is_in_recovery() THEN json_build_object(
     'receiving', (SELECT count(*) FROM pg_stat_wal_receiver WHERE coalesce(status, 'streaming') = 'streaming'),
     'lag_seconds', CASE WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
                         ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END,
     'lag_bytes', greatest(0, pg_wal_lsn_diff(coalesce((SELECT latest_end_lsn FROM pg_stat_wal_receiver), pg_last_wal_receive_lsn()),
                                              pg_last_wal_replay_lsn()))::bigint) END,
  'databases', (SELECT json_agg(s) FROM (
     SELECT d.datname AS name,
            CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
                 THEN pg_database_size(d.oid) END AS bytes,
            age(d.datfrozenxid)::bigint AS age, mxid_age(d.datminmxid)::bigint AS multixact_age, t.deadlocks, t.temp_bytes,
            t.checksum_failures, t.blks_hit, t.blks_read, extract(epoch FROM t.stats_reset) AS stats_reset
       FROM pg_database d LEFT JOIN pg_stat_database t ON t.datid = d.oid ORDER BY 3 DESC) s),
  'checkpoints', (SELECT row_to_json(s) FROM ($checkpoints) s)
)
"""
CHECKPOINTS = """
     SELECT num_timed AS timed, num_requested AS requested, write_time / 1000 AS write_seconds, sync_time / 1000 AS sync_seconds,
            extract(epoch FROM stats_reset) AS since FROM pg_stat_checkpointer"""
CHECKPOINTS_BEFORE_17 = """
     SELECT checkpoints_timed AS timed, checkpoints_req AS requested, checkpoint_write_time / 1000 AS write_seconds,
            checkpoint_sync_time / 1000 AS sync_seconds, extract(epoch FROM stats_reset) AS since FROM pg_stat_bgwriter"""

# pg_table_size() and pg_get_indexdef() wait for whoever has locked the table, and so would we: of those the size is what the planner knows.
RELATIONS = """
WITH held AS MATERIALIZED (
  SELECT DISTINCT relation AS oid FROM pg_locks
   WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL AND database = $here
), untouchable AS MATERIALIZED (
  SELECT oid FROM held
  UNION SELECT i.indrelid FROM pg_index i JOIN held ON held.oid = i.indexrelid
  UNION SELECT i.indexrelid FROM pg_index i JOIN held ON held.oid = i.indrelid
  UNION SELECT t.oid FROM pg_class t JOIN held ON held.oid = t.reltoastrelid
), relations AS MATERIALIZED (
  SELECT c.oid, quote_ident(n.nspname) AS schema, quote_ident(c.relname) AS name, c.relkind,
         c.relpages::bigint * current_setting('block_size')::bigint AS pages_bytes,
         c.reltuples, c.reltoastrelid, EXISTS (SELECT FROM untouchable u WHERE u.oid = c.oid) AS locked
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm', 'p', 'i', 'I') AND c.relpersistence <> 't'
         AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
), tables AS MATERIALIZED (
  SELECT r.schema, r.name, CASE WHEN r.locked THEN r.pages_bytes ELSE pg_table_size(r.oid) END AS bytes,
         CASE WHEN r.locked THEN NULL ELSE pg_indexes_size(r.oid) END AS index_bytes, r.locked AS estimated,
         pg_stat_get_live_tuples(r.oid) AS live, pg_stat_get_dead_tuples(r.oid) AS dead,
         extract(epoch FROM greatest(pg_stat_get_last_vacuum_time(r.oid), pg_stat_get_last_autovacuum_time(r.oid))) AS vacuumed,
         extract(epoch FROM greatest(pg_stat_get_last_analyze_time(r.oid), pg_stat_get_last_autoanalyze_time(r.oid))) AS analyzed
    FROM relations r WHERE r.relkind IN ('r', 'm')
)
SELECT json_build_object(
  'largest', (SELECT json_agg(s) FROM (SELECT * FROM tables ORDER BY bytes + coalesce(index_bytes, 0) DESC LIMIT $limit) s),
  'deadest', (SELECT json_agg(s) FROM (SELECT * FROM tables WHERE dead >= $dead_minimum
                                        ORDER BY dead::float / greatest(live + dead, 1) DESC LIMIT $limit) s),
  'indexes', (SELECT json_agg(s) FROM (
     SELECT i.indexrelid::bigint AS oid, i.indrelid::bigint AS table_oid, r.schema, r.name, t.name AS table, r.relkind, m.amname AS method,
            i.indisunique AS unique, i.indisprimary AS primary, i.indisexclusion AS exclusion, i.indisreplident AS replica_identity,
            i.indisclustered AS clustered, i.indisvalid AND i.indisready AND i.indislive AS valid,
            i.indnkeyatts AS keys, i.indkey::int2[] AS columns, i.indclass::oid[] AS classes, i.indcollation::oid[] AS collations,
            i.indoption::int2[] AS options, $nulls AS nulls_not_distinct, i.indexprs::text AS expressions, i.indpred::text AS predicate,
            (SELECT json_agg(DISTINCT o.contype) FROM pg_constraint o WHERE o.conindid = i.indexrelid) AS constraints,
            h.inhparent::bigint AS parent,
            EXISTS (SELECT FROM pg_depend e
                     WHERE e.classid = 'pg_class'::regclass AND e.objid = i.indexrelid AND e.deptype = 'e') AS extension,
            EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid OR p.relid = i.indrelid) AS building,
            pg_stat_get_numscans(i.indexrelid) AS scans, $last_scan AS last_scan, $created AS created,
            CASE WHEN r.locked THEN r.pages_bytes ELSE pg_relation_size(r.oid) END AS bytes,
            t.reltuples AS table_rows, t.pages_bytes AS table_bytes,
            CASE WHEN r.locked OR t.locked THEN NULL ELSE pg_get_indexdef(i.indexrelid) END AS definition
       FROM pg_index i JOIN relations r ON r.oid = i.indexrelid JOIN relations t ON t.oid = i.indrelid
       JOIN pg_class k ON k.oid = i.indexrelid JOIN pg_am m ON m.oid = k.relam LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
      ORDER BY r.schema, r.name) s),
  'foreign_keys', (SELECT json_agg(s) FROM (
     SELECT o.conname AS name, o.conrelid::bigint AS table_oid, t.schema, t.name AS table, o.conkey AS columns,
            (SELECT json_agg(quote_ident(a.attname) ORDER BY k.place) FROM unnest(o.conkey) WITH ORDINALITY k(number, place)
               JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number) AS names,
            o.confrelid::regclass::text AS references, o.conparentid <> 0 AS inherited,
            s.bytes, s.bytes >= $least_bytes AS large
       FROM pg_constraint o JOIN relations t ON t.oid = o.conrelid
            CROSS JOIN LATERAL (SELECT CASE WHEN t.locked THEN t.pages_bytes ELSE pg_relation_size(t.oid) END AS bytes) s
      WHERE o.contype = 'f' AND t.relkind = 'r'
      ORDER BY o.conparentid <> 0, t.schema, t.name, o.conname) s),
  'statistics', ($statistics)
)
"""

# Statistics that were never reset (PostgreSQL 15 and newer say nothing of the database then) are as old as those of the whole server, which
# begin anew after a crash, and on a new standby.
STATISTICS = """
  SELECT json_build_object('since', extract(epoch FROM coalesce(d.stats_reset, b.stats_reset)),
                           'now', extract(epoch FROM clock_timestamp()),
                           'track_counts', current_setting('track_counts')::bool, 'in_recovery', pg_is_in_recovery(),
                           'system', $system)
    FROM pg_stat_bgwriter b LEFT JOIN pg_stat_database d ON d.datname = current_database()"""
SYSTEM = """CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
                                THEN (SELECT system_identifier::text FROM pg_control_system()) END"""
#: The oid of the database that is connected to.
HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"

REPLICA = """
SELECT json_build_object(
  'statistics', ($statistics),
  'standbys', (SELECT count(*) FROM pg_stat_replication WHERE application_name NOT IN $receivers),
  'scans', (SELECT json_object_agg(i.indexrelid, pg_stat_get_numscans(i.indexrelid)) FROM pg_index i WHERE i.indexrelid >= 16384)
)
"""

STATEMENTS = """
SELECT json_build_object(
  'top', (SELECT json_agg(s) FROM (
     SELECT left(q.query, 500) AS query, r.rolname AS user, d.datname AS database, q.calls, q.rows,
            q.$total / 1000 AS total_seconds, q.$mean / 1000 AS mean_seconds, q.shared_blks_hit AS hits, q.shared_blks_read AS reads
       FROM $schema.pg_stat_statements q LEFT JOIN pg_roles r ON r.oid = q.userid LEFT JOIN pg_database d ON d.oid = q.dbid
      ORDER BY q.$total DESC LIMIT $limit) s),
  'deallocated', $deallocated
)
"""
DEALLOCATED = "(SELECT dealloc FROM $schema.pg_stat_statements_info)"


def activity(version):
    """Sessions, transactions, locks, replication, databases and checkpoints. Needs no lock on any user's relation."""
    return _fill(
        ACTIVITY,
        client=CLIENT,
        here=HERE,
        waitstart="l.waitstart" if version >= 140000 else "NULL::timestamptz",
        slot_status="wal_status" if version >= 130000 else "NULL::text",
        checkpoints=CHECKPOINTS if version >= 170000 else CHECKPOINTS_BEFORE_17,
    )


def relations(version, limit, dead_minimum, least_bytes, commit_times=False):
    """Tables, indexes and foreign keys of the current database. ``commit_times``: whether the server keeps the times of commits."""
    return _fill(
        RELATIONS,
        limit=int(limit),
        dead_minimum=int(dead_minimum),
        least_bytes=int(least_bytes),
        here=HERE,
        nulls="i.indnullsnotdistinct" if version >= 150000 else "false",
        last_scan="extract(epoch FROM pg_stat_get_lastscan(i.indexrelid))" if version >= 160000 else "NULL::float8",
        created="extract(epoch FROM pg_xact_commit_timestamp(i.xmin))" if commit_times else "NULL::float8",
        statistics=_fill(STATISTICS, system=SYSTEM),
    )


def replica():
    """How often each index was read on another server, and since when it counts."""
    return _fill(REPLICA, statistics=_fill(STATISTICS, system=SYSTEM), receivers=RECEIVERS)


def statements(schema, columns, limit):
    """The statements that took the most time. ``schema`` (quoted) and ``columns``: of the extension's view, whose version is its own."""
    newer = "total_exec_time" in columns
    return _fill(
        STATEMENTS,
        schema=schema,
        total="total_exec_time" if newer else "total_time",
        mean="mean_exec_time" if newer else "mean_time",
        limit=int(limit),
        # The view of evictions came with version 1.9 of the extension, as did this column.
        deallocated=_fill(DEALLOCATED, schema=schema) if "toplevel" in columns else "NULL",
    )


def _fill(template, **parts):
    return string.Template(template).substitute(parts)
