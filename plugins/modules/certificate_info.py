#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_info
short_description: Tell which certificates are served, and whether they are the right ones
version_added: 0.1.0
description:
  - Asks several servers at once for their certificates. Of each it tells for which names it is, whether its chain verifies, how much of its
    lifetime is left, when its authority suggests to renew it, and whether it is the one that lies on the disk.
  - The module answers and does not fail when something is wrong. A server that cannot be reached has a verdict of its own.
  - M(astraldraft.ops.health_check) has a check of type V(tls), which is enough where only the verdict counts.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
  - astraldraft.ops._certificate
options:
  endpoints:
    description: Who is asked for a certificate.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What it is called in the answer. By default host and port.
        type: str
      host:
        description: The host.
        type: str
        required: true
      port:
        description: The port.
        type: int
        default: 443
      names:
        description:
          - The names that the certificate must be for. It is asked for under the first, and must verify for that.
          - By default O(endpoints[].host).
        type: list
        elements: str
        default: []
      ca_path:
        description: A PEM file with the authorities to trust in place of the system's.
        type: path
      certificate_path:
        description: The file on the host with the certificate that the server should have loaded.
        type: path
      server:
        description: The address of the ACME directory of its authority, which is asked when it suggests to renew it. By default nobody is.
        type: str
  fraction_warn:
    description: C(degraded) with a smaller fraction of the lifetime left.
    type: float
    default: 0.25
  fraction_fail:
    description: A C(wrong_answer) with a smaller fraction of the lifetime left.
    type: float
    default: 0.1
  timeout:
    description: The seconds that each answer may take.
    type: float
    default: 5
seealso:
  - module: astraldraft.ops.health_check
  - module: astraldraft.ops.certificate_order
"""

EXAMPLES = r"""
- name: What is served, and is it what was renewed?
  astraldraft.ops.certificate_info:
    endpoints:
      - name: load balancer
        host: 127.0.0.1
        names: [astraldraft.com, www.astraldraft.com]
        certificate_path: /var/lib/astraldraft/astral-draft/tls/server.crt
        server: https://acme-v02.api.letsencrypt.org/directory
      - host: grafana.astraldraft.com
  register: certificates
"""

RETURN = r"""
verdict:
  description: V(pass) when every certificate is healthy or degraded, else V(fail).
  returned: always
  type: str
  sample: pass
summary:
  description: One sentence about all of them.
  returned: always
  type: str
  sample: "1 of 2 healthy; grafana.astraldraft.com:443: wrong_answer (its certificate has expired)"
table:
  description: A line for each, for people.
  returned: always
  type: list
  elements: str
certificates:
  description: What was found, in the order of O(endpoints).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What it is called.
      type: str
    target:
      description: Who was asked.
      type: str
    verdict:
      description: One of C(healthy), C(degraded), C(wrong_answer), C(refused), C(timed_out), C(unreachable).
      type: str
    reason:
      description: One word for machines, such as C(ok), C(expired), C(missing_names), C(stale_certificate) or C(chain_order).
      type: str
    message:
      description: What was found, in words.
      type: str
    next:
      description: What to do about it. Empty when it is healthy.
      type: str
    duration:
      description: The time that the answer took, in seconds.
      type: float
    served:
      description: The certificate. V(null) when none was served that can be read.
      type: dict
      contains: &certificate
        subject:
          description: The common name, which newer certificates do without.
          type: str
        issuer:
          description: Who issued it.
          type: str
        names:
          description: The names and addresses that it is for.
          type: list
          elements: str
        serial:
          description: Its serial number in hexadecimal.
          type: str
        fingerprint_sha256:
          description: The SHA-256 of the certificate in hexadecimal.
          type: str
        not_before:
          description: The beginning of its lifetime.
          type: str
        not_after:
          description: The end of its lifetime.
          type: str
    on_disk:
      description: The one in O(endpoints[].certificate_path). V(null) when no file is given or it cannot be read.
      type: dict
      contains: *certificate
    chain:
      description:
        - All certificates that the server sent, its own first, by their common names.
        - V(null) where the host's Python is older than 3.10 and does not tell, and when nothing was served.
      type: list
      elements: str
    verified:
      description: Whether the chain and the first name verify. V(null) when nothing was served.
      type: bool
    days_left:
      description: The days that are left. V(null) when nothing was served.
      type: float
    fraction_left:
      description: The fraction of the lifetime that is left, from 0 to 1. V(null) when nothing was served.
      type: float
    window:
      description: When its authority suggests to renew it. V(null) when it suggests nothing, or was not asked, or did not answer.
      type: dict
      contains:
        start:
          description: The beginning.
          type: str
        end:
          description: The end.
          type: str
        explanation_url:
          description: A page of the authority's that says why, or an empty string.
          type: str
    due:
      description: Why it is due to be renewed. Empty when it is not.
      type: list
      elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate, _certificate_ask, _checks
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = dict(
    _certificate.RENEW_FRACTION_SPEC,
    endpoints={"type": "list", "elements": "dict", "required": True, "options": _certificate_ask.ENDPOINT_SPEC},
    server_ca_path={"type": "path"},
    fraction_warn={"type": "float", "default": 0.25},
    fraction_fail={"type": "float", "default": 0.1},
    timeout={"type": "float", "default": 5},
)
RESULT = {"verdict": "fail", "summary": "", "table": [], "certificates": []}


def work(module, result):
    params = module.params
    if not params["endpoints"]:
        raise OpsError("Nobody is named whose certificate could be looked at. Name at least one (endpoints).")
    outcomes = _certificate_ask.ask_all(params["endpoints"], params, module.heartbeat)
    result.update(
        verdict="pass" if all(outcome.passes for outcome in outcomes) else "fail",
        summary=_checks.summary(outcomes, "pass"),
        table=_checks.table(outcomes),
        certificates=[_certificate_ask.to_record(outcome) for outcome in outcomes],
    )


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
