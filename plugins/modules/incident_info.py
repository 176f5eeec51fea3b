#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_info
short_description: List incidents with their timelines
version_added: 0.1.0
description:
  - Returns the incidents that M(astraldraft.ops.incident_record) keeps, each with its timeline, how long things took, and which action
    items are overdue.
  - With O(journal_path) the operations that ran in the meantime are in the timeline, as M(astraldraft.ops.journal_entry) recorded
    them. They are merged in while reading, and written down nowhere else.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._incident
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  id:
    description: Only this incident, whatever its status. It is a failure when there is none.
    type: str
  status:
    description: Only those that are open, or were resolved. With O(id) it does not matter.
    type: str
    choices: [open, resolved, all]
    default: open
  journal_path:
    description: The journal's file.
    type: path
  lead:
    description:
      - So long before an incident began an operation is in its timeline, too, in seconds or such as V(30m). What was deployed a quarter
        of an hour before is what people look for first.
    type: str
    default: "0"
  policy:
    description:
      - The policy by which people are told, as M(astraldraft.ops.incident_policy_info) takes it. With it RV(incidents[].due) says what is
        to be sent now.
    type: dict
seealso:
  - module: astraldraft.ops.incident_record
  - module: astraldraft.ops.incident_policy_info
  - module: astraldraft.ops.journal_info
"""

EXAMPLES = r"""
- name: What is open?
  astraldraft.ops.incident_info:
    path: /var/lib/astraldraft/astral-demo/incidents
  register: open

- name: All of one incident, with what operations did from an hour before it
  astraldraft.ops.incident_info:
    path: /var/lib/astraldraft/astral-demo/incidents
    journal_path: /var/lib/astraldraft/astral-demo/journal.jsonl
    id: 2026-0042
    lead: 1h

- name: Who is to be told now?
  astraldraft.ops.incident_info:
    path: /var/lib/astraldraft/astral-demo/incidents
    policy: "{{ incident_policy }}"
  register: open
"""

RETURN = r"""
incidents:
  description: The incidents in the order of their ids, so the newest last.
  returned: always
  type: list
  elements: dict
  contains:
    incident:
      description: What is known of it, as RV(astraldraft.ops.incident_record#module:after).
      type: dict
    open:
      description: Whether it is open.
      type: bool
    times:
      description: How long things took.
      type: dict
      contains:
        seconds_to_acknowledge:
          description: From its start until somebody took it on. V(null) when nobody has.
          type: float
        seconds_to_mitigate:
          description: From its start until users noticed nothing any more. V(null) while they do.
          type: float
        seconds_to_resolve:
          description: From its start to its end. V(null) while it is open.
          type: float
        seconds:
          description: How long it lasted, or has lasted so far. V(null) where its start was not recorded.
          type: float
    overdue_actions:
      description: Its action items whose day is over and that are not done.
      type: list
      elements: dict
    update_due_at:
      description:
        - When the next update is due, as it was promised or by O(policy). V(null) when none is, and without O(policy).
      type: str
    update_overdue_seconds:
      description: For how long it has been due. 0 when it is not.
      type: int
    due:
      description:
        - What is to be sent now by O(policy), the earliest first. What was sent is not in it, nor what somebody is about to send
          (RV(astraldraft.ops.incident_record#module:claimed)).
      type: list
      elements: dict
      contains:
        key:
          description: What it is known by. It is always the same, whoever asks and however late.
          type: str
        kind:
          description: V(escalation) by the severity's chain, V(condition) for what is the case besides, or V(update), which is a reminder.
          type: str
        severity:
          description: The incident's severity.
          type: str
        contact:
          description: Who is told, by the name in O(policy), or the role in the incident.
          type: str
        name:
          description: Who that is.
          type: str
        due_at:
          description: When it was due (ISO 8601, UTC).
          type: str
        late_seconds:
          description: How long ago that was.
          type: int
        why:
          description: Why they are told.
          type: str
    timeline:
      description: What happened, the oldest first.
      type: list
      elements: dict
      contains:
        time:
          description: When, or for an operation when it began (ISO 8601, UTC).
          type: str
        ended_at:
          description: When an operation ended. V(null) for anything else.
          type: str
        source:
          description: V(incident) for what people said, V(journal) for operations.
          type: str
        kind:
          description: What kind of an entry it is, or the name of the operation.
          type: str
        by:
          description: Who.
          type: str
        text:
          description: What.
          type: str
        verdict:
          description: How an operation ended. V(null) for anything else.
          type: str
        changed:
          description: Whether it changed anything.
          type: bool
        number:
          description: Its number in the incident's timeline, or in the journal. V(null) when it has none.
          type: int
    damaged:
      description: Numbers of lines of its own timeline that are no entries, for example one whose writing was cut short by a crash.
      type: list
      elements: int
unreadable:
  description: Paths of incidents that cannot be read.
  returned: always
  type: list
  elements: str
left_out:
  description: How many older operations were left out, because there are more than 2000.
  returned: always
  type: int
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident, _incident_policy, _incident_timeline
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_policy_lint import lint, unusable
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, to_iso, utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "id": {"type": "str"},
    "status": {"type": "str", "choices": ["open", "resolved", "all"], "default": "open"},
    "journal_path": {"type": "path"},
    "lead": {"type": "str", "default": "0"},
    "policy": {"type": "dict"},
}
RESULT = {"incidents": [], "unreadable": [], "left_out": 0}


def chosen(kept, params):
    """Those of the incidents that are asked for. Raises OpsError when the one that is named is not there."""
    if params["id"]:
        wanted = _incident.pick([one.record for one in kept], params["id"])
        return [one for one in kept if one.record is wanted]
    return [one for one in kept if params["status"] in ("all", "open" if _incident.is_open(one.record) else "resolved")]


def operations(params, records, now):
    """``({id: items}, how many were left out)`` of the journal."""
    if not params["journal_path"]:
        return {}, 0
    try:
        windows = _incident_timeline.Windows(records, now, duration_seconds(params["lead"]))
        return _incident_timeline.from_journal(params["journal_path"], windows)
    except ValueError as error:
        raise OpsError("lead: {0}.".format(error))
    except OSError as error:
        raise OpsError("The journal {0} cannot be read: {1}. Correct journal_path.".format(params["journal_path"], error))


def due(policy, record, now):
    """What a policy says of an incident now; nothing without one."""
    if policy is None:
        return {"update_due_at": None, "update_overdue_seconds": 0, "due": []}
    moment = _incident_policy.update_due_at(policy, record)
    return {
        "update_due_at": moment and to_iso(moment),
        "update_overdue_seconds": max(0, int((now - moment).total_seconds())) if moment else 0,
        "due": _incident_policy.what_is_due(policy, record, now),
    }


def work(module, result):
    params, now = module.params, utc_now()
    wrong = unusable(lint(params["policy"])) if params["policy"] is not None else []
    if wrong:
        message = "The policy does not say what is due: {0} Correct it; incident_policy_info names all that is wrong with it."
        raise OpsError(message.format(" ".join(finding["message"] for finding in wrong[:3])))
    kept, result["unreadable"] = IncidentFiles(params["path"]).read()
    kept = chosen(kept, params)
    found, result["left_out"] = operations(params, [one.record for one in kept], now)
    for one in kept:
        own = _incident_timeline.of_entries(one.entries)
        result["incidents"].append(
            {
                "incident": one.record,
                "open": _incident.is_open(one.record),
                "times": _incident.times_of(one.record, now),
                "overdue_actions": _incident.overdue_actions(one.record, now),
                **due(params["policy"], one.record, now),
                "timeline": _incident_timeline.merged(own, found.get(one.record["id"], [])),
                "damaged": one.damaged,
            }
        )


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
