#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_backup_verify
short_description: Verify a backup of a stack
version_added: 0.1.0
description:
  - Compares the hash of every archive, reads each to its end and holds its files against the manifest.
  - Every member has to be there, to be the one that was there when the set was taken, and not to be marked bad. They are verified by
    themselves first, M(astraldraft.ops.postgres_backup_verify) and M(astraldraft.ops.redis_backup_verify), at O(level) or a stronger one.
  - What it finds is noted in the catalogue. A backup with findings is marked bad, and is not the latest any more. What keeps the module
    from looking (no key, a member that nobody has verified) fails the module and says nothing about the backup.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.name
  - astraldraft.ops._backup.metrics
  - astraldraft.ops._operation
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
    description: How the members have to have been verified.
    type: str
    choices: [checksum, restore]
    default: checksum
  identity_path:
    description: The file with the private key of an encrypted backup, for C(age).
    type: path
  max_age_seconds:
    description: How old the data in the backup may be. One that is older is not bad, but RV(verdict) is V(fail).
    type: int
seealso:
  - module: astraldraft.ops.stack_backup
"""

EXAMPLES = r"""
- name: Verify the latest set, whose members were restored once
  astraldraft.ops.stack_backup_verify:
    path: /var/lib/astraldraft/astral-draft/backups
    level: restore
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
  description: How long restoring its members took, all together, V(null) unless they were.
  returned: always
  type: float
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {hash_seconds: 0.1, read_seconds: 0.1}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import STACK
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import RESULT, verify_and_note
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import SPEC as SHARED_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._stack_backup import SetVerification

SPEC = dict({name: option for name, option in SHARED_SPEC.items() if name != "progress_path"}, identity_path={"type": "path"})


def work(module, result):
    params = module.params

    def verify(catalogue, entry):
        started, progress = time.monotonic(), Progress(module.heartbeat)
        found = SetVerification(catalogue.path_of(entry), entry, params["level"], progress, time.time(), params["identity_path"])
        manifest = found.files()
        if manifest:
            found.archives(manifest)
            found.members(manifest, catalogue)
        return found.conclude(started)

    verify_and_note(module, result, STACK, verify)


def main():
    run(work, SPEC, dict(RESULT), supports_check_mode=True)


if __name__ == "__main__":
    main()
