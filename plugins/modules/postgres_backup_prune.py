#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_backup_prune
short_description: Remove backups that are no longer to be kept
version_added: 0.1.0
description:
  - Keeps the last O(keep_last) ordinary backups of each database, and all that are younger than O(keep_days). Safety backups are kept by
    their age alone.
  - Whatever the options say, of each database the newest backup that was verified stays, and so does the newest that is not marked bad.
  - What belongs to a backup of a stack (M(astraldraft.ops.stack_backup)) stays as long as that does.
  - Unless O(confirm) is set, nothing is removed, and it is said what would be.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.metrics
  - astraldraft.ops._operation
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
  keep_last:
    description: How many ordinary backups of each database that are not bad are kept.
    type: int
    default: 7
  keep_days:
    description: Ordinary backups whose data is younger are kept, in days.
    type: float
    default: 14
  keep_safety_days:
    description: Safety backups whose data is younger are kept, in days, and so is what was recovered, from then on.
    type: float
    default: 7
  confirm:
    description: Whether they are removed. Without it the module only says which would be.
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.postgres_backup
"""

EXAMPLES = r"""
- name: Say what would be removed
  astraldraft.ops.postgres_backup_prune:
    path: /var/lib/astraldraft/astral-draft/backups
    keep_days: 30

- name: Remove it
  astraldraft.ops.postgres_backup_prune:
    path: /var/lib/astraldraft/astral-draft/backups
    keep_days: 30
    confirm: true
"""

RETURN = r"""
prunable:
  description: The names of the backups that are not to be kept.
  returned: always
  type: list
  elements: str
removed:
  description: Those of them that were removed, or would be in check mode. Without O(confirm) none.
  returned: always
  type: list
  elements: str
freed_bytes:
  description: Their size.
  returned: always
  type: int
kept:
  description: What is kept, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the backup.
      type: str
    reasons:
      description: Why it is kept.
      type: list
      elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os
import shutil
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_metrics as metrics
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_retention import plan
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "path": {"type": "path", "required": True},
    "keep_last": {"type": "int", "default": 7},
    "keep_days": {"type": "float", "default": 14},
    "keep_safety_days": {"type": "float", "default": 7},
    "confirm": {"type": "bool", "default": False},
    "metrics_path": {"type": "path"},
}
RESULT = {"prunable": [], "removed": [], "freed_bytes": 0, "kept": []}


def planned(module, entries, result):
    """Fill ``result`` with what the options mean for ``entries``. -> the entries that go"""
    params = module.params
    found = plan(entries, time.time(), params["keep_last"], params["keep_days"], params["keep_safety_days"])
    going = [entry for entry, reasons in found if not reasons]
    result["kept"] = [{"name": entry["name"], "reasons": reasons} for entry, reasons in found if reasons]
    result["prunable"] = [entry["name"] for entry in going]
    result["removed"] = result["prunable"] if params["confirm"] else []
    result["freed_bytes"] = sum(entry["bytes"] for entry in going) if params["confirm"] else 0
    result["changed"] = bool(result["removed"])
    return going


def remove(module, catalogue, entry):
    """Out of the way by a rename first: a folder that is half removed has no backup's name."""
    module.fence()
    path, aside = catalogue.path_of(entry), os.path.join(catalogue.folder, catalogues.PARTIAL + entry["name"])
    if os.path.isdir(path):
        os.rename(path, aside)
    shutil.rmtree(aside, ignore_errors=True)


def work(module, result):
    catalogue = catalogues.Catalogue(module.params["path"])
    going = planned(module, catalogue.read(), result)
    if not module.params["confirm"] or not going:
        return
    if module.check_mode:
        catalogue.demand_free("backup")
        return
    with catalogue.alone("backup"), catalogue.changing(metrics.teller(module.params["metrics_path"])) as entries:
        going = planned(module, entries, result)
        for entry in going:
            remove(module, catalogue, entry)
            entries.remove(entry)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
