#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_silence_info
short_description: List silences of Alertmanager and the alerts that they hide
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Lists the silences of Alertmanager (API v2) with the seconds that are left of each and the alerts that it hides. Those that end first
    come first.
  - An Alertmanager that cannot be asked fails the task.
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
      - Only silences that have each of these among their own matchers, written as for M(astraldraft.ops.alertmanager_silence).
    type: list
    elements: str
    default: []
  owner:
    description: Only silences of this owner (C(createdBy)).
    type: str
  id:
    description: Only this silence.
    type: str
  states:
    description: Only silences in one of these states. Alertmanager forgets those that are over after five days.
    type: list
    elements: str
    choices: [active, pending, expired]
    default: [active, pending]
seealso:
  - module: astraldraft.ops.alertmanager_silence
"""

EXAMPLES = r"""
- name: What is silenced by deploys
  astraldraft.ops.alertmanager_silence_info:
    url: http://127.0.0.1:9093
    owner: deploy
  register: silences
"""

RETURN = r"""
silences:
  description: The silences.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
    state:
      description: V(active), V(pending) or V(expired).
      type: str
    matchers:
      description: Its matchers, sorted, with quotes.
      type: list
      elements: str
      sample: ['environment="production"', 'job="app"']
    owner:
      description: Whose it is.
      type: str
    comment:
      description: Why.
      type: str
    starts_at:
      description: When it begins (ISO 8601, UTC).
      type: str
    ends_at:
      description: When it ends (ISO 8601, UTC).
      type: str
    seconds_left:
      description: The seconds until then, V(0) when it is over.
      type: int
    hides:
      description: The names of the alerts that it hides, sorted, at most 100.
      type: list
      elements: str
      sample: ["TargetDown (job=app, instance=app-blue-1:3000)"]
    hides_total:
      description: How many they are.
      type: int
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _matchers
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SPEC = dict(
    HTTP_SPEC,
    matchers={"type": "list", "elements": "str", "default": []},
    owner={"type": "str"},
    id={"type": "str"},
    states={"type": "list", "elements": "str", "choices": list(_alertmanager.SILENCE_STATES), "default": ["active", "pending"]},
)


def work(module, result):
    options, connection = module.params, connection_of(module.params)
    wanted = set(_matchers.parse_all(options["matchers"]))
    try:
        known, now = _alertmanager.silences(connection)
        found = [silence for silence in known if _is_meant(silence, options, wanted)]
        firing = _alertmanager.alerts(connection)[0] if any(silence["status"]["state"] == "active" for silence in found) else []
    except ProbeError as error:
        raise failure(error, "The silences cannot be listed")
    hidden = _alertmanager.by_silence(firing)
    records = []
    for silence in found:
        told = _alertmanager.names(hidden.get(silence["id"], []))
        record = _alertmanager.silence_record(silence, now)
        records.append(dict(record, hides=told[: _alertmanager.MOST_NAMED], hides_total=len(told)))
    result["silences"] = sorted(records, key=lambda record: (record["ends_at"], record["id"]))


def _is_meant(silence, options, wanted):
    return (
        silence["status"]["state"] in options["states"]
        and options["owner"] in (None, silence["createdBy"])
        and options["id"] in (None, silence["id"])
        and wanted <= {_matchers.of_api(item) for item in silence["matchers"]}
    )


def main():
    run(work, SPEC, {"silences": []}, supports_check_mode=True)


if __name__ == "__main__":
    main()
