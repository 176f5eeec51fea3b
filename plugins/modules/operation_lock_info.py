#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: operation_lock_info
short_description: Say who holds the lock of a stack
version_added: 0.1.0
description:
  - Reads the lock and says whether it is free, held, or left behind by an operation that gives no sign of life.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  path:
    description: The lock's file.
    type: path
    required: true
seealso:
  - module: astraldraft.ops.operation_lock
"""

EXAMPLES = r"""
- name: Ask who is at work
  astraldraft.ops.operation_lock_info:
    path: /var/lib/astraldraft/astral-demo/lock/operation.json
  register: lock
"""

RETURN = r"""
status:
  description: V(free), V(held), or V(expired) when the holder gives no sign of life any more.
  returned: always
  type: str
  sample: held
lock:
  description: The lock, or V(null) when it is free.
  returned: always
  type: dict
  contains:
    token:
      description: Its fencing token.
      type: int
    operation:
      description: What it was taken for.
      type: str
    owner:
      description: By whom.
      type: str
    host:
      description: From which machine.
      type: str
    reason:
      description: Why.
      type: str
    acquired_at:
      description: When it was taken (ISO 8601, UTC).
      type: str
    heartbeat_at:
      description: The last sign of life (ISO 8601, UTC).
      type: str
    expires_at:
      description: When its holder is taken for dead (ISO 8601, UTC).
      type: str
description:
  description: One phrase for people.
  returned: always
  type: str
  sample: deploy by ada on laptop, since 2026-11-23T18:47:05.123Z, last sign of life 3 s ago (expires after 45 s)
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _lock
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {"path": {"type": "path", "required": True}}
RESULT = {"status": _lock.FREE, "lock": None, "description": "free"}


def work(module, result):
    lock = _lock.LockFile(module.params["path"])
    current = lock.read()
    if current:
        result.update(
            status=_lock.judge(current, None, lock.now()), lock=_lock.public(current), description=_lock.describe(current, lock.now())
        )


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
