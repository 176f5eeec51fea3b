#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_backup_info
short_description: What backups there are, how old their data is, and which were verified
version_added: 0.1.0
description:
  - Reads the catalogue of the backups, which is the only source of their names, and compares it with the folders that are there.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  kind:
    description: Only backups of that kind, such as V(database).
    type: str
  environment:
    description: Only backups of that environment.
    type: str
  database:
    description: Only backups of that database.
    type: str
  purpose:
    description: Only ordinary backups, those taken before something dangerous, or what was recovered to a point in time.
    type: str
    choices: [ordinary, safety, recovered]
  limit:
    description: How many backups are returned at most, the newest first.
    type: int
    default: 100
  manifests:
    description: Whether the manifest of every backup that is returned is read, too.
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.postgres_backup
"""

EXAMPLES = r"""
- name: Read the catalogue
  astraldraft.ops.postgres_backup_info:
    path: /var/lib/astraldraft/astral-draft/backups
    kind: database
  register: backups

- name: See that there is one that was restored once
  ansible.builtin.assert:
    that: backups.latest_verified is not none
"""

RETURN = r"""
backups:
  description: The backups, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name, which is that of its folder.
      type: str
    kind:
      description: What it is a backup of, V(database), V(cache) or V(stack).
      type: str
    purpose:
      description: V(ordinary), V(safety) or V(recovered).
      type: str
    environment:
      description: Whose it is.
      type: str
    database:
      description: The database, or what the cache or the stack is called in the catalogue.
      type: str
    snapshot_at:
      description: When its data was current.
      type: str
    catalogued_at:
      description: When it was complete.
      type: str
    seconds:
      description: How long it took to take it.
      type: float
    bytes:
      description: Its size.
      type: int
    database_bytes:
      description: The size of the database then, or of the keys of a cache in memory.
      type: int
    server_version:
      description: The version of the server.
      type: str
    tables:
      description: How many tables have data in it, V(null) unless it is one of a database.
      type: int
    rows:
      description: How many rows they have, V(null) where there are none to count.
      type: int
    primaries:
      description: Of how many primaries it has a snapshot, V(null) unless it is one of a cache.
      type: int
    key_count:
      description: How many keys they have, V(null) where there are none to count.
      type: int
    members:
      description: The names of the backups that belong to it, V(null) unless it is one of a stack.
      type: list
      elements: str
    encrypted:
      description: Whether its files are encrypted.
      type: bool
    manifest_sha256:
      description: The hash of its manifest, which has those of all other files.
      type: str
    checks:
      description: The last verification of each level, each with C(at), C(verdict), C(findings), C(seconds). V(null) where there was none.
      type: dict
    bad:
      description: Since when and why it is not to be restored, V(null) when nothing speaks against it.
      type: dict
    offsite:
      description: When it was last copied elsewhere, and whether that was found to be the same, V(null) when it never was.
      type: dict
    verified:
      description: Whether it was restored once, and found whole.
      type: bool
    age_seconds:
      description: How old its data is.
      type: int
    present:
      description: Whether its folder is there.
      type: bool
    manifest:
      description: Its manifest, V(null) unless O(manifests) is set, and when it cannot be read.
      type: dict
count:
  description: How many backups there are that fit, whatever O(limit) is.
  returned: always
  type: int
latest:
  description: The name of the newest ordinary one that is not bad, V(null) when there is none.
  returned: always
  type: str
latest_verified:
  description: The name of the newest ordinary one that was restored once and found whole, V(null) when there is none.
  returned: always
  type: str
uncatalogued:
  description: Folders that no entry lists.
  returned: always
  type: list
  elements: str
missing:
  description: Names of backups whose folder is gone.
  returned: always
  type: list
  elements: str
unfinished:
  description: Folders of backups that are being taken, or that were when they died.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "path": {"type": "path", "required": True},
    "kind": {"type": "str"},
    "environment": {"type": "str"},
    "database": {"type": "str"},
    "purpose": {"type": "str", "choices": list(catalogues.PURPOSES)},
    "limit": {"type": "int", "default": 100},
    "manifests": {"type": "bool", "default": False},
}
RESULT = {
    "backups": [], "count": 0, "latest": None, "latest_verified": None, "uncatalogued": [], "missing": [], "unfinished": [],
}  # fmt: skip


def manifest_of(catalogue, entry):
    try:
        return manifests.read(catalogue.path_of(entry), entry["manifest_sha256"])[0]
    except OpsError:
        return None


def name_of(entries):
    return next((entry["name"] for entry in entries), None)


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    entries, now = catalogue.read(), time.time()
    result["uncatalogued"], result["missing"] = catalogue.strays(entries)
    result["unfinished"] = catalogue.folders()[1]
    found = catalogues.select(entries, params["kind"], params["environment"], params["database"], params["purpose"])
    ordinary = [entry for entry in found if entry["purpose"] == catalogues.ORDINARY]
    result["count"] = len(found)
    result["latest"] = name_of(entry for entry in ordinary if not entry["bad"])
    result["latest_verified"] = name_of(entry for entry in ordinary if catalogues.is_verified(entry))
    result["backups"] = [
        dict(
            entry,
            verified=catalogues.is_verified(entry),
            age_seconds=int(catalogues.age_seconds(entry, now)),
            present=entry["name"] not in result["missing"],
            manifest=manifest_of(catalogue, entry) if params["manifests"] else None,
        )
        for entry in found[: params["limit"]]
    ]


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
