# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What indexes are worth: invalid, duplicate, unused, and missing for foreign keys. Private: other collections must not import it.

Data in (what _postgres_queries.relations and .replica return), judgement out. An index is called unused only when nothing speaks against
it: it was read on no server, for long enough, and nothing but reading it depends on it.
"""

from __future__ import annotations

import re

from ansible_collections.astraldraft.ops.plugins.module_utils._figures import judged, size
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_info import rows

DAY = 86400
SMALL_TABLE = 10 * 8192  # smaller ones are read as a whole, whatever indexes they have

# Where in its statement an expression stood differs between equal expressions.
_LOCATION = re.compile(r" :location -?\d+")


def title(row):
    return "{0}.{1}".format(row["schema"], row["name"])


def table_of(row):
    return "{0}.{1}".format(row["schema"], row["table"])


def key_columns(index):
    """The columns that the index is searched by, without those it only carries."""
    return (index["columns"] or [])[: index["keys"]]


def brief(index, **more):
    """What is told of an index."""
    keys = ("bytes", "scans", "last_scan", "definition")
    return dict({"index": title(index), "table": table_of(index)}, **dict({key: index[key] for key in keys}, **more))


# --- invalid ----------------------------------------------------------------------------------------------------------------------------


def invalid(indexes):
    """Left behind by a build that failed: they cost every write and serve nobody. Those that are being built are not meant.

    A partitioned index is invalid as long as a partition lacks its own, and costs nothing.
    """
    return [brief(index) for index in indexes if not index["valid"] and not index["building"] and index["relkind"] == "i"]


# --- duplicate --------------------------------------------------------------------------------------------------------------------------


def _shape(index, columns):
    """Everything in which two indexes with the same leading ``columns`` must agree to find the same rows."""
    expressions, predicate = (_LOCATION.sub("", index[key] or "") for key in ("expressions", "predicate"))
    count = len(columns)
    per_column = [tuple((index[key] or [])[:count]) for key in ("classes", "collations", "options")]
    return (index["table_oid"], index["method"], tuple(columns), tuple(per_column), expressions, predicate)


def must_stay(index, referencing=frozenset()):
    """Why an index stays whoever reads it, or an empty string."""
    constraints = set(index["constraints"] or [])
    for holds, reason in (
        ("p" in constraints or index["primary"], "primary key"),
        ("f" in constraints, "referenced by a foreign key"),
        ("u" in constraints, "unique constraint"),
        ("x" in constraints or index["exclusion"], "exclusion constraint"),
        (index["unique"], "keeps values unique"),
        (index["replica_identity"], "replica identity"),
        (index["clustered"], "order of the table (CLUSTER)"),
        (index["extension"], "belongs to an extension"),
        (index["relkind"] == "I", "of a partitioned table"),
        (index["parent"] is not None, "part of the index of a partitioned table"),
        (index["oid"] in referencing, "serves a foreign key"),
    ):
        if holds:
            return reason
    return ""


def _replaceable(index, by):
    """Whether ``index`` may go because ``by`` does the same: it guards nothing, or ``by`` keeps the same values unique."""
    if any(index[key] for key in ("constraints", "primary", "exclusion", "replica_identity", "clustered", "extension")):
        return False
    if index["parent"] is not None or not index["unique"]:
        return index["parent"] is None
    equal = key_columns(index) == key_columns(by) and index["nulls_not_distinct"] == by["nulls_not_distinct"]
    return bool(by["unique"]) and equal


def _serves(index, by):
    """``identical``, ``prefix`` or None: how far ``by`` finds whatever ``index`` finds."""
    columns, others = index["columns"] or [], by["columns"] or []
    if index["keys"] == by["keys"] and _shape(index, columns) == _shape(by, others):
        return "identical"
    mine, theirs = key_columns(index), key_columns(by)
    if index["method"] != "btree" or index["expressions"] or by["expressions"] or len(mine) >= len(theirs):
        return None
    # What it carries beyond its keys, the longer one has to carry, too.
    carries = set(columns) <= set(others)
    return "prefix" if carries and _shape(index, mine) == _shape(by, theirs[: len(mine)]) else None


def duplicates(indexes):
    """Indexes that another one of the same table replaces, with ``of`` and ``kind``: identical, or a prefix. One of each pair stays."""
    found, gone = [], set()
    by_table = {}
    for index in indexes:
        if index["valid"]:
            by_table.setdefault(index["table_oid"], []).append(index)
    for siblings in by_table.values():
        # Of two that are alike the one that guards something stays, then the one that is read, then the older one.
        for index in sorted(siblings, key=lambda row: (bool(must_stay(row)), row["scans"] or 0, -row["oid"])):
            for other in siblings:
                kind = _serves(index, other) if other is not index and other["oid"] not in gone else None
                if kind and _replaceable(index, other):
                    gone.add(index["oid"])
                    found.append(brief(index, of=title(other), kind=kind))
                    break
    return found


# --- foreign keys -----------------------------------------------------------------------------------------------------------------------


def _supports(index, key):
    """Whether the index finds the rows of a foreign key's columns, in whatever order it has them."""
    count = len(key["columns"])
    if not index["valid"] or index["table_oid"] != key["table_oid"] or index["method"] not in ("btree", "hash"):
        return False
    leading = key_columns(index)[:count]
    if set(leading) != set(key["columns"]) or len(leading) != count:
        return False
    # Rows without a value refer to nothing.
    return not index["predicate"] or count == 1 and _only_not_null(index["predicate"])


def _only_not_null(predicate):
    return predicate.startswith("{NULLTEST") and ":nulltesttype 1" in predicate and predicate.count("{") <= 2


def _keys(foreign_keys):
    """Each foreign key once: those that partitions inherit, and the copies for partitions that are referred to, are one."""
    found = {}
    for key in foreign_keys:
        found.setdefault((key["table_oid"], tuple(key["columns"])), key)
    return list(found.values())


def referencing(indexes, foreign_keys):
    """The oids of the indexes that serve a foreign key's own side."""
    keys = _keys(foreign_keys)
    return frozenset(index["oid"] for index in indexes if any(_supports(index, key) for key in keys))


def missing(indexes, foreign_keys):
    """Foreign keys without an index on their own side, of large tables: each delete of what they refer to reads the whole table."""
    found = []
    for key in _keys(foreign_keys):
        if key["large"] and not any(_supports(index, key) for index in indexes):
            create = "CREATE INDEX CONCURRENTLY ON {0} ({1})".format(table_of(key), ", ".join(key["names"]))
            found.append({"constraint": key["name"], "table": table_of(key), "columns": key["names"], "references": key["references"],
                          "bytes": key["bytes"], "create": create})  # fmt: skip
    return found


# --- unused -----------------------------------------------------------------------------------------------------------------------------


def doubts(statistics, standbys, replicas, least_days):
    """What keeps any index from being called unused: a list of sentences, empty when nothing does.

    ``statistics``: of the server itself; ``standbys``: how many it has; ``replicas``: a dict of name to what the replica answered, or to
    a sentence that says why it did not.
    """
    found = []
    if statistics["in_recovery"]:
        found.append("this is a replica, and what the primary reads is not known here: ask the primary")
    # Those of a replica are not seen by the primary.
    standbys += sum(answer["standbys"] for answer in replicas.values() if not isinstance(answer, str))
    if len(replicas) < standbys:
        found.append("it has {0} standbys, and {1} replicas are given to ask".format(standbys, len(replicas)))
    found += _too_young("the server", statistics, least_days)
    for name, answer in sorted(replicas.items()):
        if isinstance(answer, str):
            found.append(answer)
            continue
        other = answer["statistics"]
        if not other["in_recovery"] or None not in (other["system"], statistics["system"]) and other["system"] != statistics["system"]:
            found.append("{0} is no replica of it".format(name))
        found += _too_young("replica {0}".format(name), other, least_days)
    return found


def _too_young(name, statistics, least_days):
    if not statistics["track_counts"]:
        return ["{0} counts nothing (track_counts is off)".format(name)]
    if statistics["since"] is None:
        return ["since when {0} counts is not known".format(name)]
    days = (statistics["now"] - statistics["since"]) / DAY
    return ["{0} counts only since {1:.1f} days, {2:g} are wanted".format(name, days, least_days)] if days < least_days else []


def unused(indexes, foreign_keys, replicas, now, least_days):
    """Indexes that nobody reads and nothing needs, the largest first, and how many unread ones stay by reason.

    Whether anything may be called unused at all is for :func:`doubts` to say.
    """
    serving, found, kept = referencing(indexes, foreign_keys), [], {}
    for index in indexes:
        if index["scans"] or not index["valid"] or index["building"]:
            continue
        reason = must_stay(index, serving)
        if not reason and _read_on(index, replicas):
            reason = "read on a replica"
        if not reason and index["created"] is not None and now - index["created"] < least_days * DAY:
            reason = "too new"
        if reason:
            kept[reason] = kept.get(reason, 0) + 1
        else:
            found.append(brief(index, drop="DROP INDEX CONCURRENTLY {0}".format(title(index)), cautions=_cautions(index)))
    return sorted(found, key=lambda row: -row["bytes"]), kept


def _read_on(index, replicas):
    return any((answer["scans"] or {}).get(str(index["oid"])) for answer in replicas.values() if not isinstance(answer, str))


def _cautions(index):
    found = []
    if index["expressions"]:
        found.append("the planner's statistics on its expression go with it")
    if (index["table_bytes"] or 0) < SMALL_TABLE:
        found.append("its table is so small that it is read as a whole; it may be read when the table has grown")
    if index["created"] is None:
        found.append("PostgreSQL does not know when it was made (track_commit_timestamp is off): look again in some days")
    return found


# --- together ---------------------------------------------------------------------------------------------------------------------------


def judge(answer, standbys, replicas, thresholds, least_days):
    """The figures of the indexes, and what they were made of: ``(list of Figure, dict)``."""
    indexes, foreign_keys, statistics = rows(answer, "indexes"), rows(answer, "foreign_keys"), answer["statistics"]
    open_questions = doubts(statistics, standbys, replicas, least_days)
    never_read, kept = unused(indexes, foreign_keys, replicas, statistics["now"], least_days)
    found = {
        "total": len(indexes),
        "invalid": invalid(indexes),
        "duplicate": duplicates(indexes),
        "unused": [] if open_questions else never_read,
        "kept": kept,
        "doubts": open_questions,
        "missing": missing(indexes, foreign_keys),
    }
    figures = [
        _figure("invalid_indexes", thresholds, found["invalid"], "Remove and make them again: playbook database_maintenance."),
        _figure("duplicate_indexes", thresholds, found["duplicate"], "Drop those listed, one at a time (DROP INDEX CONCURRENTLY)."),
        _unused_figure(thresholds, found),
        _figure("missing_indexes", thresholds, found["missing"], "Create them (CREATE INDEX CONCURRENTLY), or live with slow deletes."),
    ]
    return figures, found


def _figure(name, thresholds, found, advice):
    label = "table" if name == "missing_indexes" else "index"
    total = size(sum(row["bytes"] or 0 for row in found))
    message = "none" if not found else "{0} ({1}): {2}".format(len(found), total, ", ".join(row[label] for row in found[:3]))
    return judged(name, thresholds, len(found), message + (", ..." if len(found) > 3 else ""), advice, required=name == "invalid_indexes")


def _unused_figure(thresholds, found):
    if found["doubts"]:
        return judged("unused_indexes", thresholds, None, found["doubts"][0], "Until then no index is called unused.", required=False)
    return _figure("unused_indexes", thresholds, found["unused"], "Drop them one at a time, and keep the definition to make it again.")
