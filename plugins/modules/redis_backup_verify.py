#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_backup_verify
short_description: Verify a backup of a cache, by reading all of it or by loading it
version_added: 0.1.0
description:
  - Compares the hash of every file, and has Redis's own C(redis-check-rdb) read every snapshot to its end, checksum included. The number of
    keys has to be the manifest's.
  - With O(level=restore) it also starts a server that nobody else can reach, has it load each snapshot, and counts. How long that took is
    what loading one will take.
  - What it finds is noted in the catalogue. A backup with findings is marked bad, and is not the latest any more. What keeps the module
    from looking (no tools, no engine, no key, no room, no memory) fails the module and says nothing about the backup.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.name
  - astraldraft.ops._backup.metrics
  - astraldraft.ops._backup.progress
  - astraldraft.ops._backup.redis_tools
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
    description: V(checksum) reads all of the backup. V(restore) has a server load it as well; only then is it called verified.
    type: str
    choices: [checksum, restore]
    default: checksum
  identity_path:
    description: The file with the private key of an encrypted backup, for C(age).
    type: path
  max_age_seconds:
    description: How old the data in the backup may be. One that is older is not bad, but RV(verdict) is V(fail).
    type: int
requirements:
  - redis >= 5.0.0 (redis-py), with O(level=restore)
seealso:
  - module: astraldraft.ops.redis_backup
"""

EXAMPLES = r"""
- name: Load the latest backup into a throw-away server, and see that it is no older than a day
  astraldraft.ops.redis_backup_verify:
    path: /var/lib/astraldraft/astral-draft/backups
    level: restore
    project: astral-draft
    service: redis-1
    max_age_seconds: 90000
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
  description: How long it took to load all snapshots, one after the other, V(null) unless they were.
  returned: always
  type: float
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {hash_seconds: 0.7, read_seconds: 1.3, load_seconds: 3.2}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import CACHE
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import RESULT, verify_and_note
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import SPEC as SHARED_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_backup_verify import SnapshotVerification
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_rdb import REDIS
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_RULES, TOOLS_SPEC, apart, tools

SPEC = dict(SHARED_SPEC, identity_path={"type": "path"})


def work(module, result):
    params = module.params

    def verify(catalogue, entry):
        started, progress = time.monotonic(), Progress(module.heartbeat, params["progress_path"])
        found = SnapshotVerification(catalogue.path_of(entry), entry, params["level"], progress, time.time(), params["identity_path"])
        manifest = found.files()
        if manifest:
            with tools(params, None, offline=True, suite=REDIS) as place, apart(place, found.label) as seen:
                found.in_place(load("redis"), manifest, seen)
        return found.conclude(started)

    verify_and_note(module, result, CACHE, verify)


def main():
    run(work, dict(DOCKER_SPEC, **TOOLS_SPEC, **SPEC), dict(RESULT), supports_check_mode=True, **TOOLS_RULES)


if __name__ == "__main__":
    main()
