#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_backup_verify
short_description: Verify a backup of a PostgreSQL database, by reading all of it or by restoring it
version_added: 0.1.0
description:
  - Compares the hash of every file, reads the table of contents and decodes all of the dump, without a server.
  - With O(level=restore) it also makes a server that nobody else can reach, restores the backup into it, compares the rows of every table
    (and their checksums, where the manifest has them) with the manifest, has C(pg_amcheck) look at every table and index, and asks what the
    application wants to be asked. How long the restore took is what one will take.
  - What it finds is noted in the catalogue. A backup with findings is marked bad, and is not the latest any more. What keeps the module
    from looking (no tools, no engine, no key, no room, an extension that is not there) fails the module and says nothing about the backup.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.name
  - astraldraft.ops._backup.metrics
  - astraldraft.ops._backup.progress
  - astraldraft.ops._backup.tools
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Nothing is verified in check mode; it is said which backup would be.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run verifies, and notes when it did.
options:
  level:
    description: V(checksum) reads all of the backup. V(restore) restores it as well; only then is it called verified.
    type: str
    choices: [checksum, restore]
    default: checksum
  jobs:
    description: How many tables are read, restored and checked at the same time.
    type: int
    default: 2
  identity_path:
    description: The file with the private key of an encrypted backup, for C(age).
    type: path
  queries:
    description:
      - SQL that the application wants to be asked in the restored database, each of which must give C(true), such as
        V(SELECT count(*) > 0 FROM drafts).
    type: list
    elements: str
    default: []
  max_age_seconds:
    description: How old the data in the backup may be. One that is older is not bad, but RV(verdict) is V(fail).
    type: int
seealso:
  - module: astraldraft.ops.postgres_backup
"""

EXAMPLES = r"""
- name: Restore the latest backup into a throw-away server, and see that it is no older than a day
  astraldraft.ops.postgres_backup_verify:
    path: /var/lib/astraldraft/astral-draft/backups
    level: restore
    project: astral-draft
    service: postgres-master
    queries: ["SELECT count(*) > 0 FROM drafts"]
    max_age_seconds: 90000
    metrics_path: /var/lib/prometheus/node-exporter/astraldraft-backups.prom
"""

RETURN = r"""
verdict:
  description: V(pass), or V(fail) when something was found or the data is too old. V(inconclusive) in check mode and after a failure.
  returned: always
  type: str
name:
  description: The name of the backup, V(null) when there is none.
  returned: always
  type: str
level:
  description: How it was verified.
  returned: always
  type: str
findings:
  description: What speaks against the backup, at most 20 sentences.
  returned: always
  type: list
  elements: str
bad:
  description: Whether the catalogue has it marked bad now.
  returned: always
  type: bool
too_old:
  description: Whether its data is older than O(max_age_seconds).
  returned: always
  type: bool
data_age_seconds:
  description: How old its data is, V(null) when there is no backup.
  returned: always
  type: int
restore_seconds:
  description: How long it took to restore it, V(null) unless it was.
  returned: always
  type: float
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {hash_seconds: 0.7, read_seconds: 1.3, server_seconds: 1.1, load_seconds: 31.0, compare_seconds: 1.9, amcheck_seconds: 3.2}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import DATABASE
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import RESULT, verify_and_note
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import SPEC as SHARED_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_verify import DumpVerification, major_of
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_RULES, TOOLS_SPEC, tools

SPEC = dict(
    SHARED_SPEC,
    jobs={"type": "int", "default": 2},
    identity_path={"type": "path"},
    queries={"type": "list", "elements": "str", "default": []},
)


def work(module, result):
    params = module.params

    def verify(catalogue, entry):
        started, progress = time.monotonic(), Progress(module.heartbeat, params["progress_path"])
        whose = (params["level"], params["jobs"], progress, time.time(), params["identity_path"], params["queries"])
        found = DumpVerification(catalogue.path_of(entry), entry, *whose)
        manifest = found.files()
        if manifest:
            with tools(params, major_of(manifest["server_version"]), offline=True) as place, place.sibling() as own:
                left = own.leftovers(found.label)
                if left:
                    module.fence()
                    own.remove(left)
                found.dump(manifest, own)
        return found.conclude(started)

    verify_and_note(module, result, DATABASE, verify)


def main():
    run(work, dict(DOCKER_SPEC, **TOOLS_SPEC, **SPEC), dict(RESULT), supports_check_mode=True, **TOOLS_RULES)


if __name__ == "__main__":
    main()
