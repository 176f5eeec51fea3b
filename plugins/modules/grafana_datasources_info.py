#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_datasources_info
short_description: Ask Grafana whether its data sources work
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Asks Grafana 9 or newer about itself, and every data source through its own health endpoint, several at the same time.
  - A data source whose plug-in has no health check, or runs in browsers only, is V(unsupported). That says nothing against it, and
    nothing for it.
  - Nothing but C(GET) requests is sent.
  - A service account needs C(datasources:read) and C(datasources:query).
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  datasources:
    description: The names or uids of the data sources to ask. By default all. One that is not there is V(missing), which fails.
    type: list
    elements: str
    default: []
  expected:
    description: The names or uids of data sources that must be there, whichever are asked. One that is not is V(missing), which fails.
    type: list
    elements: str
    default: []
  gate:
    description: Whether the task fails when RV(verdict) is not V(pass).
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.prometheus_query_info
  - module: astraldraft.ops.grafana_annotation
"""

EXAMPLES = r"""
- name: Do the dashboards have something to show?
  astraldraft.ops.grafana_datasources_info:
    url: https://grafana.example.com
    bearer_token: "{{ vault_grafana_token }}"
    expected: [Prometheus, PostgreSQL]
    gate: true
"""

RETURN = r"""
verdict:
  description:
    - V(fail) when Grafana does not answer or has no database, or when a data source is V(unhealthy) or V(missing).
    - V(pass) when at least one is V(healthy), and no other than V(healthy) or V(unsupported). Else V(inconclusive).
  returned: always
  type: str
  sample: pass
summary:
  description: One sentence about all of it.
  returned: always
  type: str
  sample: "2 of 3 data sources healthy; Alertmanager: unsupported (its plug-in runs in browsers only, Grafana cannot check it)"
grafana:
  description: Grafana itself.
  returned: always
  type: dict
  contains:
    verdict:
      description: V(healthy), V(wrong_answer), V(refused), V(timed_out) or V(unreachable).
      type: str
    reason:
      description: One word for machines, such as C(ok), C(database), C(our_credentials), C(web_page) or C(server_error).
      type: str
    message:
      description: What was found, in words.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    version:
      description: Its version. V(null) where it did not say, as Grafana may be told not to.
      type: str
    database:
      description: What it says of its own database, V(ok) when that answers. V(null) where it did not say.
      type: str
datasources:
  description: The data sources asked, as Grafana lists them, then those that are missing.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    uid:
      description: Its uid. Empty when it is missing.
      type: str
    type:
      description: Its type, such as V(prometheus). Empty when it is missing.
      type: str
    verdict:
      description: V(healthy), V(unhealthy), V(unsupported), V(missing), or V(unknown) where Grafana did not tell.
      type: str
    reason:
      description:
        - One word for machines, such as C(ok), C(check), C(timed_out), C(no_check), C(no_plugin), C(plugin_down), C(missing) or
          C(forbidden).
      type: str
    message:
      description: What its check said.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    duration:
      description: Seconds that its check took.
      type: float
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _grafana
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

NAMES_SPEC = {"type": "list", "elements": "str", "default": []}
SPEC = dict(HTTP_SPEC, datasources=NAMES_SPEC, expected=NAMES_SPEC, gate={"type": "bool", "default": False})
UNASKED = {"verdict": "unreachable", "reason": "unasked", "message": "", "next": "", "version": None, "database": None}


def work(module, result):
    params, answers = module.params, []
    connection = connection_of(params)
    grafana = _grafana.readiness(connection)
    if grafana["verdict"] == _grafana.HEALTHY:
        try:
            known = _grafana.datasources(connection)
            asked, missing = _grafana.chosen(known, params["datasources"], params["expected"])
            answers = _grafana.health(connection, asked, module.heartbeat) + [_grafana.missing(name) for name in missing]
        except ProbeError as error:
            grafana.update(verdict=error.verdict, reason=error.reason, message=error.message, next=error.next)
    result.update(grafana=grafana, datasources=answers, verdict=_grafana.overall(grafana, answers))
    result["summary"] = _grafana.summary(grafana, answers)
    if params["gate"] and result["verdict"] != "pass":
        advice = next((one["next"] for one in [grafana] + answers if one["next"]), "")
        raise OpsError("Grafana does not pass: {0}. {1}".format(result["summary"], advice).strip())


def main():
    run(work, SPEC, {"verdict": "inconclusive", "summary": "", "grafana": UNASKED, "datasources": []}, supports_check_mode=True)


if __name__ == "__main__":
    main()
