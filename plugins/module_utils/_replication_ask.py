# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking the servers of a PostgreSQL cluster who they are and how far they have come. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import functools
import json

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, no_answer, where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import dial

# A standby's own checkpoint names its timeline only after the next one: whoever knows the newest is right.
STATE = """
SELECT json_build_object(
  'in_recovery', pg_is_in_recovery(),
  'version', current_setting('server_version'),
  'system', (SELECT system_identifier::text FROM pg_control_system()),
  'timeline', CASE WHEN pg_is_in_recovery() THEN
      greatest((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
               (SELECT received_tli FROM pg_stat_wal_receiver))
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END,
  'lsn', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
  'received', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() END,
  'replayed_at', extract(epoch FROM pg_last_xact_replay_timestamp())::float8,
  'now', extract(epoch FROM clock_timestamp())::float8,
  'paused', CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
  'receiver', (SELECT json_build_object('status', status, 'host', sender_host, 'port', sender_port, 'slot', slot_name)
                 FROM pg_stat_wal_receiver LIMIT 1),
  'standbys', (SELECT json_agg(json_build_object('name', application_name, 'state', state, 'sync_state', sync_state,
                 'address', client_addr, 'replay_lsn', replay_lsn, 'lag_seconds', extract(epoch FROM replay_lag)::float8)
                 ORDER BY application_name) FROM pg_stat_replication),
  'slots', (SELECT json_agg(json_build_object('name', slot_name, 'type', slot_type, 'active', active,
              'wal_status', to_jsonb(s) ->> 'wal_status', 'retained_bytes', greatest(0, pg_wal_lsn_diff(
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn))::bigint)
              ORDER BY slot_name) FROM pg_replication_slots s),
  'settings', (SELECT json_object_agg(name, setting) FROM pg_settings
                WHERE name IN ('synchronous_standby_names', 'synchronous_commit', 'primary_conninfo', 'primary_slot_name',
                             'data_directory')))
"""
# What only some users may ask: who reads files of the server, who sees its WAL. A standby has WAL of a timeline when it follows that, long
# before that is written down anywhere else.
FURTHER = {
    "marker": "SELECT pg_read_file('{0}', 0, 4096, true)".format(files.MARKER),
    "wal_timeline": "SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'",
}


def ask(psycopg2, login, timeout):
    """What the server behind the options LOGIN_SPEC (dict) says: STATE as a dict, and FURTHER. Raises ProbeError."""
    connection = dial(psycopg2, login, timeout)
    try:
        with connection.cursor() as cursor:
            cursor.execute(STATE)
            answer = cursor.fetchone()[0]
            answer = answer if isinstance(answer, dict) else json.loads(answer)
            for key, question in FURTHER.items():
                answer[key] = None
                with contextlib.suppress(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(question)
                    answer[key] = cursor.fetchone()[0]
    except psycopg2.Error as error:
        target = where(login["login_host"], login["login_port"])
        raise ProbeError(
            "wrong_answer", "query_failed", "{0} refused a question: {1}".format(target, one_line(str(error))), "Read its log."
        )
    finally:
        connection.close()
    return understood(psycopg2, answer)


def understood(psycopg2, answer):
    """Positions as numbers; of primary_conninfo, in which a password may be, only who is meant."""
    for key in ("lsn", "received"):
        answer[key] = files.parse_lsn(answer[key])
    if answer["in_recovery"]:
        answer["timeline"] = max(answer["timeline"], answer.pop("wal_timeline", None) or 0)
    settings = answer.pop("settings") or {}
    text = settings.get("primary_conninfo") or ""
    try:
        parts = psycopg2.extensions.parse_dsn(text) if text else {}
    except psycopg2.ProgrammingError:
        parts = {}
    answer.update(
        follows={"host": parts.get("host"), "port": int(parts.get("port") or 5432)} if parts.get("host") else None,
        application_name=parts.get("application_name"),
        slot=settings.get("primary_slot_name") or None,
        synchronous_standby_names=settings.get("synchronous_standby_names") or "",
        synchronous_commit=settings.get("synchronous_commit"),
        data_path=settings.get("data_directory"),
        standbys=answer["standbys"] or [],
        slots=answer["slots"] or [],
    )
    for standby in answer["standbys"]:
        standby["replay_lsn"] = files.parse_lsn(standby["replay_lsn"])
    return answer


def ask_all(psycopg2, logins, timeout, heartbeat=None):
    """-> dict of name to what it said, or the ProbeError why it did not. ``logins``: dict of name to LOGIN_SPEC or a ProbeError."""
    known = {name: login for name, login in logins.items() if not isinstance(login, ProbeError)}
    # libpq takes two seconds at least to give up connecting, and dial() looks then why.
    jobs = [(functools.partial(ask, psycopg2, login, timeout), max(timeout, 2.0) * 2) for login in known.values()]
    found = {}
    for (name, login), answer in zip(known.items(), in_parallel(jobs, heartbeat)):
        if answer is None:
            answer = no_answer(where(login["login_host"], login["login_port"]), timeout)
        elif isinstance(answer, Exception) and not isinstance(answer, ProbeError):
            raise answer
        found[name] = answer
    return {name: found.get(name, login) for name, login in logins.items()}


def peers(psycopg2, params, heartbeat=None):
    """What the servers of the option peers say: ``host:port`` to a dict, or the ProbeError why not."""
    logins = {
        where(one["login_host"], one["login_port"]): dict(params, login_host=one["login_host"], login_port=one["login_port"])
        for one in params["peers"]
    }
    return ask_all(psycopg2, logins, params["timeout"], heartbeat)
