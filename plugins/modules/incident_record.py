#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_record
short_description: Open, update and resolve an incident
version_added: 0.1.0
description:
  - Keeps one folder an incident, with what is known of it and an append-only timeline in which every change is an entry with its time and
    with who made it.
  - Any number of people may write at the same time. What each of them gives is kept; what nobody gives stays as it is.
  - While an incident of V(SEV-1) or V(SEV-2) is open, M(astraldraft.ops.operation_lock) holds back what would bring something new into
    production.
  - What operations do is not written here. M(astraldraft.ops.journal_entry) records it, and M(astraldraft.ops.incident_info) merges it into
    the timeline.
  - Passwords in URLs and values of secret names, such as C(token=...), are hidden before anything is written.
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
    details:
      - An incident that is open is found again by its O(title), and what is as it was asked for is not written again.
      - Neither is what was said last (O(note) and O(announcement)), by the same O(operator).
options:
  state:
    description:
      - V(open) opens an incident. One that is open under the same O(title) is left as it is, but for a O(severity) that is worse, which is
        taken. With O(id) it opens one again that was resolved.
      - V(updated) changes what is given of an incident.
      - V(resolved) does the same, and ends it. Without O(id) and when none is open, there is nothing to do.
    type: str
    choices: [open, updated, resolved]
    required: true
  id:
    description: The incident. By default the one that is open; when several are, it must be given.
    type: str
  operator:
    description: Who says so.
    type: str
    required: true
  title:
    description: What has happened, in a line of at most 200 characters that everybody may read. Needed to open one.
    type: str
  severity:
    description: How bad it is. Needed to open one. In doubt, the worse one.
    type: str
    choices: [SEV-1, SEV-2, SEV-3, SEV-4]
  status:
    description: How far things are. V(monitoring) says that it is mitigated; going back from there says that it was not.
    type: str
    choices: [investigating, identified, monitoring]
  impact:
    description: What users notice of it. Everybody may read it.
    type: str
  cause:
    description: The root cause, as far as it is known.
    type: str
  resolution:
    description: What was done about it.
    type: str
  conditions:
    description:
      - What is the case besides, in words that the policy knows, such as V(data_loss) or V(vendor_outage). They say who else is told.
      - The list replaces the one before.
    type: list
    elements: str
  people:
    description: Who does what. A role that is not given stays with whom it is; an empty name takes it away.
    type: dict
    suboptions:
      commander:
        description: Who leads.
        type: str
      scribe:
        description: Who writes down what no machine knows.
        type: str
      communications:
        description: Who tells everybody else.
        type: str
  references:
    description:
      - Where else it is known, by any name, for example C(pagerduty) and C(ticket). One that is not given stays; an empty value takes it
        away.
    type: dict
  actions:
    description: Action items, each found again by its title. One that is not given stays.
    type: list
    elements: dict
    suboptions:
      title:
        description: What is to be done.
        type: str
        required: true
      owner:
        description: Who does it.
        type: str
      due:
        description: The day by which it is done, such as V(2026-12-24).
        type: str
      done:
        description: Whether it is done.
        type: bool
  note:
    description: What there is to say among those who work on it, for the timeline.
    type: str
  announcement:
    description:
      - What everybody is told, for messages and the status page. That is what counts as an update, of which the policy says how often there
        is one.
    type: str
  started_at:
    description: When it began, as a time (ISO 8601 with a zone) or so long ago, such as V(10m). By default when it was opened.
    type: str
  acknowledged_by:
    description: Who has taken it on. The first one is kept, with the time.
    type: str
  next_update:
    description: When the next update was promised, as a time or so long from now, such as V(30m).
    type: str
  claim:
    description:
      - Keys of notifications that are about to be sent. RV(claimed) lists those that are this one's to send.
      - Of an incident that is resolved nothing can be claimed but what begins with C(announcement/).
      - What was claimed and not said to be O(sent) within ten minutes may be claimed by another one, because the first has died.
    type: list
    elements: str
  sent:
    description: Keys of notifications that were sent. They are never due again.
    type: list
    elements: str
  unsent:
    description: Keys that were claimed and could not be sent. Anybody may claim them at once.
    type: list
    elements: str
seealso:
  - module: astraldraft.ops.incident_info
  - module: astraldraft.ops.journal_entry
"""

EXAMPLES = r"""
- name: Logins fail
  astraldraft.ops.incident_record:
    path: /var/lib/astraldraft/astral-demo/incidents
    state: open
    operator: ada
    title: Logins fail
    severity: SEV-2
    impact: About a third of all logins end with an error.
    started_at: 10m
    people: {commander: ada}
    next_update: 30m
  register: opened

- name: It is worse than it seemed
  astraldraft.ops.incident_record:
    path: /var/lib/astraldraft/astral-demo/incidents
    state: updated
    operator: grace
    severity: SEV-1
    status: identified
    cause: The pool of connections to the database is exhausted.
    note: The pool is empty since the deploy. We go back to v1.2.2.
    announcement: No login works at present. We have found the cause and are about to remove it.
    next_update: 30m
    people: {scribe: grace}

- name: It is over
  astraldraft.ops.incident_record:
    path: /var/lib/astraldraft/astral-demo/incidents
    state: resolved
    operator: ada
    resolution: v1.2.3 was rolled back.
    actions:
      - {title: Alert before the pool is exhausted, owner: grace, due: "2026-12-24"}
"""

RETURN = r"""
id:
  description: The incident's id. V(null) when there was none to resolve.
  returned: always
  type: str
  sample: 2026-0042
before:
  description: The incident as it was found. V(null) when there was none.
  returned: always
  type: dict
  contains: &incident
    id:
      description: Its id.
      type: str
    title:
      description: What has happened.
      type: str
    severity:
      description: How bad it is.
      type: str
    severity_at:
      description: Since when it is that bad (ISO 8601, UTC). V(null) where that was not recorded.
      type: str
    status:
      description: V(investigating), V(identified), V(monitoring) or V(resolved).
      type: str
    impact:
      description: What users notice.
      type: str
    cause:
      description: The root cause.
      type: str
    resolution:
      description: What was done.
      type: str
    conditions:
      description: What is the case besides, in alphabetical order.
      type: list
      elements: str
    people:
      description: Names by role.
      type: dict
    references:
      description: Where else it is known.
      type: dict
    actions:
      description: Action items.
      type: list
      elements: dict
      contains:
        id:
          description: Its number.
          type: int
        title:
          description: What is to be done.
          type: str
        owner:
          description: Who does it.
          type: str
        due:
          description: The day by which it is done. V(null) when there is none.
          type: str
        done_at:
          description: When it was done. V(null) when it is not.
          type: str
    notifications:
      description: Those that were sent or claimed, by key, each with C(claimed_at) and C(sent_at).
      type: dict
    started_at:
      description: When it began. V(null) where that was not recorded, as with the other times.
      type: str
    opened_at:
      description: When it was opened. V(null) where that was not recorded.
      type: str
    opened_by:
      description: By whom.
      type: str
    acknowledged_at:
      description: When somebody took it on. V(null) while nobody has.
      type: str
    acknowledged_by:
      description: Who did.
      type: str
    mitigated_at:
      description: Since when users notice nothing any more. V(null) while they do.
      type: str
    resolved_at:
      description: When it was resolved. V(null) while it is not.
      type: str
    updated_at:
      description: When everybody was last told something. V(null) where that was not recorded.
      type: str
    next_update_at:
      description: When the next update was promised. V(null) when none was.
      type: str
    revision:
      description: The number of the last entry of its timeline.
      type: int
after:
  description: The incident as it is now, or would be. V(null) when there is none.
  returned: always
  type: dict
  contains: *incident
entry:
  description: The entry that was added to the timeline. V(null) when nothing changed.
  returned: always
  type: dict
  contains:
    revision:
      description: Its number.
      type: int
    time:
      description: When (ISO 8601, UTC).
      type: str
    kind:
      description: V(opened), V(reopened), V(updated), V(notified) or V(resolved).
      type: str
    by:
      description: Who.
      type: str
    note:
      description: What was said among those who work on it.
      type: str
    announcement:
      description: What everybody was told.
      type: str
    changes:
      description: The fields that changed, as they are since then.
      type: dict
claimed:
  description: The keys of O(claim) that are this one's to send.
  returned: always
  type: list
  elements: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles, Step
from ansible_collections.astraldraft.ops.plugins.module_utils._incidents import RESOLVED, SEVERITIES
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["open", "updated", "resolved"], "required": True},
    "id": {"type": "str"},
    "operator": {"type": "str", "required": True},
    "title": {"type": "str"},
    "severity": {"type": "str", "choices": list(SEVERITIES)},
    "status": {"type": "str", "choices": [status for status in _incident.STATUSES if status != RESOLVED]},
    "impact": {"type": "str"},
    "cause": {"type": "str"},
    "resolution": {"type": "str"},
    "conditions": {"type": "list", "elements": "str"},
    "people": {"type": "dict", "options": {role: {"type": "str"} for role in _incident.PEOPLE}},
    "references": {"type": "dict"},
    "actions": {
        "type": "list",
        "elements": "dict",
        "options": {
            "title": {"type": "str", "required": True},
            "owner": {"type": "str"},
            "due": {"type": "str"},
            "done": {"type": "bool"},
        },
    },
    "note": {"type": "str"},
    "announcement": {"type": "str"},
    "started_at": {"type": "str"},
    "acknowledged_by": {"type": "str"},
    "next_update": {"type": "str"},
    "claim": {"type": "list", "elements": "str", "no_log": False},
    "sent": {"type": "list", "elements": "str", "no_log": False},
    "unsent": {"type": "list", "elements": "str", "no_log": False},
}
RESULT = {"id": None, "before": None, "after": None, "entry": None, "claimed": []}


def work(module, result):
    params, now = module.params, utc_now()
    request = _incident.request_of(params, now)

    def plan(kept, names):
        of, entry, result["claimed"] = _incident.step(params["state"], params["id"], request, kept, names, params["operator"], now)
        result["entry"] = entry
        return Step(of, entry)

    before, after = IncidentFiles(params["path"]).change(plan, write=not module.check_mode)
    result.update(id=after["id"] if after else None, before=before, after=after, changed=result["entry"] is not None)
    result["diff"] = {"before": before or {}, "after": after or {}}


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
