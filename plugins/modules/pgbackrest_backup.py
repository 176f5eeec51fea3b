#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pgbackrest_backup
short_description: Back up a PostgreSQL cluster with pgBackRest
version_added: 0.1.0
description:
  - Takes a full backup, or one of what has changed since the last full (V(diff)) or the last of any type (V(incr)). With the log that is
    archived since (M(astraldraft.ops.pgbackrest_stanza)), M(astraldraft.ops.pgbackrest_recover) can recover every moment after its end.
  - It waits until the segments of the log that it needs have arrived, and lets go of the backups that no longer have to be kept, as
    O(config_path) says. What a killed backup left, it goes on with or removes.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._pgbackrest
  - astraldraft.ops._pgbackrest.tools
  - astraldraft.ops._pgbackrest.work
  - astraldraft.ops._backup.progress
  - astraldraft.ops._backup.tools_login
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: The server and the stanza are looked at; the space is not.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run takes a backup.
options:
  login_host:
    description: The host of the server, or the folder of its socket. By default the address of the container, or V(127.0.0.1).
  login_user:
    description: The user to connect as, a superuser.
  type:
    description: What is backed up. Where there is no full backup yet, it becomes one.
    type: str
    choices: [full, diff, incr]
    default: incr
  space_factor:
    description:
      - How much free space is demanded in the repository for a full backup, as a share of the cluster's size, where there is no earlier
        one to go by (its size and half as much again). V(0) demands nothing. When the repository is full, the server cannot archive its
        log, and in the end stops.
    type: float
    default: 0.5
  archive_timeout:
    description: How long the segments of the log may take to arrive, in seconds.
    type: int
    default: 60
seealso:
  - module: astraldraft.ops.pgbackrest_stanza
  - module: astraldraft.ops.pgbackrest_verify
"""

EXAMPLES = r"""
- name: Back up what has changed since the last full backup
  astraldraft.ops.pgbackrest_backup:
    config_path: /var/lib/postgresql/data/pgbackrest.conf
    type: diff
    project: astral-draft
    service: postgres-master
    login_password: "{{ vault_postgres_superuser_password }}"
"""

RETURN = r"""
label:
  description: What pgBackRest calls it, V(null) in check mode and after a failure.
  returned: always
  type: str
  sample: 20261128-020000F_20261128-140000D
type:
  description: What it became, V(null) after a failure.
  returned: always
  type: str
backup:
  description: What pgBackRest says of it (RV(astraldraft.ops.pgbackrest_info#module:backups)). Empty in check mode and after a failure.
  returned: always
  type: dict
expired:
  description: The labels of the backups that went.
  returned: always
  type: list
  elements: str
needed_bytes:
  description: The free space that was demanded, V(null) in check mode and when nothing was.
  returned: always
  type: int
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import re

from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest as words
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_archive as archive
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_place as places
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import server_login
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_LOGIN_SPEC, TOOLS_RULES, TOOLS_SPEC

SPEC = {
    "type": {"type": "str", "choices": list(words.TYPES), "default": words.INCREMENTAL},
    "space_factor": {"type": "float", "default": 0.5},
    "archive_timeout": {"type": "int", "default": 60},
    "progress_path": {"type": "path"},
}
RESULT = {"label": None, "type": None, "backup": {}, "expired": [], "needed_bytes": None}
PERCENT = re.compile(rb", (\d+\.\d+)%\)")


class Share:
    """How much is done already, of what pgBackRest says of each file, which is kept."""

    def __init__(self):
        self._percent, self.said = b"0", bytearray()

    def take(self, chunk):
        found = PERCENT.findall(chunk)
        self._percent = found[-1] if found else self._percent
        self.said += chunk
        del self.said[:-65536]

    def tell(self):
        return "{0} %".format(self._percent.decode("ascii"))


def refuse_without_space(params, result, place, repositories, kind, before, cluster_bytes):
    """Raises OpsError with the numbers."""
    earlier = [backup["bytes"] for backup in before if backup["type"] == kind]
    needed = int(earlier[-1] * 1.5) if earlier else int(cluster_bytes * params["space_factor"]) if kind == words.FULL else 0
    if not params["space_factor"] or not needed:
        return
    result["needed_bytes"] = needed
    for folder in repositories:
        free = place.free_bytes(folder)
        if free < needed:
            raise OpsError(
                "A backup may take {0} MiB, and the repository {1} has {2} MiB free. Make room there (retention_full), or lower "
                "space_factor.".format(needed >> 20, folder, free >> 20)
            )


def take(params, pgbackrest, progress):
    share = Share()
    progress.phase("backing up ({0})".format(params["type"]), share.tell)
    options = ["--type=" + params["type"], "--archive-timeout={0}".format(params["archive_timeout"]), "--log-level-console=detail"]
    pgbackrest.run("backup", *options, share=share)


def work(module, result):
    params, login = module.params, server_login(module.params)
    with archive.session(load("psycopg2"), login) as ask:
        state = ask(archive.STATE)[0][0]
        cluster_bytes = int(ask("SELECT sum(pg_database_size(oid)) FROM pg_database WHERE datallowconn")[0][0])
    if state["mode"] not in archive.ACTIVE:
        raise OpsError("The server does not archive its log (archive_mode is {0}): pgbackrest_stanza sets that up.".format(state["mode"]))
    found = places.info(params)
    places.demand_stanza(found, params)
    kind = words.predicted_type(params["type"], found["backups"])
    if module.check_mode:
        result.update(changed=True, type=kind)
        return
    progress, config = Progress(module.heartbeat, params["progress_path"]), places.read_config(params)
    with places.beside_server(params, state["major"], config) as place:
        refuse_without_space(params, result, place, words.repositories(config), kind, found["backups"], cluster_bytes)
        with places.PgBackRest(params, place, progress.tick, state) as pgbackrest:
            take(params, pgbackrest, progress)
            after = pgbackrest.info()
    before = {backup["label"] for backup in found["backups"]}
    result["expired"] = sorted(before - {backup["label"] for backup in after["backups"]})
    result["changed"] = True
    new = [backup for backup in after["backups"] if backup["label"] not in before]
    if not new:
        raise OpsError("pgBackRest ended well and lists no new backup. Ask it: pgbackrest --stanza={0} info".format(params["stanza"]))
    result.update(label=new[-1]["label"], type=new[-1]["type"], backup=new[-1])
    if new[-1]["error"]:
        label = new[-1]["label"]
        module.warn("Pages of the cluster are damaged, says pgBackRest of {0}: look at the server's disk and its log.".format(label))


def main():
    spec = dict(LOGIN_SPEC, **DOCKER_SPEC, **TOOLS_SPEC, **TOOLS_LOGIN_SPEC, **words.PGBACKREST_SPEC, **SPEC)
    run(work, spec, RESULT, supports_check_mode=True, **TOOLS_RULES)


if __name__ == "__main__":
    main()
