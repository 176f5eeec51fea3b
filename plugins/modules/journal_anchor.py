#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_anchor
short_description: Keep the hash of an entry of the audit trail in another place
version_added: 0.1.0
description:
  - Appends the sequence and the hash of an entry to a file of JSON lines. It belongs on a host where those who can write the journal cannot
    write.
  - Whoever cuts the journal's end or makes its chain anew no longer matches what was kept here. M(astraldraft.ops.journal_info) compares.
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
    support: none
  idempotent:
    support: full
options:
  path:
    description: The file of the anchors. It is created when missing, with its folder.
    type: path
    required: true
  sequence:
    description: The entry's number, as M(astraldraft.ops.journal_entry) returns it.
    type: int
    required: true
  hash:
    description: Its hash.
    type: str
    required: true
  stack:
    description: The stack whose journal it is, for those who read the file.
    type: str
    default: ""
seealso:
  - module: astraldraft.ops.journal_anchor_info
  - module: astraldraft.ops.journal_entry
"""

EXAMPLES = r"""
- name: Keep the hash of the last entry
  astraldraft.ops.journal_anchor:
    path: /var/lib/astraldraft/anchors/astral-demo.jsonl
    sequence: 42
    hash: 4f1c2d0c6f0b6b0c8f5c0f1f0d9bb7a4a4f2d2e0c3a1e5b6978869504a3b2c1d
"""

RETURN = r"""
anchor:
  description: What is kept.
  returned: always
  type: dict
  contains:
    sequence:
      description: The entry's number.
      type: int
    hash:
      description: Its hash.
      type: str
disagreeing:
  description:
    - Hashes of an entry of the same number that were kept before. There should be none; the journal was begun anew or made anew since.
  returned: always
  type: list
  elements: str
  sample: []
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import append_line, read_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._journal import check_hash
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "sequence": {"type": "int", "required": True},
    "hash": {"type": "str", "required": True},
    "stack": {"type": "str", "default": ""},
}
RESULT = {"anchor": None, "disagreeing": []}


def work(module, result):
    params = module.params
    wanted = {"sequence": params["sequence"], "hash": check_hash(params["hash"])}
    kept = {line.get("hash") for line in read_lines(params["path"])[0] if line.get("sequence") == wanted["sequence"]}
    result.update(changed=wanted["hash"] not in kept, anchor=wanted, disagreeing=sorted(str(other) for other in kept - {wanted["hash"]}))
    if module.check_mode or not result["changed"]:
        return
    try:
        append_line(params["path"], dict(wanted, stack=params["stack"], time=to_iso(utc_now())))
    except OSError as error:
        raise OpsError("The anchor of entry {0} could not be written to {1}: {2}.".format(wanted["sequence"], params["path"], error))


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
