#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_replica
short_description: Make a PostgreSQL server a streaming replica of the primary, from what it has or from nothing
version_added: 0.1.0
description:
  - A server that streams from the primary already is left as it is.
  - One whose data is a part of the primary's history (a fenced old primary that wrote nothing which the new one lacks) follows it within
    seconds, however large it is.
  - Any other is made from nothing. C(pg_basebackup) copies the primary into a folder beside the old data, C(pg_verifybackup) reads all of
    it, then it is moved in, started, and waited for. The old data goes when the new one streams.
  - A server that takes writes is refused, and so is one that holds another cluster.
  - The password of the replication's user is in a file beside the data folder, C(astraldraft.pgpass), that only the server's user can read.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._postgres
  - astraldraft.ops._postgres_server
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: A primary that is none yet is taken for one that will be promoted before.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: With O(method=rebuild) every run rebuilds.
options:
  primary_host:
    description: The host of the primary as the replica knows it.
    type: str
    required: true
  primary_port:
    description: Its port as the replica knows it.
    type: int
    default: 5432
  primary_login_host:
    description: The host of the primary as this module reaches it, with the same O(login_user) and O(login_password).
    type: str
    required: true
  primary_login_port:
    description: Its port, likewise.
    type: int
    default: 5432
  replication_user:
    description: The user with the attribute C(REPLICATION) that the replica connects as.
    type: str
    default: replication
  replication_password:
    description: Its password.
    type: str
  replication_ssl_mode:
    description: Whether and how that connection is encrypted, as libpq's C(sslmode).
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
    default: prefer
  name:
    description: What the replica is called among the primary's standbys, and its replication slot. Small letters, digits and
      underscores, 54 at most.
    type: str
    required: true
  obsolete_slots:
    description: Physical slots on the replica itself that are dropped when nobody uses them, such as the one by which it fed the new
      primary before. They would keep WAL for ever.
    type: list
    elements: str
    default: []
  method:
    description:
      - V(auto) follows where that is possible, and rebuilds where not. V(follow) never rebuilds, and fails where it would have to.
      - V(rebuild) rebuilds in any case.
    type: str
    choices: [auto, follow, rebuild]
    default: auto
  keep_previous:
    description: Whether the old data is kept beside, as C(<data folder>.kept-<time>), after a rebuild. It may hold what
      exists nowhere else.
    type: bool
    default: false
  wait_timeout:
    description: How long it may take, in seconds, until the replica streams after it was started.
    type: float
    default: 120
  stop_timeout:
    description: How long the shutdown of a replica may take that is rebuilt, in seconds. Then it is killed.
    type: int
    default: 60
  timeout:
    description: The seconds that a server may take to answer a question.
    type: float
    default: 5
seealso:
  - module: astraldraft.ops.postgres_replication_info
"""

EXAMPLES = r"""
- name: The old primary follows the new one
  astraldraft.ops.postgres_replica:
    project: astral-draft
    service: postgres-master
    login_password: "{{ vault_postgres_superuser_password }}"
    name: postgres_master
    primary_host: postgres-replica
    primary_login_host: db-2.example.org
    replication_password: "{{ vault_postgres_replication_password }}"
"""

RETURN = r"""
method:
  description: V(none) when it streams already, V(follow) or V(rebuild); in check mode what would be done. V(null) when that is not known.
  returned: always
  type: str
why:
  description: Why it was to be rebuilt, or empty.
  returned: always
  type: str
streaming:
  description: Whether it streams from the primary; in check mode whether it does now.
  returned: always
  type: bool
slot:
  description: Its slot on the primary.
  returned: always
  type: str
primary_conninfo:
  description: How it was told to reach the primary; the password is in a file. V(null) when nothing was written.
  returned: always
  type: str
timeline:
  description: The timeline of the primary, V(null) when that did not answer.
  returned: always
  type: int
bytes:
  description: The size of the databases that were, or would be, copied. V(null) when nothing is.
  returned: always
  type: int
previous:
  description: Where the old data was kept, or empty.
  returned: always
  type: str
dropped_slots:
  description: The slots of O(obsolete_slots) that were dropped.
  returned: always
  type: list
  elements: str
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {copy_seconds: 31.0, verify_seconds: 9.1, sync_seconds: 0.4, away_seconds: 2.0, stream_seconds: 0.5}
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_replica as replica
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import SSL_MODES
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server import SERVER_RULES, SERVER_SPEC, server
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress

SPEC = {
    "primary_host": {"type": "str", "required": True},
    "primary_port": {"type": "int", "default": 5432},
    "primary_login_host": {"type": "str", "required": True},
    "primary_login_port": {"type": "int", "default": 5432},
    "replication_user": {"type": "str", "default": "replication"},
    "replication_password": {"type": "str", "no_log": True},
    "replication_ssl_mode": {"type": "str", "choices": SSL_MODES, "default": "prefer"},
    "name": {"type": "str", "required": True},
    "obsolete_slots": {"type": "list", "elements": "str", "default": []},
    "method": {"type": "str", "choices": list(replica.METHODS), "default": replica.AUTO},
    "keep_previous": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 120},
    "stop_timeout": {"type": "int", "default": 60},
    "timeout": {"type": "float", "default": 5},
}
RESULT = {
    "method": None, "why": "", "streaming": False, "slot": None,
    "primary_conninfo": None, "timeline": None, "bytes": None, "previous": "", "dropped_slots": [],
    "parts": {},
}  # fmt: skip


def work(module, result):
    psycopg2 = load("psycopg2")
    progress = Progress(module.heartbeat)
    with server(module.params, progress.tick) as found:
        one = replica.Replica(psycopg2, found, module, progress, result)
        one.look()
        if module.check_mode or not result["changed"]:
            return
        one.make()


def main():
    run(work, dict(LOGIN_SPEC, **SERVER_SPEC, **DOCKER_SPEC, **SPEC), dict(RESULT), supports_check_mode=True, **SERVER_RULES)


if __name__ == "__main__":
    main()
