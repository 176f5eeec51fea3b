#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_sessions
short_description: End the sessions of a PostgreSQL server that a policy means
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Ends the sessions that have been in one of O(states) for longer than O(older_than), and that all the other options mean.
  - A statement that runs is cancelled first; only a session that is still in the same state after O(grace) is terminated. One that waits
    for its client has no statement that could be cancelled, and is terminated at once.
  - Never ended are the module's own session and others of this collection, superusers' sessions, those of replication and of roles that may
    replicate, background workers, and what O(allow_list) names.
  - At the moment of the signal the server itself compares the session's start and the time since which it is in its state. So neither a
    session that has got the pid of another one, nor one that has just begun to work, is ever hit.
  - Needs the role C(pg_monitor) to see the sessions of others, and C(pg_signal_backend) or their role to end them.
extends_documentation_fragment:
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.attributes
attributes:
  check_mode:
    support: full
    details: Returns exactly the sessions that would be ended.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A second run finds none that still matches, unless clients have connected anew.
options:
  login_host:
    description: The host of the PostgreSQL server, or the folder of its socket.
    type: str
    required: true
  states:
    description: The states that are meant, as C(pg_stat_activity) has them.
    type: list
    elements: str
    required: true
    choices: [active, idle, idle in transaction, idle in transaction (aborted), fastpath function call]
  older_than:
    description: For how long a session must have been in its state, such as V(90), V(15m) or V(1h30m).
    type: str
    required: true
  users:
    description: Shell patterns of users. Empty means all.
    type: list
    elements: str
    default: []
  applications:
    description: Shell patterns of application names, such as V(worker-*). Empty means all.
    type: list
    elements: str
    default: []
  databases:
    description: Shell patterns of databases. Empty means all.
    type: list
    elements: str
    default: []
  addresses:
    description: Addresses or networks of clients, or V(local) for the server's socket. Empty means all.
    type: list
    elements: str
    default: []
  allow_list:
    description: Who is never ended. An entry means the sessions for which everything that it names is right.
    type: list
    elements: dict
    default: []
    suboptions:
      user:
        description: A shell pattern of users.
        type: str
      application:
        description: A shell pattern of application names.
        type: str
      database:
        description: A shell pattern of databases.
        type: str
      address:
        description: An address, a network, or V(local).
        type: str
  maximum:
    description: How many sessions may be ended at most. If more are meant, none is, and the module fails with their number.
    type: int
    default: 50
  grace:
    description: The seconds between cancelling a statement and terminating its session.
    type: float
    default: 5.0
  wait_timeout:
    description: The seconds to wait until what was terminated is gone.
    type: float
    default: 10.0
  timeout:
    description: The seconds that connecting may take, and each query.
    type: float
    default: 5.0
seealso:
  - module: astraldraft.ops.postgres_info
"""

EXAMPLES = r"""
- name: End transactions that a client has forgotten, but not the reports'
  astraldraft.ops.postgres_sessions:
    login_host: 127.0.0.1
    login_user: astral_admin
    login_password: "{{ vault_postgres_admin_password }}"
    states: [idle in transaction, idle in transaction (aborted)]
    older_than: 15m
    databases: [astral_draft_v4]
    allow_list:
      - application: report-*
    maximum: 20
"""

RETURN = r"""
matched:
  description: The sessions that are meant and may be ended. In check mode they are what would be ended.
  returned: always
  type: list
  elements: dict
  contains:
    pid:
      description: The process.
      type: int
    started:
      description: When the session began.
      type: str
    user:
      description: The user.
      type: str
    application:
      description: What the client calls itself.
      type: str
    database:
      description: The database.
      type: str
    address:
      description: The client's address, V(local) for the server's socket.
      type: str
    state:
      description: Its state.
      type: str
    seconds:
      description: For how long it was in that state.
      type: float
    action:
      description: C(cancel) (and, if that does not help, C(terminate)) or C(terminate).
      type: str
spared:
  description: The sessions that match and are never ended, with C(why) (own, superuser, replication, background worker, allow_list).
  returned: always
  type: list
  elements: dict
cancelled:
  description: The pids of those whose statement was cancelled, which was enough.
  returned: always
  type: list
  elements: int
terminated:
  description: The pids of those that were terminated and are gone.
  returned: always
  type: list
  elements: int
recovered:
  description: The pids of those that had changed their state or were gone before they were to be ended.
  returned: always
  type: list
  elements: int
remained:
  description: The sessions that would not go, with C(why).
  returned: always
  type: list
  elements: dict
before:
  description: C(usable) slots, C(used) ones, and sessions C(by_state). V(null) when the server did not answer.
  returned: always
  type: dict
  sample: {"usable": 97, "used": 90, "by_state": {"idle in transaction": 70, "idle": 20}}
after:
  description: The same afterwards; in check mode and when nothing was ended as before. V(null) when the server did not answer.
  returned: always
  type: dict
unseen:
  description: What could not be seen, and what would help. Empty when all could.
  returned: always
  type: str
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_sessions as sessions
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN, LOGIN_SPEC, connect
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

PATTERNS = {"type": "list", "elements": "str", "default": []}
SPEC = dict(
    LOGIN_SPEC,
    login_host={"type": "str", "required": True},
    states={"type": "list", "elements": "str", "required": True, "choices": list(sessions.STATES)},
    older_than={"type": "str", "required": True},
    users=PATTERNS,
    applications=PATTERNS,
    databases=PATTERNS,
    addresses=PATTERNS,
    allow_list={"type": "list", "elements": "dict", "default": [], "options": {field: {"type": "str"} for field in sessions.FIELDS}},
    maximum={"type": "int", "default": 50},
    grace={"type": "float", "default": 5.0},
    wait_timeout={"type": "float", "default": 10.0},
    timeout={"type": "float", "default": 5.0},
)
LISTS = ("matched", "spared", "cancelled", "terminated", "recovered", "remained")
EMPTY = dict({name: [] for name in LISTS}, before=None, after=None, unseen="")
PAUSE = 0.1


def known(answer):
    """What a job that ran beside us returned; raises what it raised."""
    if isinstance(answer, Exception):
        raise answer
    return answer


class Server:
    """One connection, each query within its time even if the server hangs."""

    def __init__(self, module):
        params = module.params
        self._psycopg2, self._module, self._timeout = load("psycopg2", "psycopg2-binary"), module, params["timeout"]
        login = {name: params[name] for name in LOGIN}
        self._name = where(login["login_host"], login["login_port"])
        self._connection = self._within(lambda: connect(self._psycopg2, login, self._timeout))

    def _within(self, job):
        # libpq takes two seconds at least to give up connecting, and dial() looks then why.
        answer = in_parallel([(job, max(self._timeout, 2.0) * 2)], self._module.heartbeat)[0]
        if isinstance(answer, self._psycopg2.Error):
            raise OpsError("{0} refused the query: {1}".format(self._name, one_line(str(answer))))
        if answer is None:
            raise OpsError("{0} did not answer within {1:g} s. Is it stopped, or its host?".format(self._name, self._timeout))
        return known(answer)

    def _fetch(self, query, arguments=None):
        def job():
            with self._connection.cursor() as cursor:
                cursor.execute(query, arguments)
                return cursor.fetchall()

        return self._within(job)

    def look(self):
        return self._fetch(sessions.SESSIONS)[0][0]

    def signal(self, action, some):
        """Send the signal to those that are still the same and in the same state. -> the pids that got it."""
        query = sessions.SIGNAL.format(function=sessions.FUNCTIONS[action])
        return [pid for pid, sent in self._fetch(query, sessions.arguments(some)) if sent]


def policy_of(params):
    try:
        seconds = duration_seconds(params["older_than"])
    except ValueError as error:
        raise OpsError("older_than: {0}.".format(error))
    fields = {"user": "users", "application": "applications", "database": "databases", "address": "addresses"}
    patterns = {field: params[option] for field, option in fields.items()}
    policy = sessions.Policy(params["states"], seconds, patterns, params["allow_list"])
    sessions.check(policy)
    return policy


def still(server, policy, some):
    """Those of ``some`` that the policy still means, as they are now."""
    wanted = {sessions.key(session) for session in some}
    return [session for session in sessions.plan(policy, server.look())[0] if sessions.key(session) in wanted]


def patiently(module, left, seconds):
    """What ``left()`` still finds after at most so many seconds."""
    return poll(left, lambda some: not some, seconds, PAUSE, module.heartbeat)[0]


def end(module, server, policy, meant, result):
    """Cancel, wait, terminate, wait; ``result`` says at any time how far it has come."""
    running = [session for session in meant if session["state"] in sessions.CANCELLABLE]
    rest = [session for session in meant if session not in running]
    hit = set()
    if running:
        module.fence()
        hit = set(server.signal("cancel", running))
        result["changed"] = bool(hit)
        stubborn = patiently(module, lambda: still(server, policy, running), module.params["grace"])
        result["cancelled"] = sorted(hit - {session["pid"] for session in stubborn})
        rest += stubborn
    if rest:
        module.fence()
        ended = set(server.signal("terminate", rest))
        result["changed"] = result["changed"] or bool(ended)
        keys = {sessions.key(session): session for session in rest if session["pid"] in ended}

        def left():
            present = {sessions.key(session) for session in server.look()["sessions"] or []}
            return [session for key, session in keys.items() if key in present]

        remaining = patiently(module, left, module.params["wait_timeout"])
        why = "it got the signal, and is there after {0:g} s: what it does cannot be interrupted".format(module.params["wait_timeout"])
        result["remained"] += [sessions.told(session, why=why) for session in remaining]
        result["terminated"] = sorted(ended - {session["pid"] for session in remaining})
    touched = set(result["cancelled"]) | set(result["terminated"]) | {session["pid"] for session in result["remained"]}
    result["recovered"] = sorted({session["pid"] for session in meant} - touched)


def work(module, result):
    params, policy = module.params, policy_of(module.params)
    server = Server(module)
    answer = server.look()
    meant, kept = sessions.plan(policy, answer)
    result.update(before=sessions.counts(answer), after=sessions.counts(answer))
    result["spared"] = [sessions.told(one, why=one["why"]) for one in kept]
    if not answer["sees_all"]:
        result["unseen"] = "Whether others' sessions match cannot be seen: {0} is no member of pg_monitor.".format(answer["user"])
        module.warn(result["unseen"])
    able = [session for session in meant if session["may"]]
    why = "{0} may not end it: grant it pg_signal_backend".format(answer["user"])
    result["remained"] = [sessions.told(session, why=why) for session in meant if not session["may"]]
    result["matched"] = [
        sessions.told(session, action="cancel" if session["state"] in sessions.CANCELLABLE else "terminate") for session in able
    ]
    refusal = sessions.refusal(able, params["maximum"])
    if refusal:
        raise OpsError(refusal)
    if module.check_mode:
        result["changed"] = bool(able)
    elif able:
        end(module, server, policy, able, result)
        result["after"] = sessions.counts(server.look())
    if result["remained"] and not module.check_mode:
        told = ["{0} ({1}): {2}".format(one["pid"], one["user"], one["why"]) for one in result["remained"][:5]]
        raise OpsError("{0} of {1} sessions would not go: {2}.".format(len(result["remained"]), len(meant), "; ".join(told)))


def main():
    run(work, SPEC, dict(EMPTY), supports_check_mode=True)


if __name__ == "__main__":
    main()
