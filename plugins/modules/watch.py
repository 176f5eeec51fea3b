#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: watch
short_description: Run modules again and again until there is a verdict, and show how it stands
version_added: 0.1.0
description:
  - Runs every probe once a round, and says whether all is well, something failed, or nothing is known.
  - Either all must be well for a time (O(mode=hold)), or it is waited until all is well (O(mode=until)).
  - What takes more than five seconds shows how it stands, with the time, its limit and the numbers that are watched. On a terminal that
    is one line that changes, elsewhere (AWX, a CI system, a file) a line each O(progress_interval) and at each change of the verdict.
  - Every module that it runs renews the lock of the operation.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    details: >-
      In check mode nothing is watched, and the verdict is V(pass). With O(mode=until) the probes are run once in check mode, so that
      C(changed) says what they would change.
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
options:
  mode:
    description:
      - With V(hold) the verdict is V(pass) when O(seconds) are over and the last O(success_limit) rounds passed.
      - With V(until) it is V(pass) as soon as O(success_limit) rounds in a row passed, and after O(seconds) what the last round was. A
        module that fails, rather than returning a verdict, ends it at once.
    type: str
    choices: [hold, until]
    default: hold
  seconds:
    description: How long to watch, or to wait at most, in seconds.
    type: float
    required: true
  interval:
    description: The time from the start of one round to the start of the next, in seconds.
    type: float
    default: 10
  failure_limit:
    description:
      - How many failed rounds in all end a O(mode=hold) with the verdict V(fail).
      - A probe that fails with a true C(certain) in its answer ends it at once.
    type: int
    default: 2
  success_limit:
    description: How many rounds in a row must pass, for O(mode=hold) at its end.
    type: int
    default: 1
  inconclusive_seconds:
    description:
      - For how long, in seconds and at a stretch, a O(mode=hold) may go on without a conclusive round. Then its verdict is V(inconclusive).
      - So much longer than O(seconds) it lasts at most.
    type: float
    default: 60
  progress_interval:
    description: How often a line of progress is printed where it cannot be overwritten, in seconds.
    type: float
    default: 10
  subject:
    description: What the line of progress begins with.
    type: str
    default: Watching
  gate:
    description: Whether the task fails when RV(verdict) is not V(pass).
    type: bool
    default: false
  probes:
    description:
      - The modules to run. Each must return C(verdict), one of V(pass), V(fail), V(inconclusive), and may return C(summary) and C(certain).
      - With O(mode=hold) a module that fails is V(inconclusive), and so is a host that cannot be reached.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The probe's name.
        type: str
        required: true
      module:
        description: The full name of the module.
        type: str
        required: true
      args:
        description: Its options. What waits by itself is given a few seconds only, so that there is something to show meanwhile.
        type: dict
        default: {}
      key:
        description: The key of its answer that says how it went, a verdict or a boolean.
        type: str
        default: verdict
      show:
        description: Further keys of its answer that the line of progress shows.
        type: list
        elements: str
        default: []
seealso:
  - module: astraldraft.ops.health_check
  - module: astraldraft.ops.prometheus_query_info
  - module: astraldraft.ops.nginx_upstream
"""

EXAMPLES = r"""
- name: Watch the new release for half an hour
  astraldraft.ops.watch:
    seconds: 1800
    interval: 15
    subject: Soaking v1.2.3
    probes:
      - name: health
        module: astraldraft.ops.health_check
        args:
          checks:
            - name: website
              type: http
              url: https://astraldraft.com/api/health
    gate: true

- name: Wait until nobody is served by the former servers any more
  astraldraft.ops.watch:
    mode: until
    seconds: 60
    interval: 0
    subject: Draining
    probes:
      - name: nginx
        module: astraldraft.ops.nginx_upstream
        key: drained
        show: [draining_workers]
        args:
          project: astral-demo
          path: /var/lib/astraldraft/astral-demo/nginx/upstreams/app.conf
          drain: true
          drain_timeout: 4
    gate: true
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(inconclusive).
  returned: always
  type: str
  sample: pass
rounds:
  description: How many rounds there were.
  returned: always
  type: int
failures:
  description: How many of them failed.
  returned: always
  type: int
probes:
  description: The last answer of every probe, by name, each with C(verdict) and C(summary).
  returned: always
  type: dict
evidence:
  description: The last 50 answers that were not a pass, in order.
  returned: always
  type: list
  elements: str
duration:
  description: The time from the start until the verdict, in seconds.
  returned: always
  type: float
"""
