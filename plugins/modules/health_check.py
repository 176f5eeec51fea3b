#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: health_check
short_description: Check many services at once
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Runs a list of checks (HTTP, TCP, TLS, PostgreSQL, Redis, containers) concurrently in one call, each within its own time limit.
  - Every check gets a verdict of its own. A service that is unreachable, refuses, does not answer in time, answers wrongly or is not
    configured is told apart, and none of these reads as healthy.
  - The module answers and does not fail when something is unhealthy, unless O(gate=true).
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
  - astraldraft.ops._checks
requirements:
  - psycopg2 (only for checks of type V(postgres))
  - redis >= 5.0.0 (only for checks of type V(redis))
  - docker >= 7.0.0 (only for checks of containers or of the replicas of a service)
options:
  consecutive:
    description: How many rounds in a row must pass.
    type: int
    default: 1
  interval:
    description: The seconds between two such rounds.
    type: float
    default: 1.0
  wait:
    description: Whether to repeat the checks until they pass.
    type: bool
    default: false
  wait_timeout:
    description: The seconds that O(wait) may take in all.
    type: float
    default: 60.0
  wait_interval:
    description: The seconds between two rounds that did not pass.
    type: float
    default: 2.0
  gate:
    description: Whether the task fails when RV(verdict) is not V(pass).
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.prometheus_query_info
"""

EXAMPLES = r"""
- name: The application answers through the load balancer with the version that was deployed
  astraldraft.ops.health_check:
    checks:
      - name: load balancer
        type: http
        url: http://127.0.0.1:8080/api/health
        expected_version: v1.2.3
        json:
          - path: status
            equals: ok
        latency_warn: 0.5

- name: Every replica of the new colour is healthy three times in a row, or the deployment stops here
  astraldraft.ops.health_check:
    checks:
      - type: http
        project: astral-demo
        services: [app-green]
        port: 3000
        path: /api/health
        replicas: 2
        expected_version: v1.2.3
    consecutive: 3
    wait: true
    wait_timeout: 60
    gate: true

- name: The rest of the stack, in one call
  astraldraft.ops.health_check:
    checks:
      - type: tls
        host: astraldraft.com
        days_fail: 5
      - name: database standby
        type: postgres
        login_host: 127.0.0.1
        login_port: 5432
        login_user: monitor
        login_password: "{{ vault_monitor_password }}"
        role: primary
        standbys: 1
      - name: sessions and cache
        type: redis
        nodes: ["127.0.0.1:7000", "127.0.0.1:7001", "127.0.0.1:7002"]
        cluster: true
      - name: containers
        type: container
        project: astral-demo
      - name: sports data
        type: http
        url: https://api.sportsdata.io/v3/nfl/scores/json/AreAnyGamesInProgress
        headers:
          Ocp-Apim-Subscription-Key: "{{ vault_sports_data_key | default('') }}"
        configured: "{{ vault_sports_data_key | default('') | length > 0 }}"
        external: true
        required: false
  register: health
"""

RETURN = r"""
verdict:
  description: V(pass) when every required check is healthy or degraded, as often in a row as O(consecutive) says; else V(fail).
  returned: always
  type: str
  sample: pass
certain:
  description:
    - Whether a failure is so plain that looking again would change nothing. Every required check over the network was refused or found no
      replica running, or every container of a service is down or was restarted by the engine after it died.
  returned: always
  type: bool
summary:
  description: One sentence about all checks.
  returned: always
  type: str
  sample: "11 of 12 healthy; database standby: refused (connection to 127.0.0.1:5433 refused)"
checks:
  description: The answers of the last round, in the order of O(checks). A check of replicas or containers gives one for each.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What the check is called.
      type: str
    type:
      description: The kind of check.
      type: str
    target:
      description: The address or the service that was looked at, without credentials.
      type: str
    required:
      description: Whether it counts in RV(verdict).
      type: bool
    verdict:
      description: One of C(healthy), C(degraded), C(wrong_answer), C(refused), C(timed_out), C(unreachable), C(not_configured).
      type: str
    reason:
      description: One word for machines, such as C(ok), C(our_credentials), C(their_outage), C(version), C(expired) or C(crash_loop).
      type: str
    message:
      description: What was found, in words.
      type: str
    next:
      description: What to do about it. Empty when it is healthy.
      type: str
    duration:
      description: Seconds that the answer took.
      type: float
    details:
      description:
        - What was measured, by the type of the check.
        - C(clock_offset) is by how many seconds at least the clock of who answered is ahead of the host's (negative, behind). It is 0 when
          both may be the same, and V(null) when nobody told the time.
      type: dict
counts:
  description: How many checks have each verdict, and their C(total).
  returned: always
  type: dict
table:
  description: The answers as lines of text for people.
  returned: always
  type: list
  elements: str
attempts:
  description: How many rounds were made.
  returned: always
  type: int
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _checks
from ansible_collections.astraldraft.ops.plugins.module_utils import _checks_all as kinds
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = dict(
    DOCKER_SPEC,
    **kinds.CHECKS_SPEC,
    consecutive={"type": "int", "default": 1},
    interval={"type": "float", "default": 1.0},
    wait={"type": "bool", "default": False},
    wait_timeout={"type": "float", "default": 60.0},
    wait_interval={"type": "float", "default": 2.0},
    gate={"type": "bool", "default": False},
)
RESULT = {"verdict": "fail", "certain": False, "summary": "", "checks": [], "counts": _checks.counts([]), "table": [], "attempts": 0}


def work(module, result):
    options = module.params
    checks = kinds.prepare(options["checks"])
    context = {"docker_host": options["docker_host"], "libraries": kinds.libraries(checks)}

    def one_round(seconds):
        return _checks.run_round(checks, kinds.PROBES, context, seconds, module.heartbeat)

    verdict, outcomes, rounds, streak = _checks.watch(
        one_round,
        consecutive=max(1, options["consecutive"]),
        interval=options["interval"],
        wait=options["wait"],
        wait_timeout=options["wait_timeout"],
        wait_interval=options["wait_interval"],
        heartbeat=module.heartbeat,
    )
    result.update(
        verdict=verdict,
        certain=verdict == "fail" and _checks.certain(outcomes),
        summary=_checks.summary(outcomes, verdict, streak, options["consecutive"]),
        checks=[outcome.to_dict() for outcome in outcomes],
        counts=_checks.counts(outcomes),
        table=_checks.table(outcomes),
        attempts=rounds,
    )
    if options["gate"] and verdict != "pass":
        advice = next((outcome.next for outcome in outcomes if outcome.required and not outcome.passes and outcome.next), "")
        raise OpsError("Not healthy after {0} rounds: {1}. {2}".format(rounds, result["summary"], advice).strip())


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
