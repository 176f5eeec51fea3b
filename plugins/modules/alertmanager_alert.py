#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_alert
short_description: Put an alert of one's own into Alertmanager, and end it again
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Puts one alert into Alertmanager (API v2), as Prometheus does, or ends it. It is known by its labels, so that running this twice leaves
    one. It goes the way of every other alert, through routes, silences and inhibitions to receivers.
  - It ends by itself after O(duration), whatever becomes of whoever put it. It is put anew when less than 90 % of that is left.
  - Members of a cluster tell each other of silences, and not of alerts, so each that is named is told, at the same time. When one of them
    does not take it the task fails, with what became of it at the others in RV(alertmanagers).
extends_documentation_fragment:
  - astraldraft.ops._http.members
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details: An alert of which 90 % of the O(duration) or more is left is as it should be.
options:
  state:
    description:
      - V(present) has it fire.
      - V(absent) ends it. One that does not fire is no change.
    type: str
    choices: [present, absent]
    default: present
  labels:
    description:
      - What it is, and what routes it. Those without a value are left out.
    type: dict
    required: true
  annotations:
    description: What is told about it, such as C(summary) and C(runbook_url).
    type: dict
    default: {}
  duration:
    description:
      - How long it fires from now unless it is put anew or ended, in seconds or such as V(5m). One that fires longer already is left so.
    type: str
    default: 5m
seealso:
  - module: astraldraft.ops.alertmanager_delivery_info
  - module: astraldraft.ops.alertmanager_alerts_info
notes:
  - It begins and ends by the clock of Alertmanager, which is asked for it.
"""

EXAMPLES = r"""
- name: Something that only a person can see
  astraldraft.ops.alertmanager_alert:
    urls: [http://monitoring-1:9093, http://monitoring-2:9093]
    labels: {alertname: ProviderOutage, severity: warning, service: app, stack: astral}
    annotations: {summary: The sports data API is down; its status page says until noon}
    duration: 2h

- name: It is over
  astraldraft.ops.alertmanager_alert:
    urls: [http://monitoring-1:9093, http://monitoring-2:9093]
    labels: {alertname: ProviderOutage, severity: warning, service: app, stack: astral}
    state: absent
"""

RETURN = r"""
alertmanagers:
  description: Each that was asked, in the order in which they were named.
  returned: always
  type: list
  elements: dict
  contains:
    url:
      description: Its address, without a password.
      type: str
    answered:
      description: Whether it answered, and took the alert where it was sent to it.
      type: bool
    reason:
      description: V(ok), or one word about why it did not, such as V(refused), V(timed_out), V(our_credentials) or V(bad_request).
      type: str
    message:
      description: The same in a sentence.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    changed:
      description: Whether the alert was put or ended there, in check mode whether it would be.
      type: bool
    before:
      description: The alert as it was found. V(null) where it did not fire.
      type: dict
      contains: &alert
        labels:
          description: Its labels.
          type: dict
        annotations:
          description: Its annotations.
          type: dict
        state:
          description: V(active), V(silenced), V(inhibited), or V(unprocessed) when it just came in.
          type: str
        starts_at:
          description: When it began (ISO 8601, UTC).
          type: str
        ends_at:
          description: When it ends by itself (ISO 8601, UTC).
          type: str
        receivers:
          description: The receivers it is routed to. Empty in check mode where it is not there yet.
          type: list
          elements: str
    after:
      description: The alert as it is now, in check mode as it would be. V(null) where it does not fire.
      type: dict
      contains: *alert
sent_at:
  description: When it was sent, by the clock of the host that the module ran on (ISO 8601, UTC). V(null) when nothing was sent.
  returned: always
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager_alert as core
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now

SPEC = dict(
    HTTP_SPEC,
    **_alertmanager.MEMBERS_SPEC,
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    labels={"type": "dict", "required": True},
    annotations={"type": "dict", "default": {}},
    duration={"type": "str", "default": "5m"},
)


def work(module, result):
    options, connection = module.params, connection_of(module.params)
    urls, labels = _alertmanager.addresses(options), core.labels_of(options["labels"])
    annotations = {str(name): str(value) for name, value in options["annotations"].items() if value is not None and str(value)}
    present = options["state"] == "present"
    seconds = core.seconds_of(options["duration"]) if present else None
    members = {url: core.Member(url) for url in urls}
    found = _alertmanager.ask_members(urls, connection, lambda one: core.find(one, labels), heartbeat=module.heartbeat)
    for url, answer in zip(urls, found):
        members[url].plan(answer, labels, annotations, seconds)
    told = [url for url in urls if members[url].document]
    if told and not module.check_mode:
        module.fence()
        result["sent_at"] = to_iso(utc_now())

        def tell(one):
            core.send(one, members[one["url"]].document)
            return core.find(one, labels)

        for url, answer in zip(told, _alertmanager.ask_members(told, connection, tell, core.QUESTIONS, module.heartbeat)):
            members[url].seen(answer, present)
    records = [members[url].record() for url in urls]
    result.update(alertmanagers=records, changed=any(one["changed"] for one in records))
    result["diff"] = {key: {one["url"]: one[key] for one in records} for key in ("before", "after")}
    silent = [one for one in records if not one["answered"]]
    if silent:
        what = "did not take the alert" if present else "did not end the alert"
        message = "{0} of {1} Alertmanagers {2}: {3}".format(len(silent), len(records), what, _alertmanager.silent_members(records))
        raise OpsError(message)


def main():
    run(work, SPEC, {"alertmanagers": [], "sent_at": None}, supports_check_mode=True)


if __name__ == "__main__":
    main()
