# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A diagnosis for people, and what is kept of it. Private: other collections must not import it. Pure.

What logs, servers and clients say is somebody else's text: it is shown so that no terminal obeys it, without secrets, and short.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._diagnosis import shown
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact, shorten
from ansible_collections.astraldraft.ops.plugins.module_utils._table import cell, lines

#: The numbers that say how bad it is, with their names for people.
VITAL = (
    ("release.error_share", "errors"),
    ("release.p95_seconds", "95 % answered within"),
    ("requests.failed", "failed requests in the log"),
    ("front.down", "load balancer down"),
    ("replicas.bad", "replicas that do not answer well"),
    ("postgres.used_share", "database connections"),
    ("postgres.blocked", "sessions that wait for a lock"),
    ("redis.memory_share", "memory of Redis"),
    ("host.disk_share", "fullest disk"),
    ("host.cpu_pressure", "waiting for a processor"),
    ("alerts.firing", "alerts"),
)
LONGEST, MOST = 500, 200


def report(found):
    """Lines of text. ``found``: what _diagnosis.diagnose gives."""
    told = _vitals(found["numbers"])
    for place, one in enumerate(found["hypotheses"], 1):
        told += ["", "{0}. {1} ({2}): {3}".format(place, one["cause"], _score(one["score"]), cell(one["title"], 500))]
        told += ["   for      {0}".format(cell(finding["says"])) for finding in one["for"]]
        told += ["   against  {0}".format(cell(finding["says"])) for finding in one["against"]]
        told += ["   unknown  {0}".format(", ".join(one["unknown"]))] if one["unknown"] else []
        told += ["   next     {0}".format(cell(one["next"], 500))]
    told += _errors(found["errors"])
    told += [""] if found["missing"] else []
    told += ["not known: {source}{0}: {message}".format(" on " + one["host"] if one["host"] else "", **one) for one in found["missing"]]
    return told + [summary(found)]


def _score(score):
    return "{0:g} {1}".format(score, plural("point", score))


def _vitals(numbers):
    rows = []
    for name, words in VITAL:
        number = numbers.get(name)
        rows.append([words, "not known"] if number is None else [words, shown(number["value"], number["unit"]), number["about"]])
    return lines([(row + [""])[:3] for row in rows])


def _errors(errors):
    if errors is None:
        return []
    told = []
    for name, words in (("status", "by status"), ("endpoint", "by endpoint"), ("user_agent", "by user agent")):
        if errors[name]:
            told.append("   {0:<13}  {1}".format(words, ", ".join("{name}: {count}".format(**one) for one in errors[name])))
    return ["", "Errors that nginx answered"] + told if told else []


def summary(found):
    """One sentence."""
    names = [one["cause"] for one in found["hypotheses"]]
    blind = ", ".join(dict.fromkeys(one["source"] for one in found["missing"]))
    if names:
        told = "the likeliest cause is {0}".format(names[0]) + (", then {0}".format(", ".join(names[1:])) if names[1:] else "")
    else:
        told = "nothing that is known points at a cause"
    return told + ("; not known: {0}".format(blind) if blind else "")


def bundle(hosts, found, about):
    """What is kept for the incident: the evidence without secrets, no longer than it may be. ``about``: what else is in it (a dict)."""
    kept, cut = shorten(redact({"about": about, "diagnosis": found, "evidence": hosts}), LONGEST, MOST)
    return dict(kept, cut=cut)
