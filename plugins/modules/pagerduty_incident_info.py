#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pagerduty_incident_info
short_description: Find incidents of PagerDuty
version_added: 0.1.0
description:
  - Returns one incident, or those that match, page by page to the end.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._pagerduty
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  id:
    description: Only the incident with this id or number. It is a failure when there is none.
    type: str
  incident_key:
    description: Only incidents with this key, by which alerts were deduplicated.
    type: str
  statuses:
    description: Only incidents with these statuses.
    type: list
    elements: str
    choices: [triggered, acknowledged, resolved]
    default: [triggered, acknowledged]
  service_ids:
    description: Only incidents of these services.
    type: list
    elements: str
    default: []
  urgencies:
    description: Only incidents of these urgencies. By default all.
    type: list
    elements: str
    choices: [high, low]
    default: []
  since:
    description:
      - Only incidents that began since then, at most six months ago. A duration such as V(24h) or V(7d), or an ISO 8601 time or date, in
        UTC unless it says otherwise. By default whenever they began.
    type: str
    default: ""
  notes:
    description: Whether the notes of each are asked for, too. That is a request an incident.
    type: bool
    default: false
  maximum:
    description: Return at most that many, the newest first. PagerDuty gives no more than 10000.
    type: int
    default: 1000
seealso:
  - module: astraldraft.ops.pagerduty_incident
"""

EXAMPLES = r"""
- name: What is open?
  astraldraft.ops.pagerduty_incident_info:
    token: "{{ vault_pagerduty_token }}"
    service_ids: [PIJ90N7]
  register: pages

- name: One, with its notes
  astraldraft.ops.pagerduty_incident_info:
    token: "{{ vault_pagerduty_token }}"
    id: Q1DHTL9FOUKPY6
    notes: true
"""

RETURN = r"""
incidents:
  description: The incidents, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
    number:
      description: Its number.
      type: int
    title:
      description: What has happened.
      type: str
    status:
      description: V(triggered), V(acknowledged) or V(resolved).
      type: str
    urgency:
      description: V(high) or V(low). V(null) where PagerDuty does not say.
      type: str
    incident_key:
      description: The key of its alerts. V(null) where it has none.
      type: str
    url:
      description: Where people look at it. V(null) where PagerDuty does not say.
      type: str
    service:
      description: The service that it is of.
      type: str
    service_id:
      description: Its id. V(null) where PagerDuty does not say.
      type: str
    escalation_policy:
      description: The policy by which it is escalated.
      type: str
    escalation_policy_id:
      description: Its id. V(null) where PagerDuty does not say.
      type: str
    assignees:
      description: Whose it is, each with C(id) and C(name).
      type: list
      elements: dict
    acknowledgers:
      description: Who works on it, likewise.
      type: list
      elements: dict
    created_at:
      description: When it began (ISO 8601, UTC). V(null) where PagerDuty does not say.
      type: str
    changed_at:
      description: When its status last changed. V(null) where PagerDuty does not say.
      type: str
    notes:
      description: Its notes, the oldest first. Empty unless O(notes).
      type: list
      elements: dict
      contains:
        id:
          description: The note's id.
          type: str
        content:
          description: What it says.
          type: str
        user:
          description: Who wrote it.
          type: str
        created_at:
          description: When. V(null) where PagerDuty does not say.
          type: str
truncated:
  description: Whether there are more than O(maximum).
  returned: always
  type: bool
waited:
  description: For how many seconds requests were held back because PagerDuty wanted them later.
  returned: always
  type: float
reason:
  description:
    - On a failure what kind it is, in a word, such as V(our_credentials), V(forbidden), V(not_found), V(refused_arguments),
      V(rate_limited), V(server_error), V(timed_out). V(null) without one.
  returned: always
  type: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _pagerduty
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._journal_review import since_when
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

SPEC = dict(
    _pagerduty.SPEC,
    id={"type": "str"},
    incident_key={"type": "str", "no_log": False},
    statuses={
        "type": "list",
        "elements": "str",
        "choices": list(_pagerduty.STATUSES),
        "default": [_pagerduty.TRIGGERED, _pagerduty.ACKNOWLEDGED],
    },
    service_ids={"type": "list", "elements": "str", "default": []},
    urgencies={"type": "list", "elements": "str", "choices": ["high", "low"], "default": []},
    since={"type": "str", "default": ""},
    notes={"type": "bool", "default": False},
    maximum={"type": "int", "default": 1000},
)
RESULT = {"incidents": [], "truncated": False, "waited": 0.0, "reason": None}


def parameters_of(params, now):
    """The search that the options stand for."""
    found = [("sort_by", "created_at:desc")]
    found += [("statuses[]", status) for status in params["statuses"]]
    found += [("service_ids[]", service) for service in params["service_ids"]]
    found += [("urgencies[]", urgency) for urgency in params["urgencies"]]
    found += [("incident_key", params["incident_key"])] if params["incident_key"] else []
    # Without either PagerDuty looks back a month only.
    return [*found, ("since", since_when(params["since"], now)) if params["since"] else ("date_range", "all")]


def work(module, result):
    params = module.params
    _pagerduty.check(params)
    service = _pagerduty.PagerDuty(params, module.heartbeat)
    try:
        if params["id"]:
            found, result["truncated"] = [service.get(params["id"])], False
        else:
            found, result["truncated"] = service.list(parameters_of(params, utc_now()), max(0, params["maximum"]))
        result["incidents"] = [dict(one, notes=service.notes(one["id"]) if params["notes"] else []) for one in found]
    except ProbeError as error:
        raise failure(error, reason=error.reason, waited=service.waited)
    result["waited"] = service.waited


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
