# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes ranked by rules, from numbers. Private: other collections must not import it. Pure.

A rule is data. Its conditions compare a named number with a limit; those that hold give their weight to the cause (``for``) or take it
away (``against``). What is not known gives nothing and takes nothing, and is said.
"""

from __future__ import annotations

import operator
import re

from ansible_collections.astraldraft.ops.plugins.module_utils import _diagnosis_numbers as numbers_of
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import size, span
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact_text
from ansible_collections.astraldraft.ops.plugins.module_utils._table import cell

COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne}
SYMPTOMS = ("high_error_rate", "high_response_time", "database_connections", "service_unavailable")
#: What it takes for a cause to be named.
LIKELY = 5
#: From this weight on it speaks against a cause, if without taking points, that a condition for it does not hold.
TELLING = 3
PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
_RULE = {"cause", "title", "symptoms", "for", "against", "next", "likely_from"}
_CONDITION = {"number", "is", "than", "weight", "says"}
# What may be part of a command as it is. Anything else was written by somebody else.
_PLAIN = re.compile(r"[A-Za-z0-9._:/@%+=,-]+(?: [A-Za-z0-9._-]+){0,4}")
_HOLE = re.compile(r"\{(\w+)\}")


def check(rules):
    """Raises ValueError that names the rule and what is wrong with it."""
    for place, rule in enumerate(rules, 1):
        name = rule.get("cause") or "number {0}".format(place)
        missing = sorted({"cause", "title", "symptoms", "for", "next"} - set(rule))
        if missing or set(rule) - _RULE:
            raise ValueError("rule {0}: {1}".format(name, _keys(missing, set(rule) - _RULE)))
        strange = set(rule["symptoms"]) - set(SYMPTOMS)
        if strange:
            raise ValueError("rule {0}: no symptom is called {1}".format(name, ", ".join(sorted(strange))))
        for condition in rule["for"] + rule.get("against", []):
            missing = sorted(_CONDITION - set(condition))
            if missing or set(condition) - _CONDITION:
                raise ValueError(
                    "rule {0}, number {1}: {2}".format(name, condition.get("number"), _keys(missing, set(condition) - _CONDITION))
                )
            if condition["is"] not in COMPARISONS:
                raise ValueError("rule {0}, number {1}: {2} is no comparison".format(name, condition["number"], condition["is"]))


def _keys(missing, unknown):
    told = ["{0} is missing".format(key) for key in missing] + ["{0} is not known here".format(key) for key in sorted(map(str, unknown))]
    return "; ".join(told)


def hypotheses(rules, numbers, words, symptom=""):
    """The causes that are likely, the likeliest first: a list of dicts."""
    check(rules)
    found = []
    for rule in rules:
        if symptom and symptom not in rule["symptoms"]:
            continue
        judged = _judged(rule, numbers, words)
        if judged["score"] >= rule.get("likely_from", LIKELY):
            found.append(judged)
    return sorted(found, key=lambda one: -one["score"])


def _judged(rule, numbers, words):
    result = {"cause": rule["cause"], "title": "", "score": 0, "for": [], "against": [], "unknown": [], "next": ""}
    for side, sign in (("for", 1), ("against", -1)):
        for condition in rule.get(side, []):
            number = numbers.get(condition["number"])
            if number is None:
                result["unknown"].append(condition["number"])
                continue
            if COMPARISONS[condition["is"]](number.value, condition["than"]):
                result["score"] += sign * condition["weight"]
                result[side].append(_finding(condition, number, words, condition["says"]))
            elif side == "for" and condition["weight"] >= TELLING:
                result["against"].append(_finding(condition, number, words, ""))
    result["unknown"] = list(dict.fromkeys(result["unknown"]))
    result["title"] = filled(rule["title"], words)
    result["next"] = filled(rule["next"], words, command=True)
    return result


def _finding(condition, number, words, says):
    value, limit = shown(number.value, number.unit), shown(condition["than"], number.unit)
    more = dict(words, value=value, limit=limit, about=number.about or "?")
    told = filled(says, more) if says else "{0} is {1}, not {2} {3}".format(condition["number"], value, condition["is"], limit)
    return {"number": condition["number"], "value": number.value, "limit": condition["than"], "weight": condition["weight"], "says": told}


def filled(text, words, command=False):
    """``text`` with what is known in the place of ``{name}``. In a command only what means nothing else there."""

    def put(match):
        word = words.get(match.group(1))
        if word is None or command and not _PLAIN.fullmatch(str(word)):
            return "<{0}>".format(match.group(1).upper())
        return str(word) if command else cell(redact_text(str(word)))

    return _HOLE.sub(put, text)


def shown(value, unit):
    if unit == "share":
        return "{0:.1f} %".format(100 * value)
    if unit == "seconds":
        return span(value) if value >= 10 else "{0:.2f} s".format(value)
    if unit == "days":
        return "{0:.1f} days".format(value)
    if unit == "bytes":
        return size(value)
    if unit == "yes":
        return "yes" if value else "no"
    return "{0:g}".format(value)


# -- what is not known


def unknown(hosts):
    """The sources of which nothing is known, and why. ``hosts``: name to ``evidence``."""
    found = []
    for host, evidence in sorted(hosts.items()):
        for source, answer in evidence.items():
            why = _why(source, answer)
            if why:
                found.append({"source": source, "host": host, "message": cell(redact_text(why))})
    return found


def _why(source, answer):
    if source in ("known_signs", "outside"):
        return ""
    if answer.get("failed"):
        return str(answer.get("msg") or "no answer")
    if answer.get("verdict") == "unreadable":
        return answer["summary"]
    silent = ("unreachable", "timed_out", "dns", "refused", "no_route", "our_credentials")
    if source == "prometheus" and answer["queries"] and all(query["reason"] in silent for query in answer["queries"]):
        return answer["summary"]
    return ""


def overall(found, missing):
    return FAIL if found else INCONCLUSIVE if missing else PASS


# -- who gets errors


def distribution(hosts, top=5):
    """Errors by status, endpoint and user agent: name to a list of ``{name, count}``. None when no log could be read."""
    answers = [evidence["access"] for evidence in hosts.values() if (evidence.get("access") or {}).get("groups") is not None]
    answers = [answer for answer in answers if not answer.get("failed") and answer["verdict"] != "unreadable"]
    if not answers:
        return None
    result = {}
    for name, field in (("status", "status"), ("endpoint", "uri"), ("user_agent", "user_agent")):
        counted = {}
        for group in (group for answer in answers for group in answer["groups"]):
            value = cell(group["by"].get(field) or "-", 80)
            counted[value] = counted.get(value, 0) + group["count"]
        rows = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        result[name] = [{"name": value, "count": count} for value, count in rows[:top]]
    return result


def diagnose(hosts, rules, symptom=""):
    """What the evidence says: a dict of ``verdict``, ``hypotheses``, ``numbers``, ``missing`` and ``errors``.

    ``symptom``: only the causes of this one.
    """
    if symptom and symptom not in SYMPTOMS:
        raise ValueError("no symptom is called {0}; known are {1}".format(symptom, ", ".join(SYMPTOMS)))
    numbers, words = numbers_of.merged(hosts)
    missing = unknown(hosts) if hosts else [{"source": "all", "host": "", "message": "no host has answered"}]
    found = hypotheses(rules, numbers, words, symptom)
    return {
        "verdict": overall(found, missing),
        "hypotheses": found,
        "numbers": {name: {"value": number.value, "unit": number.unit, "about": cell(redact_text(number.about))} for name, number in
                    sorted(numbers.items())},
        "missing": missing,
        "errors": distribution(hosts),
    }  # fmt: skip
