#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_backup
short_description: Make backups of database and cache, and files of hosts, one set of the catalogue
version_added: 0.1.0
description:
  - Writes a backup of the kind V(stack). Its manifest names its members, which are backups of their own, with the hash of each one's
    manifest, and lists every file of its archives.
  - It is written aside, and only then gets its name and its place in the catalogue. One that fails leaves nothing, and touches no other.
  - Members stay as long as the set does, whatever M(astraldraft.ops.postgres_backup_prune) would keep of them otherwise.
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
    details: Members that check mode has just named count as taken.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run makes a set.
options:
  environment:
    description: The environment, which becomes part of the backup's name, C(backup_<environment>_<time in UTC>).
    type: str
    required: true
  database:
    description: What the stack is called in the catalogue. Backups of the same name replace each other when old ones are pruned.
    type: str
    default: stack
  purpose:
    description: A V(safety) backup is taken before something dangerous. It is never the latest one, and is kept for its own time.
    type: str
    choices: [ordinary, safety]
    default: ordinary
  members:
    description: The names of the backups of the database and of the cache that belong to it.
    type: list
    elements: str
    required: true
  archives:
    description: Files of hosts, as M(astraldraft.ops.stack_files_info) returns them.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The host that they are of.
        type: str
        required: true
      part:
        description: What they are, such as V(certificates).
        type: str
        required: true
      content:
        description: The archive (tar.gz) in Base64.
        type: str
        required: true
  encrypt_recipients:
    description:
      - The public keys (age or SSH) for which the archives are encrypted, by C(age). The manifest is not; it has no hashes of single files
        then, by which a short secret could be guessed.
    type: list
    elements: str
    default: []
seealso:
  - module: astraldraft.ops.stack_files_info
  - module: astraldraft.ops.stack_backup_verify
  - module: astraldraft.ops.stack_backup_info
"""

EXAMPLES = r"""
- name: Make one set of it
  astraldraft.ops.stack_backup:
    path: /var/lib/astraldraft/astral-draft/backups
    environment: production
    members: ["{{ database_backup.name }}", "{{ cache_backup.name }}"]
    archives:
      - host: web-1
        part: certificates
        content: "{{ certificates.content }}"
  no_log: true
"""

RETURN = r"""
name:
  description: The name of the backup. In check mode it is what it would be if it were taken now. V(null) after a failure.
  returned: always
  type: str
folder:
  description: Its folder, V(null) likewise.
  returned: always
  type: str
backup:
  description: Its entry in the catalogue, as M(astraldraft.ops.postgres_backup_info) has it. Empty in check mode and after a failure.
  returned: always
  type: dict
file_count:
  description: How many files and links are in its archives.
  returned: always
  type: int
parts:
  description: Where the time went, in seconds.
  returned: always
  type: dict
  sample: {write_seconds: 0.2}
removed:
  description: What somebody who died had left, and is gone now; in check mode what would go.
  returned: always
  type: list
  elements: str
adopted:
  description: Whole backups that nobody had listed, and that are listed now.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import base64
import binascii
import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_metrics as metrics
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_store as store
from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_backup as stacks
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

ARCHIVE_SPEC = {
    "host": {"type": "str", "required": True},
    "part": {"type": "str", "required": True},
    "content": {"type": "str", "required": True, "no_log": True},
}
SPEC = {
    "path": {"type": "path", "required": True},
    "environment": {"type": "str", "required": True},
    "database": {"type": "str", "default": catalogues.STACK},
    "purpose": {"type": "str", "choices": [catalogues.ORDINARY, catalogues.SAFETY], "default": catalogues.ORDINARY},
    "members": {"type": "list", "elements": "str", "required": True},
    "archives": {"type": "list", "elements": "dict", "default": [], "options": ARCHIVE_SPEC},
    "encrypt_recipients": {"type": "list", "elements": "str", "default": []},
    "metrics_path": {"type": "path"},
}
RESULT = {"name": None, "folder": None, "backup": {}, "file_count": 0, "parts": {}, "removed": [], "adopted": []}


def archives_of(params):
    """Raises OpsError."""
    try:
        found = [(one["host"], one["part"], base64.b64decode(one["content"], validate=True)) for one in params["archives"]]
    except binascii.Error as error:
        raise OpsError("archives: a content is no Base64 ({0}). Give it as stack_files_info returns it.".format(error))
    return stacks.read_archives(found)


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    order = stacks.Order(params["environment"], params["database"], params["purpose"], params["encrypt_recipients"])
    name = catalogues.backup_name(order.environment, utc_now(), order.purpose)
    archives, entries = archives_of(params), catalogue.read()
    members = stacks.choose_members(
        entries, params["members"], lambda member: module.check_mode and catalogues.may_be_next(entries, member, time.time())
    )
    result["file_count"] = sum(entry.type != stacks.stack_files.FOLDER for archive in archives for entry in archive.entries)
    if module.check_mode:
        catalogue.demand_free("backup")
        partials = [os.path.join(catalogue.folder, partial) for partial in catalogue.folders()[1]]
        result.update(changed=True, name=name, folder=os.path.join(catalogue.folder, name), removed=partials)
        return
    with catalogue.alone("backup"):
        result["removed"] = store.clear(catalogue, None, module.fence)
        result["changed"] = bool(result["removed"])
        manifest, sha256, result["parts"] = stacks.take(order, members, archives, catalogue, module.fence, module.heartbeat)
        result["changed"] = True
        entry, result["adopted"] = store.enlist(catalogue, manifest, sha256, metrics.teller(params["metrics_path"]))
    result.update(name=entry["name"], folder=catalogue.path_of(entry), backup=entry)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
