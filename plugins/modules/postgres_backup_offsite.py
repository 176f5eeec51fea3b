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
    details:
      - A name that the catalogue does not list is taken for that of a backup that the same run would take, when it is newer than all that
        are listed, and no older than an hour.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: What was copied and found whole is not copied again.
options:
  kind:
    description: What it is a backup of.
    type: str
    choices: [database, cache, stack]
    default: database
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

import shutil
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host, last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SPEC = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "default": catalogues.LATEST},
    "environment": {"type": "str"},
    "database": {"type": "str"},
    "copy_command": {"type": "list", "elements": "str", "required": True},
    "check_command": {"type": "list", "elements": "str", "required": True},
    "kind": {"type": "str", "choices": list(catalogues.KINDS), "default": catalogues.DATABASE},
    "timeout": {"type": "float", "default": 3600},
}
RESULT = {"name": None, "offsite": None, "findings": []}


def command(module, option, name, folder):
    """The argument list that ``option`` stands for. Raises OpsError when it cannot be run."""
    argv = [word.replace("{name}", name).replace("{path}", folder) for word in module.params[option]]
    if not argv or not shutil.which(argv[0]):
        what = "{0} is not on this host, or may not be run".format(argv[0]) if argv else "it is empty"
        raise OpsError("{0} cannot be run: {1}. Nothing was copied, and the backup here is whole. Correct it.".format(option, what))
    return argv


def output_of(module, option, argv):
    """Run one command. -> its output (str)"""
    deadline = Deadline(module.params["timeout"])

    def tick():
        module.heartbeat()
        if deadline.passed:
            raise OpsError(
                "{0} ({1}) took longer than {2:g} s and was ended. The backup here is whole. Is the other place slow? Look there, or raise "
                "timeout, and run it again.".format(option, argv[0], deadline.seconds)
            )

    done = Host(0).run(argv, tick)
    if done.code:
        raise OpsError(
            "{0} ({1}) failed with exit code {2}: {3}. The backup here is whole; it counts as not copied.".format(
                option, argv[0], done.code, last_words(done.complaint)
            )
        )
    return done.output.decode("utf-8", "replace")


def chosen(module, entries):
    """The entry of the backup; None for one that the run would take, in check mode."""
    params = module.params
    if module.check_mode and catalogues.may_be_next(entries, params["name"], time.time()):
        return None
    return catalogues.find(entries, params["name"], params["kind"], params["environment"], params["database"])


def work(module, result):
    params, catalogue = module.params, catalogues.Catalogue(module.params["path"])
    entry = chosen(module, catalogue.read())
    if entry is None:
        for option in ("copy_command", "check_command"):
            command(module, option, params["name"], params["path"])
        result.update(changed=True, name=params["name"])
        return
    result["name"] = entry["name"]
    if entry["offsite"] and entry["offsite"]["verdict"] == catalogues.PASS:
        result["offsite"] = entry["offsite"]
        return
    folder = catalogue.path_of(entry)
    manifest, sha256 = manifests.read(folder, entry["manifest_sha256"])
    copy, check = (command(module, option, entry["name"], folder) for option in ("copy_command", "check_command"))
    result["changed"] = True
    if module.check_mode:
        return
    output_of(module, "copy_command", copy)
    findings = manifests.compare_sums(output_of(module, "check_command", check), manifest, sha256)
    result["findings"] = findings
    result["offsite"] = {"at": to_iso(time.time()), "verdict": catalogues.FAIL if findings else catalogues.PASS, "findings": findings}
    module.fence()
    with catalogue.changing() as entries:
        catalogues.find(entries, entry["name"], params["kind"])["offsite"] = result["offsite"]
    if findings:
        raise OpsError(
            "The copy of {0} is not what it should be: {1} The backup here is whole.".format(entry["name"], " ".join(findings[:3]))
        )


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
