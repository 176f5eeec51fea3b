#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_history
short_description: Record what happens to a release
version_added: 0.1.0
description:
  - Appends one event to the record of releases, a file of JSON lines that is only ever appended to.
  - Beginning a release closes those that were left unfinished by an operation that died, as V(interrupted).
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: A release that check mode began is not in the record. Further events of one that is not there are taken for such a release's.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: Every O(event=started) begins a release of its own. Any other event is recorded once.
options:
  path:
    description: The record's file.
    type: path
    required: true
  export_path:
    description:
      - A file of JSON, readable by everyone, that lists the releases without internal details.
      - Another environment's gate reads it.
    type: path
  event:
    description:
      - V(started) begins a release.
      - V(switched) says that it gets traffic, V(contracting) that its contract migration begins, V(contracted) that it ran,
        V(retired) that its containers were removed, V(scaled) that it has another number of replicas from now on.
      - V(healthy), V(failed) (it never got traffic), V(taken_back) (it got traffic, went bad and lost it by itself),
        V(inconclusive) (it lost it because nobody could tell), V(returned) (it was well, and another host failed) and
        V(interrupted) end it.
    type: str
    required: true
    choices: [started, switched, contracting, contracted, retired, scaled, healthy, failed, taken_back, inconclusive, interrupted, returned]
  release:
    description: The release's id as returned when it was begun. Needed for every event but V(started).
    type: str
  replicas:
    description: How many replicas it has from now on. Needed for V(scaled).
    type: int
  comment:
    description: Why, in a sentence.
    type: str
    default: ""
  details:
    description: What is known of a release when it begins.
    type: dict
    suboptions:
      operation:
        description: What begins it.
        type: str
        choices: [deploy, rollback]
        required: true
      version:
        description: Its version, the image's tag.
        type: str
        required: true
      image:
        description: The reference by which the image can be started again.
        type: str
        required: true
      digest:
        description: The digest of the image, the registry's or the id of one that was built here.
        type: str
        required: true
      environment:
        description: The checksum of the environment it runs with.
        type: str
        required: true
      service:
        description: The Compose service it runs as.
        type: str
        required: true
      replicas:
        description: How many replicas.
        type: int
        required: true
      operator:
        description: Who.
        type: str
        required: true
      reason:
        description: Why.
        type: str
        default: ""
      emergency:
        description: Whether soft gates were skipped.
        type: bool
        default: false
      migration_phase:
        description: The kind of migration that comes with it.
        type: str
        choices: [none, expand, contract]
        default: none
seealso:
  - module: astraldraft.ops.release_history_info
"""

EXAMPLES = r"""
- name: Begin a release
  astraldraft.ops.release_history:
    path: /var/lib/astraldraft/astral-demo/releases.jsonl
    event: started
    details:
      operation: deploy
      version: v1.2.3
      image: astraldraft/app:v1.2.3
      digest: sha256:1d3f5c0f6b...
      environment: 9f86d081884c...
      service: app-green
      replicas: 2
      operator: ada
  register: release

- name: Record that it was proved healthy
  astraldraft.ops.release_history:
    path: /var/lib/astraldraft/astral-demo/releases.jsonl
    export_path: /var/lib/astraldraft/astral-demo/releases.json
    event: healthy
    release: "{{ release.release }}"
"""

RETURN = r"""
release:
  description: The release's id. In check mode the one that it would get if it began now.
  returned: always
  type: str
  sample: 20261123T184705.123Z-v1.2.3
interrupted:
  description: The ids of the releases that were found unfinished and closed.
  returned: always
  type: list
  elements: str
  sample: []
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import json

from ansible_collections.astraldraft.ops.plugins.module_utils import _release
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import append_line, read_lines, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "export_path": {"type": "path"},
    "event": {"type": "str", "required": True, "choices": list(_release.EVENTS)},
    "release": {"type": "str"},
    "replicas": {"type": "int"},
    "comment": {"type": "str", "default": ""},
    "details": {
        "type": "dict",
        "options": {
            "operation": {"type": "str", "choices": ["deploy", "rollback"], "required": True},
            "version": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "digest": {"type": "str", "required": True},
            "environment": {"type": "str", "required": True},
            "service": {"type": "str", "required": True},
            "replicas": {"type": "int", "required": True},
            "operator": {"type": "str", "required": True},
            "reason": {"type": "str", "default": ""},
            "emergency": {"type": "bool", "default": False},
            "migration_phase": {"type": "str", "choices": ["none", "expand", "contract"], "default": "none"},
        },
    },
}
RESULT = {"release": None, "interrupted": []}


def events_to_append(params, events, now, check_mode=False):
    """The events (list of dict) that the request adds to ``events`` at the time ``now`` (ISO 8601)."""
    kind = params["event"]
    if kind == _release.STARTED:
        identifier = "{0}-{1}".format(now.replace("-", "").replace(":", ""), params["details"]["version"])
        closing = [
            {
                "time": now,
                "event": _release.INTERRUPTED,
                "release": release["id"],
                "message": "Found unfinished when {0} began.".format(identifier),
            }
            for release in _release.unfinished(_release.fold(events))
        ]
        return closing + [dict(params["details"], time=now, event=kind, release=identifier)]
    if not check_mode and not any(event.get("release") == params["release"] for event in events):
        raise OpsError(
            "{0} knows of no release {1}, so {2} was not recorded. See: releases".format(params["path"], params["release"], kind)
        )
    if kind == _release.SCALED:
        release = next(found for found in _release.fold(events) if found["id"] == params["release"])
        same = release["replicas"] == params["replicas"]
        return [] if same else [{"time": now, "event": kind, "release": params["release"], "replicas": params["replicas"]}]
    if any(event.get("release") == params["release"] and event.get("event") == kind for event in events):
        return []
    return [{"time": now, "event": kind, "release": params["release"], "message": params["comment"]}]


def work(module, result):
    params = module.params
    result["release"] = params["release"]
    events = read_lines(params["path"])[0]
    added = events_to_append(params, events, to_iso(utc_now()), module.check_mode)
    result["changed"] = bool(added)
    result["interrupted"] = [
        event["release"] for event in added if event["event"] == _release.INTERRUPTED and params["event"] == _release.STARTED
    ]
    if added:
        result["release"] = added[-1]["release"]
    if module.check_mode:
        return
    module.fence()
    for event in added:
        append_line(params["path"], event)
    if params["export_path"] and added:
        releases = _release.public_list(_release.fold(events + added))
        write_atomically(params["export_path"], json.dumps(releases, indent=1) + "\n", mode=0o644)


def main():
    run(
        work,
        SPEC,
        RESULT,
        supports_check_mode=True,
        required_if=[("event", "started", ["details"]), ("event", "scaled", ["replicas"])]
        + [("event", kind, ["release"]) for kind in _release.EVENTS if kind != _release.STARTED],
    )


if __name__ == "__main__":
    main()
