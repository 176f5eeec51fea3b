#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_alerts_info
short_description: List the alerts that are pending or firing in Prometheus
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Lists the alerts of Prometheus, those that fire and those that will when what they are about goes on.
  - Prometheus knows nothing of silences, inhibition and routing. Whether anybody hears of an alert is known to Alertmanager; ask it with
    M(astraldraft.ops.alertmanager_alerts_info).
  - A Prometheus that cannot be asked fails the task.
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  matchers:
    description:
      - Only alerts that fulfil all of these, written as for M(astraldraft.ops.alertmanager_silence).
      - Prometheus cannot compare them, so patterns are those of Python. They differ little.
    type: list
    elements: str
    default: []
  states:
    description: Only alerts in one of these states. RV(counts) counts both.
    type: list
    elements: str
    choices: [firing, pending]
    default: [firing, pending]
  limit:
    description: How many alerts are listed at most, those that fire first, and of those the oldest.
    type: int
    default: 1000
seealso:
  - module: astraldraft.ops.alertmanager_alerts_info
"""

EXAMPLES = r"""
- name: What is about to fire
  astraldraft.ops.prometheus_alerts_info:
    url: http://127.0.0.1:9090
    matchers: [job=app]
    states: [pending]
  register: alerts
"""

RETURN = r"""
alerts:
  description: The alerts, those that fire first, and of those the oldest.
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
    state:
      description: V(firing) or V(pending).
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
    value:
      description: The number that its expression gave, as text.
      type: str
    active_at:
      description: Since when its expression holds (ISO 8601, UTC).
      type: str
    age_seconds:
      description: The seconds since then, by the clock of Prometheus.
      type: int
counts:
  description: How many alerts there are of each state and in all, whatever O(states) and O(limit).
  returned: always
  type: dict
  contains:
    firing:
      description: Those that fire.
      type: int
    pending:
      description: Those that will when it goes on.
      type: int
    total:
      description: All of them.
      type: int
summary:
  description: One sentence about all of it, with what Prometheus does not know.
  returned: always
  type: str
  sample: 2 firing, 1 pending. Prometheus knows nothing of silences; whether anybody hears of them is for Alertmanager to say.
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _matchers, _prometheus_alerts
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SPEC = dict(
    HTTP_SPEC,
    matchers={"type": "list", "elements": "str", "default": []},
    states={"type": "list", "elements": "str", "choices": list(_prometheus_alerts.STATES), "default": list(_prometheus_alerts.STATES)},
    limit={"type": "int", "default": 1000},
)


def work(module, result):
    options, matchers = module.params, _matchers.parse_all(module.params["matchers"])
    try:
        alerts = _prometheus_alerts.look(connection_of(options), matchers)
    except ProbeError as error:
        raise failure(error, "Nobody knows what fires")
    result["counts"] = _prometheus_alerts.counts(alerts)
    result["alerts"] = [alert for alert in alerts if alert["state"] in options["states"]][: options["limit"]]
    result["summary"] = _prometheus_alerts.summary(result["counts"])


def main():
    run(work, SPEC, {"alerts": [], "counts": _prometheus_alerts.counts([]), "summary": ""}, supports_check_mode=True)


if __name__ == "__main__":
    main()
