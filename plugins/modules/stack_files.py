#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_files
short_description: Put the files of an archive back
version_added: 0.1.0
description:
  - Writes what M(astraldraft.ops.stack_files_info) has read, below O(root), with the modes that the files had. As root their owners are
    those of before, too, by name where this host knows it.
  - A file that differs keeps a second name beside the new one, with O(suffix). Each is replaced in one step.
  - Folders that are there stay as they are, and so does every file that is not in the archive.
  - Nobody is told to read the files anew.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Names, modes and sizes are shown, never what is in a file.
  idempotent:
    support: full
options:
  content:
    description: The archive (tar.gz) in Base64.
    type: str
    required: true
  root:
    description: The folder below which the files are written. It is made when it is missing, for its owner alone.
    type: path
    default: /
  suffix:
    description: What is added to the name of a file that another one takes the place of, such as the name of the backup.
    type: str
    required: true
seealso:
  - module: astraldraft.ops.stack_files_info
  - module: astraldraft.ops.stack_backup_info
"""

EXAMPLES = r"""
- name: Put the certificates of a backup back
  astraldraft.ops.stack_files:
    content: "{{ (backup.archives | selectattr('part', 'equalto', 'certificates') | first).content }}"
    suffix: "{{ backup.name }}"
  no_log: true
"""

RETURN = r"""
written:
  description: The files, folders and links that were written, or would be in check mode.
  returned: always
  type: list
  elements: str
kept:
  description: The second names of what was there. In check mode none.
  returned: always
  type: list
  elements: str
unchanged:
  description: How many were as they should be.
  returned: always
  type: int
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import base64
import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_files as stack_files
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "content": {"type": "str", "required": True, "no_log": True},
    "root": {"type": "path", "default": "/"},
    "suffix": {"type": "str", "required": True},
}
RESULT = {"written": [], "kept": [], "unchanged": 0, "diff": {"before": "", "after": ""}}


def unpacked(text):
    """Raises OpsError."""
    try:
        return stack_files.unpack(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise OpsError("content is no archive of files: {0}. Nothing was written. Read it from the backup again.".format(error))


def work(module, result):
    params = module.params
    entries = unpacked(params["content"])
    if not params["suffix"] or "/" in params["suffix"]:
        raise OpsError("The suffix {0!r} cannot end the name of a file. Nothing was written.".format(params["suffix"]))
    found = stack_files.changes(entries, params["root"])
    result.update(
        changed=bool(found), written=[change.destination for change in found], unchanged=len(entries) - len(found),
        diff=stack_files.diff(found),
    )  # fmt: skip
    if module.check_mode or not found:
        return
    module.fence()
    os.makedirs(params["root"], mode=0o700, exist_ok=True)
    for change in found:
        module.heartbeat()
        kept = stack_files.write(change, params["suffix"])
        result["kept"] += [kept] if kept else []


def main():
    run(work, SPEC, dict(RESULT, kept=[]), supports_check_mode=True)


if __name__ == "__main__":
    main()
