# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restoring a database beside the live one: what is refused, what is kept and for how long. Private: other collections must not import it.

Data in (what STATE and DATABASES answer, a manifest), judgement and SQL out. Whose database a kept one was, which one took its place and
until when it is kept stands in its own comment: it is written in the transaction of the swap, and cannot disagree with it.
"""

from __future__ import annotations

import collections
import hashlib
import json
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import identifier, literal
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

#: Where everything is done from, so that nobody is in the databases that are swapped.
MAINTENANCE = "postgres"
RESERVED = (MAINTENANCE, "template0", "template1")
PREVIOUS, UNDONE = "previous", "undone"
#: Of a database that a DROP DATABASE was killed in (datconnlimit).
INVALID = -2
OLDEST = 130000  # DROP DATABASE ... WITH (FORCE)
MOST_BYTES = 63
_WORDS = {PREVIOUS: "before", UNDONE: "undone"}
_MARK = "astraldraft.ops"

#: A database that is kept: ``of`` is the name it had, ``replaced_by`` the oid of the one that took its place, ``written`` what had been
#: written to that one by then, ``comment`` and ``limit`` its own. ``counting``: whoever counted its rows did not come to an end.
#: ``provisional``: nobody has said yet that what took its place is meant to stay.
Kept = collections.namedtuple(
    "Kept", "name oid role of since until replaced_by backup sha256 written comment limit bytes valid counting provisional"
)

DATABASES = """
SELECT json_build_object('oid', d.oid::bigint, 'name', d.datname, 'comment', shobj_description(d.oid, 'pg_database'),
  'bytes', pg_database_size(d.oid), 'open', d.datallowconn, 'limit', d.datconnlimit)
  FROM pg_database d
"""
# Sessions: our own are none in the live database. What a prepared transaction, a slot or a subscription belongs to cannot be renamed.
STATE = """
SELECT json_build_object(
  'version', split_part(current_setting('server_version'), ' ', 1), 'number', current_setting('server_version_num')::int,
  'major', current_setting('server_version_num')::int / 10000, 'port', current_setting('port')::int, 'in_recovery', pg_is_in_recovery(),
  'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  'data_directory', (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
  'prepared', (SELECT coalesce(json_agg(gid ORDER BY gid), '[]') FROM pg_prepared_xacts WHERE database = {0}),
  'slots', (SELECT coalesce(json_agg(slot_name ORDER BY slot_name), '[]') FROM pg_replication_slots WHERE database = {0}),
  'subscriptions', (SELECT coalesce(json_agg(subname ORDER BY subname), '[]') FROM pg_subscription s
                     JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = {0}),
  'sessions', (SELECT coalesce(json_object_agg(application, sessions), '{{}}') FROM (
                SELECT coalesce(nullif(application_name, ''), backend_type, '') AS application, count(*) AS sessions
                  FROM pg_stat_activity WHERE datname = {0} GROUP BY 1) a),
  'standbys', (SELECT count(*) FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'),
  'extensions', (SELECT coalesce(json_agg(name), '[]') FROM pg_available_extensions),
  'roles', (SELECT json_agg(rolname) FROM pg_roles),
  'tablespaces', (SELECT json_agg(spcname) FROM pg_tablespace))
"""
# Of all tables that people write to. Since when it is counted tells of a crash (the server's own counters begin anew), or that somebody
# has reset the database's. What no counter tells (a table that was made, dropped, altered, truncated) shows in the tables' own marks.
WRITTEN = """
SELECT json_build_object('tables', (
  SELECT md5(coalesce(string_agg(concat_ws(' ', c.oid, c.relfilenode, c.relname, c.relowner, c.relchecks, c.relhastriggers,
           (SELECT string_agg(concat_ws(' ', attname, atttypid, attnotnull), ' ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0)), ' ' ORDER BY c.oid), ''))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind NOT IN ('i', 'I', 't') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
  'inserted', coalesce(sum(n_tup_ins), 0), 'updated', coalesce(sum(n_tup_upd), 0),
  'deleted', coalesce(sum(n_tup_del), 0), 'since', concat_ws(' ', (SELECT stats_reset FROM pg_stat_bgwriter),
  (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()))) FROM pg_stat_user_tables
"""
COUNTERS, ALTERED = ("inserted", "updated", "deleted"), "altered"
SESSIONS_OF = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
# Once the swap has, or waits for, the lock for which everybody waits who connects: nobody comes back.
TERMINATE = """
SELECT a.pid, a.backend_start::text, coalesce(nullif(a.application_name, ''), a.backend_type, ''), pg_terminate_backend(a.pid)
  FROM pg_stat_activity a
 WHERE a.datid = ANY(%(oids)s::oid[]) AND a.pid <> %(pid)s AND EXISTS (
   SELECT FROM pg_locks l WHERE l.pid = %(pid)s AND l.locktype = 'object' AND l.classid = 'pg_database'::regclass
      AND l.objid = ANY(%(oids)s::oid[]) AND l.mode = 'AccessExclusiveLock')
"""
# Who did not end, and who holds a lock on the database itself, from wherever.
IN_THE_WAY = """
SELECT format('%%s (%%s, %%s, %%s)', pid, coalesce(nullif(application_name, ''), backend_type), usename, coalesce(wait_event, state))
  FROM pg_stat_activity
 WHERE datid = ANY(%(oids)s::oid[]) OR pid <> %(pid)s AND pid IN (
   SELECT pid FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND objid = ANY(%(oids)s::oid[]))
 ORDER BY pid LIMIT 5
"""


def _shortened(database, suffix):
    """``database`` with ``suffix``, within what a name may have."""
    return database.encode("utf-8")[: MOST_BYTES - len(suffix)].decode("utf-8", "ignore") + suffix


def restoring_name(database):
    """Where it is restored into: the same name every time, so that what a dead run left is found by the next."""
    return _shortened(database, "__restoring_" + hashlib.sha256(database.encode("utf-8")).hexdigest()[:6])


def kept_name(database, role, moment, taken):
    """A name for a database that is kept, which is none of ``taken``. ``moment`` is an aware datetime in UTC."""
    suffix, number = "__{0}_{1:%Y%m%d_%H%M%S}".format(_WORDS[role], moment), 1
    name = _shortened(database, suffix)
    while name in taken:
        number += 1
        name = _shortened(database, "{0}_{1}".format(suffix, number))
    return name


def record_of(live, role, replaced_by, now, hours, **more):
    """What is written into the comment of the database ``live`` (dict of DATABASES) when it is put aside."""
    return dict(
        more, role=role, of=live["name"], since=to_iso(now), until=to_iso(now + hours * 3600), replaced_by=replaced_by,
        comment=live["comment"], limit=live["limit"],
    )  # fmt: skip


def comment_of(record):
    return json.dumps({_MARK: record}, sort_keys=True)


def accepted(comment):
    """The comment of a kept database, once what took its place is meant to stay."""
    record = json.loads(comment)[_MARK]
    return comment_of({key: value for key, value in record.items() if key != "provisional"})


def _kept(database):
    """The Kept that a database (dict of DATABASES) is, or None."""
    try:
        record = json.loads(database["comment"])[_MARK]
        return Kept(
            database["name"], database["oid"], record["role"], record["of"], record["since"], record["until"], record["replaced_by"],
            record.get("backup"), record.get("manifest_sha256"), record.get("written"), record["comment"], record["limit"],
            database["bytes"], database["limit"] != INVALID, database["open"] and database["limit"] == 0,
            bool(record.get("provisional")),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None


def kept_of(databases, live):
    """The kept databases (list of Kept) that had the name ``live``, the newest first."""
    found = [_kept(database) for database in databases if database["name"] != live]
    found = [kept for kept in found if kept and kept.of == live]
    return sorted(found, key=lambda kept: (kept.since, kept.name), reverse=True)


def told(kept):
    """What is said of a kept database."""
    return {
        "name": kept.name, "role": kept.role, "since": kept.since, "until": kept.until, "backup": kept.backup, "bytes": kept.bytes,
    }  # fmt: skip


def by_name(databases, name):
    return next((database for database in databases if database["name"] == name), None)


def last_restored(kept, live):
    """The Kept that the restore of the ``live`` database (dict) put aside, or None: where it was not restored, or that was undone."""
    found = kept[0] if kept and live else None
    fits = found and found.role == PREVIOUS and found.replaced_by == live["oid"] and found.valid
    return found if fits else None


def expired(kept, now):
    """Those whose time is over, and those that are half dropped already."""
    return [one for one in kept if not one.valid or one.until <= to_iso(now)]


def writes_since(then, now):
    """What was written between two answers of WRITTEN (dict), or None when nobody knows: a server that crashed counts from nought."""
    if not then or not now or now["since"] != then["since"]:
        return None
    return dict({key: int(now[key]) - int(then[key]) for key in COUNTERS}, **{ALTERED: now["tables"] != then["tables"]})


def other_rows(then, now):
    """The tables that have another number of rows than they had (both: (schema, name) to a number)."""
    return [
        {"schema": key[0], "name": key[1], "rows_then": then.get(key, 0), "rows_now": now.get(key, 0)}
        for key in sorted(set(then) | set(now))
        if then.get(key) != now.get(key)
    ]


def refuse(state, live_name):
    """Raises OpsError for what no database of that server can be swapped in."""
    if live_name in RESERVED:
        raise OpsError(
            "{0} is the server's own database, and is not restored. Name as login_db the database that is meant.".format(live_name)
        )
    if state["in_recovery"]:
        raise OpsError("The server is a standby, which takes no restore. Restore on its primary.")
    if state["number"] < OLDEST:
        raise OpsError("The server is of version {0}; a restore beside the live database takes 13 or newer.".format(state["version"]))
    if not state["superuser"]:
        raise OpsError("To swap databases takes a superuser, who may end everybody's sessions. Name one as login_user.")


def refuse_swap(state, live_name):
    """Raises OpsError with what would keep the live database from being renamed."""
    found = [
        "{0} {1}".format(what, ", ".join(state[key]))
        for key, what in (("prepared", "prepared transactions:"), ("slots", "replication slots:"), ("subscriptions", "subscriptions:"))
        if state[key]
    ]
    if found:
        raise OpsError(
            "{0} cannot be swapped: it has {1}. Finish them (COMMIT PREPARED, ROLLBACK PREPARED, pg_drop_replication_slot, DROP "
            "SUBSCRIPTION). Nothing was done.".format(live_name, "; ".join(found))
        )


def refuse_backup(entry, wanted, state):
    """Raises OpsError where a backup (entry of the catalogue) may not be restored there. ``wanted``: whose it has to be."""
    if entry["bad"]:
        raise OpsError(
            "{0} is marked bad: {1} Choose another one (playbook backup_list), or verify it again (playbook backup_verify).".format(
                entry["name"], entry["bad"]["reason"]
            )
        )
    if entry["database"] != wanted:
        raise OpsError(
            "{0} is a backup of the database {1}, not of {2}. If it is meant, say so: database: {1}.".format(
                entry["name"], entry["database"], wanted
            )
        )
    if int(entry["server_version"].split(".")[0]) > state["major"]:
        raise OpsError(
            "{0} is of a server of version {1}, and this one is of {2}: what a newer one wrote, an older one does not take. Restore it "
            "to a server of that version.".format(entry["name"], entry["server_version"], state["version"])
        )


def refuse_extensions(manifest, state):
    missing = sorted({extension["name"] for extension in manifest["extensions"]} - set(state["extensions"]))
    if missing:
        raise OpsError(
            "The server does not have what the backup needs: {0}. Install the packages of these extensions.".format(", ".join(missing))
        )


def needed_bytes(manifest, brought, factor, reserve):
    """What a second database takes, the dump itself where it is brought to the server's disk, and what is to be left."""
    return int(manifest["database_bytes"] * factor) + brought + reserve if factor else 0


def refuse_space(needed, free, where):
    if free is not None and free < needed:
        raise OpsError(
            "A second database takes {0} MiB, with what is to be left free; {1} has {2} MiB. Make room (state: cleaned drops kept "
            "databases whose time is over), or lower space_factor or reserve_bytes.".format(needed >> 20, where, free >> 20)
        )


# What a dump wants of the cluster

_CREATE_ROLE = re.compile(r'CREATE ROLE ("(?:[^"]|"")+"|[^\s;]+);')
_TABLESPACE = re.compile(r'^SET default_tablespace = (?:"((?:[^"]|"")+)"|(\w+));', re.MULTILINE)
# Where a dump names roles, its own quoting: what follows is a list of them.
_NAMES_ROLES = re.compile(r"\b(?:OWNER TO|TO|FROM|FOR ROLE|AUTHORIZATION|GRANTED BY) ")


def unquoted(name):
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def saved_roles(globals_sql):
    """The roles that were saved with a database: name to its name as the dump writes it."""
    return {unquoted(found): found for found in _CREATE_ROLE.findall(globals_sql)}


def wanted_roles(schema_sql, globals_sql, properties):
    """The roles that own something in the dump, or are granted something: a set of names."""
    saved = saved_roles(globals_sql)
    lines = [line for line in schema_sql.split("\n") if _NAMES_ROLES.search(line)]
    text = "\n".join(lines)
    found = {name for name, written in saved.items() if re.search(r'(?<![\w"]){0}(?![\w"])'.format(re.escape(written)), text)}
    named = [properties["owner"]] + [group["role"] for group in properties["settings"]]
    named += [grant["to"] for grant in properties["grants"] or []]
    return found | {name for name in named if name}


def wanted_tablespaces(schema_sql):
    found = {(quoted or bare).replace('""', '"') for quoted, bare in _TABLESPACE.findall(schema_sql)}
    return found - {"''", ""}


def roles_sql(globals_sql, names):
    """From what was saved: SQL that makes these roles, with their attributes and memberships."""
    saved = saved_roles(globals_sql)
    starts = []
    for name in names:
        written = saved.get(name, identifier(name))
        starts += ["ALTER ROLE {0} WITH ".format(written), "ALTER ROLE {0} SET ".format(written)]
    lines = globals_sql.split("\n")
    found = ["CREATE ROLE {0};".format(saved.get(name, identifier(name))) for name in sorted(names)]
    found += [line for line in lines if line.endswith(";") and line.startswith(tuple(starts))]
    members = [r"GRANT .+ TO {0}(?: WITH .+)?(?: GRANTED BY .+)?;".format(re.escape(saved.get(name, identifier(name)))) for name in names]
    return found + [line for line in lines if any(re.fullmatch(pattern, line) for pattern in members)]


# SQL


def drop_sql(name):
    return "DROP DATABASE {0} WITH (FORCE)".format(identifier(name))


def limit_sql(name, limit, is_open):
    return "ALTER DATABASE {0} ALLOW_CONNECTIONS {1} CONNECTION LIMIT {2:d}".format(identifier(name), "true" if is_open else "false", limit)


def comment_sql(name, comment):
    return "COMMENT ON DATABASE {0} IS {1}".format(identifier(name), "NULL" if comment is None else literal(comment))


def swap_sql(live, incoming, limit, comment, outgoing=None, record=None, counting=False):
    """One transaction, sent as one: the database ``incoming`` gets the name ``live``, with its own ``limit`` and ``comment``; the one that
    has the name becomes ``outgoing`` (None: there is none), with ``record`` as its comment, and nobody can connect to it; or superusers
    only, where its rows are to be counted."""
    lines = ["BEGIN"]
    if outgoing:
        lines += ["ALTER DATABASE {0} RENAME TO {1}".format(identifier(live), identifier(outgoing))]
    lines += ["ALTER DATABASE {0} RENAME TO {1}".format(identifier(incoming), identifier(live))]
    if outgoing:
        limits = limit_sql(outgoing, 0, True) if counting else limit_sql(outgoing, record["limit"], False)
        lines += [limits, comment_sql(outgoing, comment_of(record))]
    lines += [limit_sql(live, limit, True), comment_sql(live, comment), "COMMIT"]
    return ";\n".join(lines)


def mounted_at(mounts, folder):
    """Where on its host a container's ``folder`` lies (of the engine's list of mounts), or None when it is in the container's own layer."""
    fits = [mount for mount in mounts if (folder + "/").startswith(mount["Destination"].rstrip("/") + "/")]
    return max(fits, key=lambda mount: len(mount["Destination"]))["Source"] if fits else None
