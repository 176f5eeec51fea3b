#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_fence
short_description: Keep a PostgreSQL primary from taking writes, whoever starts it again
version_added: 0.1.0
description:
  - Makes a primary a standby that follows nobody - C(standby.signal) is written into its data folder and onto the disk, then the server is
    stopped, which ends every session and sends what was written to the replicas that are connected. Whoever starts it again, the engine's
    restart policy included, gets a server that takes no writes. No setting, role or superuser's session gets around that.
  - It also works on a primary that was killed. That one is started again (O(start)), so that replicas fetch from it what they lack.
  - A replica takes no writes already, and is left as it is.
  - V(unfenced) takes back what V(fenced) did, while no other server has become the primary.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._postgres
  - astraldraft.ops._postgres_server
  - astraldraft.ops._postgres_server.peers
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description: V(fenced) takes no writes. V(unfenced) is the primary again; it takes O(peers), each of which has to answer as a standby.
    type: str
    choices: [fenced, unfenced]
    default: fenced
  start:
    description:
      - Whether a fenced server is started again, as the standby that it is now. V(auto) starts one that was not shut down in an orderly
        manner, from which a replica may have to fetch what it lacks.
    type: str
    choices: [auto, always, never]
    default: auto
  count_from:
    description:
      - A position, such as V(16/B374D848), up to which a replica has replayed. The transactions that the server committed beyond it are
        counted, where it was not shut down in an orderly manner.
    type: str
  reason:
    description: Why it is fenced. It is written into its data folder, too.
    type: str
    default: ""
  stop_timeout:
    description: How long an orderly shutdown may take, in seconds. Then the server is killed.
    type: int
    default: 60
  start_timeout:
    description: How long it may take until a server that was started answers, in seconds. One that was killed has to read its WAL first.
    type: int
    default: 120
  timeout:
    description: The seconds that the server may take to answer a question.
    type: float
    default: 5
seealso:
  - module: astraldraft.ops.postgres_promote
  - module: astraldraft.ops.postgres_replication_info
"""

EXAMPLES = r"""
- name: The old primary takes no writes any more
  astraldraft.ops.postgres_fence:
    project: astral-draft
    service: postgres-master
    login_password: "{{ vault_postgres_superuser_password }}"
    reason: its host is to be replaced
"""

RETURN = r"""
fenced:
  description: Whether the server is kept from taking writes by this module. In check mode whether it is now.
  returned: always
  type: bool
role:
  description: V(primary), V(replica), V(fenced), or V(down) when it does not answer and was not fenced.
  returned: always
  type: str
marker:
  description: What its data folder says of the fence, C(fenced_at), C(reason) and the C(timeline). V(null) when it is not fenced.
  returned: always
  type: dict
before:
  description: The role it had.
  returned: always
  type: str
clean:
  description: Whether it was shut down in an orderly manner. V(null) when it was not stopped.
  returned: always
  type: bool
running:
  description: Whether it runs.
  returned: always
  type: bool
lsn:
  description: The position that a replica must have replayed to have everything that it wrote. V(null) when that is not known.
  returned: always
  type: str
timeline:
  description: Its timeline, V(null) when it is not known.
  returned: always
  type: int
transactions:
  description: How many transactions it committed beyond O(count_from). V(null) when they were not counted.
  returned: always
  type: int
complaint:
  description: Why it does not run although it was started, or empty.
  returned: always
  type: str
refused_since:
  description: From when on writes were refused, ISO 8601. V(null) when it took none before.
  returned: always
  type: str
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_fence as fence
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server import PEERS_SPEC, SERVER_RULES, SERVER_SPEC, server

SPEC = {
    "state": {"type": "str", "choices": ["fenced", "unfenced"], "default": "fenced"},
    "start": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "count_from": {"type": "str"},
    "reason": {"type": "str", "default": ""},
    "stop_timeout": {"type": "int", "default": 60},
    "start_timeout": {"type": "int", "default": 120},
    "timeout": {"type": "float", "default": 5},
}
RESULT = {
    "fenced": False,
    "marker": None, "role": None, "before": None, "clean": None, "running": None, "lsn": None, "timeline": None, "transactions": None,
    "complaint": "", "refused_since": None,
}  # fmt: skip


def work(module, result):
    params, psycopg2 = module.params, load("psycopg2")
    if params["count_from"]:
        files.demand_lsn(params["count_from"], "count_from")
    with server(params, module.heartbeat) as found:
        one = fence.Fence(psycopg2, found, params, module, result)
        one.look()
        if params["state"] == "fenced":
            one.close()
        else:
            one.open()


def main():
    run(work, dict(LOGIN_SPEC, **SERVER_SPEC, **PEERS_SPEC, **DOCKER_SPEC, **SPEC), dict(RESULT), supports_check_mode=True, **SERVER_RULES)


if __name__ == "__main__":
    main()
