#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: operation_silence
short_description: Silence what an operation must raise, for as long as it works
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Puts short silences into Alertmanager (API v2) and notes them beside the lock of the operation that runs. Every module of the operation
    puts their end off as it begins and while it waits. When the operation is killed, nobody does, and they end within O(lease_seconds).
  - Alerts are named, and those of O(never) cannot be. An operation hides what its own steps must raise, such as a target that it stops, and
    nothing by which one could see that it does harm.
  - What is silenced already by the same O(owner) with the same matchers is put off, not silenced anew.
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.attributes
attributes:
  check_mode:
    support: full
    details: Says which alerts would be hidden. The id of a silence that is not there yet is V(null). No lock is needed.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Silences of which between 90 and 110 % of O(lease_seconds) are left are as they should be.
options:
  state:
    description:
      - V(present) silences.
      - V(absent) ends all silences of this O(owner), and nothing is put off any more.
    type: str
    choices: [present, absent]
    default: present
  silences:
    description:
      - The silences, each a list of matchers as those of M(astraldraft.ops.alertmanager_silence), one of them of C(alertname). Needed with
        O(state=present).
    type: list
    elements: list
  owner:
    description: Whose silences they are (C(createdBy)). It has to name the operation, so that two of them do not end each other's.
    type: str
    required: true
  comment:
    description: Why, for those who miss the alerts. Needed with O(state=present).
    type: str
  lease_seconds:
    description: How long they last without a sign of life from the operation, in seconds.
    type: int
    default: 90
  never:
    description: Names of alerts that are never hidden.
    type: list
    elements: str
    default: [HighErrorRate, HighResponseTime, ErrorBudgetBurn, ServiceUnavailable]
notes:
  - Address and credentials are kept beside the lock on the host, in a file that only its owner can read, as long as the operation works.
  - Needs O(operation_lock_path) and O(operation_token), which the playbooks set, except in check mode.
seealso:
  - module: astraldraft.ops.alertmanager_silence
  - module: astraldraft.ops.operation_lock
"""

EXAMPLES = r"""
- name: Nothing about targets of the blue application while it is retired
  astraldraft.ops.operation_silence:
    url: http://127.0.0.1:9093
    silences:
      - [stack=astral-draft, alertname=TargetDown, service=app, colour=blue]
    owner: deploy 17 of astral-draft
    comment: v1.2.3 takes over

- name: The operation has come to its end
  astraldraft.ops.operation_silence:
    url: http://127.0.0.1:9093
    state: absent
    owner: deploy 17 of astral-draft
"""

RETURN = r"""
silences:
  description: The silences as they are, in check mode as they would be; empty with O(state=absent).
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its id. V(null) in check mode where Alertmanager would give one.
      type: str
    state:
      description: V(active), V(pending) or V(expired).
      type: str
    matchers:
      description: Its matchers, sorted, with quotes.
      type: list
      elements: str
    owner:
      description: Whose it is.
      type: str
    comment:
      description: Why.
      type: str
    starts_at:
      description: When it began (ISO 8601, UTC).
      type: str
    ends_at:
      description: When it ends unless it is put off (ISO 8601, UTC).
      type: str
    seconds_left:
      description: The seconds until then.
      type: int
ended:
  description: The ids of the silences that were ended, in check mode that would be.
  returned: always
  type: list
  elements: str
hides:
  description: The names of the alerts that fire and that the silences hide, or would hide, sorted, at most 100.
  returned: always
  type: list
  elements: str
  sample: ["TargetDown (service=app, colour=blue)"]
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _matchers, _silence_lease, _silences
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SPEC = dict(
    HTTP_SPEC,
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    silences={"type": "list", "elements": "list"},
    owner={"type": "str", "required": True},
    comment={"type": "str"},
    lease_seconds={"type": "int", "default": 90},
    never={
        "type": "list",
        "elements": "str",
        "default": ["HighErrorRate", "HighResponseTime", "ErrorBudgetBurn", "ServiceUnavailable"],
    },
)


def work(module, result):
    if not (module.silences_path or module.check_mode):
        raise OpsError("An operation silences while it holds the lock: give operation_lock_path and operation_token. Nothing was changed.")
    wanted = read_wanted(module.params) if module.params["state"] == "present" else None
    # Whoever has lost the lock puts nothing there any more, and takes what is his own away all the same.
    silencer = _silences.Silencer(connection_of(module.params), (lambda: None) if wanted is None else module.fence)
    try:
        version = _alertmanager.status(silencer.connection)["version"]
        silencer.look()
        if wanted is None:
            absent(module, result, silencer)
            return
        for matchers in wanted:
            _silences.refuse_old(version, matchers)
        present(module, result, silencer, wanted)
    except ProbeError as error:
        result["changed"] = silencer.done
        raise _silences.explained(error, silencer.done)
    finally:
        if wanted is None and module.silences_path and not module.check_mode:
            _silence_lease.forget(module.silences_path)


def read_wanted(options):
    """The matchers of each silence, none of which may hide what nobody thought of."""
    found = [_matchers.parse_all(map(str, texts)) for texts in options["silences"]]
    for matchers in found:
        _silences.refuse_broad(matchers, "")
        _silences.refuse_never(matchers, options["never"])
    return found


def present(module, result, silencer, wanted):
    options = module.params
    hidden, kept = [], []
    for matchers in wanted:
        hidden += _alertmanager.alerts(silencer.connection, matchers)[0]
        ends = silencer.now + options["lease_seconds"]
        asked = _silences.Wanted(matchers, options["owner"], options["comment"], ends, options["lease_seconds"], None)
        plan = _silences.plan_present(silencer.known, asked, silencer.now)
        result["changed"] = result["changed"] or bool(plan.document or plan.expire)
        if module.check_mode:
            result["silences"].append(_silences.foreseen(plan, silencer.now))
            result["ended"] += [silence["id"] for silence in plan.expire]
            continue
        silence, ended = silencer.put(asked)
        kept.append(silence)
        result["silences"] += silencer.records([silence])
        result["ended"] += ended
        # One after the other: whoever is killed here leaves none that is not put off, or ends.
        skew = silencer.now - time.time()
        _silence_lease.add(module.silences_path, silencer.connection, kept, options["lease_seconds"], skew)
    result["hides"] = sorted(set(_alertmanager.names(hidden)))[: _alertmanager.MOST_NAMED]


def absent(module, result, silencer):
    found = _silences.of_owner(silencer.known, module.params["owner"])
    ids = [silence["id"] for silence in found]
    hides = [alert for alert in _alertmanager.alerts(silencer.connection)[0] if set(ids) & set(alert["status"].get("silencedBy", []))]
    result.update(hides=_alertmanager.names(hides)[: _alertmanager.MOST_NAMED], ended=ids, changed=bool(ids))
    if not module.check_mode:
        for silence in found:
            silencer.end(silence)


def main():
    run(
        work,
        SPEC,
        {"silences": [], "ended": [], "hides": []},
        needs_lock=False,
        supports_check_mode=True,
        required_if=[("state", "present", ("silences", "comment"))],
    )


if __name__ == "__main__":
    main()
