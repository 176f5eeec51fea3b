#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pgbackrest_info
short_description: What backups pgBackRest has of a cluster, and since when every moment can be recovered
version_added: 0.1.0
description:
  - Asks pgBackRest for the state of one stanza, its backups and the log that is archived. A stanza that is not there is an answer, too.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._pgbackrest
  - astraldraft.ops._pgbackrest.tools
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  service:
    description:
      - The Compose service in whose container, which must run, the server is. pgBackRest is asked in there.
      - Without it and without O(container) that of the host is used.
seealso:
  - module: astraldraft.ops.pgbackrest_backup
"""

EXAMPLES = r"""
- name: See which backups there are
  astraldraft.ops.pgbackrest_info:
    config_path: /var/lib/postgresql/data/pgbackrest.conf
    project: astral-draft
    service: postgres-master
  register: repository
"""

RETURN = r"""
ready:
  description: Whether the stanza is there, and pgBackRest finds nothing wrong with it or only no backup yet.
  returned: always
  type: bool
status:
  description: What pgBackRest says of it, such as V(ok), V(missing stanza path) or V(no valid backups). V(null) after a failure.
  returned: always
  type: str
backups:
  description: Its backups, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    label:
      description: Its name.
      type: str
    type:
      description: V(full), V(diff) or V(incr).
      type: str
    prior:
      description: The backup it leans on, V(null) for a full one.
      type: str
    error:
      description: Whether pages of the cluster were found damaged when it was taken.
      type: bool
    database_id:
      description: Which of the stanza's clusters it is of, counted anew with each major version.
      type: int
    started_at:
      description: When it began.
      type: str
    ended_at:
      description: When it ended. From then on every moment can be recovered from it.
      type: str
    ended:
      description: The same in seconds since 1970.
      type: int
    seconds:
      description: How long it took.
      type: int
    age_seconds:
      description: How long ago it ended.
      type: int
    database_bytes:
      description: The size of the cluster.
      type: int
    bytes:
      description: What it takes in the repository.
      type: int
    wal_start:
      description: The first segment of the log that it needs.
      type: str
    wal_stop:
      description: The last one.
      type: str
    lsn_start:
      description: Where in the log it began.
      type: str
    lsn_stop:
      description: Where in the log it ended.
      type: str
earliest:
  description: The first moment that can be recovered, V(null) when there is none.
  returned: always
  type: str
archive_min:
  description: The first segment in the archive, V(null) when it is empty.
  returned: always
  type: str
archive_max:
  description: The last segment in the archive, V(null) when it is empty.
  returned: always
  type: str
encrypted:
  description: Whether the repository is encrypted.
  returned: always
  type: bool
server_version:
  description: The major version of the cluster, V(null) when there is no stanza.
  returned: always
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest as words
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_place as places
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_RULES, TOOLS_SPEC

WHERE = {name: TOOLS_SPEC[name] for name in ("project", "service", "container", "tools_user")}
RESULT = {
    "ready": False, "status": None, "backups": [], "earliest": None, "archive_min": None, "archive_max": None, "encrypted": False,
    "server_version": None,
}  # fmt: skip


def work(module, result):
    now, found = time.time(), places.info(module.params)
    for key in ("archive_min", "archive_max", "encrypted", "server_version"):
        result[key] = found[key]
    result["status"] = found["message"]
    result["ready"] = found["status"] in (words.OK, words.NO_BACKUPS)
    result["backups"] = [dict(backup, age_seconds=int(now - backup["ended"])) for backup in reversed(found["backups"])]
    result["earliest"] = min((backup["ended_at"] for backup in found["backups"] if not backup["error"]), default=None)


def main():
    run(work, dict(DOCKER_SPEC, **WHERE, **words.PGBACKREST_SPEC), RESULT, needs_lock=False, supports_check_mode=True, **TOOLS_RULES)


if __name__ == "__main__":
    main()
