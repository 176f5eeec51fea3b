# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a policy contradicts itself, and what was never filled in. Private: other collections must not import it.

Each finding is a dict of ``kind`` (a word for machines), ``where`` (the path in the policy) and ``message`` (what is wrong, and what to do
about it).
"""

from __future__ import annotations

import datetime
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._incident_policy import ACKNOWLEDGED, ALWAYS, BUSINESS, DAYS
from ansible_collections.astraldraft.ops.plugins.module_utils._incidents import SEVERITIES
from ansible_collections.astraldraft.ops.plugins.module_utils._time import zone

#: Of these a policy cannot be used at all. All others are contradictions, by which it can be, in one of two ways.
FORM, UNDEFINED = "form", "undefined"
PLACEHOLDER, UNREACHABLE = "placeholder", "unreachable"
#: What a contact may be reached by, beside its name.
WAYS = ("phone", "email", "chat", "url", "pagerduty")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_NUMBER, _LIST, _TEXT, _DICT = "a whole number from 0 on", "a list", "text", "a dict"
_SEVERITY = {"name": _TEXT, "definition": _TEXT, "response_minutes": _NUMBER, "update_minutes": _NUMBER, "hours": _TEXT, "chain": _TEXT}
_STEP = {"after_minutes": _NUMBER, "notify": _LIST, "unless": _TEXT}
_RULE = {"name": _TEXT, "notify": _LIST, "after_minutes": _NUMBER, "severities": _LIST, "why": _TEXT}
_POLICY = {"severities": _LIST, "chains": _DICT, "contacts": _DICT, "conditions": _LIST, "business_hours": _DICT}
_HOURS = {"days": _LIST, "starts": _TEXT, "ends": _TEXT, "timezone": _TEXT, "holidays": _LIST}
# What people leave to be filled in later, and what documents use because it is nobody's.
_PLACEHOLDERS = re.compile(
    r"x{3,}|\bx{2}\b|\[[^\]]*\]|<[^>]*>|\{\{|\b(todo|tbd|fixme|changeme|change[ _-]me|placeholder|your[ _-]\w+)\b"
    r"|(?<![\w-])([\w-]+\.)*example(\.(com|net|org|edu))?(?![\w-])|\.(example|invalid|test)\b"
    r"|\b555[ .-]?01\d\d\b|(?P<digit>\d)(?P=digit){6,}|123[ .-]?456[ .-]?7890|\b0{3}[ .-]?0{3}[ .-]?0{4}\b",
    re.IGNORECASE,
)


def _is(value, kind):
    if kind is _NUMBER:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, {_LIST: list, _TEXT: str, _DICT: dict}[kind])


def lint(policy):
    """Everything that is wrong with a policy: a list of findings, empty when it is sound."""
    linter = _Linter()
    linter.policy(policy)
    return linter.found


def unusable(findings):
    """Those of the findings for which nobody could tell what the policy means."""
    return [finding for finding in findings if finding["kind"] in (FORM, UNDEFINED)]


def placeholders(value, where):
    """Findings of texts anywhere in ``value`` that somebody meant to fill in later."""
    if isinstance(value, dict):
        return [finding for key, item in value.items() for finding in placeholders(item, "{0}.{1}".format(where, key))]
    if isinstance(value, (list, tuple)):
        return [finding for number, item in enumerate(value) for finding in placeholders(item, "{0}[{1}]".format(where, number))]
    if isinstance(value, str) and _PLACEHOLDERS.search(value):
        message = "{0} is {1!r}, which was never filled in: nobody is reached there. Give the real one."
        return [{"kind": PLACEHOLDER, "where": where, "message": message.format(where, value)}]
    return []


class _Linter:
    def __init__(self):
        self.found = []

    def say(self, kind, where, message, *words):
        self.found.append({"kind": kind, "where": where, "message": message.format(*words, where=where)})

    def fields(self, value, fields, needed, where):
        """Whether ``value`` is a dict of these fields, with those that are needed."""
        if not isinstance(value, dict):
            self.say(FORM, where, "{where} is {0!r}, and must be a dict of {1}.", value, ", ".join(fields))
            return False
        before = len(self.found)
        for name in value:
            if name not in fields:
                self.say(FORM, where, "{where} has {0!r}, which means nothing there; known are {1}.", name, ", ".join(fields))
            elif value[name] is None and name not in needed:
                continue
            elif not _is(value[name], fields[name]):
                self.say(FORM, "{0}.{1}".format(where, name), "{where} is {0!r}, and must be {1}.", value[name], fields[name])
        for name in needed:
            if name not in value:
                self.say(FORM, where, "{where} lacks {0}.", name)
        return len(self.found) == before

    # -- the whole

    def policy(self, policy):
        if not self.fields(policy, _POLICY, ("severities", "chains", "contacts"), "policy"):
            return
        self.contacts(policy["contacts"])
        self.hours(policy.get("business_hours"))
        chains = {name: self.chain(policy, name, steps) for name, steps in policy["chains"].items()}
        severities = [
            severity
            for number, severity in enumerate(policy["severities"])
            if self.fields(severity, _SEVERITY, ("name", "response_minutes"), "severities[{0}]".format(number))
        ]
        self.severities(policy, severities, chains)
        for number, rule in enumerate(policy.get("conditions") or []):
            self.rule(policy, rule, "conditions[{0}]".format(number))
        self.rules_together(policy)

    def contacts(self, contacts):
        for name, contact in contacts.items():
            where = "contacts.{0}".format(name)
            if not _NAME.fullmatch(str(name)):
                self.say(FORM, where, "{where}: a contact goes by a word such as senior_engineer.")
            if not isinstance(contact, dict):
                self.say(FORM, where, "{where} is {0!r}, and must be a dict of name and {1}.", contact, ", ".join(WAYS))
                continue
            self.found += placeholders(contact, where)
            if not any(contact.get(way) for way in WAYS):
                self.say(UNREACHABLE, where, "{where} has none of {0}: nobody can reach it. Give one.", ", ".join(WAYS))

    def named(self, policy, contacts, where):
        for contact in contacts:
            if contact not in policy["contacts"]:
                self.say(UNDEFINED, where, "{where} names {0!r}, who is not among the contacts. Define it, or correct the name.", contact)
        if not contacts:
            self.say(FORM, where, "{where} is empty: nobody would be told.")

    def hours(self, hours):
        if hours is None or not self.fields(hours, _HOURS, ("days", "starts", "ends"), "business_hours"):
            return
        wrong = [day for day in hours["days"] if day not in DAYS]
        if wrong or not hours["days"]:
            self.say(FORM, "business_hours.days", "{where} must be some of {0}.", ", ".join(DAYS))
        for name in ("starts", "ends"):
            if not _CLOCK.fullmatch(hours[name]):
                self.say(FORM, "business_hours." + name, "{where} is {0!r}: write a time such as 09:00.", hours[name])
                return
        if hours["ends"] <= hours["starts"]:
            self.say(FORM, "business_hours", "{where} end at {0}, before they start at {1}.", hours["ends"], hours["starts"])
        for number, day in enumerate(hours.get("holidays") or []):
            try:
                datetime.date.fromisoformat(day)
            except (TypeError, ValueError):
                self.say(FORM, "business_hours.holidays[{0}]".format(number), "{where} is {0!r}: write a day such as 2026-12-25.", day)
        try:
            zone(hours.get("timezone") or "UTC")
        except ValueError as error:
            self.say(FORM, "business_hours.timezone", "{where} {0!r} {1}.", hours["timezone"], error)

    # -- chains

    def chain(self, policy, name, steps):
        """The steps of a chain when each is well formed, else None."""
        where = "chains.{0}".format(name)
        if not isinstance(steps, list) or not steps:
            self.say(FORM, where, "{where} has no steps: nobody would be told.")
            return None
        places = ["{0}[{1}]".format(where, number) for number in range(len(steps))]
        sound = [self.fields(step, _STEP, ("after_minutes", "notify"), place) for step, place in zip(steps, places)]
        if not all(sound):
            return None
        told = {}
        for number, (step, place) in enumerate(zip(steps, places)):
            self.named(policy, step["notify"], place + ".notify")
            if step.get("unless") not in (None, ACKNOWLEDGED):
                self.say(FORM, place + ".unless", "{where} is {0!r}; known is {1}.", step["unless"], ACKNOWLEDGED)
            if number and step["after_minutes"] <= steps[number - 1]["after_minutes"]:
                message = "{where} comes after {0} minutes, and the step before it after {1}: the minutes of a chain rise."
                self.say("order", place, message, step["after_minutes"], steps[number - 1]["after_minutes"])
            for contact in step["notify"]:
                # Who is only told where nobody has taken it on may well be told again when it lasts.
                if contact in told and not step.get("unless"):
                    message = "{where} tells {0} after {1} minutes, and an earlier step after {2}. Which is it? Leave one."
                    self.say("told_twice", place, message, contact, step["after_minutes"], told[contact])
                elif not step.get("unless"):
                    told[contact] = step["after_minutes"]
        return steps

    # -- severities

    def severities(self, policy, severities, chains):
        seen = {}
        for severity in severities:
            name = severity["name"]
            where = "severities.{0}".format(name)
            if name not in SEVERITIES:
                self.say(FORM, where, "{where} is none of {0}.", ", ".join(SEVERITIES))
            if name in seen:
                self.twice(seen[name], severity, where)
                continue
            seen[name] = severity
            self.severity(policy, severity, chains, where)
        for name in SEVERITIES:
            if name not in seen:
                self.say(UNDEFINED, "severities", "{where}: the policy says nothing of {0}.", name)
        self.ranks([seen[name] for name in SEVERITIES if name in seen])
        used = {severity.get("chain") for severity in severities}
        for name in chains:
            if name not in used:
                self.say("unused", "chains.{0}".format(name), "{where} belongs to no severity. Remove it, or name it by one.")

    def twice(self, first, second, where):
        one, other = first["response_minutes"], second["response_minutes"]
        if one != other:
            self.say("two_response_times", where, "{where} has two response times, {0} and {1} minutes. Leave one.", one, other)
        else:
            self.say("twice", where, "{where} is there twice. Leave one.")

    def severity(self, policy, severity, chains, where):
        hours = severity.get("hours") or ALWAYS
        if hours not in (ALWAYS, BUSINESS):
            self.say(FORM, where + ".hours", "{where} is {0!r}; known are {1} and {2}.", hours, ALWAYS, BUSINESS)
        elif hours == BUSINESS and not policy.get("business_hours"):
            self.say(UNDEFINED, where + ".hours", "{where} is {0}, and the policy has no business_hours.", BUSINESS)
        chain = severity.get("chain")
        if not chain:
            self.say(UNDEFINED, where, "{where} has no chain: nobody would be told. Give one.")
            return
        if chain not in chains:
            self.say(UNDEFINED, where + ".chain", "{where} is {0!r}, which is not among the chains.", chain)
            return
        steps, response, every = chains[chain], severity["response_minutes"], severity.get("update_minutes")
        if not steps:
            return
        first, last = steps[0]["after_minutes"], max(step["after_minutes"] for step in steps)
        if first > response:
            message = "{where} must be answered within {0} minutes, and its chain tells the first one after {1}. Correct one."
            self.say("too_late", where, message, response, first)
        if steps[0].get("unless"):
            self.say(
                "too_late", where, "{where}: the first step of its chain is skipped when somebody acknowledges. Make it unconditional."
            )
        if every and last and every > max(last, response):
            message = (
                "{where} has an update every {0} minutes, and the last of its chain is told after {1}, before the first one. Correct one."
            )
            self.say("cadence", where, message, every, last)

    def ranks(self, severities):
        """What is worse is neither answered later nor told of less often."""
        for worse, less in zip(severities, severities[1:]):
            where, pair = "severities.{0}".format(worse["name"]), (worse["name"], less["name"])
            if worse["response_minutes"] > less["response_minutes"] and (worse.get("hours") or ALWAYS) == (less.get("hours") or ALWAYS):
                message = "{0} is answered within {2} minutes, and {1}, which is less, within {3}. Correct one."
                self.say("rank", where, message, *pair, worse["response_minutes"], less["response_minutes"])
            if less.get("update_minutes") and not worse.get("update_minutes"):
                self.say("cadence", where, "{0} has no updates, and {1}, which is less, has. Correct one.", *pair)
            elif less.get("update_minutes") and worse["update_minutes"] > less["update_minutes"]:
                message = "{0} has an update every {2} minutes, and {1}, which is less, every {3}. Correct one."
                self.say("cadence", where, message, *pair, worse["update_minutes"], less["update_minutes"])

    # -- conditions

    def rule(self, policy, rule, where):
        if not self.fields(rule, _RULE, ("name", "notify"), where):
            return
        if not _NAME.fullmatch(rule["name"]):
            self.say(FORM, where + ".name", "{where} is {0!r}: write a word such as data_loss.", rule["name"])
        self.named(policy, rule["notify"], where + ".notify")
        for severity in rule.get("severities") or []:
            if severity not in SEVERITIES:
                self.say(FORM, where + ".severities", "{where} has {0!r}, which is none of {1}.", severity, ", ".join(SEVERITIES))

    def rules_together(self, policy):
        """Nobody is told of one condition after two times."""
        told = {}
        for number, rule in enumerate(policy.get("conditions") or []):
            if not isinstance(rule, dict) or not isinstance(rule.get("notify"), list):
                continue
            for contact in rule["notify"]:
                for severity in rule.get("severities") or SEVERITIES:
                    place, minutes = (rule.get("name"), contact, severity), rule.get("after_minutes") or 0
                    if told.setdefault(place, minutes) != minutes:
                        message = "{where} tells {0} of {1} after {2} minutes, and another one after {3}. Leave one."
                        self.say("told_twice", "conditions[{0}]".format(number), message, contact, rule["name"], minutes, told[place])
                        break
