#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pgbackrest_verify
short_description: Verify the repository of pgBackRest by reading all of it
version_added: 0.1.0
description:
  - Has pgBackRest compare every file of every backup, and every segment of the log, with the hash that was written down when it was stored,
    and sees that no segment is missing since the oldest backup. That one can be recovered, M(astraldraft.ops.pgbackrest_recover) proves.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._pgbackrest
  - astraldraft.ops._pgbackrest.tools
  - astraldraft.ops._pgbackrest.work
  - astraldraft.ops._backup.progress
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Nothing is read in check mode; it is only seen that there is a stanza.
  diff_mode:
    support: N/A
    details: This module does not modify anything.
  idempotent:
    support: full
    details: This module does not modify anything.
options:
  label:
    description: The backup that is verified, with the log. By default all are.
    type: str
  max_age_seconds:
    description: How old the newest backup may be. With an older one RV(verdict) is V(fail).
    type: int
seealso:
  - module: astraldraft.ops.pgbackrest_backup
"""

EXAMPLES = r"""
- name: Read all of the repository
  astraldraft.ops.pgbackrest_verify:
    config_path: /var/lib/postgresql/data/pgbackrest.conf
    project: astral-draft
    service: postgres-master
"""

RETURN = r"""
verdict:
  description: V(pass), or V(fail) when something was found or the newest backup is too old. V(inconclusive) in check mode and after a
    failure.
  returned: always
  type: str
findings:
  description: What was found, at most 20 sentences.
  returned: always
  type: list
  elements: str
too_old:
  description: Whether the newest backup is older than O(max_age_seconds).
  returned: always
  type: bool
age_seconds:
  description: How long ago the newest backup ended, V(null) when there is none.
  returned: always
  type: int
counts:
  description: How many backups, files of them and segments of the log were read.
  returned: always
  type: dict
  sample: {backups: 3, files: 2899, segments: 41}
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest as words
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_place as places
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_RULES, TOOLS_SPEC

SPEC = {
    "label": {"type": "str"},
    "max_age_seconds": {"type": "int"},
    "progress_path": {"type": "path"},
}
RESULT = {"verdict": "inconclusive", "findings": [], "too_old": False, "age_seconds": None, "counts": {}}


def read(params, pgbackrest, found):
    """-> (findings, counts)"""
    chosen = ["--set=" + params["label"]] if params["label"] else []
    findings, counts = words.parse_verify(pgbackrest.run("verify", "--output=text", "--verbose", "--log-level-console=off", *chosen))
    folder = "archive/{0}/{1}".format(params["stanza"], found["archive_id"])
    listing = pgbackrest.run("repo-ls", "--recurse", "--output=json", "--log-level-console=off", argument=folder)
    return (findings + words.gaps(words.segments_of(listing), found["backups"]))[: words.MOST_FINDINGS], counts


def work(module, result):
    params, found = module.params, places.info(module.params)
    places.demand_stanza(found, params)
    sound = [backup for backup in found["backups"] if not backup["error"]]
    if not sound:
        raise OpsError("The stanza {0} has no sound backup yet: nothing can be verified. Take one.".format(params["stanza"]))
    if params["label"] and params["label"] not in [backup["label"] for backup in found["backups"]]:
        labels = ", ".join(backup["label"] for backup in found["backups"][-3:])
        raise OpsError("The stanza {0} has no backup {1}. Its last ones are: {2}.".format(params["stanza"], params["label"], labels))
    result["age_seconds"] = int(time.time() - max(backup["ended"] for backup in sound))
    result["too_old"] = params["max_age_seconds"] is not None and result["age_seconds"] > params["max_age_seconds"]
    if module.check_mode:
        return
    progress = Progress(module.heartbeat, params["progress_path"])
    progress.phase("reading all of the repository")
    with places.beside_server(params, found["server_version"], places.read_config(params)) as place:
        result["findings"], result["counts"] = read(params, places.PgBackRest(params, place, progress.tick), found)
    result["verdict"] = "fail" if result["findings"] or result["too_old"] else "pass"


def main():
    run(work, dict(DOCKER_SPEC, **TOOLS_SPEC, **words.PGBACKREST_SPEC, **SPEC), RESULT, supports_check_mode=True, **TOOLS_RULES)


if __name__ == "__main__":
    main()
