#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pagerduty_incident
short_description: Acknowledge, escalate, resolve and annotate an incident of PagerDuty
version_added: 0.1.0
description:
  - Brings an incident that PagerDuty knows into a state, assigns it to a level of its escalation policy, and adds a note to it.
  - It looks first, and sends only what differs.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._pagerduty
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Only C(GET) requests are sent.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  id:
    description: The incident's id, or its number. Give this or O(incident_key).
    type: str
  incident_key:
    description:
      - The key by which alerts were deduplicated. The incident that is open under it is meant.
      - When none is, there is nothing to resolve, and anything else is a failure.
    type: str
  from_email:
    description: The e-mail address of a user of the account, in whose name it is done.
    type: str
    required: true
  state:
    description:
      - V(acknowledged) says that somebody works on it. One that is resolved cannot be.
      - V(resolved) ends it.
    type: str
    choices: [acknowledged, resolved]
  resolution:
    description: With O(state=resolved), what was done.
    type: str
  escalation_level:
    description:
      - Assign it to whoever is on call at this level of its escalation policy. PagerDuty then wants it acknowledged anew, so it cannot go
        with O(state).
      - One that is there already, or further up, is left alone. It is where those are on call that it is assigned to.
    type: int
  note:
    description: A note to add. One with the same words is not added again.
    type: str
seealso:
  - module: astraldraft.ops.pagerduty_incident_info
  - module: astraldraft.ops.incident_record
"""

EXAMPLES = r"""
- name: Somebody works on it
  astraldraft.ops.pagerduty_incident:
    token: "{{ vault_pagerduty_token }}"
    from_email: ada@astraldraft.com
    id: Q1DHTL9FOUKPY6
    state: acknowledged

- name: Call the next level
  astraldraft.ops.pagerduty_incident:
    token: "{{ vault_pagerduty_token }}"
    from_email: ada@astraldraft.com
    incident_key: logins-fail
    escalation_level: 2

- name: It is over
  astraldraft.ops.pagerduty_incident:
    token: "{{ vault_pagerduty_token }}"
    from_email: ada@astraldraft.com
    incident_key: logins-fail
    state: resolved
    resolution: v1.2.3 was rolled back.
    note: Incident 2026-0042. The post-mortem follows within 24 hours.
"""

RETURN = r"""
before:
  description: The incident as it was found. V(null) when there was none to resolve.
  returned: always
  type: dict
  contains: &incident
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
after:
  description:
    - The incident as it is now, or would be. In check mode those whom it would be assigned to are not known. V(null) as RV(before).
  returned: always
  type: dict
  contains: *incident
level:
  description: The level at which it was found. V(null) when that was not asked for, or is none.
  returned: always
  type: int
done:
  description: What was sent, or would be, in this order, of V(acknowledged), V(resolved), V(escalated), V(noted).
  returned: always
  type: list
  elements: str
waited:
  description: For how many seconds requests were held back because PagerDuty wanted them later.
  returned: always
  type: float
reason:
  description:
    - On a failure what kind it is, in a word, such as V(our_credentials), V(forbidden), V(not_found), V(conflict) (somebody else was
      faster), V(unknown_requester), V(refused_arguments), V(rate_limited), V(server_error), V(timed_out). V(null) without one.
  returned: always
  type: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _pagerduty
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._pagerduty import ACKNOWLEDGED, RESOLVED, TRIGGERED

SPEC = dict(
    _pagerduty.SPEC,
    id={"type": "str"},
    incident_key={"type": "str", "no_log": False},
    from_email={"type": "str", "required": True},
    state={"type": "str", "choices": [ACKNOWLEDGED, RESOLVED]},
    resolution={"type": "str"},
    escalation_level={"type": "int"},
    note={"type": "str"},
)
RESULT = {"before": None, "after": None, "level": None, "done": [], "waited": 0.0, "reason": None}


def found(service, params):
    """The incident that is meant; None when there is none left to resolve."""
    if params["id"]:
        return service.get(params["id"])
    incident = service.by_key(params["incident_key"])
    if incident is None and params["state"] != RESOLVED:
        message = "PagerDuty has no open incident with the key {0}".format(params["incident_key"])
        raise ProbeError("wrong_answer", "not_found", message, "Correct incident_key, or give id.")
    return incident


def conflict(incident, what):
    message = "Incident {id} ({title}) is resolved, and cannot be {0}".format(what, **incident)
    return ProbeError("wrong_answer", "conflict", message, "If the trouble is back, PagerDuty opens another one: give the id of that.")


def in_state(module, service, incident, params, result):
    """The incident in its state."""
    if not params["state"] or incident["status"] == params["state"]:
        return incident
    if incident["status"] == RESOLVED:
        raise conflict(incident, ACKNOWLEDGED)
    fields = {"status": params["state"]}
    fields.update({"resolution": params["resolution"]} if params["resolution"] and params["state"] == RESOLVED else {})
    after = dict(incident, status=params["state"])
    if not module.check_mode:
        try:
            after = service.update(incident["id"], params["from_email"], **fields)
        except ProbeError as error:
            # Somebody else may have brought it there between the look and the word.
            now = service.get(incident["id"]) if error.reason == "conflict" else incident
            if now["status"] != params["state"]:
                raise
            return now
    result["done"].append(params["state"])
    return after


def at_level(module, service, incident, params, result):
    """The incident at its level of the escalation policy, or further up."""
    level = params["escalation_level"]
    if level is None:
        return incident
    if incident["status"] == RESOLVED:
        raise conflict(incident, "escalated")
    result["level"] = service.level_of(incident)
    if result["level"] is not None and result["level"] >= level:
        return incident
    result["done"].append("escalated")
    if module.check_mode:
        return dict(incident, status=TRIGGERED, assignees=[], acknowledgers=[])
    return service.update(incident["id"], params["from_email"], escalation_level=level)


def noted(module, service, incident, params, result):
    words = (params["note"] or "").strip()
    if not words or any(note["content"].strip() == words for note in service.notes(incident["id"])):
        return
    if not module.check_mode:
        service.add_note(incident["id"], params["from_email"], words)
    result["done"].append("noted")


def work(module, result):
    params = module.params
    _pagerduty.check(params)
    service = _pagerduty.PagerDuty(params, module.heartbeat)
    try:
        incident = found(service, params)
        result.update(before=incident, after=incident)
        if incident:
            module.fence()
            result["after"] = in_state(module, service, incident, params, result)
            result["after"] = at_level(module, service, result["after"], params, result)
            noted(module, service, incident, params, result)
    except ProbeError as error:
        raise failure(error, reason=error.reason, changed=bool(result["done"]) and not module.check_mode, waited=service.waited)
    result.update(changed=bool(result["done"]), waited=service.waited)
    result["diff"] = {"before": result["before"] or {}, "after": result["after"] or {}}


def main():
    run(
        work,
        SPEC,
        RESULT,
        supports_check_mode=True,
        required_one_of=[("id", "incident_key"), ("state", "escalation_level", "note")],
        mutually_exclusive=[("id", "incident_key"), ("state", "escalation_level")],
    )


if __name__ == "__main__":
    main()
