# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module documents the same way. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  operation_lock_path:
    description:
      - The file of the lock that the running operation holds, as returned by M(astraldraft.ops.operation_lock).
      - With it the module renews the lock's heartbeat when it starts and while it waits, and stops when the lock was taken over.
      - If the value is not given, the environment variable E(ASTRALDRAFT_OPERATION_LOCK) is used instead. The playbooks set it.
    type: path
  operation_token:
    description:
      - The fencing token of that lock. Needed together with O(operation_lock_path).
      - If the value is not given, the environment variable E(ASTRALDRAFT_OPERATION_TOKEN) is used instead. The playbooks set it.
    type: int
"""

    DOCKER = r"""
options:
  docker_host:
    description:
      - Where the Docker Engine listens, for example V(unix:///var/run/docker.sock).
      - If the value is not given, the environment variable E(DOCKER_HOST) is used instead, and without it the local socket.
    type: str
requirements:
  - docker >= 7.0.0 (Docker SDK for Python)
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/astraldraft.ops.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - astraldraft.ops.all
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: When run twice in a row outside C(check_mode), with the same arguments, the second invocation indicates no change.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
    details: This module does not modify anything.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details: This module does not modify anything.
  idempotent:
    description: When run twice in a row outside C(check_mode), with the same arguments, the second invocation indicates no change.
    support: full
    details: This module does not modify anything.
"""

    FREEZES = r"""
options:
  freezes_path:
    description: The file of the freezes (M(astraldraft.ops.operation_freeze)). By default C(freezes.json) beside O(path).
    type: path
  incidents_path:
    description:
      - The folder that holds one folder an incident, with a file C(incident.json). By default C(incidents) beside the folder of O(path).
    type: path
  freeze_weekly:
    description: Freezes of every week. One whose end is not after its start goes over the weekend.
    type: list
    elements: dict
    default: []
    suboptions:
      starts:
        description: When it starts, a day and a time such as V(fri 16:00).
        type: str
        required: true
      ends:
        description: When it ends, likewise. V(24:00) is the end of a day.
        type: str
        required: true
      timezone:
        description: The time zone of both, such as V(Europe/Berlin).
        type: str
        default: UTC
      reason:
        description: Why.
        type: str
        default: ""
"""
