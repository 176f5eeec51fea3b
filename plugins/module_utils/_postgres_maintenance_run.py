# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries out the steps of a maintenance plan within a window. Private: other collections must not import it.

One thread measures, decides, renews the lock of the operation and watches who waits for us; each step that runs has a connection and a
thread of its own. Every statement carries its deadline to the server (statement_timeout), and a session whose client has died ends by
itself (client_connection_check_interval): nothing here has to live for anything to end.

Nobody waits for us longer than the lock timeout: a statement that keeps somebody from a lock is cancelled, and tried again later.
"""

from __future__ import annotations

import os
import queue
import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance as plan
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_maintenance_reasons import is_leftover

POLL_SECONDS = 0.05
#: We let go before the lock timeout of who waits for us is over: to notice and to cancel takes a moment.
EARLY_SECONDS = 0.3
#: For the server to end what was cancelled, beyond the end of the window.
GRACE_SECONDS = 15.0
#: What of the window is kept for removing what a rebuild that meets its end leaves behind.
SWEEP_SECONDS, SWEEP_SHARE = 10.0, 0.2
CLIENT_CHECK_MILLISECONDS = 2000
#: What waits with these keeps neither writers nor readers out.
HARMLESS = ("ShareUpdateExclusiveLock", "AccessShareLock", "RowShareLock")
LOCK_NOT_AVAILABLE, QUERY_CANCELED, DEADLOCK, DISK_FULL, UNDEFINED = "55P03", "57014", "40P01", "53100", "42P01"
#: How long an older server's statistics may take to arrive.
SETTLE_SECONDS = 2.0


def free_bytes(options):
    """What is free for an index in the database's own tablespace, or None where nobody can tell."""
    if options["data_path"]:
        found = os.statvfs(options["data_path"])
        return found.f_bavail * found.f_frsize
    return options["free_bytes"]


def settle_room(steps, server, options):
    """Give the rebuilds for which there is no room their outcome. -> notices: what nobody could look at."""
    rebuilds = [step for step in steps if step.operation == plan.REINDEX and step.outcome == plan.PLANNED]
    free = free_bytes(options) if rebuilds else None
    elsewhere = [step.object for step in rebuilds if step.found.tablespace]
    for step in rebuilds:
        step.size = step.found.pages * server.block_size
        has_room(step, free, options)
    if rebuilds and free is None:
        return ["The disk was not looked at: neither data_path nor free_bytes is given."]
    return ["The disk was not looked at for {0}: in another tablespace.".format(", ".join(elsewhere))] if elsewhere else []


def has_room(step, free, options):
    """-> whether there is room for a rebuild, as far as anybody can tell; when not, that is its outcome."""
    message = None if step.found.tablespace else plan.judge_room(step.size, free, options["reserve_bytes"])
    if message:
        step.end(plan.NO_ROOM, message)
    return not message


def prepare(connection, server, options):
    """Settings of a session that does the work."""
    settings = {
        "vacuum_cost_delay": "{0:g}ms".format(options["cost_delay"]),
        # One process a statement: who writes meanwhile needs the other cores.
        "max_parallel_maintenance_workers": "0",
    }
    if server.number >= 140000:
        settings["client_connection_check_interval"] = str(CLIENT_CHECK_MILLISECONDS)
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute("SET {0} = '{1}'".format(name, value))


def execute(connection, sql, lock_seconds, seconds):
    """Run one statement. -> ``(error or None, notices)``; never raises: this is what the threads do."""
    try:
        del connection.notices[:]
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = %s", (max(1, int(lock_seconds * 1000)),))
            cursor.execute("SET statement_timeout = %s", (max(1, int(seconds * 1000)),))
            cursor.execute(sql)
        return None, list(connection.notices)
    except Exception as error:
        return error, list(connection.notices)


class Runner:
    """``open_session()`` makes a connection that may write; ``module`` has heartbeat() and fence()."""

    def __init__(self, module, psycopg2, meter, open_session, options, named):
        self._module, self._psycopg2, self._meter, self._open, self._options = module, psycopg2, meter, open_session, options
        self._named = named
        self._idle, self._everybody, self._most = [], [], options["workers"]
        self._finished = queue.Queue()
        self._running = {}  # step: connection
        self._waiters = {}  # process that waits for us: since when
        self._ends = time.monotonic() + options["window"]
        self.notices = []

    @property
    def left(self):
        return max(0.0, self._ends - time.monotonic())

    def run(self, steps):
        """Carry out the steps that are planned; each gets its outcome. New ones may join ``steps``. Raises OpsError."""
        waiting = [step for step in steps if step.outcome == plan.PLANNED]
        try:
            while waiting or self._running:
                self._module.heartbeat()
                self._begin(waiting)
                self._watch()
                self._collect(steps, waiting)
                if self.left <= 0:
                    self._stop(waiting)
        except self._psycopg2.Error as error:
            raise OpsError(
                "The server ended the connection or a question: {0}. Read its log. What was begun is rolled back by the server; a rebuild "
                "may have left an invalid index behind, which the next run removes.".format(one_line(error).rstrip("."))
            )
        finally:
            self._close(steps)

    # -- beginning

    def _begin(self, waiting):
        while len(self._running) < self._most and self.left > 0:
            step = plan.next_step(waiting, self._running, time.monotonic())
            if step is None:
                return
            waiting.remove(step)
            self._module.fence()
            if not self._still_due(step) or not self._may_begin(step, waiting):
                continue
            connection = self._session()
            if connection is None:
                waiting.insert(0, step)
                return
            self._start(step, connection)

    def _still_due(self, step):
        """Measure the object again: meanwhile autovacuum, or somebody else, may have been there."""
        index = isinstance(step.found, plan.Index)
        state = self._meter.state(step.family | {step.found.oid}, bloated=[step.found.oid] if index else ())
        named = frozenset() if step.operation == plan.DROP else self._named
        again = [other for other in plan.make_plan(state, self._options, named, foresee=False) if other.found.oid == step.found.oid]
        again = [other for other in again if other.alone == step.alone]
        if not again:
            step.end(plan.NOT_NEEDED, "it is not called for any more")
            step.after = self._look(step)
            return False
        step.renew(again[0])
        return step.outcome == plan.PLANNED

    def _may_begin(self, step, waiting):
        """Whether a rebuild has room, and does not have to wait for somebody who has been there for long."""
        if step.operation != plan.REINDEX:
            return True
        step.size = self._meter.size(step.found)
        if not has_room(step, free_bytes(self._options), self._options):
            return False
        old = self._meter.old_transactions(step.table, self._options["wait_timeout"])
        if old:
            step.attempts += 1
            step.blockers = old
            self._again(step, waiting, "not begun: it would wait for")
        return not old

    def _session(self):
        """A connection for a step, or None while there is none: with one worker less it goes on."""
        if self._idle:
            return self._idle.pop()
        try:
            connection = self._open()
        except OpsError as error:
            if not self._everybody:
                raise
            self._most = max(1, len(self._everybody))
            self.notices.append("Goes on with {0} workers: {1}".format(self._most, error.message))
            return None
        prepare(connection, self._meter.server, self._options)
        self._everybody.append(connection)
        self._meter.own = [other.get_backend_pid() for other in self._everybody]
        return connection

    def _start(self, step, connection):
        options, sql = self._options, plan.statement(step, self._meter.server, self._options)
        step.attempts += 1
        step.cancelled, step.began = None, time.monotonic()
        seconds = self.left
        if step.operation == plan.REINDEX:
            seconds -= min(SWEEP_SECONDS, options["window"] * SWEEP_SHARE)
        wait = options["wait_timeout"] if step.alone else options["lock_timeout"]
        if seconds <= 0:
            self._idle.append(connection)
            step.attempts -= 1
            step.end(plan.LEFT, "the window is over")
            return
        self._running[step] = connection

        def work():
            self._finished.put((step, execute(connection, sql, wait, seconds)))

        threading.Thread(target=work, daemon=True).start()

    # -- watching

    def _watch(self):
        """Let go of what somebody waits for, and of a rebuild that fills the disk; note whom our own statements wait for."""
        if not self._running:
            self._waiters = {}
            return
        ours = {connection.get_backend_pid(): step for step, connection in self._running.items()}
        now, waiters, timeout = time.monotonic(), {}, self._options["lock_timeout"]
        for pid, mode, blockers in self._meter.waiting():
            if pid in ours:
                ours[pid].blockers = self._meter.sessions(set(blockers) - set(ours))
                continue
            for holder in set(blockers) & set(ours):
                if mode not in HARMLESS:
                    waiters[pid] = self._waiters.get(pid, now)
                    if now - waiters[pid] >= max(timeout / 2, timeout - EARLY_SECONDS):
                        self._cancel(ours[holder], "in_the_way", [pid])
        self._waiters = waiters
        free = free_bytes(self._options) if self._options["data_path"] else None
        if free is not None and free < self._options["reserve_bytes"]:
            for step in self._running:
                if step.operation == plan.REINDEX and step.found.tablespace == 0:
                    self._cancel(step, "no_room")

    def _cancel(self, step, why, for_whom=()):
        if step.cancelled is None:
            step.cancelled = why
            if for_whom:
                step.blockers = self._meter.sessions(for_whom)
            self._running[step].cancel()

    # -- ending

    def _collect(self, steps, waiting):
        try:
            step, (error, notices) = self._finished.get(timeout=POLL_SECONDS if self._running else self._pause(waiting))
        except queue.Empty:
            return
        connection = self._running.pop(step)
        step.duration += time.monotonic() - step.began
        if connection.closed:
            self._everybody.remove(connection)
        else:
            self._idle.append(connection)
        if error is None:
            self._done(step, notices)
            if step.operation == plan.VACUUM:
                self._follow(step, steps, waiting)
            return
        self._failed(step, error, waiting)
        if step.operation == plan.REINDEX:
            self._sweep(step, steps, waiting)

    def _pause(self, waiting):
        """How long nothing can be begun."""
        return max(0.01, min([POLL_SECONDS] + [step.not_before - time.monotonic() for step in waiting]))

    def _done(self, step, notices):
        began = step.found
        ends = time.monotonic() + SETTLE_SECONDS
        step.after = self._look(step)
        while self._not_noted(step, began) and time.monotonic() < ends:
            time.sleep(POLL_SECONDS)
            step.after = self._look(step)
        if self._not_noted(step, began):
            message = one_line(" ".join(notices)) or "the server does not note that it was done; is it worked on by somebody else?"
            step.end(plan.FAILED, message)
        else:
            step.end(plan.DONE)
            step.blockers = []

    def _not_noted(self, step, before):
        """Whether VACUUM or ANALYZE was passed over: the server warns then, and goes on."""
        if step.operation not in (plan.VACUUM, plan.ANALYZE) or not self._meter.server.tracks or step.found.kind == "p":
            return False
        name = "last_vacuum" if step.operation == plan.VACUUM else "last_analyze"
        return step.after is None or getattr(step.after, name) == getattr(before, name)

    def _look(self, step):
        """The Table or Index as it is now, or None when it is gone."""
        state = self._meter.state([step.found.oid], bloated=[step.found.oid] if isinstance(step.found, plan.Index) else ())
        return next((found for found in state.tables + state.indexes if found.oid == step.found.oid), None)

    def _failed(self, step, error, waiting):
        code = getattr(error, "pgcode", None)
        if step.cancelled == "no_room" or code == DISK_FULL:
            step.end(plan.NO_ROOM, "{0}; it was broken off".format(one_line(error) if code == DISK_FULL else "the disk was filling up"))
        elif step.cancelled == "in_the_way":
            self._again(step, waiting, "let go, because somebody waited for it:")
        elif step.cancelled == "window" or code == QUERY_CANCELED and self._over(step):
            step.end(plan.LEFT, "broken off at the end of the window")
        elif code in (LOCK_NOT_AVAILABLE, DEADLOCK):
            self._again(step, waiting, "waited for")
        elif code == UNDEFINED:
            step.end(plan.NOT_NEEDED, "it is not there any more")
        elif code == QUERY_CANCELED:
            step.end(plan.FAILED, "somebody cancelled it")
        else:
            step.end(plan.FAILED, one_line(error))

    def _over(self, step):
        reserve = min(SWEEP_SECONDS, self._options["window"] * SWEEP_SHARE) if step.operation == plan.REINDEX else 0
        return self.left <= reserve + 1.0

    def _again(self, step, waiting, why):
        who = ", ".join(
            "process {pid} of {user} ({application}, {state}, {seconds:.0f} s)".format(**dict(one, seconds=one["seconds"] or 0))
            for one in step.blockers
        )
        message = "{0} {1}".format(why, who or "somebody who is gone meanwhile")
        if plan.back_off(step, self._options["lock_retry_interval"], self._options["lock_retries"], time.monotonic()):
            step.message = message
            waiting.append(step)
            waiting.sort(key=plan.Step.order)
        else:
            step.end(plan.BLOCKED, "{0}; given up after {1} attempts".format(message, step.attempts))

    def _follow(self, step, steps, waiting):
        """Once the dead rows are gone, an index may turn out to be bloated of which that was not foreseen."""
        known = {other.found.oid for other in steps}
        for new in plan.make_plan(self._meter.state(step.family), self._options, self._named, foresee=False):
            if new.operation == plan.REINDEX and new.found.oid not in known:
                steps.append(new)
                if new.outcome == plan.PLANNED:
                    waiting.append(new)
        waiting.sort(key=plan.Step.order)

    def _sweep(self, step, steps, waiting):
        """Have what a rebuild left behind removed, before anything else."""
        state = self._meter.state([step.table], bloated=())
        known = {other.found.oid for other in waiting if other.operation == plan.DROP}
        for index in state.indexes:
            if is_leftover(index) and index.oid not in known:
                made = plan.build(plan.DROP, index, [("leftover", "left behind by the rebuild of {0}".format(step.object), 0.0)])
                steps.insert(steps.index(step) + 1, made)
                waiting.insert(0, made)

    def _stop(self, waiting):
        """The window is over: the server ends what runs by itself, and this sees to it."""
        for step in list(self._running):
            self._cancel(step, "window")
        for step in waiting:
            step.end(plan.LEFT, "the window is over" + ("; " + step.message if step.message else ""))
        del waiting[:]
        if time.monotonic() > self._ends + GRACE_SECONDS:
            raise OpsError(
                "The server does not end {0}, {1:.0f} s after the end of the window. Look at pg_stat_activity; its statement_timeout has "
                "passed.".format(", ".join(step.object for step in self._running), GRACE_SECONDS)
            )

    def _close(self, steps):
        for step, connection in self._running.items():
            if not connection.closed:
                connection.cancel()
            step.end(plan.FAILED, "broken off")
        for connection in self._everybody:
            if connection not in self._running.values():
                connection.close()
        for step in steps:
            if step.outcome == plan.PLANNED:
                step.end(plan.LEFT, "not begun")


def one_line(error):
    return " ".join(str(error).split())[:300]
