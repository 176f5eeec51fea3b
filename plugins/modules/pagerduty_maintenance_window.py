#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pagerduty_maintenance_window
short_description: Have PagerDuty open no incidents of a service for a time
version_added: 0.1.0
description:
  - Opens a window of maintenance, extends or shortens it, or ends it. A window is found again by its O(description) and its O(services),
    so that running this twice leaves one, and windows that others have opened are left alone.
  - It ends by itself at O(ends_at).
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
  state:
    description:
      - V(present) opens it, or has it end at O(ends_at).
      - V(absent) ends what is open, and deletes what is to come. Nothing to end is no change.
    type: str
    choices: [present, absent]
    default: present
  services:
    description: The ids of the services.
    type: list
    elements: str
    required: true
  description:
    description: What is done. It tells one window from another.
    type: str
    required: true
  starts_at:
    description: When a new one starts, ISO 8601 with a zone. By default now. One that is open already keeps its start.
    type: str
  ends_at:
    description: When it ends, likewise. Needed with O(state=present).
    type: str
  from_email:
    description: The e-mail address of a user of the account, in whose name it is done. Needed with O(state=present).
    type: str
seealso:
  - module: astraldraft.ops.pagerduty_incident
"""

EXAMPLES = r"""
- name: Nobody is paged for what is meant
  astraldraft.ops.pagerduty_maintenance_window:
    token: "{{ vault_pagerduty_token }}"
    from_email: ada@astraldraft.com
    services: [PIJ90N7]
    description: The database is moved
    ends_at: "2026-12-01T02:40:00Z"

- name: It is over
  astraldraft.ops.pagerduty_maintenance_window:
    token: "{{ vault_pagerduty_token }}"
    services: [PIJ90N7]
    description: The database is moved
    state: absent
"""

RETURN = r"""
before:
  description: The windows that were meant and not over, as they were found.
  returned: always
  type: list
  elements: dict
  contains: &window
    id:
      description: Its id. V(null) in check mode where PagerDuty would give one.
      type: str
    description:
      description: What is done.
      type: str
    starts_at:
      description: When it starts (ISO 8601, UTC). V(null) where PagerDuty does not say.
      type: str
    ends_at:
      description: When it ends, likewise.
      type: str
    service_ids:
      description: The ids of its services.
      type: list
      elements: str
    services:
      description: Their names. Empty for one that is not there yet.
      type: list
      elements: str
    url:
      description: Where people look at it. V(null) for one that is not there yet, or where PagerDuty does not say.
      type: str
after:
  description: The same as they are now, or would be, without those that are over.
  returned: always
  type: list
  elements: dict
  contains: *window
waited:
  description: For how many seconds requests were held back because PagerDuty wanted them later.
  returned: always
  type: float
reason:
  description:
    - On a failure what kind it is, in a word, such as V(our_credentials), V(forbidden), V(unknown_requester), V(refused_arguments),
      V(rate_limited), V(server_error), V(timed_out). V(null) without one.
  returned: always
  type: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _pagerduty, _pagerduty_windows
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._freeze import moment
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now

SPEC = dict(
    _pagerduty.SPEC,
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    services={"type": "list", "elements": "str", "required": True},
    description={"type": "str", "required": True},
    starts_at={"type": "str"},
    ends_at={"type": "str"},
    from_email={"type": "str"},
)
RESULT = {"changed": False, "before": [], "after": [], "waited": 0.0, "reason": None}


def present(module, service, found, result):
    params, now = module.params, utc_now()
    starts_at = moment(params["starts_at"], "starts_at") if params["starts_at"] else now
    ends_at = moment(params["ends_at"], "ends_at")
    if ends_at <= max(now, starts_at):
        raise OpsError("ends_at is {0}, which is not after the start or over already. Give a later one.".format(params["ends_at"]))
    # Of two that somebody opened the first is kept as it should be; the other one ends by itself.
    wanted = dict(found[0], ends_at=to_iso(ends_at)) if found else None
    if wanted is None:
        wanted = _pagerduty_windows.imagined(params["services"], params["description"], starts_at, ends_at)
    elif _pagerduty_windows.ends_as(found[0], ends_at):
        result["after"] = found
        return
    if not module.check_mode:
        send = service.change if found else service.add
        wanted = send(params["from_email"], wanted)
    result.update(changed=True, after=[wanted] + found[1:])


def absent(module, service, found, result):
    for window in found:
        if not module.check_mode:
            service.end(window["id"])
        result["changed"] = True


def work(module, result):
    params = module.params
    _pagerduty.check(params)
    if not params["services"]:
        raise OpsError("services is empty. Give the id of at least one service: it is the end of its address in PagerDuty.")
    service = _pagerduty_windows.Windows(params, module.heartbeat)
    try:
        result["before"] = service.open(params["services"], params["description"])
        module.fence()
        (present if params["state"] == "present" else absent)(module, service, result["before"], result)
    except ProbeError as error:
        raise failure(error, reason=error.reason, waited=service.waited, changed=result["changed"] and not module.check_mode)
    result["waited"] = service.waited
    result["diff"] = {"before": {"windows": result["before"]}, "after": {"windows": result["after"]}}


def main():
    run(work, SPEC, RESULT, supports_check_mode=True, required_if=[("state", "present", ("ends_at", "from_email"))])


if __name__ == "__main__":
    main()
