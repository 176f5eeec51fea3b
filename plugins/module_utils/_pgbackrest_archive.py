# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server archives its log, and having it do so. Private: other collections must not import it."""

from __future__ import annotations

import contextlib

from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import literal
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import connect
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

RELOAD_SECONDS = 10.0
#: The values of archive_mode with which a primary archives.
ACTIVE = ("on", "always")
# What the files say is what holds after the next start; a command that is disabled shows nothing else.
STATE = """
SELECT json_build_object(
  'data_directory', current_setting('data_directory'), 'in_recovery', pg_is_in_recovery(), 'wal_level', current_setting('wal_level'),
  'mode', current_setting('archive_mode'),
  'system_id', (SELECT system_identifier::text FROM pg_control_system()), 'major', current_setting('server_version_num')::int / 10000,
  'port', current_setting('port')::int,
  'fixed', (SELECT coalesce(json_agg(name), '[]') FROM pg_settings
             WHERE name IN ('archive_mode', 'archive_command', 'archive_library') AND source = 'command line'),
  'preload', (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'),
  'library', current_setting('archive_library', true),
  'file_mode', (SELECT setting FROM pg_file_settings WHERE name = 'archive_mode' ORDER BY seqno DESC LIMIT 1),
  'file_command', (SELECT setting FROM pg_file_settings WHERE name = 'archive_command' ORDER BY seqno DESC LIMIT 1),
  'failing', (SELECT last_failed_time IS NOT NULL AND last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver),
  'failed_segment', (SELECT last_failed_wal FROM pg_stat_archiver))
"""


@contextlib.contextmanager
def session(psycopg2, login, readonly=True):
    """A session on the server behind LOGIN_SPEC (dict). -> ``ask(sql)``, which gives rows. Raises OpsError."""
    target = where(login["login_host"], login["login_port"])
    connection = connect(psycopg2, login, readonly=readonly)

    def ask(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    try:
        yield ask
    except psycopg2.Error as error:
        raise OpsError(
            "{0} refused a question or an order: {1}. It takes a superuser, which {2} may not be.".format(
                target, one_line(str(error)), login["login_user"]
            )
        )
    finally:
        connection.close()


def steps(state, command):
    """What has to be set for ``command`` to be the server's archive_command: a list of (name, value). Raises OpsError where it cannot."""
    if state["in_recovery"]:
        raise OpsError("The server is a standby: its primary is the one that archives. Nothing was changed.")
    if state["wal_level"] == "minimal":
        raise OpsError(
            "wal_level is minimal: such a log recovers nothing. Set it to replica, restart the server, and run this again: "
            "ALTER SYSTEM SET wal_level = 'replica'"
        )
    if state["library"]:
        raise OpsError("The server archives by archive_library ({0}), not by a command. Reset that first.".format(state["library"]))
    wanted = []
    settled = "archive_mode" in state["fixed"] and state["mode"] in ACTIVE
    if state["file_mode"] not in ACTIVE and not settled:
        wanted.append(("archive_mode", "on"))
    if state["file_command"] != command:
        wanted.append(("archive_command", command))
    fixed = [name for name, _value in wanted if name in state["fixed"]]
    if fixed:
        raise OpsError("{0} was given on the server's command line, which nothing outdoes. Take it out there.".format(" and ".join(fixed)))
    return wanted


def apply(ask, wanted, command, active, heartbeat):
    """Set them. ``active``: the server archives already, so that the new command holds at once."""
    for name, value in wanted:
        ask("ALTER SYSTEM SET {0} = {1}".format(name, literal(value)))
    ask("SELECT pg_reload_conf()")
    if not active:
        return
    _answer, done, _attempts = poll(
        lambda: ask("SELECT current_setting('archive_command')")[0][0], lambda found: found == command, RELOAD_SECONDS, 0.1, heartbeat
    )
    if not done:
        raise OpsError("The server did not take the new archive_command within {0:g} s. Look at its log.".format(RELOAD_SECONDS))
