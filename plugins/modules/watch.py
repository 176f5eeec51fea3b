#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: watch
short_description: Run read-only modules again and again for a time and say how it went
version_added: 0.1.0
description:
  - Runs every probe once a round until the time is over, and says whether all is well, something failed too often, or nothing is known.
  - Prints a line of progress now and then.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    details: In check mode nothing is watched, and the verdict is V(pass).
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
options:
  seconds:
    description: How long to watch, in seconds.
    type: float
    required: true
  interval:
    description: The time from the start of one round to the start of the next, in seconds.
    type: float
    default: 10
  failure_limit:
    description: How many failed rounds in all end the watch with the verdict V(fail).
    type: int
    default: 2
  inconclusive_seconds:
    description: How much longer to go on, in seconds, when the last round was not conclusive.
    type: float
    default: 60
  progress_interval:
    description: How often a line of progress is printed, in seconds.
    type: float
    default: 10
  subject:
    description: What the line of progress begins with.
    type: str
    default: Watching
  probes:
    description: The modules to run. Each must return C(verdict), one of V(pass), V(fail), V(inconclusive), and may return C(summary).
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
        description: Its options.
        type: dict
        default: {}
seealso:
  - module: astraldraft.ops.health_check
  - module: astraldraft.ops.prometheus_query_info
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
  register: soak
  failed_when: soak.verdict != 'pass'
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
  description: Every answer that was not a pass, in order.
  returned: always
  type: list
  elements: str
duration:
  description: The time from the start until the verdict, in seconds.
  returned: always
  type: float
"""
