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
requirements:
  - psycopg2 (only for checks of type V(postgres))
  - redis >= 5.0.0 (only for checks of type V(redis))
  - docker >= 7.0.0 (only for checks of containers or of the replicas of a service)
options:
  checks:
    description:
      - What to check. An option that does not belong to the type of its check is refused.
      - An option without a default here has none, or the one its description gives.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the check is called in the answer. By default its type and target.
        type: str
      type:
        description: What kind of check it is.
        type: str
        required: true
        choices: [http, tcp, tls, postgres, redis, container]
      required:
        description: With V(false) the check is reported but does not count in RV(verdict).
        type: bool
        default: true
      configured:
        description:
          - With V(false) the check is not run and its verdict is C(not_configured). For a check whose credentials may be missing.
          - An empty O(checks[].url), O(checks[].host), O(checks[].login_host) or O(checks[].project) has the same effect.
        type: bool
        default: true
      timeout:
        description: The seconds that the check may take in all.
        type: float
        default: 5.0
      latency_warn:
        description: The check is C(degraded) when the answer took more seconds than this. Not for V(tls) and V(container).
        type: float
      latency_fail:
        description: The check is a C(wrong_answer) when the answer took more seconds than this. Not for V(tls) and V(container).
        type: float
      url:
        description: HTTP. The address to ask. A redirect is not followed; it is a wrong answer unless O(checks[].status) lists it.
        type: str
      services:
        description:
          - HTTP. Ask every running replica of these Compose services at its own address instead of a URL. One result for each replica.
          - PostgreSQL. Connect to the running containers of these services at their own addresses instead of O(checks[].login_host).
          - Containers. The services that must have a container and whose containers must all be well.
        type: list
        elements: str
        aliases: [service]
      project:
        description: HTTP, PostgreSQL and containers. The Compose project of O(checks[].services).
        type: str
      network:
        description: HTTP. The network whose addresses are used for O(checks[].services). By default any that the container has.
        type: str
      scheme:
        description: HTTP. How the replicas of O(checks[].services) are asked. By default V(http).
        type: str
        choices: [http, https]
      port:
        description: HTTP with O(checks[].services), TCP and TLS. The port. For TLS V(443) by default.
        type: int
      path:
        description: HTTP. The path to ask the replicas of O(checks[].services) for. By default V(/).
        type: str
      replicas:
        description:
          - HTTP and containers. How many replicas must be running. For HTTP at least one by default.
          - For containers it holds for each of O(checks[].services).
        type: int
      method:
        description: HTTP. The method. By default V(GET).
        type: str
        choices: [GET, HEAD]
      headers:
        description: HTTP. Headers to send. Their values are treated as secrets.
        type: dict
      host_header:
        description: HTTP. The host to ask for when it differs from the address; also the name that TLS must prove.
        type: str
      url_username:
        description: HTTP. The user for basic authentication.
        type: str
      url_password:
        description: HTTP. The password for basic authentication.
        type: str
      bearer_token:
        description: HTTP. A token for C(Authorization).
        type: str
      validate_certs:
        description: HTTP and Redis. Whether the certificate is verified. By default V(true).
        type: bool
      ca_path:
        description: HTTP, TLS and Redis. A PEM file with the authorities to trust in place of the system's.
        type: path
      status:
        description: HTTP. The statuses that are right. By default V(200) alone.
        type: list
        elements: int
      auth_statuses:
        description: HTTP. Statuses that mean our own credentials are refused. By default V(401) and V(403).
        type: list
        elements: int
      external:
        description:
          - HTTP. The service is somebody else's, so that a 5xx, a refusal, a broken answer or none in time has the reason C(their_outage).
          - By default V(false).
        type: bool
      json:
        description: HTTP. What must hold of the JSON body.
        type: list
        elements: dict
        suboptions:
          path:
            description:
              - A path such as V(checks.database), V(items[0].name) or V(labels["a.b"]).
              - It must exist, unless O(checks[].json[].exists=false).
            type: str
            required: true
          equals:
            description: The value it must have.
            type: raw
          one_of:
            description: The values it may have.
            type: list
            elements: raw
          matches:
            description: A regular expression to be found in it.
            type: str
          exists:
            description: With V(false) it must not exist.
            type: bool
      contains:
        description: HTTP. Text that must occur in the body.
        type: str
      expected_version:
        description: HTTP. The version that the body must name, and the version header too where it is sent.
        type: str
      version_path:
        description: HTTP. Where the JSON body names the version. By default V(version).
        type: str
      version_header:
        description: HTTP. The header with the version. By default V(X-Release).
        type: str
      host:
        description: TCP and TLS. The host.
        type: str
      server_name:
        description: TLS. The name that the certificate must be valid for. By default O(checks[].host).
        type: str
      certificate_path:
        description: TLS. The certificate file on the managed host that the server should have loaded. A difference is a C(wrong_answer).
        type: path
      days_warn:
        description: TLS. C(degraded) with fewer days left.
        type: float
      days_fail:
        description: TLS. A C(wrong_answer) with fewer days left.
        type: float
      fraction_warn:
        description: TLS. C(degraded) with a smaller fraction of the lifetime left. By default V(0.25).
        type: float
      fraction_fail:
        description: TLS. A C(wrong_answer) with a smaller fraction of the lifetime left. By default V(0.1).
        type: float
      login_host:
        description: PostgreSQL and Redis. The host, or for PostgreSQL the folder of its socket.
        type: str
      login_port:
        description: PostgreSQL and Redis. The port. By default V(5432) and V(6379).
        type: int
      login_user:
        description: PostgreSQL and Redis. The user. For PostgreSQL V(postgres) by default.
        type: str
      login_password:
        description: PostgreSQL and Redis. The password.
        type: str
      login_db:
        description: PostgreSQL. The database. By default V(postgres).
        type: str
      ssl_mode:
        description: PostgreSQL. Whether and how TLS is used. By default V(prefer).
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      ca_cert:
        description: PostgreSQL. A PEM file with the authorities to trust.
        type: path
      query:
        description: PostgreSQL. The query to run, in a read-only session. By default V(SELECT 1).
        type: str
      equals:
        description: PostgreSQL. What the first column of the first row must be.
        type: raw
      role:
        description: PostgreSQL and Redis. The role that the server must have.
        type: str
        choices: [primary, replica]
      standbys:
        description: PostgreSQL. How many standbys must be streaming from the server, at least.
        type: int
      max_lag_seconds:
        description: PostgreSQL. How many seconds replication may lag. On a replica that receives nothing this is never fulfilled.
        type: float
      max_lag_bytes:
        description: PostgreSQL. How many bytes of the write-ahead log replication may lag.
        type: int
      connections_warn:
        description: PostgreSQL. C(degraded) when more than this fraction of the usable connection slots is taken.
        type: float
      connections_fail:
        description: PostgreSQL. A C(wrong_answer) when more than this fraction of the usable connection slots is taken.
        type: float
      tls:
        description: Redis. Whether to use TLS. By default V(false).
        type: bool
      nodes:
        description: Redis. Several nodes as C(host:port), all of which must answer. They take the place of O(checks[].login_host).
        type: list
        elements: str
      cluster:
        description:
          - Redis. Whether it is a cluster, which then must be C(ok) with all slots served, as seen by every node.
          - By default V(false).
        type: bool
      memory_warn:
        description: Redis. C(degraded) when more than this fraction of C(maxmemory) is used.
        type: float
      memory_fail:
        description: Redis. A C(wrong_answer) when more than this fraction of C(maxmemory) is used.
        type: float
      all_services:
        description:
          - Containers. Look at every container of the project, not only at those of O(checks[].services). By default V(false).
          - Without O(checks[].services) every container of the project is looked at in any case.
        type: bool
      containers:
        description: Containers. Names of containers, for those that are not of a Compose project.
        type: list
        elements: str
      completed:
        description: Containers. Services that do one job and may have exited with code 0.
        type: list
        elements: str
      restart_window:
        description: Containers. A container that the engine restarted within so many seconds is in a crash loop. By default V(60).
        type: float
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
      description: What was measured, by the type of the check.
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
    checks={"type": "list", "elements": "dict", "required": True, "options": kinds.SPEC},
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
