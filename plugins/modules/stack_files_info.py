#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_files_info
short_description: Read files and folders of a host as one archive
version_added: 0.1.0
description:
  - Reads all files below O(paths) with their modes and owners, and returns them as one archive for M(astraldraft.ops.stack_backup) to keep.
  - A path that is a link brings along what it points to. Links inside a folder stay links. Access control lists and extended attributes
    are not kept.
  - What is returned has secrets in it where the files have. Set C(no_log) on the task.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  paths:
    description: Files, folders with all that is below them, or patterns such as V(/etc/nginx/*.conf). Each begins at V(/).
    type: list
    elements: str
    required: true
  max_bytes:
    description: How many bytes the files may have together. They pass through the memory of this host and of the controller.
    type: int
    default: 67108864
seealso:
  - module: astraldraft.ops.stack_backup
  - module: astraldraft.ops.stack_files
"""

EXAMPLES = r"""
- name: Read the certificates
  astraldraft.ops.stack_files_info:
    paths: [/etc/letsencrypt]
  register: certificates
  no_log: true
"""

RETURN = r"""
content:
  description: The archive (tar.gz) in Base64. The same files always give the same archive.
  returned: always
  type: str
files:
  description: What is in it, with the folders above.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Its path.
      type: str
    type:
      description: V(file), V(folder) or V(link).
      type: str
    mode:
      description: Its mode, in octal.
      type: str
    owner:
      description: Whose it is, by name where the user has one.
      type: str
    group:
      description: Its group, likewise.
      type: str
    bytes:
      description: Its size.
      type: int
    sha256:
      description: The hash of its content, V(null) for a folder.
      type: str
missing:
  description: The paths that are not there, and patterns that nothing matches.
  returned: always
  type: list
  elements: str
left_out:
  description: What is neither file, folder nor link, and therefore not in the archive.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import base64

from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_files as stack_files
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "paths": {"type": "list", "elements": "str", "required": True},
    "max_bytes": {"type": "int", "default": stack_files.MOST_BYTES},
}
RESULT = {"content": "", "files": [], "missing": [], "left_out": []}


def work(module, result):
    found = stack_files.look(module.params["paths"])
    result.update(missing=found.missing, left_out=found.left_out)
    stack_files.refuse_too_much(found, module.params["max_bytes"])
    data, entries = stack_files.pack(found, module.heartbeat)
    result.update(content=base64.b64encode(data).decode("ascii"), files=[stack_files.row(entry) for entry in entries])


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
