#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ticket
short_description: Open, comment on and close a ticket in GitHub, in Jira, or by a signed webhook
version_added: 0.1.0
description:
  - Opens a ticket, keeps its title and labels, comments on it and closes it.
  - It is found again by its label O(key), so that it is never opened twice. It looks first, and sends only what differs.
  - Text is plain text. What people wrote in it calls nobody; O(people) does.
  - Passwords in URLs and values of secret names, such as C(token=...), are hidden before anything is sent.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Only C(GET) requests are sent.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(tracker=webhook) nobody can be asked, and every run sends the message. A receiver takes the same words once, by their id.
options:
  tracker:
    description:
      - V(github) is GitHub, or GitHub Enterprise Server.
      - V(jira) is Jira Cloud or Jira Data Center.
      - V(webhook) is anything that takes Standard Webhooks (U(https://www.standardwebhooks.com)). It gets messages of the types
        C(ticket.opened), C(ticket.updated) and C(ticket.closed), with what the options say in C(data).
    type: str
    choices: [github, jira, webhook]
    required: true
  url:
    description:
      - The address. Needed but for O(tracker=github), where it is V(https://api.github.com) by default.
      - GitHub Enterprise Server has C(https://HOST/api/v3), Jira Cloud C(https://SITE.atlassian.net).
      - Of a webhook it is shown; what is secret of it is O(token).
    type: str
  project:
    description: Where tickets are, with O(tracker=github) a repository as C(owner/name), with O(tracker=jira) the key of a project.
    type: str
  token:
    description:
      - A token of GitHub that may write issues; an API token of Jira Cloud, or a personal access token of Jira Data Center.
      - With O(tracker=webhook) the key with which messages are signed, at least 16 characters, or as C(whsec_) with base64 after it.
    type: str
    required: true
  token_user:
    description: With Jira Cloud, the e-mail address of the account that the token belongs to. Jira Data Center wants none.
    type: str
  key:
    description: The label that the ticket is found again by, for example V(incident-2026-0042). Up to 50 letters, digits, C(.), C(_), C(-).
    type: str
    required: true
  id:
    description:
      - The ticket, where it is known, by its number or key, or by its address as RV(after.url) says it. It gets the label O(key).
      - Give it where there is one. Jira Cloud finds a new ticket by its labels only after some seconds.
    type: str
  state:
    description:
      - V(open) opens one, or opens it again.
      - V(closed) closes it. When there is none, there is nothing to do.
      - Without it the ticket stays as it is, open or closed, and must be there.
    type: str
    choices: [open, closed]
  title:
    description: Its title, in a line. Needed where there is none with this O(key) yet. A longer one than 250 characters is cut.
    type: str
  body:
    description: What a new ticket says. One that is there keeps what it says.
    type: str
  labels:
    description: Further labels. Those that are there stay.
    type: list
    elements: str
    default: []
  people:
    description:
      - Whom a new ticket calls, by the names that the tracker knows, without C(@). GitHub has logins and teams (C(owner/team)), Jira Data
        Center user names, Jira Cloud account ids (C(accountid:...)).
    type: list
    elements: str
    default: []
  comment:
    description: What there is to say. One with the same words is not added again.
    type: str
  issue_type:
    description: With O(tracker=jira), what kind of issue is opened. The project must have it.
    type: str
    default: Task
  transition:
    description:
      - With O(tracker=jira), by which way of the workflow it is closed. By default the first one that leads to a status that is done.
    type: str
  wait_timeout:
    description:
      - The seconds in all for which a request is held back and sent again that the tracker wants later (C(429)), at the moment that it
        names. V(0) gives up at once.
    type: float
    default: 30.0
notes:
  - The ways to GitHub and Jira are those of their published contracts, U(https://github.com/github/rest-api-description) and
    U(https://developer.atlassian.com/cloud/jira/platform/rest/v2/).
seealso:
  - module: astraldraft.ops.incident_record
  - module: astraldraft.ops.webhook_message
"""

EXAMPLES = r"""
- name: Open the ticket of an incident
  astraldraft.ops.ticket:
    tracker: github
    project: astraldraft/operations
    token: "{{ vault_github_token }}"
    key: incident-2026-0042
    state: open
    title: "[SEV-2] Logins fail"
    body: About a third of all logins end with an error.
    labels: [incident]
    people: [ada, astraldraft/platform]
  register: opened

- name: There is news
  astraldraft.ops.ticket:
    tracker: github
    project: astraldraft/operations
    token: "{{ vault_github_token }}"
    key: incident-2026-0042
    id: "{{ opened.after.url }}"
    comment: The pool of connections to the database is exhausted.

- name: It is over
  astraldraft.ops.ticket:
    tracker: jira
    url: https://astraldraft.atlassian.net
    project: OPS
    token: "{{ vault_jira_token }}"
    token_user: operations@astraldraft.com
    key: incident-2026-0042
    state: closed
    comment: v1.2.3 was rolled back.
"""

RETURN = r"""
before:
  description: The ticket as it was found. V(null) when there was none, and with O(tracker=webhook).
  returned: always
  type: dict
  contains: &ticket
    id:
      description: Its number or key. V(null) for one that check mode would have opened. With O(tracker=webhook) O(key).
      type: str
    title:
      description: Its title.
      type: str
    state:
      description: V(open) or V(closed). V(null) with O(tracker=webhook) when O(state) was not given.
      type: str
    labels:
      description: Its labels, in alphabetical order.
      type: list
      elements: str
    url:
      description: Where people look at it. V(null) for one that check mode would have opened, and with O(tracker=webhook).
      type: str
after:
  description: The ticket as it is now, or would be. V(null) when there was none to close.
  returned: always
  type: dict
  contains: *ticket
found:
  description: How many tickets have this O(key). Of several the oldest is meant. With O(id) 1, with O(tracker=webhook) 0.
  returned: always
  type: int
done:
  description:
    - What was done, or would be, in this order, of V(opened), V(reopened), V(changed) (title or labels), V(commented), V(closed); with
      O(tracker=webhook) V(sent).
  returned: always
  type: list
  elements: str
waited:
  description: For how many seconds requests were held back because the tracker wanted them later.
  returned: always
  type: float
reason:
  description:
    - On a failure what kind it is, in a word, such as V(our_credentials), V(forbidden), V(unknown_project), V(not_found), V(conflict)
      (somebody else was faster), V(gone), V(no_transition), V(refused_arguments), V(rate_limited), V(server_error), V(timed_out). V(null)
      without one.
  returned: always
  type: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _ticket, _webhook
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import WAY_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._ticket_github import URL, GitHub
from ansible_collections.astraldraft.ops.plugins.module_utils._ticket_jira import Jira
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

TRACKERS = {"github": GitHub, "jira": Jira}
SPEC = dict(
    WAY_SPEC,
    tracker={"type": "str", "choices": ["github", "jira", "webhook"], "required": True},
    url={"type": "str"},
    project={"type": "str"},
    token={"type": "str", "required": True, "no_log": True},
    token_user={"type": "str", "no_log": False},
    key={"type": "str", "required": True, "no_log": False},
    id={"type": "str"},
    state={"type": "str", "choices": [_ticket.OPEN, _ticket.CLOSED]},
    title={"type": "str"},
    body={"type": "str"},
    labels={"type": "list", "elements": "str", "default": []},
    people={"type": "list", "elements": "str", "default": []},
    comment={"type": "str"},
    issue_type={"type": "str", "default": "Task"},
    transition={"type": "str"},
    wait_timeout={"type": "float", "default": 30.0},
)
RESULT = {"before": None, "after": None, "found": 0, "done": [], "waited": 0.0, "reason": None}


def found(tracker, wanted, identity):
    """``(the ticket that is meant or None, how many there are)``"""
    if identity:
        return tracker.get(identity), 1
    tickets = tracker.find(wanted["key"])
    if not tickets and wanted["state"] is None:
        message = "{0} has no ticket with the label {1} in {2}".format(tracker.name, wanted["key"], tracker.project)
        raise ProbeError("wrong_answer", "not_found", message, "Correct key, give id, or open one with state=open.")
    return (tickets[0] if tickets else None), len(tickets)


def carry_out(step, tracker, ticket, after, wanted):
    """One step of the plan; returns the ticket as it is then."""
    if step == _ticket.OPENED:
        return tracker.open(after["title"], wanted["body"], after["labels"])
    if step == _ticket.CHANGED:
        tracker.change(ticket, after["title"], after["labels"])
    elif step == _ticket.COMMENTED:
        tracker.comment(ticket, wanted["comment"])
    else:
        state = _ticket.CLOSED if step == _ticket.CLOSED else _ticket.OPEN
        try:
            tracker.set_state(ticket, state)
        except ProbeError as error:
            # Somebody else may have brought it there between the look and the word.
            if error.reason not in ("conflict", "no_transition") or tracker.get(ticket["id"])["state"] != state:
                raise
    return dict(after, id=ticket["id"], url=ticket["url"])


def by_tracker(module, params, wanted, result):
    tracker = TRACKERS[params["tracker"]](params, module.heartbeat)
    wanted.update(body=tracker.text(wanted["body"], wanted["people"]), comment=tracker.text(wanted["comment"]))
    try:
        ticket, result["found"] = found(tracker, wanted, params["id"])
        said = tracker.comments(ticket) if ticket and wanted["comment"] else []
        after, steps = _ticket.plan(ticket, wanted, said)
        result.update(before=ticket, after=after)
        module.fence()
        for step in steps:
            if not module.check_mode:
                ticket = carry_out(step, tracker, ticket, after, wanted)
            result["done"].append(step)
    except ProbeError as error:
        raise failure(error, reason=error.reason, changed=bool(result["done"]) and not module.check_mode, waited=tracker.waited)
    if steps and not module.check_mode:
        result["after"] = dict(after, id=ticket["id"], url=ticket["url"])
    result["waited"] = tracker.waited


def by_webhook(module, params, wanted, result):
    key = _webhook.key_of(params["token"], "token")
    identity, payload = _ticket.event_of(wanted, to_iso(time.time()))
    _webhook.shown(params["url"])
    if not module.check_mode:
        module.fence()
        try:
            connection = dict(connection_of(params), url=params["url"])
            arguments = (payload, identity, key, params["wait_timeout"], time.time, module.heartbeat, "url, or token")
            result["waited"] = _webhook.send(connection, *arguments)[2]
        except ProbeError as error:
            raise failure(error, reason=error.reason, changed=False)
    labels = _ticket.labels_of(wanted)
    result.update(
        done=["sent"], after={"id": wanted["key"], "title": wanted["title"], "state": wanted["state"], "labels": labels, "url": None}
    )


def work(module, result):
    params = dict(module.params)
    params["url"] = params["url"] or (URL if params["tracker"] == "github" else "")
    if not params["url"]:
        raise OpsError("url is missing. Give the address of {0}.".format({"jira": "Jira"}.get(params["tracker"], "the webhook")))
    wanted = _ticket.wanted_of(params)
    (by_webhook if params["tracker"] == "webhook" else by_tracker)(module, params, wanted, result)
    result["changed"] = bool(result["done"])
    result["diff"] = {"before": result["before"] or {}, "after": result["after"] or {}}


def main():
    run(work, SPEC, RESULT, supports_check_mode=True, required_one_of=[("state", "title", "comment")])


if __name__ == "__main__":
    main()
