#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status_page
short_description: Write a static status page from the incidents
version_added: 0.1.0
description:
  - Writes C(index.html), C(status.json) and C(rss.xml) into a folder, each wholly the old or wholly the new one.
  - Everybody may know an incident's title, severity, impact, status, times and announcements
    (O(astraldraft.ops.incident_record#module:announcement)). Nothing else gets onto the page.
  - It says which update is due and which is overdue. As long as it says the same, it is not written again, so it may be run by the clock.
  - An incident that cannot be read makes the state unknown, not well.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._incident
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  dest:
    description: The folder that a web server serves. It is created when missing. The files may be read by everybody.
    type: path
    required: true
  service:
    description: What the page is about.
    type: str
    required: true
  url:
    description: The public address of the page. One that does not share names and certificates with the service outlives its failures.
    type: str
    required: true
  contact:
    description: Whom to ask.
    type: str
  severities:
    description: The severities that are shown.
    type: list
    elements: str
    choices: [SEV-1, SEV-2, SEV-3, SEV-4]
    default: [SEV-1, SEV-2, SEV-3]
  history_days:
    description: For how many days an incident is shown after it was resolved.
    type: int
    default: 90
  policy:
    description:
      - The policy that says how often there is an update, as M(astraldraft.ops.incident_policy_info) takes it. A promise goes before it.
    type: dict
  maintenance_path:
    description:
      - The file of the windows of maintenance (M(astraldraft.ops.maintenance_window)), which are shown besides O(maintenance). One that is
        not there has no windows.
    type: path
  maintenance:
    description: Windows of maintenance. Those that are over are not shown.
    type: list
    elements: dict
    default: []
    suboptions:
      title:
        description: What is done.
        type: str
        required: true
      starts_at:
        description: When it starts, ISO 8601 with a zone.
        type: str
        required: true
      ends_at:
        description: When it ends, likewise.
        type: str
        required: true
      impact:
        description: What users notice of it.
        type: str
seealso:
  - module: astraldraft.ops.incident_record
  - module: astraldraft.ops.maintenance_window
"""

EXAMPLES = r"""
- name: Write the status page
  astraldraft.ops.status_page:
    path: /var/lib/astraldraft/astral-demo/incidents
    dest: /srv/status
    service: Astral Draft
    url: https://status.astraldraft.com
    policy: "{{ incident_policy }}"
    maintenance:
      - title: The database is moved
        starts_at: "2026-12-01T02:00:00Z"
        ends_at: "2026-12-01T02:40:00Z"
        impact: Drafts can be read, and not changed.
"""

RETURN = r"""
state:
  description: The worst that the page says, V(outage), V(degraded), V(unknown), V(minor), V(recovering), V(maintenance) or V(operational).
  returned: always
  type: str
headline:
  description: The same for people.
  returned: always
  type: str
page:
  description: All that the page says, as C(status.json) has it.
  returned: always
  type: dict
files:
  description: The paths of the files that differ.
  returned: always
  type: list
  elements: str
overdue:
  description: The ids of incidents whose update is overdue.
  returned: always
  type: list
  elements: str
unreadable:
  description: Paths of incidents that cannot be read.
  returned: always
  type: list
  elements: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _maintenance_windows, _status_page
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_policy_lint import lint, unusable
from ansible_collections.astraldraft.ops.plugins.module_utils._incidents import SEVERITIES
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._status_page_render import files_of
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "service": {"type": "str", "required": True},
    "url": {"type": "str", "required": True},
    "contact": {"type": "str"},
    "severities": {"type": "list", "elements": "str", "choices": list(SEVERITIES), "default": list(SEVERITIES[:3])},
    "history_days": {"type": "int", "default": 90},
    "policy": {"type": "dict"},
    "maintenance_path": {"type": "path"},
    "maintenance": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "title": {"type": "str", "required": True},
            "starts_at": {"type": "str", "required": True},
            "ends_at": {"type": "str", "required": True},
            "impact": {"type": "str"},
        },
    },
}
RESULT = {"state": "unknown", "headline": "", "page": {}, "files": [], "overdue": [], "unreadable": []}


def check(params):
    if not params["url"].startswith(("http://", "https://")):
        raise OpsError("url is {0!r}. Give the public address of the page, with https://. Nothing was written.".format(params["url"]))
    wrong = unusable(lint(params["policy"])) if params["policy"] is not None else []
    if wrong:
        message = "The policy does not say when updates are due: {0} Nothing was written; incident_policy_info names all that is wrong."
        raise OpsError(message.format(wrong[0]["message"]))


def work(module, result):
    params = module.params
    check(params)
    now = utc_now()
    kept, result["unreadable"] = IncidentFiles(params["path"]).read()
    windows = _maintenance_windows.WindowFile(params["maintenance_path"]).read()["windows"] if params["maintenance_path"] else []
    shown = dict(params, maintenance=params["maintenance"] + _maintenance_windows.public(windows, now))
    page = _status_page.page_of(kept, bool(result["unreadable"]), shown, now)
    result.update(state=page["state"], headline=page["headline"], page=page)
    result["overdue"] = [one["id"] for one in page["incidents"] if one["overdue"]]
    wanted = {os.path.join(params["dest"], name): content for name, content in files_of(page).items()}
    found = {path: read_text(path) for path in wanted}
    result["files"] = [path for path in wanted if wanted[path] != found[path]]
    result["changed"] = bool(result["files"])
    result["diff"] = [
        {"before_header": path, "after_header": path, "before": found[path] or "", "after": wanted[path]} for path in result["files"]
    ]
    if module.check_mode or not result["files"]:
        return
    if not os.path.isdir(params["dest"]):
        os.makedirs(params["dest"])
        os.chmod(params["dest"], 0o755)  # noqa: S103 - a web server reads it, as another user
    for path in result["files"]:
        write_atomically(path, wanted[path], mode=0o644)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
