#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance_window
short_description: Keep the record of planned maintenance
version_added: 0.1.0
description:
  - Keeps a list of windows of maintenance, each with what is done, its times, when it really began and ended, and who was told.
    M(astraldraft.ops.status_page) shows those that are to come or in progress.
  - One that reached its end without having been ended is known to have ended by itself.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
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
    details: The end of one that is in progress is moved only when less than 90 % or more than 110 % of O(length) is left.
options:
  path:
    description: The file of the windows. Its folder is created when missing.
    type: path
    required: true
  state:
    description:
      - V(announced) notes one that is to come. It is found again by its O(starts_at).
      - V(started) notes that it begins now. That is the one in progress, else the one announced for now or within an hour, else a new one.
      - V(ended) notes that the one in progress ends now, or that it ended by itself. Nothing to end is no change.
      - V(told) notes who has heard of the window O(id).
      - V(withdrawn) takes an announcement back, found by its O(starts_at); or with O(id) that it has begun, after which it is to come again
        when it had been announced. Nothing to withdraw is no change.
    type: str
    choices: [announced, started, ended, told, withdrawn]
    required: true
  starts_at:
    description: With O(state=announced) and O(state=withdrawn), when it starts, ISO 8601 with a zone.
    type: str
  length:
    description:
      - How long it lasts, such as V(30m) or V(2h). Needed with O(state=announced), and with O(state=started) where none is announced.
      - With O(state=started) it is from now on, and may be left out where one is announced, whose end then stays.
    type: str
  ends_at:
    description:
      - With O(state=started), when exactly it ends, ISO 8601 with a zone, whatever O(length) makes of it. It is what an earlier run in
        check mode gave, and what the hosts were told meanwhile.
    type: str
  title:
    description: What is done, for users. Needed like O(length).
    type: str
  impact:
    description: What users notice of it.
    type: str
  owner:
    description: Who does it.
    type: str
    default: ""
  id:
    description: With O(state=told) and O(state=withdrawn), the number of the window.
    type: int
  told:
    description: With O(state=told), the names of the channels that have got a message, by the message's name.
    type: dict
seealso:
  - module: astraldraft.ops.nginx_maintenance
  - module: astraldraft.ops.status_page
"""

EXAMPLES = r"""
- name: Note what is to come
  astraldraft.ops.maintenance_window:
    path: /var/lib/astraldraft/astral-demo/maintenance.json
    state: announced
    starts_at: "2026-12-01T02:00:00Z"
    length: 40m
    title: The database is moved to a larger machine.
    impact: Drafts cannot be read or changed.
    owner: ada

- name: It begins
  astraldraft.ops.maintenance_window:
    path: /var/lib/astraldraft/astral-demo/maintenance.json
    state: started
    owner: ada
  register: window
"""

RETURN = r"""
before:
  description: The window as it was found. V(null) when it was not there.
  returned: always
  type: dict
  contains: &window
    id:
      description: Its number.
      type: int
    title:
      description: What is done.
      type: str
    impact:
      description: What users notice of it.
      type: str
    owner:
      description: Who does it.
      type: str
    starts_at:
      description: When it starts, as it was announced, or started (ISO 8601, UTC).
      type: str
    ends_at:
      description: When it ends by itself, likewise.
      type: str
    announced_at:
      description: When it was announced. V(null) when it was not.
      type: str
    announced_until:
      description: When it was to end then. V(null) when it was not announced.
      type: str
    started_at:
      description: When it began. V(null) before.
      type: str
    ended_at:
      description: When it ended. V(null) before.
      type: str
    ended_by:
      description: V(operator), V(deadline) when it ended by itself, or V(withdrawn). V(null) before.
      type: str
    told:
      description: The names of the channels that have got a message, by the message's name.
      type: dict
after:
  description: The window as it is now, or would be. V(null) when there is none to end or to withdraw.
  returned: always
  type: dict
  contains: *window
seconds:
  description: How long it really lasted, in seconds. V(null) before its end.
  returned: always
  type: int
lasted:
  description: The same in words. V(null) before its end.
  returned: always
  type: str
planned:
  description: How long it lasts as it is planned, in words. V(null) when there is none.
  returned: always
  type: str
seconds_left:
  description: The seconds until it ends by itself; V(0) when it is over, or there is none.
  returned: always
  type: int
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _maintenance_windows as windows
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._status_page_render import duration
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["announced", "started", "ended", "told", "withdrawn"], "required": True},
    "starts_at": {"type": "str"},
    "length": {"type": "str"},
    "ends_at": {"type": "str"},
    "title": {"type": "str"},
    "impact": {"type": "str"},
    "owner": {"type": "str", "default": ""},
    "id": {"type": "int"},
    "told": {"type": "dict"},
}
RESULT = {"before": None, "after": None, "seconds": None, "lasted": None, "planned": None, "seconds_left": 0}


def work(module, result):
    params, now = module.params, utc_now()
    wanted = windows.request(params)
    plans = {
        "announced": lambda known: windows.plan_announced(known, wanted, now),
        "started": lambda known: windows.plan_started(known, wanted, now),
        "ended": lambda known: windows.plan_ended(known, now),
        "withdrawn": lambda known: windows.plan_withdrawn(known, params["id"], wanted["starts_at"], now),
        "told": lambda known: windows.plan_told(known, params["id"], params["told"], now),
    }
    before, _known, window = windows.WindowFile(params["path"]).change(plans[params["state"]], write=not module.check_mode)
    result["after"] = window
    if window:
        result["before"] = next((one for one in before["windows"] if one["id"] == window["id"]), None)
        result["seconds"] = windows.lasted(window)
        result["lasted"] = None if result["seconds"] is None else duration(result["seconds"])
        planned = from_iso(window["ends_at"]) - from_iso(window["started_at"] or window["starts_at"])
        result["planned"] = duration(round(planned.total_seconds()))
        if windows.is_open(window):
            result["seconds_left"] = max(0, int((from_iso(window["ends_at"]) - now).total_seconds()))
    result["changed"] = result["before"] != result["after"]
    result["diff"] = {"before": result["before"] or {}, "after": result["after"] or {}}


def main():
    run(
        work,
        SPEC,
        RESULT,
        supports_check_mode=True,
        required_if=[("state", "told", ("id", "told")), ("state", "withdrawn", ("id", "starts_at"), True)],
    )


if __name__ == "__main__":
    main()
