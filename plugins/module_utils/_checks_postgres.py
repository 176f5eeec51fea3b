# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks of PostgreSQL servers. Private: other collections must not import it."""

from __future__ import annotations

import math
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _clock_offset, _jsonpath
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import Outcome, latency_findings, name_of, weigh
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_container import containers_of
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_net import LATENCY_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._net import NEXT, ProbeError, connect, no_answer, where
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
POSTGRES_SPEC: dict[str, dict] = dict(
    LATENCY_SPEC,
    project={"type": "str"},
    services={"type": "list", "elements": "str", "aliases": ["service"]},
    login_host={"type": "str"},
    login_port={"type": "int"},
    login_user={"type": "str"},
    login_password={"type": "str", "no_log": True},
    login_db={"type": "str"},
    ssl_mode={"type": "str", "choices": SSL_MODES},
    ca_cert={"type": "path"},
    query={"type": "str"},
    equals={"type": "raw"},
    role={"type": "str", "choices": ["primary", "replica"]},
    standbys={"type": "int"},
    max_lag_seconds={"type": "float"},
    max_lag_bytes={"type": "int"},
    connections_warn={"type": "float"},
    connections_fail={"type": "float"},
)
POSTGRES_DEFAULTS = {"login_port": 5432, "login_user": "postgres", "login_db": "postgres", "ssl_mode": "prefer", "query": "SELECT 1"}

# One round trip. Usable slots leave out those kept for superusers (and, from PostgreSQL 16, for reserved roles); the type of other
# users' sessions is hidden from an ordinary user, but those with a database are nearly all clients.
STATE = """
SELECT pg_is_in_recovery(),
       current_setting('server_version'),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' OR backend_type IS NULL AND datid IS NOT NULL),
       (SELECT count(*) FROM pg_stat_replication WHERE coalesce(state, 'streaming') = 'streaming'),
       (SELECT extract(epoch FROM max(replay_lag))::float FROM pg_stat_replication),
       CASE WHEN NOT pg_is_in_recovery()
            THEN (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))::bigint FROM pg_stat_replication) END,
       extract(epoch FROM clock_timestamp())::float
"""
# A replica that has replayed all it received has no lag only as long as it still receives: hence the receiver's state beside it. One that
# was restarted receives from the start of a segment on, so that what it received may lie before what it has replayed.
REPLICA_STATE = """
SELECT (SELECT count(*) FROM pg_stat_wal_receiver WHERE coalesce(status, 'streaming') = 'streaming'),
       CASE WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float END,
       greatest(0, pg_wal_lsn_diff(coalesce((SELECT latest_end_lsn FROM pg_stat_wal_receiver), pg_last_wal_receive_lsn()),
                                   pg_last_wal_replay_lsn()))::bigint
"""


def probe_postgres(check, context):
    """One outcome for a server by its address, or one for every running container of the services."""
    if not check["services"]:
        return [ask(check, context)]
    running = [replica for replica in containers_of(check, context, check["services"]) if replica.state == "running"]
    if not running:
        message = "no container of {0} runs".format(" or ".join(check["services"]))
        raise ProbeError("wrong_answer", "no_container", message, "Look at the stopped ones: docker compose ps --all.")
    outcomes = []
    for replica in running:
        address = next(iter(replica.addresses.values()), None)
        name = name_of(check) if len(running) == 1 else "{0} {1}-{2}".format(name_of(check), replica.service, replica.number)
        try:
            outcomes.append(ask(dict(check, login_host=address), context))
        except ProbeError as error:
            outcomes.append(Outcome.of(error, target=replica.name))
        outcomes[-1].name = name
    return outcomes


def ask(check, context):
    """Connects, runs the query and, where asked, looks at the role, the replication and the connection slots. Returns an Outcome."""
    if not check["login_host"]:
        raise ProbeError("not_configured", "not_configured", "declared, but no login_host is given", "Set it, or take the check out.")
    psycopg2, deadline = context["libraries"]["psycopg2"], Deadline(check["timeout"])
    target = where(check["login_host"], check["login_port"])
    try:
        connection = psycopg2.connect(**connect_arguments(check))
    except psycopg2.OperationalError as error:
        raise explain_connect(check, target, str(error), deadline)
    try:
        connection.set_session(readonly=True, autocommit=True)
        with connection.cursor() as cursor:
            answer, seconds, state = _ask(cursor, check, deadline)
    except psycopg2.errors.QueryCanceled:
        message = "{0} did not answer a query within {1:g} s".format(target, check["timeout"])
        raise ProbeError("timed_out", "timed_out", message, "Look for locks and load: playbook database_connections, or pg_stat_activity.")
    except psycopg2.Error as error:
        message = "{0} refused the query: {1}".format(target, one_line(str(error)))
        raise ProbeError("wrong_answer", "query_failed", message, "Check the query and the rights of user {0}.".format(check["login_user"]))
    finally:
        connection.close()
    findings = judge(check, state, answer) + latency_findings(check, seconds)
    return weigh(findings, describe(state, seconds), target=target, details=dict(state, seconds=seconds))


def connect_arguments(check):
    """Every connection option as libpq names it. ``connect_timeout`` is in whole seconds, of which libpq allows no less than two."""
    arguments = {
        "host": check["login_host"],
        "port": check["login_port"],
        "user": check["login_user"],
        "password": check["login_password"],
        "dbname": check["login_db"],
        "sslmode": check["ssl_mode"],
        "sslrootcert": check["ca_cert"],
        "connect_timeout": max(2, math.ceil(check["timeout"])),
        "application_name": "astraldraft.ops",
    }
    return {key: value for key, value in arguments.items() if value is not None}


def _ask(cursor, check, deadline):
    limit = max(1, int(deadline.remaining * 1000))
    cursor.execute("SET statement_timeout = %s", (limit,))
    watch = Deadline(check["timeout"])
    cursor.execute(check["query"])
    row = cursor.fetchone() if cursor.description else None
    seconds = watch.elapsed
    before = time.time()
    cursor.execute(STATE)
    keys = ("in_recovery", "version", "connections_usable", "connections_used", "standbys", "lag_seconds", "lag_bytes", "clock_offset")
    state = dict(zip(keys, cursor.fetchone()))
    state["clock_offset"] = _clock_offset.offset(state["clock_offset"], before, time.time())
    state["role"] = "replica" if state.pop("in_recovery") else "primary"
    if state["role"] == "replica":
        cursor.execute(REPLICA_STATE)
        state.update(zip(("receivers", "lag_seconds", "lag_bytes"), cursor.fetchone()))
    return row[0] if row else None, seconds, state


def judge(check, state, answer):
    """Findings about what a server said of itself: pure."""
    found, replica = [], state["role"] == "replica"
    if check["equals"] is not None and not _jsonpath.same(answer, check["equals"]):
        sentence = "the query gave {0}, not {1}".format(_jsonpath.brief(answer), _jsonpath.brief(check["equals"]))
        found.append(("wrong_answer", "query_result", sentence, "Run the query by hand and follow what it shows."))
    if check["role"] and check["role"] != state["role"]:
        sentence = "is a {0}, not a {1}".format(state["role"], check["role"])
        found.append(("wrong_answer", "role", sentence, "Was there a failover? Correct the address, or rebuild the replica."))
    limits = (("lag_seconds", check["max_lag_seconds"], "s"), ("lag_bytes", check["max_lag_bytes"], "bytes"))
    limited = any(limit is not None for _key, limit, _unit in limits)
    if replica and (limited or check["role"]) and not state["receivers"]:
        advice = "Look at the replica's log; its primary may be down or have removed the WAL it needs (playbook replica_rebuild)."
        found.append(("wrong_answer", "not_streaming", "receives nothing from a primary", advice))
    if check["standbys"] is not None and state["standbys"] < check["standbys"]:
        sentence = "{0} standbys stream from it, {1} expected".format(state["standbys"], check["standbys"])
        found.append(("wrong_answer", "standbys", sentence, "Look at the log of the replica that is missing."))
    for key, limit, unit in limits:
        lag = state[key]
        if limit is not None and lag is None and replica:
            found.append(("wrong_answer", "lag_unknown", "its lag is unknown", "Has it replayed anything since it started?"))
        elif limit is not None and lag is not None and lag > limit:
            sentence = "lags {0:.0f} {2} behind, more than {1:g} {2}".format(lag, limit, unit)
            found.append(("wrong_answer", "lag", sentence, "Look for load or a long query on the replica, then at the network."))
    used = state["connections_used"] / max(1, state["connections_usable"])
    for verdict, limit in (("wrong_answer", check["connections_fail"]), ("degraded", check["connections_warn"])):
        if limit is not None and used > limit:
            sentence = "{0} of {1} usable connection slots are taken".format(state["connections_used"], state["connections_usable"])
            found.append((verdict, "connections", sentence, "See who holds them: playbook database_connections."))
            break
    return found


def describe(state, seconds):
    """The sentence for a healthy server."""
    message = "PostgreSQL {0} {1} in {2:.0f} ms".format(state["version"].split()[0], state["role"], seconds * 1000)
    if state["lag_seconds"] is not None:
        message += ", lag {0:.1f} s".format(state["lag_seconds"])
    return message + ", {0} of {1} connections".format(state["connections_used"], state["connections_usable"])


def explain_connect(check, target, text, deadline):
    """The ProbeError of a failed connection.

    The driver gives one exception for everything; the server's own refusals are told by their text (it is not translated in this
    session), and for the rest a plain TCP connection tells what is wrong.
    """
    fatal = [line for line in text.splitlines() if "FATAL:" in line]  # twice the same where TLS was tried first
    said = one_line(fatal[0] if fatal else text)
    lowered = said.lower()
    if "fatal:" in lowered:
        sentence = "{0} says: {1}".format(target, said[lowered.index("fatal:") + 6 :].strip())
        if "password" in lowered or "pg_hba" in lowered or "role " in lowered or "authentication" in lowered:
            return ProbeError("wrong_answer", "our_credentials", sentence, "Correct login_user and login_password; the server is up.")
        if "starting up" in lowered or "shutting down" in lowered or "not yet accepting" in lowered or "recovery" in lowered:
            return ProbeError("wrong_answer", "starting", sentence, "Wait for it, and read its log if it stays so.")
        if "too many" in lowered or "remaining connection slots" in lowered:
            return ProbeError("wrong_answer", "connections", sentence, "See who holds the slots: playbook database_connections.")
        return ProbeError("wrong_answer", "error_reply", sentence, "Follow what the server says.")
    if "no password supplied" in lowered:
        return ProbeError("wrong_answer", "our_credentials", "{0} wants a password, none is given".format(target), "Set login_password.")
    if "timeout expired" in lowered:
        return no_answer(target, check["timeout"])
    # Without one it is the socket where libpq looks for it.
    if check["login_host"] and not check["login_host"].startswith("/"):
        try:
            connect(check["login_host"], check["login_port"], max(0.2, deadline.remaining)).close()
        except ProbeError as error:
            return error
        sentence = "{0}: {1}".format(target, said)
        if ("ssl" in lowered or "certificate" in lowered) and "invalid response" not in lowered:
            return ProbeError("wrong_answer", "bad_certificate", sentence, "Correct ssl_mode, ca_cert or the server.")
        return ProbeError("wrong_answer", "not_postgres", sentence, "Is this PostgreSQL's port? Read the server's log.")
    return ProbeError("refused", "refused", "{0}: {1}".format(target, said), NEXT["refused"])


def one_line(text):
    """A library's message without line breaks, cut to a length for a sentence."""
    return " ".join(text.split())[:300]
