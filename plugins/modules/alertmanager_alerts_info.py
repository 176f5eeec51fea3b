#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_alerts_info
short_description: List alerts as Alertmanager has them, heard, silenced or inhibited
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Lists the alerts that fire (API v2), with whether somebody hears of each, or it is silenced (by whom, until when and why) or inhibited.
  - The members of a cluster are asked at the same time, and their answers merged by the alerts' fingerprints. Where members do not agree
    about an alert it is as loud as for the one that would tell of it.
  - A member that does not answer is named in RV(alertmanagers) and in a warning. When none answers the task fails.
extends_documentation_fragment:
  - astraldraft.ops._http.members
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  matchers:
    description:
      - Only alerts that fulfil all of these, written as for M(astraldraft.ops.alertmanager_silence). Alertmanager itself compares.
    type: list
    elements: str
    default: []
  states:
    description: Only alerts in one of these states. RV(counts) counts all of them.
    type: list
    elements: str
    choices: [active, silenced, inhibited, unprocessed]
    default: [active, silenced, inhibited, unprocessed]
  limit:
    description: How many alerts are listed at most, those that somebody hears of first, and of those the oldest.
    type: int
    default: 1000
seealso:
  - module: astraldraft.ops.prometheus_alerts_info
  - module: astraldraft.ops.alertmanager_silence_info
"""

EXAMPLES = r"""
- name: What wakes people up right now
  astraldraft.ops.alertmanager_alerts_info:
    urls: [http://monitoring-1:9093, http://monitoring-2:9093]
    matchers: [environment=production, severity=~"critical|page"]
    states: [active]
  register: alerts
"""

RETURN = r"""
alerts:
  description: The alerts, those that somebody hears of first, and of those the oldest.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its label C(alertname).
      type: str
    title:
      description: The name with the labels that tell it from others of the same name.
      type: str
      sample: TargetDown (job=app, instance=app-blue-1:3000)
    fingerprint:
      description: What it is known by.
      type: str
    state:
      description: V(active), V(silenced), V(inhibited) by another alert or by the time of day, V(unprocessed) when it just came in.
      type: str
    labels:
      description: Its labels.
      type: dict
    annotations:
      description: Its annotations.
      type: dict
    runbook:
      description: Its annotation C(runbook_url), else C(runbook). V(null) without one.
      type: str
    starts_at:
      description: When it began (ISO 8601, UTC).
      type: str
    age_seconds:
      description: The seconds since then.
      type: int
    silenced_by:
      description: The silences that hide it.
      type: list
      elements: dict
      contains:
        id:
          description: Its id.
          type: str
        owner:
          description: Whose it is. V(null), as the others, when it ended since.
          type: str
        comment:
          description: Why, or V(null).
          type: str
        ends_at:
          description: When it ends (ISO 8601, UTC), or V(null).
          type: str
        seconds_left:
          description: The seconds until then, or V(null).
          type: int
    inhibited_by:
      description: The fingerprints of the alerts that inhibit it.
      type: list
      elements: str
    receivers:
      description: The receivers it is routed to.
      type: list
      elements: str
    known_to:
      description: The addresses of the members that know of it.
      type: list
      elements: str
counts:
  description: How many alerts there are of each state and in all, whatever O(states) and O(limit).
  returned: always
  type: dict
  contains:
    active:
      description: Those that somebody hears of.
      type: int
    silenced:
      description: Those that are silenced.
      type: int
    inhibited:
      description: Those that are inhibited.
      type: int
    unprocessed:
      description: Those that just came in.
      type: int
    total:
      description: All of them.
      type: int
alertmanagers:
  description: Each that was asked.
  returned: always
  type: list
  elements: dict
  contains:
    url:
      description: Its address, without a password.
      type: str
    answered:
      description: Whether it answered.
      type: bool
    reason:
      description: V(ok), or one word about why it did not, such as V(refused), V(timed_out), V(our_credentials) or V(web_page).
      type: str
    message:
      description: The same in a sentence.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
summary:
  description: One sentence about all of it.
  returned: always
  type: str
  sample: "3 alerts: 1 active, 2 silenced"
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _matchers
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of, safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = dict(
    HTTP_SPEC,
    **_alertmanager.MEMBERS_SPEC,
    matchers={"type": "list", "elements": "str", "default": []},
    states={"type": "list", "elements": "str", "choices": list(_alertmanager.STATES), "default": list(_alertmanager.STATES)},
    limit={"type": "int", "default": 1000},
)
QUESTIONS = 2  # the alerts, then the silences


def work(module, result):
    options, matchers, found = module.params, _matchers.parse_all(module.params["matchers"]), {}
    urls = _alertmanager.addresses(options)
    answers = _alertmanager.ask_members(
        urls, connection_of(options), lambda one: _alertmanager.look(one, matchers), QUESTIONS, module.heartbeat
    )
    for url, answer in zip(map(safe_url, urls), answers):
        result["alertmanagers"].append(_alertmanager.member(url, answer))
        if not isinstance(answer, Exception):
            found[url] = answer
    silent, told = len(urls) - len(found), _alertmanager.silent_members(result["alertmanagers"])
    if not found:
        raise OpsError("No Alertmanager told its alerts, so nobody knows what fires: {0}".format(told))
    if silent:
        module.warn("{0} of {1} Alertmanagers told nothing: {2}".format(silent, len(urls), told))
    alerts = _alertmanager.merged(found)
    result["counts"] = _alertmanager.counts(alerts)
    result["alerts"] = [alert for alert in alerts if alert["state"] in options["states"]][: options["limit"]]
    result["summary"] = _alertmanager.summary(result["counts"], silent)


def main():
    result = {"alerts": [], "counts": _alertmanager.counts([]), "alertmanagers": [], "summary": ""}
    run(work, SPEC, result, supports_check_mode=True)


if __name__ == "__main__":
    main()
