# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How PostgreSQL's connection slots are used. Private: other collections must not import it."""

from __future__ import annotations

import collections

from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import (
    POSTGRES_DEFAULTS,
    POSTGRES_SPEC,
    connect_arguments,
    explain_connect,
    one_line,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

LOGIN = ("login_host", "login_port", "login_user", "login_password", "login_db", "ssl_mode", "ca_cert")
#: The connection options of a module that asks one server.
LOGIN_SPEC = {
    name: dict(POSTGRES_SPEC[name], **{"default": POSTGRES_DEFAULTS[name]} if name in POSTGRES_DEFAULTS else {}) for name in LOGIN
}

#: ``sessions``: a list of ``(user, client address or None, number)``, our own left out.
Server = collections.namedtuple("Server", "maximum reserved sessions")

#: So that a server that has vanished from the network is noticed, however long a statement may take.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30000}

# What an ordinary user may know of others' sessions: their user, not their address. Walsenders take no slot (PostgreSQL 12 and newer).
SETTINGS = """
SELECT current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true), '0')::int
"""
SESSIONS = """
SELECT coalesce(usename::text, ''), host(client_addr), count(*)::int
  FROM pg_stat_activity
 WHERE pid <> pg_backend_pid() AND (backend_type = 'client backend' OR backend_type IS NULL AND datid IS NOT NULL)
 GROUP BY 1, 2
"""


def connect(psycopg2, login, timeout=5.0, readonly=True, **further):
    """An autocommit connection to the server behind the options LOGIN_SPEC (dict), each statement limited to ``timeout`` seconds.

    ``further`` is handed to libpq. Raises OpsError with the reason when it does not answer.
    """
    try:
        return dial(psycopg2, login, timeout, readonly, **further)
    except ProbeError as error:
        raise OpsError("{0}. {1}".format(error.message, error.next))


def dial(psycopg2, login, timeout=5.0, readonly=True, **further):
    """As :func:`connect`, but raises ProbeError, for whom a server that does not answer is an answer."""
    options, deadline = dict(login, timeout=timeout), Deadline(timeout)
    target = where(options["login_host"], options["login_port"])
    try:
        connection = psycopg2.connect(**dict(connect_arguments(options), **further))
    except psycopg2.OperationalError as error:
        raise explain_connect(options, target, str(error), deadline)
    connection.set_session(readonly=readonly, autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = %s", (int(timeout * 1000),))
    return connection


def ask(psycopg2, login, timeout=5.0):
    """The Server behind the options LOGIN_SPEC (dict). Raises OpsError with the reason when it does not answer."""
    connection = connect(psycopg2, login, timeout)
    try:
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS)
            maximum, reserved = cursor.fetchone()
            cursor.execute(SESSIONS)
            return Server(maximum, reserved, cursor.fetchall())
    except psycopg2.Error as error:
        raise OpsError("{0} refused the query: {1}".format(where(login["login_host"], login["login_port"]), one_line(str(error))))
    finally:
        connection.close()
