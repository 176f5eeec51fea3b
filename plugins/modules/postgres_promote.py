#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_promote
short_description: Make a PostgreSQL replica the primary, when it has replayed what the old primary wrote
version_added: 0.1.0
description:
  - Waits until the replica has replayed up to O(lsn), then promotes it, and waits until it takes writes, on a new timeline.
  - Refuses while one of O(peers) takes writes, or answers without saying whether it does. Fence that one first
    (M(astraldraft.ops.postgres_fence)).
  - A server that is the primary already is left as it is.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._postgres
  - astraldraft.ops._postgres_server.peers
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Neither waits nor looks at O(peers) in check mode, where the old primary has not been fenced yet.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  login_host:
    description: The host of the replica, or the folder of its socket.
    type: str
    required: true
  login_user:
    description: The user to connect as, a superuser, or one who may execute C(pg_promote).
    type: str
    default: postgres
  lsn:
    description: The position that it must have replayed, such as V(16/B374D848), as RV(astraldraft.ops.postgres_fence#module:lsn) says.
      Without it the replica is promoted as it is.
    type: str
  max_missing_bytes:
    description:
      - How many bytes before O(lsn) it may be when O(wait_timeout) has passed. They are lost.
      - V(0) lets nothing be lost.
    type: int
    default: 0
  wait_timeout:
    description: How long to wait for O(lsn), in seconds. It is not waited any longer while nothing more is received for O(stall_timeout).
    type: float
    default: 60
  stall_timeout:
    description: How long nothing may have been received, in seconds, until waiting is given up.
    type: float
    default: 15
  promote_timeout:
    description: How long the promotion itself may take, in seconds.
    type: int
    default: 60
  timeout:
    description: The seconds that a server may take to answer a question.
    type: float
    default: 5
seealso:
  - module: astraldraft.ops.postgres_fence
"""

EXAMPLES = r"""
- name: The replica takes over, without losing anything
  astraldraft.ops.postgres_promote:
    login_host: db-2.example.org
    login_user: postgres
    login_password: "{{ vault_postgres_superuser_password }}"
    lsn: "{{ fenced.lsn }}"
    peers: [{login_host: db-1.example.org}]
"""

RETURN = r"""
role:
  description: V(primary) or V(replica). V(null) when it could not be asked.
  returned: always
  type: str
before:
  description: What it was. V(null) when it could not be asked.
  returned: always
  type: str
timeline:
  description: Its timeline. V(null) when it could not be asked.
  returned: always
  type: int
replayed_lsn:
  description: Up to where it had replayed when it was promoted; in check mode up to now. V(null) for one that was the primary.
  returned: always
  type: str
missing_bytes:
  description: How many bytes before O(lsn) that was. V(null) without O(lsn) and for one that was the primary.
  returned: always
  type: int
waited_seconds:
  description: How long it had to be waited for O(lsn).
  returned: always
  type: float
promoted_at:
  description: When it took writes, ISO 8601. V(null) when there was no promotion.
  returned: always
  type: str
promote_seconds:
  description: How long the promotion took. V(null) when there was none.
  returned: always
  type: float
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _replication_ask as replication_ask
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN, LOGIN_SPEC, connect
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server import PEERS_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

SPEC = {
    "login_host": {"type": "str", "required": True},
    "lsn": {"type": "str"},
    "max_missing_bytes": {"type": "int", "default": 0},
    "wait_timeout": {"type": "float", "default": 60},
    "stall_timeout": {"type": "float", "default": 15},
    "promote_timeout": {"type": "int", "default": 60},
    "timeout": {"type": "float", "default": 5},
}
RESULT = {
    "role": None, "before": None, "timeline": None, "replayed_lsn": None, "missing_bytes": None, "waited_seconds": 0.0,
    "promote_seconds": None,
    "promoted_at": None,
}  # fmt: skip
PAUSE = 0.05


class Replica:
    def __init__(self, module):
        self._module, self._params = module, module.params
        self._psycopg2 = load("psycopg2")
        self.login = {name: self._params[name] for name in LOGIN}
        self.name = where(self.login["login_host"], self.login["login_port"])

    def ask(self):
        try:
            return replication_ask.ask(self._psycopg2, self.login, self._params["timeout"])
        except ProbeError as error:
            raise OpsError("{0}. {1}".format(error.message, error.next))

    def demand_no_primary(self):
        for name, answer in replication_ask.peers(self._psycopg2, self._params, self._module.heartbeat).items():
            if not isinstance(answer, dict) and answer.verdict == "wrong_answer":
                raise OpsError("{0} may take writes: it answers, and {1}. {2}".format(name, answer.message, answer.next))
            if isinstance(answer, dict) and not answer["in_recovery"]:
                raise OpsError("{0} takes writes. Two primaries would write two histories: fence it first (postgres_fence).".format(name))

    def follow(self, target):
        """Wait until it has replayed up to ``target``, or receives nothing more. -> its answer"""
        last, heard = None, time.monotonic()

        def enough(answer):
            nonlocal last, heard
            if not answer["in_recovery"] or answer["lsn"] >= target:
                return True
            far = (answer["lsn"], answer["received"])
            if far != last:
                last, heard = far, time.monotonic()
            return time.monotonic() - heard > self._params["stall_timeout"]

        return poll(self.ask, enough, self._params["wait_timeout"], PAUSE, self._module.heartbeat)[0]

    def promote(self):
        seconds = self._params["promote_timeout"]
        connection = connect(self._psycopg2, self.login, max(self._params["timeout"], seconds + 5.0), readonly=False)
        try:
            with connection.cursor() as cursor:
                self._module.fence()
                cursor.execute("SELECT pg_promote(true, %s)", (seconds,))
                if not cursor.fetchone()[0]:
                    raise OpsError("{0} was told to take over, and has not within {1} s. Read its log.".format(self.name, seconds))
        except self._psycopg2.Error as error:
            raise OpsError("{0} refused to take over: {1}".format(self.name, one_line(str(error))))
        finally:
            connection.close()


def tell(result, answer):
    result.update(role="replica" if answer["in_recovery"] else "primary", timeline=answer["timeline"])


def work(module, result):
    params, replica = module.params, Replica(module)
    target = files.demand_lsn(params["lsn"], "lsn") if params["lsn"] else None
    answer = replica.ask()
    tell(result, answer)
    result["before"] = result["role"]
    if not answer["in_recovery"]:
        return
    # In check mode the old one is still there: what would fence it before has not run.
    if not module.check_mode:
        replica.demand_no_primary()
    started = time.monotonic()
    if target is not None and not module.check_mode:
        answer = replica.follow(target)
        result["waited_seconds"] = round(time.monotonic() - started, 3)
    missing = max(0, target - answer["lsn"]) if target is not None else None
    result.update(replayed_lsn=files.format_lsn(answer["lsn"]), missing_bytes=missing)
    if missing and missing > params["max_missing_bytes"] and not module.check_mode:
        raise OpsError(
            "{0} lacks {1} bytes of what the old primary wrote (it is at {2}, not at {3}), more than {4}, and receives no more. It was not "
            "promoted. Have it receive them (the old primary, fenced, must run and be reached by it), or allow their loss.".format(
                replica.name, missing, result["replayed_lsn"], params["lsn"], params["max_missing_bytes"]
            )
        )
    result["changed"] = True
    if module.check_mode:
        return
    started = time.monotonic()
    replica.promote()
    result.update(promote_seconds=round(time.monotonic() - started, 3), promoted_at=to_iso(time.time()))
    tell(result, replica.ask())


def main():
    run(work, dict(LOGIN_SPEC, **PEERS_SPEC, **SPEC), dict(RESULT), supports_check_mode=True)


if __name__ == "__main__":
    main()
