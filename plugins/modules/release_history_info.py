#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_history_info
short_description: Read the record of releases
version_added: 0.1.0
description:
  - Returns the releases with their outcome, which images are quarantined, and lines of the record that cannot be read.
  - What is live is not in the record but in the load balancer. See M(astraldraft.ops.release_plan_info).
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  path:
    description: The record's file.
    type: path
    required: true
  limit:
    description: Return only that many of the newest releases.
    type: int
seealso:
  - module: astraldraft.ops.release_history
"""

EXAMPLES = r"""
- name: Read the last ten releases
  astraldraft.ops.release_history_info:
    path: /var/lib/astraldraft/astral-demo/releases.jsonl
    limit: 10
  register: history
"""

RETURN = r"""
releases:
  description: The releases, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The release's id.
      type: str
    operation:
      description: V(deploy) or V(rollback).
      type: str
    version:
      description: Its version.
      type: str
    image:
      description: The reference by which the image can be started again.
      type: str
    digest:
      description: The image's digest.
      type: str
    environment:
      description: The checksum of its environment.
      type: str
    service:
      description: The Compose service it ran as.
      type: str
    replicas:
      description: How many replicas.
      type: int
    operator:
      description: Who.
      type: str
    reason:
      description: Why.
      type: str
    emergency:
      description: Whether soft gates were skipped.
      type: bool
    migration_phase:
      description: The kind of migration that came with it.
      type: str
    outcome:
      description: V(healthy), V(failed), V(taken_back), V(inconclusive), V(interrupted), V(returned), or V(running) while it is under way.
      type: str
    message:
      description: Why it ended so.
      type: str
    contracting:
      description: Whether its contract migration was begun.
      type: bool
    contracted:
      description: Whether its contract migration was seen through.
      type: bool
    started_at:
      description: When it began (ISO 8601, UTC).
      type: str
    switched_at:
      description: When it got traffic (ISO 8601, UTC), or V(null).
      type: str
    finished_at:
      description: When it ended (ISO 8601, UTC), or V(null).
      type: str
quarantined:
  description: The digests that were taken back by themselves and not proved healthy since.
  returned: always
  type: list
  elements: str
  sample: []
damaged_lines:
  description: The numbers of the lines that are not JSON, for example one that was torn by a power cut.
  returned: always
  type: list
  elements: int
  sample: []
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _release
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {"path": {"type": "path", "required": True}, "limit": {"type": "int"}}
RESULT = {"releases": [], "quarantined": [], "damaged_lines": []}


def work(module, result):
    events, damaged = read_lines(module.params["path"])
    releases = _release.fold(events)
    limit = module.params["limit"]
    result.update(
        releases=releases[-limit:] if limit else releases, quarantined=sorted(_release.quarantined(releases)), damaged_lines=damaged
    )


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
