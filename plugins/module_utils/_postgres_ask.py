# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a PostgreSQL server and its replicas how they are, at once and in time. Private: other collections must not import it."""

from __future__ import annotations

import functools

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_queries as queries
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_container import containers_of
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, no_answer, where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import dial
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

LOCK_SECONDS = 1.0  # nobody's lock should be in our way, but one on a catalogue


class Answers:
    """What a server said: ``activity``, ``relations``, ``statements`` (None: nothing), ``failure`` (ProbeError), ``problems`` by query."""

    def __init__(self):
        self.activity = self.relations = self.statements = self.failure = None
        self.problems = {}


def ask_all(psycopg2, login, replicas, timeout, options, docker_host=None, heartbeat=None):
    """-> (Answers of the server, dict of replica name to what it said or a sentence why it did not), within ``timeout`` seconds.

    ``replicas``: dicts of login_host and login_port, or project and services. ``options``: limit, dead_tuples_minimum,
    missing_index_min_bytes.
    """
    answers = Answers()
    addresses, said = _addresses(replicas, docker_host, timeout)
    logins = {where(host, port): dict(login, login_host=host, login_port=port) for host, port in addresses}
    jobs = [(functools.partial(_ask_server, psycopg2, login, timeout, options, answers), timeout)]
    jobs += [(functools.partial(_ask_replica, psycopg2, own, timeout), timeout) for own in logins.values()]
    own, *others = in_parallel(jobs, heartbeat)
    if answers.activity is None and answers.failure is None:
        answers.failure = own if isinstance(own, ProbeError) else no_answer(where(login["login_host"], login["login_port"]), timeout)
    for query in ("relations", "statements"):
        if own is None and query not in answers.problems:
            answers.problems[query] = "no answer within {0:g} s".format(timeout)
    for name, answer in zip(logins, others):
        if not isinstance(answer, dict):
            answer = "replica {0} did not say what it reads: {1}".format(name, answer or "no answer within {0:g} s".format(timeout))
        said[name] = answer
    if isinstance(own, Exception) and not isinstance(own, ProbeError):
        raise own
    return answers, said


def _addresses(replicas, docker_host, timeout):
    """-> (list of host and port, dict of what could not be found out)."""
    found, said = [], {}
    for entry in replicas:
        if not entry.get("services"):
            found.append((entry["login_host"], entry["login_port"]))
            continue
        check, name = dict(entry, timeout=timeout), ", ".join(entry["services"])
        try:
            running = [one for one in containers_of(check, {"docker_host": docker_host}, entry["services"]) if one.state == "running"]
        except ProbeError as error:
            said[name] = "replica {0} was not found: {1}".format(name, error.message)
            continue
        found += [(next(iter(one.addresses.values()), one.name), entry["login_port"]) for one in running]
        if not running:
            said[name] = "replica {0} was not found: no container of it runs".format(name)
    return found, said


def _ask_server(psycopg2, login, timeout, options, answers):
    deadline = Deadline(timeout)
    connection = dial(psycopg2, login, timeout)
    try:
        version = connection.server_version
        answers.activity = _query(psycopg2, connection, queries.activity(version), deadline)
        server = answers.activity["server"]
        try:
            text = queries.relations(
                version, options["limit"], options["dead_tuples_minimum"], options["missing_index_min_bytes"], server["commit_times"]
            )
            answers.relations = _query(psycopg2, connection, text, deadline)
        except ProbeError as error:
            answers.problems["relations"] = error.message
        if not server["statements"]:
            answers.problems["statements"] = "the extension pg_stat_statements is not in database {0}".format(server["database"])
            return True
        try:
            text = queries.statements(server["statements"], server["statements_columns"] or [], options["limit"])
            answers.statements = _query(psycopg2, connection, text, deadline)
        except ProbeError as error:
            answers.problems["statements"] = error.message
        return True
    finally:
        connection.close()


def _ask_replica(psycopg2, login, timeout):
    deadline = Deadline(timeout)
    connection = dial(psycopg2, login, timeout)
    try:
        return _query(psycopg2, connection, queries.replica(), deadline)
    finally:
        connection.close()


def _query(psycopg2, connection, text, deadline):
    """The JSON that the query returns. Raises ProbeError."""
    advice = "Look for locks on catalogues and for load: pg_locks, pg_stat_activity."
    try:
        with connection.cursor() as cursor:
            limits = (max(1, int(deadline.remaining * 1000)), int(LOCK_SECONDS * 1000))
            cursor.execute("SET statement_timeout = %s; SET lock_timeout = %s", limits)
            cursor.execute(text)
            return cursor.fetchone()[0]
    except psycopg2.errors.LockNotAvailable:
        raise ProbeError("timed_out", "locked", "somebody has locked what the query reads for over {0:g} s".format(LOCK_SECONDS), advice)
    except psycopg2.errors.QueryCanceled:
        raise ProbeError("timed_out", "timed_out", "the query was not answered within {0:g} s".format(deadline.seconds), advice)
    except psycopg2.Error as error:
        sentence = "the query was refused: {0}".format(one_line(str(error)))
        raise ProbeError("wrong_answer", "query_failed", sentence, "Follow what the server says, and read its log.")
