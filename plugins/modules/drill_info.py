#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_info
short_description: Say which drills there were, and how their times develop
version_added: 0.1.0
description:
  - Reads the record of drills. Changes nothing.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  path:
    description: The record's file.
    type: path
    required: true
  fault:
    description: Only drills of this fault.
    type: str
  limit:
    description: Return only that many of the newest drills. The trends are of all.
    type: int
seealso:
  - module: astraldraft.ops.drill_record
"""

EXAMPLES = r"""
- name: How do we do?
  astraldraft.ops.drill_info:
    path: /var/lib/astraldraft/astral-demo/drills.jsonl
  register: drills
"""

RETURN = r"""
drills:
  description: The drills, oldest first.
  returned: always
  type: list
  elements: dict
  contains: &drill
    id:
      description: The drill's id.
      type: str
    fault:
      description: The fault's name.
      type: str
    host:
      description: Where it was.
      type: str
    operator:
      description: Who.
      type: str
    details:
      description: What is needed to heal it.
      type: dict
    began_at:
      description: When it began (ISO 8601, UTC).
      type: str
    ended_at:
      description: When its fault was healed (ISO 8601, UTC). V(null) before.
      type: str
    outcome:
      description: V(recovered), V(not_recovered), V(interrupted), or V(running) before its end.
      type: str
    detected_by:
      description: Who said first that something is wrong. Empty where nobody did. V(null) when nobody recorded it.
      type: str
    detect_seconds:
      description: After how many seconds. V(null) where nobody did.
      type: float
    recover_seconds:
      description: After how many seconds all was well again. V(null) where it was not.
      type: float
    summary:
      description: One sentence. V(null) when nobody recorded it.
      type: str
unfinished:
  description: Those that were cut short, or are under way. What they broke may be broken.
  returned: always
  type: list
  elements: dict
  contains: *drill
trends:
  description:
    - How each fault goes, by its name. Each of the two times has C(last), C(median), C(best) and C(worst) in seconds, and C(change),
      which is how the last one is beside the median of those before (V(better), V(worse), V(same), V(first)). All of them are V(null)
      where it was never measured.
  returned: always
  type: list
  elements: dict
  contains:
    fault:
      description: The fault's name.
      type: str
    runs:
      description: How many drills of it came to their end.
      type: int
    recovered:
      description: After how many of them all was well.
      type: int
    last_at:
      description: When the last one ended (ISO 8601, UTC).
      type: str
    detect_seconds:
      description: Until somebody said that something is wrong.
      type: dict
    recover_seconds:
      description: Until all was well again.
      type: dict
table:
  description: The trends as lines of text for people.
  returned: always
  type: list
  elements: str
damaged_lines:
  description: The numbers of the lines that are not JSON, for example one that was torn by a power cut.
  returned: always
  type: list
  elements: int
  sample: []
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _drill
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {"path": {"type": "path", "required": True}, "fault": {"type": "str"}, "limit": {"type": "int"}}
RESULT = {"drills": [], "unfinished": [], "trends": [], "table": [], "damaged_lines": []}


def work(module, result):
    params = module.params
    events, damaged = read_lines(params["path"])
    drills = [drill for drill in _drill.fold(events) if params["fault"] in (None, drill["fault"])]
    trends = _drill.trends(drills)
    result.update(
        drills=drills[-params["limit"] :] if params["limit"] else drills,
        unfinished=_drill.unfinished(drills),
        trends=trends,
        table=_drill.table(trends),
        damaged_lines=damaged,
    )


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
