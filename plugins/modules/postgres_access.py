#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_access
short_description: Keep an application's roles out of a PostgreSQL server, and let them in again
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - V(closed) takes from O(roles) the right to log in, and ends their sessions, so that nothing is written by them, whoever starts
    the application again. It is over when none of them had a session for O(settle) seconds.
  - A role keeps a mark of it (a setting named C(astraldraft.closed)), in the same transaction. V(open) lets in who has that mark, and
    nobody else, so that a role that could not log in before does not get that right.
  - Who logs in as another role, such as a superuser, is not kept out.
extends_documentation_fragment:
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  login_host:
    description: The host of the PostgreSQL server, or the folder of its socket.
    type: str
    required: true
  login_user:
    description: The user to connect as, a superuser, or one with C(CREATEROLE) and C(pg_signal_backend).
  roles:
    description: The roles that the application connects as.
    type: list
    elements: str
    required: true
  state:
    description: Whether they are kept out, or let in again.
    type: str
    choices: [closed, open]
    required: true
  settle:
    description: For how many seconds nobody of them must have been seen. One that was just logging in is seen a moment later.
    type: float
    default: 0.5
  wait_timeout:
    description: The seconds to wait for that.
    type: float
    default: 10.0
  timeout:
    description: The seconds that connecting may take, and each query.
    type: float
    default: 5.0
seealso:
  - module: astraldraft.ops.postgres_sessions
  - module: astraldraft.ops.postgres_fence
"""

EXAMPLES = r"""
- name: Nobody writes while the data is being replaced
  astraldraft.ops.postgres_access:
    login_host: 127.0.0.1
    login_user: postgres
    login_password: "{{ vault_postgres_superuser_password }}"
    roles: [astral]
    state: closed
"""

RETURN = r"""
before:
  description: The roles as they were. Empty when the server did not answer.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The role.
      type: str
      returned: always
    login:
      description: Whether it may log in.
      type: bool
      returned: always
    closed_since:
      description: Since when this module keeps it out, ISO 8601. V(null) when it does not.
      type: str
      returned: always
    sessions:
      description: How many sessions it has.
      type: int
      returned: always
after:
  description: The roles afterwards, in check mode as they were. Empty when the server did not answer.
  returned: always
  type: list
  elements: dict
sessions_ended:
  description: How many sessions were ended. In check mode how many would be.
  returned: always
  type: int
strangers:
  description: Those of O(roles) that cannot log in, and that this module did not close. They stay as they are.
  returned: always
  type: list
  elements: str
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_access as access
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN, LOGIN_SPEC, connect
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SPEC = dict(
    LOGIN_SPEC,
    login_host={"type": "str", "required": True},
    roles={"type": "list", "elements": "str", "required": True},
    state={"type": "str", "choices": [access.CLOSED, access.OPEN], "required": True},
    settle={"type": "float", "default": 0.5},
    wait_timeout={"type": "float", "default": 10.0},
    timeout={"type": "float", "default": 5.0},
)
RESULT = {"before": [], "after": [], "sessions_ended": 0, "strangers": []}
PAUSE = 0.1


class Server:
    """One connection; what it refuses is raised as an OpsError."""

    def __init__(self, module):
        params = module.params
        self._psycopg2, self._names = load("psycopg2", "psycopg2-binary"), params["roles"]
        login = {name: params[name] for name in LOGIN}
        self._name = where(login["login_host"], login["login_port"])
        self._connection = connect(self._psycopg2, login, params["timeout"], readonly=module.check_mode)

    def _run(self, query, arguments=None):
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query, arguments)
                return cursor.fetchall() if cursor.description else []
        except self._psycopg2.Error as error:
            raise OpsError("{0} refused the query: {1}".format(self._name, one_line(str(error))))

    def look(self):
        found = [access.role_of(row) for row in self._run(access.ROLES, (self._names,))]
        access.refuse_unknown(self._names, found)
        return found

    def alter(self, roles, statements, moment):
        """All or none of them."""
        sql = load("psycopg2.sql", "psycopg2-binary")
        texts = [sql.SQL(text).format(sql.Identifier(role.name), sql.Literal(moment)) for role in roles for text in statements]
        # Sent as one, so one transaction.
        self._run(sql.SQL("; ").join(texts))

    def terminate(self):
        self._run(access.TERMINATE, (self._names,))


def empty(module, server):
    """End their sessions until none was seen for a while. Raises OpsError."""
    deadline, quiet = Deadline(module.params["wait_timeout"]), Deadline(module.params["settle"])
    while not quiet.passed:
        module.heartbeat()
        server.terminate()
        left = sum(role.sessions for role in server.look())
        if left:
            quiet = Deadline(module.params["settle"])
        if left and deadline.passed:
            raise OpsError(
                "{0} sessions of {1} do not end within {2:g} s. They cannot log in any more, but may still write. Look: "
                "database_connections".format(left, ", ".join(module.params["roles"]), module.params["wait_timeout"])
            )
        time.sleep(PAUSE)


def work(module, result):
    server, state = Server(module), module.params["state"]
    found = server.look()
    meant = access.plan(state, found)
    sessions = sum(role.sessions for role in found) if state == access.CLOSED else 0
    result.update(before=access.told(found), after=access.told(found), strangers=access.strangers(found), sessions_ended=sessions)
    result["changed"] = bool(meant or sessions)
    if module.check_mode or not result["changed"]:
        return
    module.fence()
    if meant:
        server.alter(meant, access.CLOSE if state == access.CLOSED else access.REOPEN, to_iso(utc_now()))
    if state == access.CLOSED:
        empty(module, server)
    result["after"] = access.told(server.look())


def main():
    run(work, SPEC, dict(RESULT), supports_check_mode=True)


if __name__ == "__main__":
    main()
