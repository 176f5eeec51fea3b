#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_delivery_info
short_description: Follow an alert from Alertmanager to whoever should hear of it
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Says how far an alert has come, hop by hop, and with O(wait) follows it until it has arrived. V(known) to every Alertmanager that is
    named, and told lately; V(routed) to the receivers that are expected, neither silenced nor inhibited; V(notified), handed over by
    Alertmanager's own count; V(arrived), where O(receipt_url) shows what the receiver got.
  - A hop that nobody saw is V(inconclusive). Alertmanager's count is of all its notifications, so it proves a failure, and no arrival.
  - Nothing but C(GET) requests is sent. An Alertmanager that does not answer is a hop that fails, not a failed task.
extends_documentation_fragment:
  - astraldraft.ops._http.members
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details: What takes more than five seconds shows how it stands.
options:
  matchers:
    description:
      - Which alert, written as for M(astraldraft.ops.alertmanager_silence). Where several fulfil them, the one that was told last counts
        for V(known), and the one that is heard of most for the other hops.
    type: list
    elements: str
    required: true
  maximum_age:
    description: The seconds that may have passed since Alertmanager was told of it. By default any number.
    type: float
  receivers:
    description: The receivers that it must be routed to, all of them. By default any.
    type: list
    elements: str
    default: []
  notifications_before:
    description: RV(notifications) of an earlier run. What was counted since then counts. By default what was counted since the start.
    type: list
    elements: dict
    default: []
  receipt_url:
    description:
      - An address that shows what the receiver took, asked with C(GET), by the same O(proxy) and with the same authorities as Alertmanager.
    type: str
  receipt_headers:
    description: Headers for O(receipt_url), such as C(Authorization).
    type: dict
    default: {}
  receipt_text:
    description: What stands in its answer once the alert has arrived, such as a label's value that no other alert has.
    type: str
  since:
    description:
      - When the alert was sent (ISO 8601 with a zone, by the clock of this host), from which RV(hops[].seconds) count. By default now.
    type: str
  wait:
    description:
      - Whether to wait until the alert has arrived, or without O(receipt_url) until something was handed over. What cannot come any more,
        such as an alert that is silenced, is not waited for.
    type: bool
    default: false
  wait_timeout:
    description: The longest wait, in seconds.
    type: float
    default: 60.0
  wait_interval:
    description: The seconds between two looks.
    type: float
    default: 0.5
  progress_path:
    description: A file that says in one line how far it is.
    type: path
seealso:
  - module: astraldraft.ops.alertmanager_alert
"""

EXAMPLES = r"""
- name: Is Prometheus' alert that always fires known everywhere, and fresh?
  astraldraft.ops.alertmanager_delivery_info:
    urls: [http://monitoring-1:9093, http://monitoring-2:9093]
    matchers: [alertname=Watchdog, stack=astral]
    maximum_age: 90
  register: watchdog

- name: Follow an alert to its receiver
  astraldraft.ops.alertmanager_delivery_info:
    url: http://monitoring-1:9093
    matchers: [alertname=AlertPipelineTest, test=20261129T120000-1]
    receivers: [on-call]
    notifications_before: "{{ watchdog.notifications }}"
    receipt_url: https://receipts.example.com/last
    receipt_text: 20261129T120000-1
    wait: true
"""

RETURN = r"""
verdict:
  description: V(fail) when a hop fails, else V(inconclusive) when one is, else V(pass).
  returned: always
  type: str
  sample: fail
broken:
  description: The name of the first hop that fails, or where none does, that is inconclusive. Empty when all is well.
  returned: always
  type: str
  sample: notified
summary:
  description: One sentence, up to where it came and what is wrong there.
  returned: always
  type: str
  sample: "known; routed; notified: webhook: 1 notification, 4 requests failed"
hops:
  description: The hops, in the order in which an alert takes them.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: V(known), V(routed), V(notified) or V(arrived).
      type: str
    verdict:
      description: V(pass), V(fail) or V(inconclusive).
      type: str
    message:
      description: What was found, in words.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    seconds:
      description: The seconds from O(since) until it was seen to be passed, never too few. V(null) when it was not.
      type: float
receivers:
  description: The receivers that it is routed to. Empty when no Alertmanager has it.
  returned: always
  type: list
  elements: str
notifications:
  description: What each Alertmanager has counted since it was started, of the integrations that it ever used.
  returned: always
  type: list
  elements: dict
  contains:
    url:
      description: The address of the Alertmanager, without a password.
      type: str
    integration:
      description: How it is sent.
      type: str
      sample: webhook
    tried:
      description: How many notifications it has tried to send.
      type: int
    failed:
      description: How many of them it has given up.
      type: int
    requests_failed:
      description: How many requests failed. They are repeated until the notification is given up.
      type: int
    reasons:
      description: Why notifications were given up, with how many of each (Alertmanager 0.26 and newer).
      type: dict
      sample: {"serverError": 2}
alertmanagers:
  description: Each that was asked.
  returned: always
  type: list
  elements: dict
  contains:
    url:
      description: Its address, without a password.
      type: str
    answered:
      description: Whether it answered.
      type: bool
    reason:
      description: V(ok), or one word about why it did not, such as V(refused), V(timed_out), V(our_credentials) or V(web_page).
      type: str
    message:
      description: The same in a sentence.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _matchers
from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager_delivery as core
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

SPEC = dict(
    HTTP_SPEC,
    **_alertmanager.MEMBERS_SPEC,
    matchers={"type": "list", "elements": "str", "required": True},
    maximum_age={"type": "float"},
    receivers={"type": "list", "elements": "str", "default": []},
    notifications_before={"type": "list", "elements": "dict", "default": []},
    receipt_url={"type": "str"},
    receipt_headers={"type": "dict", "default": {}, "no_log": True},
    receipt_text={"type": "str"},
    since={"type": "str"},
    wait={"type": "bool", "default": False},
    wait_timeout={"type": "float", "default": 60.0},
    wait_interval={"type": "float", "default": 0.5},
    progress_path={"type": "path"},
)
RESULT = {
    "verdict": "inconclusive", "broken": "", "summary": "", "hops": [], "receivers": [], "notifications": [], "alertmanagers": [],
}  # fmt: skip


def work(module, result):
    options = module.params
    urls, matchers = _alertmanager.addresses(options), _matchers.parse_all(options["matchers"])
    refuse(options)
    delivery = core.Delivery(urls, connection_of(options), matchers, options)
    progress = Progress(module.heartbeat, options["progress_path"])

    def look():
        hops = delivery.look(module.heartbeat)
        progress.phase(core.summary(hops))
        return hops

    seconds = options["wait_timeout"] if options["wait"] else 0
    hops, _done, _rounds = poll(look, delivery.is_done, seconds, options["wait_interval"], module.heartbeat)
    result.update(hops=[hop._asdict() for hop in hops], summary=core.summary(hops))
    result["verdict"], result["broken"] = core.overall(hops)
    result.update(alertmanagers=delivery.members, notifications=delivery.notifications)
    result["receivers"] = delivery.alert["receivers"] if delivery.alert else []


def refuse(options):
    """Raise OpsError for what cannot be meant."""
    for name in ("wait_timeout", "wait_interval"):
        if options[name] <= 0:
            raise OpsError("{0} is {1:g}; give it a number above 0.".format(name, options[name]))
    try:
        if options["since"] and from_iso(options["since"]).tzinfo is None:
            raise ValueError("it has no time zone")
    except ValueError as error:
        raise OpsError("since is {0!r}: {1}. Write it as 2026-11-29T12:00:00Z.".format(options["since"], error))


def main():
    run(work, SPEC, dict(RESULT), supports_check_mode=True, required_together=[("receipt_url", "receipt_text")])


if __name__ == "__main__":
    main()
