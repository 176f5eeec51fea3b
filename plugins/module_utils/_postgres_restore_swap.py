# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Swapping databases by their names, under those who use them. Private: other collections must not import it.

No fence is ever committed, so none can be left behind. Whoever renames a database holds a lock for which everybody waits who connects to
it, superusers too; while it is held, or waited for, every session that is left is ended. Should anybody die meanwhile, the transaction is
undone by the server, and the live database is the old one, open as before.
"""

from __future__ import annotations

import collections
import contextlib
import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_restore as plan
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import KEEPALIVE, connect
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

#: DROP and CREATE DATABASE wait for a checkpoint.
LONG_SECONDS = 900.0
ALONE_SECONDS = 15.0
PAUSE_SECONDS = 0.01
CLIENT_CHECK_MILLISECONDS = 100
_ALONE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"

#: ``seconds``: for how long nobody could connect. ``ended``: sessions by application.
Swapped = collections.namedtuple("Swapped", "seconds ended")


class Admin:
    """A session in the maintenance database of the server behind the options LOGIN_SPEC (dict)."""

    def __init__(self, psycopg2, login, tick=lambda: None, readonly=False):
        self._psycopg2, self._login, self._tick, self._readonly = psycopg2, login, tick, readonly
        self._target = where(login["login_host"], login["login_port"])
        self._connection = self.connect()

    def connect(self, database=plan.MAINTENANCE):
        return connect(self._psycopg2, dict(self._login, login_db=database), 10.0, self._readonly, **KEEPALIVE)

    @property
    def pid(self):
        return self._connection.info.backend_pid

    def ask(self, sql, arguments=None):
        """The first column of the answer."""
        return [row[0] for row in self.rows(sql, arguments)]

    def rows(self, sql, arguments=None, connection=None):
        try:
            with (connection or self._connection).cursor() as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchall() if cursor.description else []
        except self._psycopg2.Error as error:
            raise OpsError("{0} refused what the restore needs: {1}".format(self._target, one_line(str(error))))

    def ask_in(self, database, sql):
        """The first answer to one question in another database."""
        connection = self.connect(database)
        try:
            return self.rows(sql, connection=connection)[0][0]
        finally:
            connection.close()

    def alone(self, database):
        """Be the only one who restores that database, wherever others run. Raises OpsError; the server lets go when this session ends."""
        deadline = Deadline(ALONE_SECONDS)
        while not self.ask(_ALONE, ("astraldraft.ops restore of " + database,))[0]:
            if deadline.passed:
                raise OpsError("Another restore of {0} is under way on {1}. Wait for it.".format(database, self._target))
            self._tick()
            time.sleep(0.2)
        for name in ("idle_session_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"):
            self.rows("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = %s", (name,))

    def do(self, sql, seconds=LONG_SECONDS):
        """Run one statement that may take long."""
        self.rows("SET statement_timeout = %s", (int(seconds * 1000),))
        thread, failures = self._start(sql)
        try:
            while thread.is_alive():
                self._tick()
                thread.join(0.1)
        except BaseException:
            self.cancel(thread)
            raise
        if failures:
            raise OpsError("{0} refused {1!r}: {2}".format(self._target, sql[:100], one_line(str(failures[0]))))

    def _start(self, sql):
        failures = []

        def work():
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute(sql)
            except self._psycopg2.Error as error:
                failures.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread, failures

    def cancel(self, thread):
        with contextlib.suppress(self._psycopg2.Error):
            self._connection.cancel()
        thread.join(5)

    def swap(self, sql, oids, seconds):
        """Run the transaction ``sql`` (swap_sql), and end every session of the databases ``oids`` meanwhile. -> Swapped

        Raises OpsError when it could not be done within ``seconds``; then everything is as it was, but for the sessions that were ended.
        """
        ender = self.connect()
        ended = {}
        try:
            for name in ("statement_timeout", "lock_timeout"):
                self.rows("SET {0} = {1:d}".format(name, int(seconds * 1000)))
            self.rows("SELECT set_config(name, %s, false) FROM pg_settings WHERE name = 'client_connection_check_interval'",
                      (str(CLIENT_CHECK_MILLISECONDS),))  # fmt: skip
            arguments = {"oids": list(oids), "pid": self.pid}
            started = time.monotonic()
            thread, failures = self._start(sql)
            # Nothing in here may raise for a reason of its own: the server ends it in time.
            while thread.is_alive():
                with contextlib.suppress(OpsError):
                    for pid, begun, application, _done in self.rows(plan.TERMINATE, arguments, ender):
                        ended[pid, begun] = application
                thread.join(PAUSE_SECONDS)
            took = time.monotonic() - started
            if failures:
                self._explain(failures[0], ender, arguments, ended, seconds)
            return Swapped(round(took, 3), dict(collections.Counter(ended.values())))
        finally:
            with contextlib.suppress(self._psycopg2.Error):
                ender.close()

    def _explain(self, error, ender, arguments, ended, seconds):
        if self._connection.closed:
            raise LostSession(
                "The session with {0} broke while the databases were swapped: {1}. Either both names are changed or none. Run it again, "
                "which goes on from whichever it is.".format(self._target, one_line(str(error)))
            )
        with contextlib.suppress(self._psycopg2.Error):
            self._connection.cursor().execute("ROLLBACK")
        stayed = []
        with contextlib.suppress(OpsError):
            stayed = [row[0] for row in self.rows(plan.IN_THE_WAY, arguments, ender)]
        raise OpsError(
            "The databases could not be swapped within {0:g} s: {1}. The live one is as it was; {2} sessions were ended. {3}Try again, or "
            "raise swap_timeout.".format(
                seconds, one_line(str(error)), len(ended), "In the way: {0}. ".format("; ".join(stayed)) if stayed else ""
            ),
            sessions_ended=dict(collections.Counter(ended.values())),
        )

    def close(self):
        with contextlib.suppress(self._psycopg2.Error):
            self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()


class LostSession(OpsError):
    """Nobody knows whether the swap was done."""
