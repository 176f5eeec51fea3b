# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The condition of a PostgreSQL server as figures, from what it answered. Private: other collections must not import it.

Nothing here has a connection: the queries are in _postgres_queries.py. What indexes are worth is told in _postgres_indexes.py.
"""

from __future__ import annotations

import collections
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._figures import Figure, Threshold, judged, size, span
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_queries import RECEIVERS

_GIB = 1024**3

#: What is more than these (a cache hit ratio: less) is a warning or a failure, unless the caller says otherwise. The module documents them.
THRESHOLDS = {
    "connections": Threshold(0.8, 0.95, False, "fraction"),
    "transactions": Threshold(300.0, 3600.0, False, "seconds"),
    "idle_in_transaction": Threshold(60.0, 600.0, False, "seconds"),
    "blocked": Threshold(10.0, 60.0, False, "seconds"),
    "vacuum_horizon": Threshold(10e6, 100e6, False, "transactions"),
    "prepared_transactions": Threshold(300.0, 3600.0, False, "seconds"),
    "replication_slots": Threshold(1.0 * _GIB, 10.0 * _GIB, False, "bytes"),
    "replication_lag": Threshold(30.0, 300.0, False, "seconds"),
    "wraparound": Threshold(500e6, 1500e6, False, "transactions"),
    "database_size": Threshold(None, None, False, "bytes"),
    "dead_tuples": Threshold(0.2, 0.5, False, "fraction"),
    "checksum_failures": Threshold(None, 0.0, False, "pages"),
    "cache_hit_ratio": Threshold(0.9, None, True, "fraction"),
    "checkpoints": Threshold(0.5, None, False, "fraction"),
    "statements": Threshold(1.0, None, False, "seconds"),
    "invalid_indexes": Threshold(0.0, None, False, "indexes"),
    "duplicate_indexes": Threshold(0.0, None, False, "indexes"),
    "unused_indexes": Threshold(0.0, None, False, "indexes"),
    "missing_indexes": Threshold(0.0, None, False, "foreign keys"),
}
DIMENSIONS = ("state", "user", "application", "address", "database")
FEWEST_BLOCKS = 10000  # a ratio of fewer accesses says nothing
FEWEST_CHECKPOINTS = 10

# A backslash is a character like any other but in E'...': the string ends where the server says.
_LITERAL = re.compile(r"\$(\w*)\$.*?(?:\$\1\$|\Z)|(?<!\w)[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|[bBxXnN]?'(?:[^']|'')*(?:'|\Z)", re.DOTALL)


def without_literals(query):
    """A statement on one line with every literal string hidden: it may hold a password or somebody's data."""
    return None if query is None else " ".join(_LITERAL.sub("'?'", query).split())


def rows(data, key):
    return data.get(key) or []


def connections(data):
    """How the connection slots are used: numbers, and sessions by state, user, application, address and database."""
    server, sessions = data["server"], rows(data, "sessions")
    usable = server["maximum"] - server["reserved"]
    used = sum(group["number"] for group in sessions)
    found = {"maximum": server["maximum"], "reserved": server["reserved"], "usable": usable, "used": used}
    for dimension in DIMENSIONS:
        counted = collections.Counter()
        for group in sessions:
            counted[group[dimension] or ("hidden" if group[dimension] is None else "none")] += group["number"]
        found["by_" + dimension] = dict(counted.most_common())
    return found


def who(session):
    """``session 4711 (astral on shop, worker)``."""
    named = "{0} on {1}".format(session.get("user") or "?", session.get("database") or "?")
    return "session {0} ({1})".format(session["pid"], ", ".join(part for part in (named, session.get("application")) if part))


def of_connections(data, thresholds):
    used = connections(data)
    message = "{0} of {1} usable connection slots are taken".format(used["used"], used["usable"])
    if used["used"]:
        (user, by_user), (state, in_state) = next(iter(used["by_user"].items())), next(iter(used["by_state"].items()))
        message += ", {0} by {1}, {2} {3}".format(by_user, user, in_state, state)
    advice = "See who holds them: playbook database_connections."
    return judged("connections", thresholds, used["used"] / max(1, used["usable"]), message, advice)


def _hidden(data, name, thresholds, what, required=True):
    message = "{0} cannot be seen by {1}".format(what, data["server"]["user"])
    return judged(name, thresholds, None, message, "Grant it pg_monitor.", required)


def _longest(sessions, key):
    return max((session for session in sessions if session[key] is not None), key=lambda session: session[key], default=None)


def of_transactions(data, thresholds):
    """The longest transaction, and the longest that waits for its client."""
    if not data["server"]["sees_all"]:
        return [_hidden(data, name, thresholds, "others' transactions") for name in ("transactions", "idle_in_transaction")]
    sessions, figures = rows(data, "transactions"), []
    idle = [session for session in sessions if (session["state"] or "").startswith("idle in transaction")]
    for name, some, key, verb in (
        ("transactions", sessions, "transaction_seconds", "is in a transaction since {0}"),
        ("idle_in_transaction", idle, "state_seconds", "does nothing in its transaction since {0}"),
    ):
        longest = _longest(some, key)
        message = "none" if longest is None else "{0} {1}".format(who(longest), verb.format(span(longest[key])))
        more = len(some) - 1
        message += ", {0} more".format(more) if more > 0 else ""
        advice = "Ask its owner, or end it by policy: playbook database_connections with database_terminate_state."
        figures.append(judged(name, thresholds, longest[key] if longest else 0.0, message, advice))
    return figures


def blockers(data):
    """Those who block somebody and wait for nobody. -> pid (0: a prepared transaction) to the pids that wait because of it."""
    waiting = {session["pid"]: session["blockers"] or [] for session in rows(data, "blocked")}
    found = collections.defaultdict(set)
    for pid, first in waiting.items():
        seen, front = {pid}, list(first)
        while front:
            here = front.pop()
            if here in waiting and here not in seen and waiting[here]:
                front += waiting[here]
            elif here not in seen:
                found[here].add(pid)
            seen.add(here)
    return {pid: sorted(waiters) for pid, waiters in sorted(found.items())}


def of_blocked(data, thresholds):
    sessions = rows(data, "blocked")
    if not sessions:
        return judged("blocked", thresholds, 0.0, "nobody waits for a lock")
    longest, roots = _longest(sessions, "seconds"), blockers(data)
    named = {session["pid"]: who(session) for session in rows(data, "transactions")}
    culprits = [named.get(pid, "session {0}".format(pid) if pid else "a prepared transaction") for pid in list(roots)[:3]]
    message = "{0} {1}, blocked by {2}{3}".format(
        len(sessions),
        "session waits for a lock" if len(sessions) == 1 else "sessions wait for locks",
        ", ".join(culprits) or "each other",
        ", the longest for {0}".format(span(longest["seconds"])) if longest else "",
    )
    return judged("blocked", thresholds, longest["seconds"] if longest else None, message, "End what blocks them, not those that wait.")


def holders(data):
    """What keeps vacuum from removing dead rows, the oldest first: dicts with ``kind``, ``name``, ``age`` in transactions, ``seconds``."""
    found = []
    for session in rows(data, "holders"):
        found.append(("session", who(session), session))
    for slot in rows(data, "slots"):
        found.append(("replication_slot", "replication slot {0}".format(slot["name"]), slot))
    for transaction in rows(data, "prepared"):
        found.append(("prepared_transaction", "prepared transaction {0}".format(transaction["name"]), transaction))
    for standby in rows(data, "standbys"):
        found.append(("standby_feedback", "feedback of standby {0} ({1})".format(standby["application"], standby["address"]), standby))
    named = [
        {"kind": kind, "name": name, "age": row["age"], "seconds": row.get("seconds"), "pid": row.get("pid")}
        for kind, name, row in found
        if row["age"] is not None
    ]
    return sorted(named, key=lambda holder: -holder["age"])


def of_horizon(data, thresholds):
    if not data["server"]["sees_all"]:
        return _hidden(data, "vacuum_horizon", thresholds, "what holds vacuum back")
    found = holders(data)
    message = "nothing holds vacuum back"
    if found:
        message = "{0} holds back what is {1} transactions old".format(found[0]["name"], found[0]["age"])
    advice = "Vacuum can remove nothing newer: end the transaction, drop the slot, or see to the standby."
    return judged("vacuum_horizon", thresholds, found[0]["age"] if found else 0, message, advice)


def of_prepared(data, thresholds):
    found = rows(data, "prepared")
    oldest = _longest(found, "seconds")
    message = "{0}, the oldest ({1}) for {2}".format(len(found), oldest["name"], span(oldest["seconds"])) if oldest else "none"
    advice = "Its transaction manager has forgotten it? COMMIT PREPARED or ROLLBACK PREPARED it."
    return judged("prepared_transactions", thresholds, oldest["seconds"] if oldest else 0.0, message, advice)


def of_slots(data, thresholds):
    found = rows(data, "slots")
    lost = [slot["name"] for slot in found if slot["wal_status"] in ("unreserved", "lost")]
    most = _longest(found, "bytes")
    idle = ["{0} is not in use".format(slot["name"]) for slot in found if not slot["active"]]
    message = "; ".join(["{0} keeps {1} of WAL".format(most["name"], size(most["bytes"])) if most else "none"] + idle)
    if lost:
        message = "{0} {1} lost WAL that {2} needs".format(", ".join(lost), "has" if len(lost) == 1 else "have", "its reader")
        return Figure("replication_slots", "fail", most["bytes"] if most else 0, message, "Rebuild the replica: playbook replica_rebuild.",
                      thresholds["replication_slots"])  # fmt: skip
    advice = "Start its reader again, or drop it before the disk is full."
    return judged("replication_slots", thresholds, max(0, most["bytes"]) if most else 0, message, advice)


def standbys(data):
    """The physical standbys, without what merely copies the log."""
    physical = [row for row in rows(data, "standbys") if not row["logical"]]
    return [row for row in physical if row["application"] not in RECEIVERS and row["state"] != "backup"]


def readers(data):
    """How many standbys may read indexes: those that stream, and those that are away and whose slot waits for them."""
    return len(standbys(data)) + sum(slot["type"] == "physical" and not slot["active"] for slot in rows(data, "slots"))


def of_replication(data, thresholds, role=None, expected=None):
    """Role, standbys and lag."""
    actual = "replica" if data["server"]["in_recovery"] else "primary"
    streaming = [row for row in standbys(data) if row["state"] in ("streaming", None)]
    problem = advice = ""
    if role and role != actual:
        problem, advice = "is a {0}, not a {1}".format(actual, role), "Was there a failover? Correct the address, or rebuild the replica."
    elif actual == "replica" and not data["receiver"]["receiving"]:
        problem, advice = "receives nothing from a primary", "Look at its log, and whether the primary runs (playbook replica_rebuild)."
    elif expected is not None and len(streaming) < expected:
        problem = "{0} standbys stream from it, {1} expected".format(len(streaming), expected)
        advice = "Look at the log of the replica that is missing."
    message = problem or "{0}, {1}".format(actual, _standbys_told(streaming))
    figures = [Figure("replication", "fail" if problem else "pass", len(streaming), message, advice)]
    return figures + [_lag(data, thresholds, actual, streaming)]


def _standbys_told(streaming):
    return "no standby" if not streaming else "{0} {1} from it".format(
        len(streaming), "standby streams" if len(streaming) == 1 else "standbys stream")  # fmt: skip


def _lag(data, thresholds, actual, streaming):
    advice = "Look for load or a long query on the replica, then at the network."
    if actual == "replica":
        seconds, amount = data["receiver"]["lag_seconds"], data["receiver"]["lag_bytes"]
        message = "has replayed nothing yet" if seconds is None else "{0}, {1} behind".format(span(seconds), size(amount))
        return judged("replication_lag", thresholds, seconds, message, advice)
    if not streaming:
        return judged("replication_lag", thresholds, 0.0, "no standby")
    if not data["server"]["sees_all"]:
        return _hidden(data, "replication_lag", thresholds, "the lag of standbys")
    # A standby that is idle and has caught up reports no lag in time.
    worst = max(streaming, key=lambda row: (row["lag_seconds"] or 0.0, row["lag_bytes"] or 0))
    seconds = worst["lag_seconds"] if worst["lag_seconds"] is not None else 0.0 if worst["lag_bytes"] is not None else None
    message = "{0} ({1}): {2}, {3} behind".format(worst["application"], worst["address"], span(seconds or 0.0), size(worst["lag_bytes"]))
    return judged("replication_lag", thresholds, seconds, message, advice)


def of_wraparound(data, thresholds):
    oldest = max(rows(data, "databases"), key=lambda row: max(row["age"], row["multixact_age"]))
    kind, age = ("multixacts", oldest["multixact_age"]) if oldest["multixact_age"] > oldest["age"] else ("transactions", oldest["age"])
    message = "the oldest {0} of {1} are {2:.1f} million old, of 2147".format(kind, oldest["name"], age / 1e6)
    advice = "See to what holds vacuum back, then vacuum what is oldest: playbook database_maintenance."
    return judged("wraparound", thresholds, age, message, advice)


def current(data):
    """The row of the database that is connected to."""
    return next(row for row in rows(data, "databases") if row["name"] == data["server"]["database"])


def of_database(data, thresholds):
    """Size, checksums and cache of the current database."""
    row, server = current(data), data["server"]
    figures = [judged("database_size", thresholds, row["bytes"], "{0} has {1}".format(row["name"], size(row["bytes"])), "Find what grew.")]
    if server["checksums"]:
        failures = sum(one["checksum_failures"] or 0 for one in rows(data, "databases"))
        message = "{0} pages whose checksum is wrong".format(failures) if failures else "no page with a wrong checksum was read"
        advice = "The disk or the memory is bad: save the data (playbook backup), and fail over."
        figures.append(judged("checksum_failures", thresholds, failures, message, advice))
    else:
        message = "the server keeps no checksums (pg_checksums --enable, while it is stopped)"
        figures.append(Figure("checksum_failures", "not_configured", None, message, "", thresholds["checksum_failures"]))
    accesses = row["blks_hit"] + row["blks_read"]
    if accesses < FEWEST_BLOCKS:
        ratio, message, advice = None, "only {0} blocks were read yet".format(accesses), "Look again later."
    else:
        ratio = row["blks_hit"] / accesses
        message = "{0:.1%} of the blocks were found in memory".format(ratio)
        advice = "Is shared_buffers too small, or does a statement read whole tables?"
    return figures + [judged("cache_hit_ratio", thresholds, ratio, message, advice, required=False)]


def of_checkpoints(data, thresholds):
    row = data["checkpoints"]
    total = row["timed"] + row["requested"]
    if total < FEWEST_CHECKPOINTS:
        return judged("checkpoints", thresholds, None, "only {0} checkpoints yet".format(total), "Look again later.", required=False)
    message = "{0} of {1} came before their time".format(row["requested"], total)
    return judged("checkpoints", thresholds, row["requested"] / total, message, "Raise max_wal_size.", required=False)


def of_dead_tuples(relations, server, thresholds):
    """Of the table with the largest fraction of dead rows, among those that have enough of them."""
    if not server["track_counts"]:
        message = "the server counts nothing (track_counts is off)"
        return judged("dead_tuples", thresholds, None, message, "Turn it on: autovacuum needs it.")
    found = rows(relations, "deadest")
    if not found:
        return judged("dead_tuples", thresholds, 0.0, "no table has many")
    fraction = found[0]["dead"] / max(1, found[0]["live"] + found[0]["dead"])
    message = "{0}.{1}: {2} dead rows, {3:.0%}".format(found[0]["schema"], found[0]["name"], found[0]["dead"], fraction)
    advice = "Vacuum it, after what holds vacuum back: playbook database_maintenance."
    return judged("dead_tuples", thresholds, fraction, message + ("" if server["autovacuum"] else "; autovacuum is off"), advice)


def of_statements(answer, thresholds, problem=""):
    """``answer``: of the query, or None with the ``problem``."""
    if answer is None:
        return Figure("statements", "not_configured", None, problem, "", thresholds["statements"], required=False)
    slow = _longest([row for row in rows(answer, "top") if row["calls"] > 1], "mean_seconds")
    message = "none yet" if slow is None else "of those that take the most time the slowest takes {0:.3f} s: {1}".format(
        slow["mean_seconds"], without_literals(slow["query"] or "hidden")[:80])  # fmt: skip
    if answer["deallocated"]:
        message += "; {0} times others had to be forgotten (pg_stat_statements.max)".format(answer["deallocated"])
    advice = "Look at its plan (EXPLAIN), and for an index that is missing."
    return judged("statements", thresholds, slow["mean_seconds"] if slow else 0.0, message, advice, required=False)
