#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_anchor_info
short_description: Read the hashes of the audit trail that were kept in another place
version_added: 0.1.0
description:
  - Returns the anchors that M(astraldraft.ops.journal_anchor) kept, for M(astraldraft.ops.journal_info) to compare with the journal.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  path:
    description: The file of the anchors.
    type: path
    required: true
  limit:
    description: Return only that many of the newest.
    type: int
    default: 1000
seealso:
  - module: astraldraft.ops.journal_anchor
  - module: astraldraft.ops.journal_info
"""

EXAMPLES = r"""
- name: Read the anchors on another host
  astraldraft.ops.journal_anchor_info:
    path: /var/lib/astraldraft/anchors/astral-demo.jsonl
  delegate_to: backup1
  register: kept

- name: Verify the journal against them
  astraldraft.ops.journal_info:
    path: /var/lib/astraldraft/astral-demo/journal.jsonl
    verify: true
    anchors: "{{ kept.anchors }}"
"""

RETURN = r"""
anchors:
  description: The anchors, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    sequence:
      description: The entry's number.
      type: int
    hash:
      description: Its hash.
      type: str
    time:
      description: When it was kept (ISO 8601, UTC). V(null) when its line does not say.
      type: str
damaged_lines:
  description: The numbers of the lines that cannot be read.
  returned: always
  type: list
  elements: int
  sample: []
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._journal import is_anchor
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {"path": {"type": "path", "required": True}, "limit": {"type": "int", "default": 1000}}
RESULT = {"anchors": [], "damaged_lines": []}


def work(module, result):
    lines, damaged = read_lines(module.params["path"])
    anchors = [{"sequence": line["sequence"], "hash": line["hash"], "time": line.get("time")} for line in lines if is_anchor(line)]
    result.update(anchors=anchors[-module.params["limit"] :] if module.params["limit"] > 0 else [], damaged_lines=damaged)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
