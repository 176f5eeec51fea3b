# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sessions of a PostgreSQL server a policy ends, and which it never does. Private: other collections must not import it.

Data in (rows of SESSIONS), judgement out; SIGNAL is what ends them.
"""

from __future__ import annotations

import collections
import fnmatch
import ipaddress

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

STATES = ("active", "idle", "idle in transaction", "idle in transaction (aborted)", "fastpath function call")
#: A statement that runs can be cancelled; a session that waits for its client has none.
CANCELLABLE = ("active", "fastpath function call")
OURS = "astraldraft.ops"
FIELDS = ("user", "application", "database", "address")

# Who is who is not read from the session, which a client names as it likes, but from its role.
SESSIONS = """
SELECT json_build_object(
  'usable', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true), '0')::int,
  'sees_all', pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
  'user', current_user,
  'sessions', (SELECT json_agg(s) FROM (
     SELECT a.pid, a.backend_start AS started, extract(epoch FROM a.backend_start)::float8 AS began, a.usename AS user,
            a.application_name AS application, a.datname AS database,
            coalesce(host(a.client_addr), CASE WHEN a.client_port = -1 THEN 'local' END) AS address, a.state,
            a.state_change AS changed, extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS seconds,
            a.backend_type, a.pid = pg_backend_pid() AS own, coalesce(r.rolsuper, false) AS superuser,
            coalesce(r.rolreplication, false) AS replication,
            (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
              OR pg_has_role(current_user, a.usesysid, 'USAGE') OR pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS may
       FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
      WHERE a.datid IS NOT NULL OR a.backend_type = 'walsender'
      ORDER BY a.backend_start, a.pid) s))
"""
# At the moment of the signal it is still the same session (a pid is used again, with a later start) that has been in the same state since.
# Both times are JSON's (ISO 8601), whatever the server's DateStyle.
SIGNAL = """
SELECT a.pid, {function}(a.pid)
  FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[]) AS t (pid, started, changed)
  JOIN pg_stat_activity a ON a.pid = t.pid AND a.backend_start = t.started AND a.state_change = t.changed
 WHERE a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
"""
FUNCTIONS = {"cancel": "pg_cancel_backend", "terminate": "pg_terminate_backend"}

#: ``patterns``: field to a list of shell patterns (of ``address``: networks); an empty list matches all. ``allow_list``: dicts of the
#: same fields, each with one pattern or None.
Policy = collections.namedtuple("Policy", "states older_than patterns allow_list")


def key(session):
    """A session is its pid and its start: a pid alone may be somebody else's by now."""
    return session["pid"], session["started"]


def network(text):
    """An address or a network; ``local`` is the server's own socket. Raises OpsError."""
    if text == "local":
        return text
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise OpsError("{0!r} is neither an address, a network such as 10.0.0.0/8, nor local (the server's socket).".format(text))


def check(policy):
    """Raises OpsError for what cannot be meant."""
    if policy.older_than < 0 or not policy.states:
        raise OpsError("A policy needs at least one state and a time that is not negative.")
    for text in policy.patterns["address"] + [entry["address"] for entry in policy.allow_list if entry["address"]]:
        network(text)
    if any(not any(entry[field] for field in FIELDS) for entry in policy.allow_list):
        raise OpsError("An entry of allow_list names nobody; give it a user, application, database or address.")


def _fits(session, field, pattern):
    value = session[field] or ""
    if field != "address":
        return fnmatch.fnmatchcase(value, pattern)
    known = network(pattern)
    if known == "local" or value in ("", "local"):
        return value == known
    address = ipaddress.ip_address(value)
    return address.version == known.version and address in known


def matches(policy, session):
    """Whether the policy means the session, may it be ended or not."""
    return (
        session["state"] in policy.states
        and session["seconds"] is not None
        and session["seconds"] >= policy.older_than
        and all(not patterns or any(_fits(session, field, one) for one in patterns) for field, patterns in policy.patterns.items())
    )


def spared(policy, session):
    """Why the session is never ended, or an empty string."""
    if session["own"] or (session["application"] or "").startswith(OURS):
        return "own"
    if session["superuser"] and session["backend_type"] == "client backend":
        return "superuser"
    if session["backend_type"] == "walsender" or session["replication"]:
        return "replication"
    if session["backend_type"] != "client backend":
        return "background worker"
    if any(all(not entry[field] or _fits(session, field, entry[field]) for field in FIELDS) for entry in policy.allow_list):
        return "allow_list"
    return ""


def plan(policy, answer):
    """-> (sessions to end, sessions that match and are spared, with ``why``). Of the former some may be beyond our rights: key ``may``."""
    meant = [session for session in answer["sessions"] or [] if matches(policy, session)]
    reasons = [(session, spared(policy, session)) for session in meant]
    return [session for session, why in reasons if not why], [dict(session, why=why) for session, why in reasons if why]


def refusal(sessions, maximum):
    """The sentence that refuses to end so many, or an empty string."""
    if len(sessions) <= maximum:
        return ""
    told = "{0} sessions match, more than the maximum of {1}. None was ended. Narrow the policy, or raise maximum to {0} if all are meant."
    return told.format(len(sessions), maximum)


def told(session, **more):
    """What is said of a session."""
    found = {name: session[name] for name in ("pid", "user", "application", "database", "address", "state")}
    return dict(found, started=to_iso(session["began"]), seconds=round(session["seconds"], 1), **more)


def counts(answer):
    """Client sessions but our own: ``usable`` slots, ``used``, and by state."""
    clients = [row for row in answer["sessions"] or [] if row["backend_type"] in ("client backend", None) and not row["own"]]
    by_state = collections.Counter(row["state"] or "hidden" for row in clients)
    return {"usable": answer["usable"], "used": len(clients), "by_state": dict(by_state.most_common())}


def arguments(sessions):
    """Of SIGNAL."""
    return [[session[name] for session in sessions] for name in ("pid", "started", "changed")]
