#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_annotation
short_description: Mark a moment or a time span in Grafana
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Writes, changes or removes one annotation, of the organization that the token belongs to or of one dashboard or panel.
  - It is found again by O(key), which is kept as a tag C(astraldraft:KEY), so that it is never written twice. The end of a time span may be
    added by a later task, with the same O(key) and nothing but O(time_end).
  - A service account needs C(annotations:read), C(annotations:create) and C(annotations:write), and C(annotations:delete) to remove one.
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Only C(GET) requests are sent.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) writes the annotation, or changes what differs.
      - V(absent) removes every annotation with this O(key) in its place.
    type: str
    choices: [present, absent]
    default: present
  key:
    description: What the annotation is found again by, for example the id of a release. Up to 88 characters.
    type: str
    required: true
  text:
    description: What it says. HTML is allowed, and shown by Grafana without scripts. Needed where there is none with this O(key) yet.
    type: str
  tags:
    description: Tags to select annotations by in dashboards. What is not given stays as it is; an empty list removes them.
    type: list
    elements: str
  time:
    description:
      - When it begins, ISO 8601 with a zone, or V(now). By default now for a new one, and what it was for one that is there.
      - V(now) never moves an annotation that is there.
    type: str
  time_end:
    description:
      - When the time span ends, likewise. Without it the annotation marks a moment.
      - V(now) is set once. An end that is there stays.
    type: str
  dashboard_uid:
    description:
      - The dashboard that it belongs to. Without it, it belongs to the organization, and every dashboard may show it.
      - Annotations with the same O(key) in another place are others.
    type: str
  panel_id:
    description: The panel of that dashboard that it belongs to.
    type: int
seealso:
  - module: astraldraft.ops.sentry_event
  - module: astraldraft.ops.grafana_datasources_info
"""

EXAMPLES = r"""
- name: A release begins
  astraldraft.ops.grafana_annotation:
    url: https://grafana.example.com
    bearer_token: "{{ vault_grafana_token }}"
    key: deploy-20261123T184705
    text: v1.2.3 on production, by ada
    tags: [deploy, production]

- name: It is over
  astraldraft.ops.grafana_annotation:
    url: https://grafana.example.com
    bearer_token: "{{ vault_grafana_token }}"
    key: deploy-20261123T184705
    time_end: now
"""

RETURN = r"""
before:
  description: The annotation as it was found. V(null) when there was none.
  returned: always
  type: dict
  contains: &annotation
    id:
      description: Grafana's number of it. V(null) for one that check mode would have written.
      type: int
    key:
      description: What it is found again by.
      type: str
    text:
      description: What it says.
      type: str
    tags:
      description: Its tags in alphabetical order, without the one for O(key).
      type: list
      elements: str
    time:
      description: When it begins (ISO 8601, UTC).
      type: str
    time_end:
      description: When it ends. V(null) when it marks a moment.
      type: str
    dashboard_uid:
      description: The dashboard it belongs to. V(null) for one of the organization.
      type: str
    panel_id:
      description: The panel it belongs to. V(null) for one of no panel.
      type: int
after:
  description: The annotation as it is now, or would be. V(null) when there is none.
  returned: always
  type: dict
  contains: *annotation
found:
  description: How many annotations with this O(key) were found in this place. More than one are from hands other than this module's.
  returned: always
  type: int
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _grafana_annotation as _annotation
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SPEC = dict(
    HTTP_SPEC,
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    key={"type": "str", "required": True, "no_log": False},
    text={"type": "str"},
    tags={"type": "list", "elements": "str"},
    time={"type": "str"},
    time_end={"type": "str"},
    dashboard_uid={"type": "str"},
    panel_id={"type": "int"},
)


def work(module, result):
    now = round(time.time() * 1000)
    connection, wanted = connection_of(module.params), _annotation.wanted_of(module.params, now)
    try:
        found = _annotation.find(connection, wanted)
        before = found[0] if found else None
        result.update(found=len(found), before=_annotation.shown(before))
        if module.params["state"] == "present":
            after = present(module, connection, before, wanted, now, result)
        else:
            after = absent(module, connection, found, result)
    except ProbeError as error:
        raise failure(error)
    result["after"] = _annotation.shown(after)
    result["diff"] = {"before": result["before"] or {}, "after": result["after"] or {}}


def present(module, connection, before, wanted, now, result):
    after, body = _annotation.plan(before, wanted, now)
    if body is not None:
        if not module.check_mode:
            after["id"] = _annotation.write(connection, after["id"], body)
        result["changed"] = True
    return after


def absent(module, connection, found, result):
    for one in found:
        if not module.check_mode:
            _annotation.remove(connection, one["id"])
        result["changed"] = True


def main():
    run(work, SPEC, {"before": None, "after": None, "found": 0}, supports_check_mode=True)


if __name__ == "__main__":
    main()
