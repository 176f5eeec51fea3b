#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_backup_info
short_description: What belongs to a backup of a stack, and its files
version_added: 0.1.0
description:
  - Names the members of a set and what each of its archives has, from its manifest.
  - With O(contents) it compares the hash of every archive and returns them, decrypted, for M(astraldraft.ops.stack_files) to write. They
    have secrets in them where the files have. Set C(no_log) on the task.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.name
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  contents:
    description: Whether the archives themselves are returned.
    type: bool
    default: false
  identity_path:
    description: The file with the private key of an encrypted backup, for C(age). Needed with O(contents).
    type: path
seealso:
  - module: astraldraft.ops.stack_backup
  - module: astraldraft.ops.stack_files
"""

EXAMPLES = r"""
- name: See what the latest set has
  astraldraft.ops.stack_backup_info:
    path: /var/lib/astraldraft/astral-draft/backups
"""

RETURN = r"""
name:
  description: The name of the backup, V(null) when there is none.
  returned: always
  type: str
bad:
  description: Why it is not to be restored, V(null) when nothing speaks against it.
  returned: always
  type: str
members:
  description: The backups that belong to it.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    kind:
      description: V(database) or V(cache).
      type: str
    database:
      description: The database, or what the cache is called in the catalogue.
      type: str
    present:
      description: Whether the catalogue still lists it, and its folder is there.
      type: bool
archives:
  description: Its archives of files.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: The host that they are of.
      type: str
    part:
      description: What they are.
      type: str
    paths:
      description: The files and links in it.
      type: list
      elements: str
    content:
      description: The archive (tar.gz) in Base64, V(null) unless O(contents) is set.
      type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import base64
import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_backup as stacks
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "default": catalogues.LATEST},
    "environment": {"type": "str"},
    "database": {"type": "str"},
    "contents": {"type": "bool", "default": False},
    "identity_path": {"type": "path"},
}
RESULT = {"name": None, "bad": None, "members": [], "archives": []}


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    entries = catalogue.read()
    entry = catalogues.find(entries, params["name"], catalogues.STACK, params["environment"], params["database"])
    result.update(name=entry["name"], bad=entry["bad"]["reason"] if entry["bad"] else None)
    folder = catalogue.path_of(entry)
    manifest = manifests.read(folder, entry["manifest_sha256"])[0]
    there = {one["name"] for one in entries if os.path.isdir(catalogue.path_of(one))}
    result["members"] = [
        {"name": one["name"], "kind": one["kind"], "database": one["database"], "present": one["name"] in there}
        for one in manifest["members"]
    ]  # fmt: skip
    contents = {}
    if params["contents"]:
        stacks.refuse_altered(folder, manifest)
        found = stacks.stored(folder, manifest, params["identity_path"])
        contents = {line["file"]: base64.b64encode(data).decode("ascii") for line, data in found}
    result["archives"] = [
        {
            "host": line["host"], "part": line["part"], "content": contents.get(line["file"]),
            "paths": [row["path"] for row in line["files"] if row["type"] != stacks.stack_files.FOLDER],
        }
        for line in manifest["archives"]
    ]  # fmt: skip


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
