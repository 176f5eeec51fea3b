#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_targets_info
short_description: Say whether Prometheus sees what it should, and whether anybody would hear of it
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Asks one Prometheus, side by side, whether it is ready, whether the jobs that are expected have targets, whether targets are down, not
    scraped yet or stale, whether rule groups fail or are not evaluated, whether it knows an Alertmanager, what it counts about its own
    database and notifications, and whether an alert that must always fire does.
  - Everything found is told, each in a sentence with what to do. A Prometheus that cannot be asked fails. What cannot be seen is
    inconclusive. Neither passes.
  - Nothing but C(GET) requests is sent. Ages are taken by the clock of Prometheus.
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  jobs:
    description: The jobs that are expected. One that has no target any more raises no alert of its own.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The label C(job) of its targets.
        type: str
        required: true
      minimum:
        description: How many targets it has at least.
        type: int
        default: 1
  stale_intervals:
    description:
      - A target or a rule group is stale when it was not scraped or evaluated for so many of its own intervals, and for 10 seconds at
        least.
    type: float
    default: 3.0
  alertmanagers:
    description: How many Alertmanagers Prometheus sends to at least. V(0) looks at none.
    type: int
    default: 1
  own_metrics:
    description:
      - Whether Prometheus's metrics of its own are judged. Found are a corrupt or unwritable write-ahead log, failing compactions, blocks
        that cannot be loaded, a configuration that was not taken, and alerts that no Alertmanager took.
      - Where Prometheus does not scrape itself that is inconclusive.
    type: bool
    default: true
  watchdog:
    description: The name of an alert that must always fire, as proof that rules and notifications work.
    type: str
  gate:
    description: Whether the task fails when RV(verdict) is not V(pass).
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.prometheus_alerts_info
  - module: astraldraft.ops.prometheus_query_info
"""

EXAMPLES = r"""
- name: The watchers are well
  astraldraft.ops.prometheus_targets_info:
    url: http://127.0.0.1:9090
    jobs:
      - {name: app, minimum: 2}
      - {name: postgres}
    watchdog: Watchdog
    gate: true
"""

RETURN = r"""
verdict:
  description: V(fail) when a finding fails, else V(inconclusive) when one is, else V(pass).
  returned: always
  type: str
  sample: fail
summary:
  description: One sentence about what is not well, or about all of it.
  returned: always
  type: str
  sample: "jobs: app has 1 of at least 2 targets; targets: node (10.0.0.7:9100) is down: connection refused"
findings:
  description: What was found, in the order in which it was looked at. Where all of one kind is well there is one finding about it.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - V(server), V(jobs), V(targets), V(rules), V(alertmanagers), V(notifications), which it counts of those that it could not send,
          V(own_metrics) or V(watchdog).
      type: str
    subject:
      description: What it is about, such as a job or a rule. V(all) for all of them.
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
ready:
  description: Whether Prometheus says that it is ready.
  returned: always
  type: bool
targets:
  description: The targets, those that are not well first. Empty when Prometheus did not tell them.
  returned: always
  type: list
  elements: dict
  contains:
    job:
      description: Its job.
      type: str
    instance:
      description: Its instance.
      type: str
    url:
      description: What is scraped, without a password.
      type: str
    health:
      description: V(up), V(down), V(stale), or V(unknown) when it has not been scraped yet.
      type: str
    error:
      description: Why the last scrape failed. Empty when it did not.
      type: str
    scraped_at:
      description: When it was last scraped (ISO 8601, UTC). V(null) when never.
      type: str
    age_seconds:
      description: The seconds since then. V(null) when never.
      type: float
    labels:
      description: Its labels.
      type: dict
jobs:
  description: The jobs that are expected or there.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    minimum:
      description: How many targets are expected at least. V(null) where none are.
      type: int
    targets:
      description: How many there are.
      type: int
    dropped:
      description: How many were found and dropped by relabelling. V(null) where that was not asked, which it is when a job lacks targets.
      type: int
    up:
      description: How many are up.
      type: int
    down:
      description: How many are down.
      type: int
    stale:
      description: How many are stale.
      type: int
    unknown:
      description: How many have not been scraped yet.
      type: int
rules:
  description: The rules. V(null) when Prometheus did not tell them.
  returned: always
  type: dict
  contains:
    groups:
      description: How many groups there are.
      type: int
    rules:
      description: How many rules there are.
      type: int
    failing:
      description: How many of them fail.
      type: int
alertmanagers:
  description: The Alertmanagers that Prometheus has found.
  returned: always
  type: list
  elements: dict
  contains:
    url:
      description: Its address.
      type: str
    active:
      description: Whether alerts are sent there, and it was not dropped by relabelling.
      type: bool
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _prometheus_health
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

JOB_SPEC = {"name": {"type": "str", "required": True}, "minimum": {"type": "int", "default": 1}}
SPEC = dict(
    HTTP_SPEC,
    jobs={"type": "list", "elements": "dict", "default": [], "options": JOB_SPEC},
    stale_intervals={"type": "float", "default": 3.0},
    alertmanagers={"type": "int", "default": 1},
    own_metrics={"type": "bool", "default": True},
    watchdog={"type": "str"},
    gate={"type": "bool", "default": False},
)
RESULT = {
    "verdict": "inconclusive", "summary": "", "findings": [], "ready": False, "targets": [], "jobs": [], "rules": None, "alertmanagers": [],
}  # fmt: skip


def work(module, result):
    options = module.params
    found = _prometheus_health.Look(connection_of(options), options, module.heartbeat).judge()
    findings = found["findings"]
    result.update(found, verdict=_prometheus_health.overall(findings), summary=_prometheus_health.summary(findings))
    result["findings"] = [one._asdict() for one in findings]
    if options["gate"] and result["verdict"] != "pass":
        advice = next((one.next for one in findings if one.verdict == result["verdict"]), "")
        raise OpsError("Prometheus is not well: {0}. {1}".format(result["summary"].rstrip("."), advice).strip())


def main():
    run(work, SPEC, dict(RESULT), supports_check_mode=True)


if __name__ == "__main__":
    main()
