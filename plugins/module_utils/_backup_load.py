# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A dump, read by pg_restore: listed, decoded, and loaded into a database. Private: other collections must not import it.

``place`` is where the tools are (_postgres_tools), ``folder`` a directory-format dump as they see it, ``environment`` libpq's.
"""

from __future__ import annotations

import heapq
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_manifest import listed_tables
from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import identifier, literal
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words

_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
_LOCALES = {"i": "ICU_LOCALE", "b": "BUILTIN_LOCALE"}
_WORDS = re.compile(r"[A-Z ]+")
# What is said where something is wanting that no dump brings with it: disk, memory, an extension's files, a locale, a server that lives.
_WANTING = re.compile(
    r"No space left on device|[Oo]ut of memory|Cannot allocate memory|server closed the connection|connection to server|"
    r"crash of another server process|extension \".*\" is not available|could not access file|could not load library|"
    r"locale name|could not create locale"
)
_KILLED = (-1, 137)


class Unreadable(OpsError):
    """The dump is what failed, not what reads it."""


def failure(what, place, done):
    """What to raise of a program (Finished) that failed: Unreadable, or an OpsError where the place is to blame, and not the dump."""
    killed = done.code in _KILLED
    said = "{0}: {1}".format(what, "it was killed" if killed else last_words(done.complaint))
    if killed or _WANTING.search(done.complaint):
        return OpsError(
            "{0}. That is for want of something on {1}, and says nothing of the backup. See to it, and try again.".format(said, place.name)
        )
    return Unreadable(said)


def connection_string(database):
    """``--dbname`` for any name: pg_restore takes one with an equals sign for connection options."""
    return "dbname='{0}'".format(database.replace("\\", "\\\\").replace("'", "\\'"))


def list_dump(place, folder, tick):
    """The table of contents (str). Raises Unreadable."""
    done = place.run(["pg_restore", "--list", "--format=directory", folder], tick)
    if done.code:
        raise failure("pg_restore cannot read the table of contents", place, done)
    return done.output.decode("utf-8", "replace")


def decode_lists(listing, sizes, jobs):
    """The listing as ``jobs`` lists for ``--use-list``, whose files are about as large. ``sizes``: file name without ending to bytes."""
    heap = [(0, number, []) for number in range(max(1, jobs))]
    tables = {number for number, _line in listed_tables(listing)[1]}
    rest = []
    for line in listing.split("\n"):
        number = line.partition(";")[0]
        if number.isdigit() and int(number) in tables:
            total, position, lines = heapq.heappop(heap)
            heapq.heappush(heap, (total + sizes.get(number, 0) + 1, position, lines + [line]))
        elif number.isdigit():
            rest.append(line)
    lists = [lines for _total, _position, lines in sorted(heap, key=lambda item: item[1]) if lines]
    return [lines + (rest if position == 0 else []) for position, lines in enumerate(lists)] or [rest]


def start_decoding(place, folder, listing, sizes, jobs, work):
    """Start to read every byte of the dump, without a server. -> what to hand to finish_decoding."""
    running = []
    for number, lines in enumerate(decode_lists(listing, sizes, jobs)):
        text = ("\n".join(lines) + "\n").encode("utf-8")
        place.put(work, [("list-{0}".format(number), len(text), [text])])
        running.append(
            place.start(
                ["pg_restore", "--file=/dev/null", "--format=directory", "--use-list={0}/list-{1}".format(work, number), folder]
            )
        )  # fmt: skip
    return running


def finish_decoding(place, running, tick):
    """Raises Unreadable when the dump could not be read to its end."""
    for done in place.drive(running, tick):
        if done.code:
            raise failure("pg_restore cannot read all of the dump", place, done)


def create_database_sql(name, properties, with_owner=True):
    """CREATE DATABASE as the backed up one was made: encoding, locale and owner (dict ``properties`` of the manifest)."""
    provider = properties["locale_provider"]
    parts = [
        "TEMPLATE template0",
        "ENCODING {0}".format(literal(properties["encoding"])),
        "LC_COLLATE {0}".format(literal(properties["collate"])),
        "LC_CTYPE {0}".format(literal(properties["ctype"])),
    ]
    if provider in _LOCALES:
        parts.append("LOCALE_PROVIDER {0} {1} {2}".format(_PROVIDERS[provider], _LOCALES[provider], literal(properties["locale"])))
    if with_owner:
        parts.append("OWNER {0}".format(identifier(properties["owner"])))
    return "CREATE DATABASE {0} {1}".format(identifier(name), " ".join(parts))


def database_properties_sql(name, properties):
    """What else belongs to a database and is in no dump of its content: settings, privileges, comment, connection limit. A list of SQL."""
    database = identifier(name)
    found = ["ALTER DATABASE {0} CONNECTION LIMIT {1:d}".format(database, properties["connection_limit"])]
    if properties["comment"]:
        found.append("COMMENT ON DATABASE {0} IS {1}".format(database, literal(properties["comment"])))
    for group in properties["settings"]:
        for setting in group["settings"]:
            variable, _equals, value = setting.partition("=")
            role = (
                "ALTER ROLE {0} IN DATABASE {1}".format(identifier(group["role"]), database)
                if group["role"]
                else "ALTER DATABASE " + database
            )
            found.append("{0} SET {1} = {2}".format(role, ".".join(map(identifier, variable.split("."))), setting_value(variable, value)))
    if properties["grants"] is not None:
        found.append("REVOKE ALL ON DATABASE {0} FROM PUBLIC".format(database))
        for grant in properties["grants"]:
            if not _WORDS.fullmatch(grant["privilege"]):
                raise OpsError("The manifest names a privilege {0!r}, which is none.".format(grant["privilege"]))
            to = identifier(grant["to"]) if grant["to"] else "PUBLIC"
            option = " WITH GRANT OPTION" if grant["grantable"] else ""
            found.append("GRANT {0} ON DATABASE {1} TO {2}{3}".format(grant["privilege"], database, to, option))
    return found


#: Settings that are lists of names: quoted as one string they would be one name.
_LISTS = frozenset(("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries", "shared_preload_libraries"))


def setting_value(variable, value):
    if variable.lower() in _LISTS:
        return ", ".join(literal(part.strip().strip('"')) for part in value.split(",")) or "''"
    return literal(value)


def load(place, environment, folder, database, jobs, tick, extra=()):
    """Load the dump into an empty database, by ``jobs`` at a time; ends at the first error. Raises Unreadable with what pg_restore said."""
    argv = ["pg_restore", "--format=directory", "--exit-on-error", "--no-password", "--jobs={0}".format(jobs)]
    done = place.run(argv + ["--dbname=" + connection_string(database), *extra, folder], tick, environment)
    if done.code:
        raise failure("pg_restore could not restore it", place, done)
