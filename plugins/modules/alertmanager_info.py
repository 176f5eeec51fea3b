#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_info
short_description: Ask Alertmanagers whether they are ready, and know each other
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Asks one Alertmanager, or all members of a cluster at the same time, whether they are ready, and what their cluster is like.
  - One that does not answer, answers wrongly or is not ready fails. So do members that do not know each other, each of which would send
    every alert and know silences that the others do not.
  - Nothing but C(GET) requests is sent.
extends_documentation_fragment:
  - astraldraft.ops._http.members
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  peers:
    description: How many members the cluster must have at least. By default as many as are named in O(url) and O(urls).
    type: int
  gate:
    description: Whether the task fails when RV(verdict) is not V(pass).
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.alertmanager_alerts_info
  - module: astraldraft.ops.prometheus_targets_info
"""

EXAMPLES = r"""
- name: Would anybody hear of an alert?
  astraldraft.ops.alertmanager_info:
    urls: [http://monitoring-1:9093, http://monitoring-2:9093]
    gate: true
"""

RETURN = r"""
verdict:
  description: V(fail) when a finding fails, else V(inconclusive) when one is, else V(pass).
  returned: always
  type: str
  sample: pass
summary:
  description: One sentence about what is not well, or about all of it.
  returned: always
  type: str
  sample: "alertmanager: answers, one of 2 members; alertmanager: answers, one of 2 members"
findings:
  description: What was found, one for each.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: C(alertmanager).
      type: str
    subject:
      description: Its address, without a password.
      type: str
    verdict:
      description: V(pass), V(fail) or V(inconclusive).
      type: str
    message:
      description: What was found, in words.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
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
      description: Whether it answered, and is ready.
      type: bool
    reason:
      description: V(ok), or one word about why it did not, such as V(refused), V(timed_out), V(not_ready) or V(web_page).
      type: str
    message:
      description: The same in a sentence.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    version:
      description: Its version. V(null) when it did not answer.
      type: str
    cluster:
      description: Its cluster. V(null) when it did not answer.
      type: dict
      contains:
        status:
          description: V(disabled) for one that is alone, V(settling) while it joins others, V(ready).
          type: str
        peers:
          description: How many members the cluster has, this one among them.
          type: int
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _alertmanager_health, _prometheus_health
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of, safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = dict(HTTP_SPEC, **_alertmanager.MEMBERS_SPEC, peers={"type": "int"}, gate={"type": "bool", "default": False})


def work(module, result):
    options = module.params
    urls = _alertmanager.addresses(options)
    answers = _alertmanager.ask_members(
        urls, connection_of(options), _alertmanager_health.look, _alertmanager_health.QUESTIONS, module.heartbeat
    )
    records = [_alertmanager_health.record(safe_url(url), answer) for url, answer in zip(urls, answers)]
    findings = _alertmanager_health.judge(records, len(urls) if options["peers"] is None else options["peers"])
    result.update(alertmanagers=records, findings=[one._asdict() for one in findings])
    result.update(verdict=_prometheus_health.overall(findings), summary=_prometheus_health.summary(findings))
    if options["gate"] and result["verdict"] != "pass":
        advice = next((one.next for one in findings if one.verdict == result["verdict"]), "")
        raise OpsError("Alertmanager is not well: {0}. {1}".format(result["summary"].rstrip("."), advice).strip())


def main():
    run(work, SPEC, {"verdict": "inconclusive", "summary": "", "findings": [], "alertmanagers": []}, supports_check_mode=True)


if __name__ == "__main__":
    main()
