#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sentry_issues_info
short_description: The issues that Sentry knows, by frequency, release and time
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Asks the API of Sentry for the issues of an organization within a window of time, page by page, and counts their events in it.
  - A Sentry that cannot be asked, a project that is not there and an answer that is no list of issues are failures. None of them looks like
    a project without issues.
  - Nothing but C(GET) requests is sent.
  - The token needs the scopes C(event:read) and C(org:read), and C(project:read) with O(projects).
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  organization:
    description: The organization, by its slug.
    type: str
    required: true
  projects:
    description: The projects, by slug or number. By default all that the token may see.
    type: list
    elements: str
    default: []
  query:
    description: What to search for, as in Sentry's own search. Empty for all issues, resolved ones too.
    type: str
    default: is:unresolved
  release:
    description: Only issues and events of this release.
    type: str
  environments:
    description: Only issues and events of these environments.
    type: list
    elements: str
    default: []
  window:
    description: How far to look back, in seconds or such as V(30m), V(24h), V(14d).
    type: str
    default: 24h
  sort:
    description:
      - V(freq) gives those with the most events first, V(new) those that are newest, V(date) those seen last, V(user) those that most users
        met, V(trends) those that grow.
    type: str
    choices: [freq, new, date, user, trends]
    default: freq
  maximum:
    description: How many issues to return at most, V(1) or more.
    type: int
    default: 100
seealso:
  - module: astraldraft.ops.sentry_event
"""

EXAMPLES = r"""
- name: What does the new release break?
  astraldraft.ops.sentry_issues_info:
    url: https://sentry.io
    bearer_token: "{{ vault_sentry_token }}"
    organization: astral-draft
    projects: [web]
    release: v1.2.3
    window: 1h
  register: issues

- name: The ten most frequent of today
  astraldraft.ops.sentry_issues_info:
    url: https://sentry.io
    bearer_token: "{{ vault_sentry_token }}"
    organization: astral-draft
    maximum: 10
"""

RETURN = r"""
summary:
  description: One sentence about all of it.
  returned: always
  type: str
  sample: 2 issues with 41 events in 1h of release v1.2.3, 1 new
issues:
  description: The issues, in the order of O(sort).
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its number.
      type: str
    short_id:
      description: What people call it, such as V(WEB-12).
      type: str
    title:
      description: What happened.
      type: str
    culprit:
      description: Where it happened. Empty when Sentry does not say.
      type: str
    level:
      description: How bad it is.
      type: str
    status:
      description: V(unresolved), V(resolved) or V(ignored).
      type: str
    project:
      description: The slug of its project.
      type: str
    count:
      description: How many events it had in the window, of the release and the environments asked for.
      type: int
    count_lifetime:
      description: How many events it had in all.
      type: int
    users:
      description: How many users met it in the window.
      type: int
    first_seen:
      description: When it was seen first (ISO 8601, UTC). V(null) where Sentry does not say.
      type: str
    last_seen:
      description: When it was seen last (ISO 8601, UTC). V(null) where Sentry does not say.
      type: str
    new:
      description: Whether it was seen first within the window.
      type: bool
    url:
      description: Its page.
      type: str
events:
  description: The events of all RV(issues) in the window.
  returned: always
  type: int
total:
  description: How many issues match in all, as Sentry estimates it. V(null) where it does not say.
  returned: always
  type: int
truncated:
  description: Whether there are more than O(maximum).
  returned: always
  type: bool
query:
  description: The search as it was sent.
  returned: always
  type: str
  sample: is:unresolved release:"v1.2.3"
window_seconds:
  description: The window, in seconds.
  returned: always
  type: int
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _sentry_issues
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

NAMES_SPEC = {"type": "list", "elements": "str", "default": []}
SPEC = dict(
    HTTP_SPEC,
    organization={"type": "str", "required": True},
    projects=NAMES_SPEC,
    query={"type": "str", "default": "is:unresolved"},
    release={"type": "str"},
    environments=NAMES_SPEC,
    window={"type": "str", "default": "24h"},
    sort={"type": "str", "choices": list(_sentry_issues.SORTS), "default": "freq"},
    maximum={"type": "int", "default": 100},
)
RESULT = {"summary": "", "issues": [], "events": 0, "total": None, "truncated": False, "query": "", "window_seconds": 0}


def work(module, result):
    params, connection = module.params, connection_of(module.params)
    if params["maximum"] < 1:
        raise OpsError("maximum is {0}. Give 1 or more.".format(params["maximum"]))
    window, query = _sentry_issues.window_seconds(params["window"]), _sentry_issues.query_of(params["query"], params["release"])
    result.update(query=query, window_seconds=window)
    try:
        projects = _sentry_issues.project_ids(connection, params["organization"], params["projects"])
        asked = [("query", query), ("statsPeriod", "{0}s".format(window)), ("sort", params["sort"])]
        asked += [("project", number) for number in projects] + [("environment", name) for name in params["environments"]]
        found, total, truncated = _sentry_issues.issues(connection, params["organization"], asked, params["maximum"], module.heartbeat)
    except ProbeError as error:
        raise failure(error)
    issues = [_sentry_issues.shown(raw, time.time() - window) for raw in found]
    result.update(issues=issues, total=total, truncated=truncated, events=sum(issue["count"] for issue in issues))
    result["summary"] = _sentry_issues.summary(issues, total, params["window"], params["release"])


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
