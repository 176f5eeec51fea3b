#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence_info
short_description: Run modules that only read at the same time, and hand back what each of them says
version_added: 0.1.0
description:
  - What ten tasks ask one after the other is asked at once, so that it takes as long as the slowest of them, and is about the same moment.
  - A module that fails, or takes too long, keeps nobody else's answer back. It is named in RV(missing), and the task does not fail for it.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
options:
  parts:
    description:
      - What is asked. Over other connections than C(local) and C(ssh) it is asked one after the other.
      - C(module_defaults) do not reach these modules.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name under which the answer is found.
        type: str
        required: true
      module:
        description: The full name of a module that only reads, which ends in C(_info), or M(astraldraft.ops.health_check).
        type: str
        required: true
      args:
        description: Its options.
        type: dict
        default: {}
  timeout:
    description: For how long, in seconds, a module is waited for.
    type: float
    default: 12
notes:
  - Modules that answer by the time of the slowest one is what makes this fast. With C(pipelining) it is faster still.
seealso:
  - module: astraldraft.ops.watch
"""

EXAMPLES = r"""
- name: How the host and its containers are
  astraldraft.ops.evidence_info:
    parts:
      - name: host
        module: astraldraft.ops.host_stats_info
      - name: containers
        module: astraldraft.ops.container_stats_info
        args:
          project: astral-demo
  register: found
"""

RETURN = r"""
evidence:
  description:
    - Each name of O(parts), and what its module returned, as a registered variable has it. C(failed) is true for one that has no answer.
  returned: always
  type: dict
missing:
  description: The parts without an answer.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Which.
      type: str
    message:
      description: Why.
      type: str
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""
