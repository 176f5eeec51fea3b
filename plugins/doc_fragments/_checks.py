# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of checks that a module runs. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
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
      client_cert:
        description: Redis. A PEM file with a certificate of ours, where the server wants one.
        type: path
      client_key:
        description: Redis. Its key.
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
        description:
          - Redis. A C(wrong_answer) when more than this fraction of C(maxmemory) is used.
          - Without it, too, it is one when a primary is above C(maxmemory) and may evict nothing, so that it takes no writes.
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
"""
