# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which maintenance a PostgreSQL database calls for, in which order. Private: other collections must not import it.

What was measured goes in (see _postgres_maintenance_measure), steps come out. Pure: nothing here talks to a server. Sizes are in bytes,
times in seconds since the epoch by the server's clock.
"""

from __future__ import annotations

import collections
import fnmatch

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_maintenance_reasons import (
    analyze_reasons,
    bloat_reasons,
    freeze_limits,
    is_leftover,
    parent_reasons,
    vacuum_reasons,
)

#: ``tracks``: whether the server counts rows (track_counts). ``pgstattuple``: the schema of that extension, or None.
Server = collections.namedtuple(
    "Server",
    "number version standby database user now block_size freeze_max_age multixact_max_age tracks superuser pgstattuple",
)

#: A table, materialized view or partitioned table (kind p), its TOAST table counted in. ``last_vacuum`` and ``last_analyze`` may be None.
Table = collections.namedtuple(
    "Table",
    "oid schema name kind persistence shared root inherited pages rows live dead modified last_vacuum last_analyze toast toast_live"
    " toast_dead toast_last_vacuum frozen_age multixact_age may_maintain may_own",
)

#: ``width``: the average bytes of a key by the planner's statistics, or None. ``constraint``: whether it backs one. ``tablespace``: its
#: number, 0 for the database's own. ``bloat``: the bytes that a rebuild would gain, or None where nobody can tell.
Index = collections.namedtuple(
    "Index",
    "oid schema name table_oid table_schema table method valid exclusion constraint pages rows fillfactor tablespace width nullable"
    " may_own bloat",
)

#: Who works on a table now. ``oid`` is None where the server does not tell us.
Busy = collections.namedtuple("Busy", "oid pid what phase backend application")

#: Who keeps dead rows from being removed. ``since``: no row that died after that can be removed, or None where nobody can tell.
Holder = collections.namedtuple("Holder", "kind name pid user application state seconds since age catalogs_only retained_bytes")

State = collections.namedtuple("State", "server tables indexes busy holders")

VACUUM, ANALYZE, REINDEX, DROP = "vacuum", "analyze", "reindex", "drop_leftover"
OPERATIONS = (ANALYZE, VACUUM, REINDEX)

#: The order: what costs every write first, then what stops the server, then what queries miss, then what is merely large.
RANKS = ("leftover", "age", "invalid", "named", "dead_rows", "never_analyzed", "modified_rows", "bloat")

#: Outcomes of a step. What is ``left`` or not ``needed`` any more is no failure; what is in FAILURES calls for a person.
PLANNED, DONE, NOT_NEEDED, LEFT, IN_PROGRESS = "planned", "done", "not_needed", "left", "in_progress"
HELD_BACK, NOT_ALLOWED, NO_ROOM, UNSUPPORTED, BLOCKED, FAILED = "held_back", "not_allowed", "no_room", "unsupported", "blocked", "failed"
FAILURES = (HELD_BACK, NOT_ALLOWED, NO_ROOM, UNSUPPORTED, BLOCKED, FAILED)

#: A copy of the index, and as much again for what is sorted on disk and for the WAL of the build.
ROOM_FACTOR = 2


class Step:
    """One statement on one object. ``table``: the oid of the table that is locked, ``family``: of all tables that are."""

    def __init__(self, operation, found, reasons, why, urgency=0.0, analyze=False, freeze=False, family=()):
        self.operation, self.found, self.reasons, self.why, self.urgency = operation, found, list(reasons), why, urgency
        self.analyze, self.freeze = analyze, freeze
        self.table = found.table_oid if isinstance(found, Index) else found.oid
        self.family = frozenset(family) | {self.table, getattr(found, "toast", None) or self.table}
        self.outcome, self.message, self.attempts, self.not_before, self.duration = PLANNED, "", 0, 0.0, 0.0
        self.after, self.blockers, self.cancelled, self.began = None, [], None, 0.0
        self.size = 0

    @property
    def object(self):
        return name_of(self.found)

    @property
    def alone(self):
        """Whether nothing else of ours runs beside it: these wait for every older snapshot, ANALYZE's among them."""
        return self.operation in (REINDEX, DROP)

    def renew(self, again):
        """Take over what was measured a second time. What the partitioned parent's ANALYZE does stays left to that."""
        self.found, self.operation, self.freeze = again.found, again.operation, again.freeze
        self.why = self.why if self.operation == DROP else again.why
        self.analyze = self.analyze and again.analyze
        self.outcome, self.message = again.outcome, again.message

    def order(self):
        """Most urgent first."""
        rank = min(RANKS.index(reason) for reason in self.reasons)
        return (rank, (VACUUM, ANALYZE, DROP, REINDEX).index(self.operation), -self.urgency, self.object)

    def end(self, outcome, message=""):
        self.outcome, self.message = outcome, message
        return self

    @property
    def name(self):
        return "{0} of {1}".format("removal" if self.operation == DROP else self.operation, self.object)

    def sentence(self):
        """Why it was not done."""
        return "{0} ({1}) is {2}: {3}.".format(self.name, self.why, self.outcome.replace("_", " "), self.message.rstrip("."))

    def describe(self, server, options):
        """As the module returns it."""
        return {
            "operation": self.operation,
            "object": self.object,
            "table": "{0}.{1}".format(self.found.table_schema, self.found.table) if isinstance(self.found, Index) else self.object,
            "reasons": self.reasons,
            "why": self.why,
            "statement": statement(self, server, options),
            "outcome": self.outcome,
            "message": self.message,
            "before": numbers(self.found, server),
            "after": self.after and numbers(self.after, server),
            "attempts": self.attempts,
            "blockers": self.blockers,
            "duration": round(self.duration, 3),
        }


def name_of(found):
    return "{0}.{1}".format(found.schema, found.name)


def numbers(found, server):
    """What was measured of a Table or an Index, with the same keys for both."""
    index = isinstance(found, Index)
    return {
        "size": found.pages * server.block_size,
        "rows": None if index else found.live,
        "dead_rows": None if index else found.dead + found.toast_dead,
        "modified_rows": None if index else found.modified,
        "frozen_age": None if index else found.frozen_age,
        "multixact_age": None if index else found.multixact_age,
        "valid": found.valid if index else None,
        "bloat_bytes": found.bloat if index else None,
    }


def quoted(*parts):
    """An SQL identifier, each part quoted."""
    return ".".join('"{0}"'.format(part.replace('"', '""')) for part in parts)


def statement(step, server, options):
    """The SQL of a step."""
    name = quoted(step.found.schema, step.found.name)
    if step.operation == DROP:
        return "DROP INDEX CONCURRENTLY IF EXISTS {0}".format(name)
    if step.operation == REINDEX:
        return "REINDEX INDEX CONCURRENTLY {0}".format(name)
    # From PostgreSQL 18 on the children of a table come along unless it says ONLY; they are steps of their own.
    only = "ONLY " if server.number >= 180000 and step.found.inherited and step.found.kind != "p" else ""
    if step.operation == ANALYZE:
        return "ANALYZE {0}{1}".format(only, name)
    # To give pages back to the file system takes a lock that stops everybody, on replicas too. Workers are ours to bound.
    words = ["TRUNCATE {0}".format("true" if options["truncate"] else "false")]
    words += ["PARALLEL 0"] if server.number >= 130000 else []
    words += ["FREEZE"] if step.freeze else []
    words += ["ANALYZE"] if step.analyze else []
    return "VACUUM ({0}) {1}{2}".format(", ".join(words), only, name)


# -- what is called for


def refuse_standby(server, target):
    """Raise OpsError on a server that only follows another one."""
    if server.standby:
        raise OpsError(
            "{0} is a standby: it cannot be maintained. What VACUUM, ANALYZE and REINDEX do on its primary reaches it by replication. "
            "Name the primary in login_host.".format(target)
        )


def excluded(found, patterns):
    names = [name_of(found)]
    if isinstance(found, Index):
        names.append("{0}.{1}".format(found.table_schema, found.table))
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)


# -- the plan


def make_plan(state, options, named=frozenset(), foresee=True):
    """Steps, most urgent first; those that cannot be done have their outcome already.

    ``named``: the oids of the objects that were asked for by name, which are worked on whatever was measured, and nothing else then is.
    ``foresee``: whether the bloat counts that a VACUUM of the same plan will bring to light.
    """
    steps = []
    for table in state.tables:
        if table.persistence != "t" and not excluded(table, options["exclude"]) and (not table.shared or table.may_maintain):
            steps += table_steps(table, state, options, named)
    steps = without_repetition(steps)
    for step in steps:
        hinder(step, state, options)
    alive = {step.table: alive_share(step.found) for step in steps if foresee and step.operation == VACUUM and step.outcome == PLANNED}
    # A leftover goes with its table, also where only an index of that table was named.
    touched = named | {index.table_oid for index in state.indexes if index.oid in named}
    for index in state.indexes:
        if not excluded(index, options["exclude"]):
            found = index_step(index, state.server, options, named, touched, alive.get(index.table_oid, 1.0))
            if found:
                hinder(found, state, options)
                steps.append(found)
    return sorted(steps, key=Step.order)


def alive_share(table):
    return float(table.live) / max(1, table.live + table.dead)


def table_steps(table, state, options, named):
    if named and table.oid not in named:
        return []
    forced = [("named", "named", 0.0)] if named else []
    if table.kind == "p":
        leaves = [leaf for leaf in state.tables if leaf.root == table.oid and leaf.kind != "p"]
        found = forced or (parent_reasons(table, leaves, options) if table.root is None else [])
        if ANALYZE not in options["operations"] or not found:
            return []
        return [build(ANALYZE, table, found, family=[leaf.oid for leaf in leaves])]
    dirty = (vacuum_reasons(table, state.server, options) or forced) if VACUUM in options["operations"] else []
    stale = (analyze_reasons(table, options) or forced) if ANALYZE in options["operations"] else []
    if dirty:
        both = dirty + [reason for reason in stale if reason not in dirty]
        return [build(VACUUM, table, both, analyze=bool(stale), freeze=any(reason == "age" for reason, _why, _urgency in dirty))]
    return [build(ANALYZE, table, stale)] if stale else []


def index_step(index, server, options, named, touched, alive):
    """The Step for an index, or None."""
    if is_leftover(index):
        # Dropped whatever was asked for: every write pays for it, no query gains by it.
        if named and index.oid not in named and index.table_oid not in touched:
            return None
        return build(DROP, index, [("leftover", "left behind by a REINDEX that was interrupted", 0.0)])
    if REINDEX not in options["operations"] or named and not named & {index.oid, index.table_oid}:
        return None
    if not index.valid:
        return build(REINDEX, index, [("invalid", "not valid: no query uses it, and it guarantees nothing", 0.0)])
    found = bloat_reasons(index, server, options, alive) or ([("named", "named", 0.0)] if named else [])
    return build(REINDEX, index, found) if found else None


def build(operation, found, reasons, **more):
    names = [reason for reason, _why, _urgency in reasons]
    sentence = "; ".join(why for _reason, why, _urgency in reasons)
    return Step(operation, found, sorted(set(names), key=RANKS.index), sentence, max(urgency for _reason, _why, urgency in reasons), **more)


def without_repetition(steps):
    """ANALYZE of a partitioned table does its partitions as well: theirs are taken out."""
    covered = set()
    for step in steps:
        if step.operation == ANALYZE and step.found.kind == "p":
            covered |= step.family - {step.table}
    kept = []
    for step in steps:
        if step.table in covered and step.operation == ANALYZE:
            continue
        if step.table in covered:
            step.analyze = False
        kept.append(step)
    return kept


def hinder(step, state, options):
    """Give a step that cannot be done its outcome, with the reason."""
    server, found = state.server, step.found
    index = isinstance(found, Index)
    working = [busy for busy in state.busy if busy.oid in step.family]
    hidden = [busy for busy in state.busy if busy.oid is None and busy.what == "create index"]
    if index and not found.may_own or not index and not found.may_maintain:
        step.end(NOT_ALLOWED, rights(step, server))
    elif working:
        step.end(IN_PROGRESS, "left to {0}".format("; ".join(describe_busy(busy) for busy in working)))
    elif index and not found.valid and hidden:
        step.end(IN_PROGRESS, "{0} may be building it: the server does not tell {1}".format(describe_busy(hidden[0]), server.user))
    elif step.operation == REINDEX and found.exclusion:
        message = "an index of an exclusion constraint cannot be rebuilt beside writes; a plain REINDEX locks the table: plan a downtime"
        step.end(UNSUPPORTED, message)
    elif step.operation == VACUUM and "named" not in step.reasons:
        hold_back(step, futile(step, state, options))


def hold_back(step, holder):
    """What VACUUM cannot do on account of ``holder`` does not keep ANALYZE from being done."""
    if holder and step.analyze:
        step.operation, step.freeze = ANALYZE, False
        step.reasons = [reason for reason in step.reasons if reason in ("never_analyzed", "modified_rows")]
        step.why += "; VACUUM would remove nothing: held back by {0}".format(describe_holder(holder))
    elif holder:
        step.end(HELD_BACK, "VACUUM would remove nothing: held back by {0}".format(describe_holder(holder)))


def futile(step, state, options):
    """The Holder on whose account a VACUUM would achieve nothing, or None.

    Age: no table gets younger than the oldest snapshot. Dead rows: whatever died before the last VACUUM is gone, and whatever died later is
    still visible to a snapshot that is older than that VACUUM.
    """
    table = step.found
    holders = [holder for holder in state.holders if not holder.catalogs_only or table.schema == "pg_catalog"]
    if "age" in step.reasons:
        limit = freeze_limits(state.server, options)[0]
        oldest = max(holders, key=lambda holder: holder.age, default=None)
        return oldest if oldest and oldest.age > limit and limit < table.frozen_age <= oldest.age + limit // 20 else None
    last = table.toast_last_vacuum if table.toast_dead > table.dead else table.last_vacuum
    known = [holder for holder in holders if holder.since is not None and last is not None and holder.since < last]
    return max(known, key=lambda holder: holder.age, default=None)


def rights(step, server):
    if step.operation in (REINDEX, DROP):
        return (
            "{0} does not own {1}. Only its owner may drop what an interrupted REINDEX CONCURRENTLY leaves behind, so nothing is begun "
            "without that right. Use login_user: its owner or a superuser.".format(server.user, step.object)
        )
    return "{0} may not maintain {1}. Use its owner, the database's owner or a superuser{2}.".format(
        server.user, step.object, ", or grant pg_maintain" if server.number >= 170000 else ""
    )


def describe_busy(busy):
    return "{0} of process {1} ({2}{3}), phase {4}".format(
        busy.what, busy.pid, busy.backend or "unknown", ", " + busy.application if busy.application else "", busy.phase or "unknown"
    )


def describe_holder(holder):
    """A sentence about who holds back VACUUM."""
    parts = ["{0} {1}".format(holder.kind, holder.name)]
    parts += ["of {0}".format(holder.user)] if holder.user else []
    parts += ["({0})".format(holder.application)] if holder.application else []
    parts += [", {0}".format(holder.state)] if holder.state else []
    parts += [", for {0:.0f} s".format(holder.seconds)] if holder.seconds is not None else []
    parts += [", {0} transactions old".format(holder.age)]
    parts += [", keeps {0} bytes of WAL".format(holder.retained_bytes)] if holder.retained_bytes else []
    return " ".join(parts).replace(" ,", ",")


def notices(state, options):
    """Sentences on what a person should know: who holds back VACUUM, and what it cannot reach."""
    found = [
        "Held back: dead rows cannot be removed because of {0}.".format(describe_holder(holder))
        for holder in state.holders
        if (holder.seconds is not None and holder.seconds >= options["horizon_seconds"]) or holder.age >= options["horizon_age"]
    ]
    limit = freeze_limits(state.server, options)[0]
    found += [
        "{0} is a temporary table, {1} transactions old: only the session that made it can freeze it. End that session.".format(
            name_of(table), table.frozen_age
        )
        for table in state.tables
        if table.persistence == "t" and table.frozen_age > limit
    ]
    if not state.server.tracks:
        found.append("The server does not count rows (track_counts is off): dead and modified rows are not known.")
    return found


def judge_room(size, free, reserve):
    """A sentence that says why an index of ``size`` bytes cannot be rebuilt with ``free`` bytes left (None: not known), or None."""
    if free is None or free - reserve >= size * ROOM_FACTOR:
        return None
    return (
        "{0} bytes are free, of which {1} stay free; a rebuild takes up to {2} (a copy, and as much for sorting and WAL). Make room, or "
        "lower reserve_bytes.".format(free, reserve, size * ROOM_FACTOR)
    )


# -- which step is next


def next_step(waiting, running, now):
    """The step to begin, or None: the first that is ready, unless it must wait for one that runs.

    Nothing begins before a rebuild that waits for its turn to be alone, or that turn would never come. A rebuild does not begin while a
    leftover of its table is there: it would make another one.
    """
    if any(step.alone for step in running):
        return None
    dropping = set().union(*(step.family for step in waiting if step.operation == DROP))
    for step in waiting:
        if step.not_before > now or step.operation == REINDEX and step.family & dropping:
            continue
        if step.alone:
            return None if running else step
        if not any(step.family & other.family for other in running):
            return step
    return None


def back_off(step, interval, retries, now):
    """Have a step tried again later. -> whether it is; when not, it has been tried often enough."""
    if step.attempts > retries:
        return False
    step.not_before = now + interval * 2 ** (step.attempts - 1)
    return True
