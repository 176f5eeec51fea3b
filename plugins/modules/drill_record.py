#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_record
short_description: Record what a drill does and how it ends
version_added: 0.1.0
description:
  - Appends an event to the record of drills. That a drill begins is written, with all that is needed to heal it, before its fault is
    there, so whoever finds one without an end knows what to heal.
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
    support: partial
    details: O(event=begun) begins a drill each time. The others record an end once.
options:
  path:
    description: The record's file.
    type: path
    required: true
  event:
    description: V(begun), V(ended) with how it went, or V(healed) for one that was cut short.
    type: str
    required: true
    choices: [begun, ended, healed]
  drill:
    description: The id of the drill that ends. Needed unless O(event=begun).
    type: str
  fault:
    description: The fault's name. Needed with O(event=begun).
    type: str
  host:
    description: Where it is.
    type: str
    default: ""
  operator:
    description: Who.
    type: str
    default: ""
  details:
    description: What is needed to heal it.
    type: dict
    default: {}
  outcome:
    description: Whether all was well again by the playbook that is for it. Needed with O(event=ended).
    type: str
    choices: [recovered, not_recovered]
  detected_by:
    description: Who said first that something is wrong.
    type: str
    default: ""
  detect_seconds:
    description: After how many seconds. Without it nobody has.
    type: float
  recover_seconds:
    description: After how many seconds all was well again. Without it, it was not.
    type: float
  summary:
    description: One sentence.
    type: str
    default: ""
seealso:
  - module: astraldraft.ops.drill_info
"""

EXAMPLES = r"""
- name: Record that a drill begins
  astraldraft.ops.drill_record:
    path: /var/lib/astraldraft/astral-demo/drills.jsonl
    event: begun
    fault: replica_killed
    host: app-1
    operator: ada
    details:
      containers: [astral-demo-app-blue-1]
  register: drill
"""

RETURN = r"""
drill:
  description: The drill's id. V(null) in check mode for one that would begin, and when the module failed before.
  returned: always
  type: str
  sample: 20261129T201500.000Z-replica_killed
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _drill
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import append_line, read_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "event": {"type": "str", "required": True, "choices": list(_drill.EVENTS)},
    "drill": {"type": "str"},
    "fault": {"type": "str"},
    "host": {"type": "str", "default": ""},
    "operator": {"type": "str", "default": ""},
    "details": {"type": "dict", "default": {}},
    "outcome": {"type": "str", "choices": [_drill.RECOVERED, _drill.NOT_RECOVERED]},
    "detected_by": {"type": "str", "default": ""},
    "detect_seconds": {"type": "float"},
    "recover_seconds": {"type": "float"},
    "summary": {"type": "str", "default": ""},
}


def event_to_append(params, drills, now):
    """The event (dict) that the request adds at the time ``now`` (ISO 8601), or None when it is recorded already. Raises OpsError."""
    kind = params["event"]
    if kind == _drill.BEGUN:
        identifier = "{0}-{1}".format(now.replace("-", "").replace(":", ""), params["fault"])
        return dict({name: params[name] for name in _drill.OF_BEGIN}, time=now, event=kind, drill=identifier)
    drill = next((drill for drill in drills if drill["id"] == params["drill"]), None)
    if drill is None:
        raise OpsError("{0} knows of no drill {1}, so {2} was not recorded. See: drills".format(params["path"], params["drill"], kind))
    if drill["outcome"] != _drill.RUNNING:
        return None
    names = _drill.OF_END if kind == _drill.ENDED else ()
    return dict({name: params[name] for name in names}, time=now, event=kind, drill=drill["id"])


def work(module, result):
    params = module.params
    event = event_to_append(params, _drill.fold(read_lines(params["path"])[0]), to_iso(utc_now()))
    result["changed"] = event is not None
    result["drill"] = params["drill"]
    if event and not module.check_mode:
        module.fence()
        append_line(params["path"], event)
        result["drill"] = event["drill"]


def main():
    run(
        work,
        SPEC,
        {"drill": None},
        supports_check_mode=True,
        required_if=[("event", "begun", ["fault"]), ("event", "ended", ["drill", "outcome"]), ("event", "healed", ["drill"])],
    )


if __name__ == "__main__":
    main()
