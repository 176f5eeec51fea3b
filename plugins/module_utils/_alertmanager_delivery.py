# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far an alert has come on its way to whoever should hear of it, hop by hop. Private: other collections must not import it.

Every function that judges is pure: what Alertmanager and the receipt's address say goes in, hops come out. A hop that nobody saw is
inconclusive, never passed.
"""

from __future__ import annotations

import collections
import re
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural, span
from ansible_collections.astraldraft.ops.plugins.module_utils._http import request, safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, no_answer
from ansible_collections.astraldraft.ops.plugins.module_utils._prometheus import FAIL, INCONCLUSIVE, PASS
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

#: ``seconds``: from when the alert was sent until the hop was seen to be passed; None where it was not.
Hop = collections.namedtuple("Hop", "name verdict message next seconds")
#: In the order in which an alert takes them.
NAMES = ("known", "routed", "notified", "arrived")
QUESTIONS = 3  # the alert, who silenced it, the metrics
MAX_RECEIPT = 16 * 1024 * 1024
LONG_AGO = "Does Prometheus reach that Alertmanager? See alerting in its configuration, its log, and the time of both hosts."
NOT_SENT = "Look at group_wait and at mute_time_intervals of its route; raise wait_timeout if it is meant to wait that long."
FAILED = "Does the receiver run, and does Alertmanager reach it by the address and credentials in its configuration? See its log."
NOT_THERE = "Look at the receiver itself: it was given the alert. Is that the address that shows what it got?"
UNPROVED = "Give a receipt address, which shows what the receiver got."

_METRIC = re.compile(r"alertmanager_(notifications_total|notifications_failed_total|notification_requests_failed_total)\{([^}]*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_COUNTS = {"notifications_total": "tried", "notifications_failed_total": "failed", "notification_requests_failed_total": "requests_failed"}


# -- what was sent, by Alertmanager's own count


def counted(text, receivers=()):
    """Integration to what is counted of it, of the ``receivers`` only where the metrics tell them apart.

    ``tried``: notifications, ``failed``: those given up (``reasons``: why, since Alertmanager 0.26), ``requests_failed``: single requests,
    which are repeated. Raises ValueError on numbers that are none.
    """
    found = {}
    for name, labels, value in _METRIC.findall(text):
        told = dict(_LABEL.findall(labels))
        if receivers and told.get("receiver_name", receivers[0]) not in receivers:
            continue
        known = found.setdefault(told.get("integration", ""), {"tried": 0, "failed": 0, "requests_failed": 0, "reasons": {}})
        known[_COUNTS[name]] += int(float(value))
        if told.get("reason") and float(value):
            known["reasons"][told["reason"]] = known["reasons"].get(told["reason"], 0) + int(float(value))
    return found


def records(by_url):
    """What is counted, as it is returned: one for each Alertmanager and integration that was ever used."""
    return [
        dict({"url": url, "integration": name}, **counts)
        for url, found in by_url.items()
        for name, counts in sorted(found.items())
        if counts["tried"] or counts["requests_failed"]
    ]


def since(now, before):
    """Integration to what came between two lists of :func:`records`, all Alertmanagers together. One that was started anew begins at 0."""
    known, found = {(one["url"], one["integration"]): one for one in before}, {}
    for one in now:
        then = known.get((one["url"], one["integration"]), {})
        then = {} if then.get("tried", 0) > one["tried"] else then
        into = found.setdefault(one["integration"], {"tried": 0, "failed": 0, "requests_failed": 0, "reasons": {}})
        for key in ("tried", "failed", "requests_failed"):
            into[key] += max(0, one[key] - then.get(key, 0))
        for reason, number in one["reasons"].items():
            more = number - (then.get("reasons") or {}).get(reason, 0)
            if more > 0:
                into["reasons"][reason] = into["reasons"].get(reason, 0) + more
    return {name: one for name, one in found.items() if one["tried"] or one["requests_failed"]}


def spelled(made):
    """Words for :func:`since`: ``webhook: 1 notification, 1 failed (clientError)``."""
    parts = []
    for name, one in sorted(made.items()):
        told = "{0}: {1} {2}".format(name, one["tried"], plural("notification", one["tried"]))
        if one["failed"]:
            reasons = ", ".join("{0} {1}".format(number, reason) for reason, number in sorted(one["reasons"].items()))
            told += ", {0} given up{1}".format(one["failed"], reasons and " ({0})".format(reasons))
        if one["requests_failed"]:
            told += ", {0} {1} failed".format(one["requests_failed"], plural("request", one["requests_failed"]))
        parts.append(told)
    return "; ".join(parts)


# -- the hops


def known_hop(members, by_url, maximum_age):
    """Whether every Alertmanager has the alert, and was told of it lately. ``members``: as :func:`_alertmanager.member` has them;
    ``by_url``: address to the seconds since it was told, None where it has no such alert."""
    silent = [one for one in members if not one["answered"]]
    if silent:
        return FAIL, silent[0]["message"], silent[0]["next"]
    lacking = [url for url, age in by_url.items() if age is None]
    if lacking:
        return FAIL, "{0} has no such alert".format(", ".join(lacking)), LONG_AGO
    oldest = max(by_url, key=lambda url: by_url[url])
    told = "was told {0} ago".format(span(by_url[oldest]))
    if maximum_age is not None and by_url[oldest] > maximum_age:
        return FAIL, "{0} {1}, longer than {2}".format(oldest, told, span(maximum_age)), LONG_AGO
    return PASS, told, ""


def routed_hop(alert, receivers):
    """Whether it goes to whom it should. ``alert``: as :func:`_alertmanager.merged` has it."""
    if alert["state"] == "silenced":
        owners = ["{0} until {1} ({2})".format(one["owner"], one["ends_at"], one["comment"]) for one in alert["silenced_by"]]
        return FAIL, "it is silenced by {0}".format("; ".join(owners)), "End the silence, or narrow it: it hides more than was meant."
    if alert["state"] == "inhibited":
        by = ", ".join(alert["inhibited_by"]) or "the time of day"
        return FAIL, "it is inhibited by {0}".format(by), "Look at inhibit_rules and mute_time_intervals of Alertmanager."
    if not alert["receivers"]:
        return FAIL, "no route takes it", "Look at route in Alertmanager's configuration (amtool config routes test)."
    where = "to {0}".format(", ".join(alert["receivers"]))
    missing = [name for name in receivers if name not in alert["receivers"]]
    if missing:
        advice = "Look at the routes of Alertmanager (amtool config routes test), and at whether it has loaded them."
        return FAIL, "{0}, not to {1}".format(where, ", ".join(missing)), advice
    if alert["state"] == "unprocessed":
        return INCONCLUSIVE, "{0}, and is not processed yet".format(where), "Wait."
    return PASS, where, ""


def notified_hop(made, arrived):
    """Whether Alertmanager has handed it over. ``made``: of :func:`since`, or the ProbeError of metrics that nobody can read.

    Other alerts are counted, too. What has ``arrived`` was handed over, whatever they say.
    """
    if isinstance(made, ProbeError):
        return (PASS if arrived else INCONCLUSIVE), "its metrics cannot be read: {0}".format(made.message), "" if arrived else made.next
    told = spelled(made)
    if arrived:
        return PASS, told or "it arrived", ""
    if not made:
        return INCONCLUSIVE, "nothing was sent to anybody yet", NOT_SENT
    if any(one["failed"] or one["requests_failed"] for one in made.values()):
        return FAIL, told, FAILED
    return PASS, told, ""


def arrived_hop(receipt):
    """Whether it is there. ``receipt``: True or False, None where nobody can tell, or the ProbeError that asking came to."""
    if isinstance(receipt, ProbeError):
        return FAIL, "the receipt cannot be asked for: {0}".format(receipt.message), receipt.next
    if receipt is None:
        return INCONCLUSIVE, "nobody has proved that it arrived", UNPROVED
    return (PASS, "it is there", "") if receipt else (FAIL, "it is not there", NOT_THERE)


def unreached(name):
    return Hop(name, INCONCLUSIVE, "not reached", "", None)


def overall(hops):
    """``(verdict, the name of the first hop that fails, or is inconclusive where none fails; empty when all is well)``"""
    for verdict in (FAIL, INCONCLUSIVE):
        broken = next((hop.name for hop in hops if hop.verdict == verdict), None)
        if broken:
            return verdict, broken
    return PASS, ""


def summary(hops):
    """One sentence: up to where it came, and what is wrong there."""
    verdict, broken = overall(hops)
    if verdict == PASS:
        return "; ".join(told(hop) for hop in hops)
    return "; ".join([hop.name for hop in hops if hop.verdict == PASS] + [told(hop) for hop in hops if hop.name == broken])


def told(hop):
    return "{0}: {1}{2}".format(hop.name, hop.message, "" if hop.seconds is None else " within {0:.1f} s".format(hop.seconds))


# -- asking


def _is_there(connection, url, text, headers):
    """Whether the answer of a receipt's address has the text. Raises ProbeError."""
    way = {key: connection[key] for key in ("validate_certs", "ca_path", "proxy", "timeout") if key in connection}
    response = request(url, headers=headers, redirects=2, retries=1, max_bytes=MAX_RECEIPT, **way)
    if response.status != 200:
        message = "{0} answered {1}".format(response.url, response.status)
        raise ProbeError("wrong_answer", "unexpected_status", message, "Is that the address that shows what the receiver got?")
    return text in response.body.decode("utf-8", "replace")


class Delivery:
    """Follows an alert round by round, and remembers when each hop was first seen to be passed."""

    def __init__(self, urls, connection, matchers, options, clock=time.time):
        self.urls, self.connection, self.matchers, self.options, self._clock = urls, connection, matchers, options, clock
        self.started = from_iso(options["since"]).timestamp() if options["since"] else clock()
        self.members, self.notifications, self.alert, self._passed = [], [], None, {}

    def _receipt(self, heartbeat):
        options, seconds = self.options, self.connection["timeout"]
        if not options["receipt_url"]:
            return None
        headers = {str(name): str(value) for name, value in options["receipt_headers"].items()}
        jobs = [(lambda: _is_there(self.connection, options["receipt_url"], options["receipt_text"], headers), seconds)]
        found = next(iter(in_parallel(jobs, heartbeat)))
        if found is None:
            return no_answer(safe_url(options["receipt_url"]), seconds)
        if isinstance(found, Exception) and not isinstance(found, ProbeError):
            raise found
        return found

    def _ask(self, connection):
        """``(alerts, seconds since the member was told of the newest of them or None, counts or the ProbeError of metrics)``"""
        found, now = _alertmanager.alerts(connection, self.matchers)
        shown = safe_url(connection["url"])
        try:
            age = min((max(0.0, now - from_iso(alert["updatedAt"]).timestamp()) for alert in found), default=None)
            alerts = _alertmanager.records_of(connection, found, now)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise not_like(_alertmanager.SERVICE, shown)
        try:
            text = ask_json(connection, "/metrics", service=_alertmanager.SERVICE, text=True, max_bytes=_alertmanager.MAX_BYTES).document
            return alerts, age, counted(text if isinstance(text, str) else "", self.options["receivers"])
        except ProbeError as error:
            return alerts, age, error
        except ValueError:
            return alerts, age, not_like(_alertmanager.SERVICE, shown + "/metrics")

    def look(self, heartbeat=None):
        """One round: the hops as they are now."""
        asked = _alertmanager.ask_members(self.urls, self.connection, self._ask, QUESTIONS, heartbeat)
        answers = dict(zip(map(safe_url, self.urls), asked))
        receipt = self._receipt(heartbeat)
        self.members = [_alertmanager.member(url, answer) for url, answer in answers.items()]
        known = {url: answer for url, answer in answers.items() if not isinstance(answer, ProbeError)}
        merged = _alertmanager.merged({url: answer[0] for url, answer in known.items()})
        self.alert = merged[0] if merged else None
        errors = [answer[2] for answer in known.values() if isinstance(answer[2], ProbeError)]
        if not errors:
            self.notifications = records({url: answer[2] for url, answer in known.items()})
        found = [("known",) + known_hop(self.members, {url: answer[1] for url, answer in known.items()}, self.options["maximum_age"])]
        if self.alert:
            made = errors[0] if errors else since(self.notifications, self.options["notifications_before"])
            found.append(("routed",) + routed_hop(self.alert, self.options["receivers"]))
            if found[-1][1] != FAIL or receipt is True:
                found += [("notified",) + notified_hop(made, receipt is True), ("arrived",) + arrived_hop(receipt)]
        return self._timed(found)

    def _timed(self, found):
        seen = round(max(0.0, self._clock() - self.started), 3)
        for name, verdict, _message, _advice in found:
            if verdict == PASS:
                self._passed.setdefault(name, seen)
        hops = [
            Hop(name, verdict, message, advice, self._passed.get(name) if verdict == PASS else None)
            for name, verdict, message, advice in found
        ]
        return hops + [unreached(name) for name in NAMES[len(hops) :]]

    def is_done(self, hops):
        """Whether waiting longer would tell nothing more."""
        verdicts = {hop.name: hop.verdict for hop in hops}
        last = "arrived" if self.options["receipt_url"] else "notified"
        return verdicts["routed"] == FAIL or verdicts[last] == PASS
