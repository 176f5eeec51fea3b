#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sentry_event
short_description: Send an event to Sentry
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Sends one event to the project that a DSN names, in an envelope, as Sentry's own libraries do, and has Sentry confirm it.
  - Sentry 20.6 or newer. It takes an event before it looks at it; what its filters and quotas drop later is not seen here.
extends_documentation_fragment:
  - astraldraft.ops._http.tls
  - astraldraft.ops._http.way
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Nothing is sent.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: A DSN lets nobody ask what is there, so each run sends the event and is changed. With O(key) Sentry keeps it once all the same.
options:
  dsn:
    description:
      - The address that Sentry shows under Client Keys of the project, such as C(https://KEY@HOST/PROJECT). It is a credential, and never
        shown.
      - Empty is a Sentry that is not configured. Then nothing is sent, as with Sentry's own libraries.
    type: str
    required: true
  text:
    description: What happened.
    type: str
    required: true
  level:
    description: How bad it is.
    type: str
    choices: [fatal, error, warning, info, debug]
    default: info
  tags:
    description: Names and values to search events by. Names of up to 32, values of up to 200 characters.
    type: dict
    default: {}
  release:
    description: The release that it is about.
    type: str
  environment:
    description: The environment that it is about, such as V(production).
    type: str
  key:
    description:
      - What makes it this event, for example the id of a release. The same O(key) gives the same RV(event_id), and of several events with
        one id Sentry keeps the first.
      - Without it each run sends an event of its own.
    type: str
  test:
    description: Whether it is only a test. It gets the tag C(test=true), and all tests of a project are one issue.
    type: bool
    default: false
  wait_timeout:
    description:
      - The seconds for which an event that Sentry wants later (C(429)) is held back and sent again, at the moment that Sentry names. V(0)
        gives up at once.
      - Nothing else is sent again, since it may have arrived.
    type: float
    default: 30.0
seealso:
  - module: astraldraft.ops.sentry_issues_info
  - module: astraldraft.ops.grafana_annotation
"""

EXAMPLES = r"""
- name: Does Sentry take events?
  astraldraft.ops.sentry_event:
    dsn: "{{ vault_sentry_dsn }}"
    text: Test of the connection, from the runbook
    test: true

- name: A rollback leaves a mark
  astraldraft.ops.sentry_event:
    dsn: "{{ vault_sentry_dsn }}"
    text: v1.2.3 was rolled back to v1.2.2
    level: warning
    release: v1.2.3
    environment: production
    key: rollback-20261123T184705
    tags: {operation: rollback, operator: ada}
"""

RETURN = r"""
event_id:
  description: The id of the event, 32 hexadecimal digits. In check mode without O(key), and where nothing is configured, V(null).
  returned: always
  type: str
  sample: fc6d8c0c43fc4630ad850ee518f1b9d0
sent:
  description: Whether Sentry confirmed the event.
  returned: always
  type: bool
configured:
  description: Whether there is a DSN at all.
  returned: always
  type: bool
project:
  description: Where it goes, host and project. All that is shown of the DSN. Empty without one.
  returned: always
  type: str
  sample: sentry.example.com/42
attempts:
  description: How often it was sent.
  returned: always
  type: int
waited:
  description: Seconds for which Sentry wanted to be spared.
  returned: always
  type: float
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _sentry
from ansible_collections.astraldraft.ops.plugins.module_utils._http import WAY_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SPEC = dict(
    WAY_SPEC,
    dsn={"type": "str", "required": True, "no_log": True},
    text={"type": "str", "required": True},
    level={"type": "str", "choices": list(_sentry.LEVELS), "default": "info"},
    tags={"type": "dict", "default": {}},
    release={"type": "str"},
    environment={"type": "str"},
    key={"type": "str", "no_log": False},
    test={"type": "bool", "default": False},
    wait_timeout={"type": "float", "default": 30.0},
)
RESULT = {"event_id": None, "sent": False, "configured": False, "project": "", "attempts": 0, "waited": 0.0}


def work(module, result):
    params = module.params
    if not params["dsn"].strip():
        return
    dsn = _sentry.parse_dsn(params["dsn"])
    identity = _sentry.event_id(dsn.shown, params["key"])
    event = _sentry.event_of(params, identity, time.time())
    foretold = identity if params["key"] or not module.check_mode else None
    result.update(configured=True, project=dsn.shown, event_id=foretold, changed=True)
    if module.check_mode:
        return
    try:
        attempts, waited = _sentry.send(connection_of(params), dsn, event, params["wait_timeout"], module.heartbeat)
    except ProbeError as error:
        raise failure(error, changed=False)
    result.update(sent=True, attempts=attempts, waited=waited)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
