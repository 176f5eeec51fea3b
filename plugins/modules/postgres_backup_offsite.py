#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_backup_offsite
short_description: Copy a backup elsewhere with a command of one's own, and see that it arrived
version_added: 0.1.0
description:
  - Runs O(copy_command), then O(check_command), which says what arrived there, and compares that with the backup's manifest.
  - A command's success is not taken for a copy. What O(check_command) has to print is the hash of every file as C(sha256sum) prints it,
    with paths that end in the ones of the manifest.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._backup
  - astraldraft.ops._backup.name
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
    details: What was copied and found whole is not copied again.
options:
  copy_command:
    description: The command as a list. C({name}) and C({path}) in it stand for the backup's name and folder.
    type: list
    elements: str
    required: true
  check_command:
    description: The command, as a list, that prints the hashes of what arrived.
    type: list
    elements: str
    required: true
  timeout:
    description: How long each of them may take, in seconds.
    type: float
    default: 3600
seealso:
  - module: astraldraft.ops.postgres_backup
"""

EXAMPLES = r"""
- name: Copy the latest backup to another host
  astraldraft.ops.postgres_backup_offsite:
    path: /var/lib/astraldraft/astral-draft/backups
    copy_command: [rsync, --archive, "{path}", "backup@elsewhere:astral/"]
    check_command: [ssh, backup@elsewhere, "find astral/{name} -type f -exec sha256sum {} +"]
"""

RETURN = r"""
name:
  description: The name of the backup, V(null) when there is none.
  returned: always
  type: str
offsite:
  description: What the catalogue says of the copy, V(null) in check mode and when there is none.
  returned: always
  type: dict
findings:
  description: What is missing or differs there, at most 20 sentences.
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
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_take import DATABASE
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SPEC = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "default": catalogues.LATEST},
    "environment": {"type": "str"},
    "database": {"type": "str"},
    "copy_command": {"type": "list", "elements": "str", "required": True},
    "check_command": {"type": "list", "elements": "str", "required": True},
    "timeout": {"type": "float", "default": 3600},
}
RESULT = {"name": None, "offsite": None, "findings": []}


def command(module, words, entry, folder):
    """Run one command. -> its output (str)"""
    deadline = Deadline(module.params["timeout"])

    def tick():
        module.heartbeat()
        if deadline.passed:
            raise OpsError("{0} took longer than {1:g} s and was ended. The backup itself is whole.".format(words[0], deadline.seconds))

    argv = [word.replace("{name}", entry["name"]).replace("{path}", folder) for word in words]
    return Host(0).must(argv, tick).decode("utf-8", "replace")


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    entry = catalogues.find(catalogue.read(), params["name"], DATABASE, params["environment"], params["database"])
    result["name"] = entry["name"]
    if entry["offsite"] and entry["offsite"]["verdict"] == catalogues.PASS:
        result["offsite"] = entry["offsite"]
        return
    result["changed"] = True
    folder = catalogue.path_of(entry)
    manifest, sha256 = manifests.read(folder, entry["manifest_sha256"])
    if module.check_mode:
        return
    command(module, params["copy_command"], entry, folder)
    findings = manifests.compare_sums(command(module, params["check_command"], entry, folder), manifest, sha256)
    result["findings"] = findings
    result["offsite"] = {"at": to_iso(time.time()), "verdict": catalogues.FAIL if findings else catalogues.PASS, "findings": findings}
    module.fence()
    with catalogue.changing() as entries:
        catalogues.find(entries, entry["name"], DATABASE)["offsite"] = result["offsite"]
    if findings:
        raise OpsError(
            "The copy of {0} is not what it should be: {1} The backup here is whole.".format(entry["name"], " ".join(findings[:3]))
        )


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
