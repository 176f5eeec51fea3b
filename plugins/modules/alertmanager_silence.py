#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_silence
short_description: Silence alerts for a time, once, and end the silence again
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Puts a silence into Alertmanager (API v2), or ends it. A silence is found again by its O(matchers) and its O(owner), so that running
    this twice leaves one, and what others have silenced is left alone.
  - It is extended when less than 90 % of the O(duration) asked for is left, and shortened when more than 110 % is. It keeps its id. For
    other matchers, and for a silence that has not begun, Alertmanager gives a new id and ends the old one.
  - Before anything is written, the alerts that it would hide are looked up. What is too broad, too long, or would hide too many of the
    alerts that fire is refused, with their names.
  - Where two runs put the same silence at the same moment, the younger is ended.
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.attributes
attributes:
  check_mode:
    support: full
    details: Says which alerts would be hidden. The id of a silence that is not there yet is V(null).
  diff_mode:
    support: full
  idempotent:
    support: full
    details: A silence of which between 90 and 110 % of the O(duration) is left is as it should be.
options:
  state:
    description:
      - V(present) silences.
      - V(absent) ends the silences with these O(matchers) and this O(owner), or the one with this O(id). One that is over or unknown is
        no change.
    type: str
    choices: [present, absent]
    default: present
  matchers:
    description:
      - What an alert must fulfil to be silenced. All of them count. Each is C(name=value), C(name!=value), C(name=~pattern) or
        C(name!~pattern), read as C(amtool) reads it, with quotes around a value where needed, such as C(path=~"/api/.*"). A pattern must
        match the whole value.
      - They must say more than a severity or the name of an alert; see O(allow_broad).
    type: list
    elements: str
  owner:
    description:
      - Whose silence it is (C(createdBy)). Needed with O(state=present), and with O(matchers).
      - With O(id), a silence of another owner is refused.
    type: str
  comment:
    description: Why, for those who miss the alerts. Needed with O(state=present).
    type: str
  duration:
    description: How long it lasts from now, in seconds or such as V(30m), V(4h), V(2d), V(1h30m). By default V(1h).
    type: str
  ends_at:
    description: When it ends in place of O(duration), ISO 8601 with a zone, such as V(2026-12-24T18:00:00Z).
    type: str
  id:
    description:
      - The silence that is meant, whatever its matchers, which become O(matchers).
      - When it is over, a silence with the same matchers and owner is looked for as without it.
    type: str
  maximum_duration:
    description: How far away the end may be, written like O(duration).
    type: str
    default: 24h
  maximum_share:
    description:
      - The share of the alerts that fire that the silence may hide, between V(0) and V(1). Those that it hides already do not count.
    type: float
    default: 0.5
  maximum_share_floor:
    description: So many alerts may be hidden whatever their share. One of one is not too much.
    type: int
    default: 3
  allow_broad:
    description:
      - Whether matchers that are too broad and O(maximum_share) are let pass. O(maximum_duration) counts all the same.
      - Too broad are matchers of a severity or the name of an alert alone, and those that an alert without the labels fulfils, too. A
        matcher that any value fulfils, such as C(job=~".+") or C(job!=""), says nothing.
    type: bool
    default: false
notes:
  - What a silence begins and ends by is the clock of Alertmanager, which is asked for it.
seealso:
  - module: astraldraft.ops.alertmanager_silence_info
  - module: astraldraft.ops.alertmanager_alerts_info
"""

EXAMPLES = r"""
- name: Nothing about the blue app while it is retired
  astraldraft.ops.alertmanager_silence:
    url: http://127.0.0.1:9093
    matchers: [environment=production, job=app, colour=blue]
    duration: 30m
    owner: "{{ guard_operator }}"
    comment: v1.2.3 takes over
  register: silenced

- name: End it
  astraldraft.ops.alertmanager_silence:
    url: http://127.0.0.1:9093
    state: absent
    id: "{{ silenced.silence.id }}"
    owner: "{{ guard_operator }}"
"""

RETURN = r"""
silence:
  description: The silence as it is, in check mode as it would be; V(null) with O(state=absent).
  returned: always
  type: dict
  contains: &silence
    id:
      description: Its id. V(null) in check mode where Alertmanager would give one.
      type: str
    state:
      description: V(active), V(pending) or V(expired).
      type: str
    matchers:
      description: Its matchers, sorted, with quotes.
      type: list
      elements: str
      sample: ['environment="production"', 'job="app"']
    owner:
      description: Whose it is.
      type: str
    comment:
      description: Why.
      type: str
    starts_at:
      description: When it began (ISO 8601, UTC).
      type: str
    ends_at:
      description: When it ends (ISO 8601, UTC).
      type: str
    seconds_left:
      description: The seconds until then, V(0) when it is over.
      type: int
before:
  description: The silences that were meant and not over, as they were found.
  returned: always
  type: list
  elements: dict
  contains: *silence
after:
  description: The same as they are now, without those that are over.
  returned: always
  type: list
  elements: dict
  contains: *silence
ended:
  description: The ids of the silences that were ended, in check mode that would be.
  returned: always
  type: list
  elements: str
hides:
  description:
      - The names of the alerts that fire and that the silence hides, or would hide, sorted, at most 100. With O(state=absent) those that it
        hid.
  returned: always
  type: list
  elements: str
  sample: ["TargetDown (job=app, instance=app-blue-1:3000)"]
hides_total:
  description: How many they are.
  returned: always
  type: int
firing_total:
  description: How many alerts fire in all, silenced ones too.
  returned: always
  type: int
cluster:
  description: Which Alertmanager it is. V(null) when it was not asked.
  returned: always
  type: dict
  contains:
    status:
      description: V(disabled) for one that is alone, V(settling) while it joins others, V(ready).
      type: str
    peers:
      description: How many members the cluster has. They hear of the silence from each other.
      type: int
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _matchers, _silences
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of, safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SPEC = dict(
    HTTP_SPEC,
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    matchers={"type": "list", "elements": "str"},
    owner={"type": "str"},
    comment={"type": "str"},
    duration={"type": "str"},
    ends_at={"type": "str"},
    id={"type": "str"},
    maximum_duration={"type": "str", "default": "24h"},
    maximum_share={"type": "float", "default": 0.5},
    maximum_share_floor={"type": "int", "default": 3},
    allow_broad={"type": "bool", "default": False},
)
RESULT = {
    "silence": None, "before": [], "after": [], "ended": [], "hides": [], "hides_total": 0, "firing_total": 0, "cluster": None,
}  # fmt: skip


def work(module, result):
    options = module.params
    silencer = _silences.Silencer(connection_of(options), module.fence)
    try:
        told = _alertmanager.status(silencer.connection)
        result["cluster"] = told["cluster"]
        if told["cluster"]["status"] == "settling":
            module.warn(
                "Alertmanager at {0} is still joining its cluster: the others hear of it once it has.".format(safe_url(options["url"]))
            )
        silencer.look()
        (present if options["state"] == "present" else absent)(module, result, silencer, told["version"])
    except ProbeError as error:
        result["changed"] = silencer.done
        raise _silences.explained(error, silencer.done)
    except OpsError:
        result["changed"] = silencer.done
        raise
    result["diff"] = {"before": _shown(result["before"]), "after": _shown(result["after"])}


def present(module, result, silencer, version):
    options = module.params
    asked = _silences.wanted(dict(options, duration=options["duration"] or "1h"), silencer.now)
    if not options["allow_broad"]:
        _silences.refuse_broad(asked.matchers)
    _silences.refuse_old(version, asked.matchers)
    plan = _silences.plan_present(silencer.known, asked, silencer.now)
    firing = _alertmanager.alerts(silencer.connection)[0]
    hidden = _alertmanager.alerts(silencer.connection, asked.matchers)[0]
    _note(result, hidden, firing)
    if plan.document and not options["allow_broad"]:
        newly = [alert for alert in hidden if not plan.keep or plan.keep["id"] not in alert["status"].get("silencedBy", [])]
        _silences.refuse_share(newly, len(firing), options["maximum_share"], options["maximum_share_floor"])
    result["before"] = silencer.records(([plan.keep] if plan.keep else []) + plan.expire)
    replaced = [plan.keep["id"]] if plan.keep and not _silences.keeps_its_id(plan) else []
    ended = replaced + [silence["id"] for silence in plan.expire]
    if module.check_mode:
        result["silence"] = _silences.foreseen(plan, silencer.now)
    else:
        silence, more = silencer.put(asked)
        result["silence"] = silencer.records([silence])[0]
        ended += [silence_id for silence_id in more if silence_id not in ended]
    result.update(changed=bool(plan.document or plan.expire), ended=ended)
    result["after"] = [result["silence"]]


def absent(module, result, silencer, _version):
    options = module.params
    if options["id"]:
        meant = _silences.named(silencer.known, options["id"], options["owner"])
        found = [meant] if meant else []
    else:
        found = _silences.own(silencer.known, _matchers.parse_all(options["matchers"]), options["owner"])
    firing = _alertmanager.alerts(silencer.connection)[0]
    ids = [silence["id"] for silence in found]
    _note(result, [alert for alert in firing if set(ids) & set(alert["status"].get("silencedBy", []))], firing)
    result["before"] = silencer.records(found)
    if found and not module.check_mode:
        for silence in found:
            silencer.end(silence)
        left = silencer.still_there(found)
        if left:
            raise OpsError("Alertmanager still has the silences {0} although they were ended. Read its log.".format(", ".join(left)))
    result.update(ended=ids, changed=bool(ids))


def _note(result, hidden, firing):
    told = _alertmanager.names(hidden)
    result.update(hides=told[: _alertmanager.MOST_NAMED], hides_total=len(told), firing_total=len(firing))


def _shown(records):
    """Without what differs each time one looks."""
    return [{key: value for key, value in record.items() if key != "seconds_left"} for record in records]


def main():
    run(
        work,
        SPEC,
        dict(RESULT),
        supports_check_mode=True,
        mutually_exclusive=[("ends_at", "duration")],
        required_if=[("state", "present", ("matchers", "owner", "comment")), ("state", "absent", ("matchers", "id"), True)],
        required_by={"matchers": ("owner",)},
    )


if __name__ == "__main__":
    main()
