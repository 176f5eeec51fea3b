#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_spool
short_description: Remove from a spool what is in the audit trail by now
version_added: 0.1.0
description:
  - Entries that were recorded on a host while the journal was out of reach wait there in a file of their own. Once they are in the journal
    (O(astraldraft.ops.journal_entry#module:waiting)) they are removed from that file. Whatever was added to it meanwhile stays.
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
    description: The spool's file.
    type: path
    required: true
  ids:
    description: The ids of the entries that are in the journal.
    type: list
    elements: str
    required: true
seealso:
  - module: astraldraft.ops.journal_entry
"""

EXAMPLES = r"""
- name: Read what waits on this host
  astraldraft.ops.journal_info:
    path: /var/lib/astraldraft/astral-demo/journal-spool.jsonl
  register: waiting

- name: Record a deploy, and what waited before it
  astraldraft.ops.journal_entry:
    path: /var/lib/astraldraft/astral-demo/journal.jsonl
    operation: deploy
    verdict: pass
    operator: ada
    waiting: "{{ waiting.entries }}"
  delegate_to: state1

- name: It waits no longer
  astraldraft.ops.journal_spool:
    path: /var/lib/astraldraft/astral-demo/journal-spool.jsonl
    ids: "{{ waiting.entries | map(attribute='id') }}"
"""

RETURN = r"""
removed:
  description: How many entries were removed.
  returned: always
  type: int
left:
  description: How many still wait.
  returned: always
  type: int
problems:
  description: A sentence for every line that is not an entry as it was written. Such lines stay.
  returned: always
  type: list
  elements: str
  sample: []
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._journal import Spool
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {"path": {"type": "path", "required": True}, "ids": {"type": "list", "elements": "str", "required": True}}
RESULT = {"removed": 0, "left": 0, "problems": []}


def work(module, result):
    path, ids = module.params["path"], set(module.params["ids"])
    if not os.path.exists(path):
        return
    try:
        with (Spool.look if module.check_mode else Spool.open)(path) as spool:
            result["removed"] = sum(content["id"] in ids for content in spool.contents)
            result.update(changed=result["removed"] > 0, left=len(spool.contents) - result["removed"], problems=spool.problems)
            if not module.check_mode:
                spool.remove(ids)
    except OSError as error:
        raise OpsError("The spool {0} cannot be changed: {1}. Its entries are in the journal; nothing is lost.".format(path, error))


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
