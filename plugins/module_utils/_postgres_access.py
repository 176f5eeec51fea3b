# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which roles may log in, and who took that from them. Private: other collections must not import it."""

from __future__ import annotations

import collections

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

CLOSED, OPEN = "closed", "open"
#: A setting of the role says that it was closed here, and since when: what nobody closed here is not opened here.
MARK = "astraldraft.closed"
#: ``config`` is what PostgreSQL keeps of a role's settings: a list of ``name=value``, or None.
ROLES = """
SELECT r.rolname::text, r.rolcanlogin, r.rolconfig,
       (SELECT count(*)::int FROM pg_stat_activity a WHERE a.usesysid = r.oid AND a.pid <> pg_backend_pid()), r.rolname = current_user
  FROM pg_roles r
 WHERE r.rolname = ANY(%s)
"""
# Among the conditions it would be a condition like any other: the planner may ask it first, and of every process of the server.
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY(%s) AND pid <> pg_backend_pid()"
#: In one transaction, so that a role is never closed without its mark.
CLOSE = ("ALTER ROLE {0} NOLOGIN", 'ALTER ROLE {0} SET "' + MARK + '" TO {1}')
REOPEN = ("ALTER ROLE {0} LOGIN", 'ALTER ROLE {0} RESET "' + MARK + '"')

Role = collections.namedtuple("Role", "name login closed_since sessions own")


def role_of(row):
    """A row of ROLES -> Role."""
    name, login, config, sessions, own = row
    since = [item.partition("=")[2] for item in config or [] if item.partition("=")[0] == MARK]
    return Role(name, login, since[0] if since else None, sessions, own)


def told(roles):
    """What is said of them."""
    return [{"name": r.name, "login": r.login, "closed_since": r.closed_since, "sessions": r.sessions} for r in sorted(roles)]


def refuse_unknown(names, roles):
    """Raises OpsError for a role that is not there: a misspelt one would go on writing."""
    missing = sorted(set(names) - {role.name for role in roles})
    if missing:
        names = " and no role ".join(missing)
        raise OpsError("The server has no role {0}. Nothing was changed. Which there are: psql -c '\\du'".format(names))


def refuse_own(roles):
    """Raises OpsError when nobody could open it again."""
    own = [role.name for role in roles if role.own]
    if own:
        text = "{0} is who is connected here, and would close itself out. Nothing was changed. Connect as another one."
        raise OpsError(text.format(own[0]))


def plan(state, roles):
    """The roles that have to be altered so that they are in ``state``. Raises OpsError."""
    if state == OPEN:
        return [role for role in roles if role.closed_since]
    refuse_own(roles)
    return [role for role in roles if role.login]


def strangers(roles):
    """Those that cannot log in, and not by us."""
    return sorted(role.name for role in roles if not role.login and not role.closed_since)
