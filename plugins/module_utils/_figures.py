# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measured figures, each with its thresholds and a verdict, and the verdict over all. Private: other collections must not import it."""

from __future__ import annotations

import collections

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._names import nearest

#: From the worst to the best. ``unknown``: it could not be seen or there is no data; ``not_configured``: the server does not measure it.
VERDICTS = ("fail", "unknown", "warn", "not_configured", "pass")
MOST_TOLD = 6  # in the one sentence; the list has them all

#: Where a figure becomes a warning and a failure (None: never); ``below``: whether less is worse.
Threshold = collections.namedtuple("Threshold", "warn fail below unit")


def merged(defaults, given):
    """``defaults`` (name to Threshold) with ``warn`` and ``fail`` of ``given`` (name to dict). Raises OpsError for what nobody knows."""
    found = dict(defaults)
    for name, own in given.items():
        if name not in defaults:
            hint = nearest(name, defaults)
            raise OpsError("There is no figure {0}{1}. Figures: {2}.".format(
                name, ", did you mean {0}?".format(hint) if hint else "", ", ".join(sorted(defaults))))  # fmt: skip
        if not isinstance(own, dict) or set(own) - {"warn", "fail"}:
            raise OpsError("The thresholds of {0} are given as warn and fail, for example {{warn: 1, fail: 2}}.".format(name))
        try:
            numbers = {key: None if value in (None, "") else float(value) for key, value in own.items()}
        except (TypeError, ValueError):
            raise OpsError("The thresholds of {0} are numbers, not {1!r}.".format(name, sorted(own.items())))
        found[name] = found[name]._replace(**numbers)
    return found


class Figure:
    """One figure. ``required``: whether not knowing it keeps the whole from being called well."""

    def __init__(self, name, verdict, value, message, next="", threshold=None, required=True):
        self.name, self.verdict, self.value, self.message, self.required = name, verdict, value, message, required
        self.threshold = threshold or Threshold(None, None, False, "")
        self.next = "" if verdict in ("pass", "not_configured") else next

    def to_dict(self):
        value = round(self.value, 4) if isinstance(self.value, float) else self.value
        return {
            "name": self.name,
            "verdict": self.verdict,
            "value": value,
            "unit": self.threshold.unit,
            "warn": self.threshold.warn,
            "fail": self.threshold.fail,
            "required": self.required,
            "message": self.message,
            "next": self.next,
        }


def judged(name, thresholds, value, message, next="", required=True):
    """The Figure of ``value`` by its threshold; None is unknown."""
    threshold = thresholds[name]
    if value is None:
        return Figure(name, "unknown", None, message, next, threshold, required)
    passed = [limit for limit in ("warn", "fail") if _beyond(value, getattr(threshold, limit), threshold.below)]
    return Figure(name, passed[-1] if passed else "pass", value, message, next, threshold, required)


def _beyond(value, limit, below):
    return limit is not None and (value < limit if below else value > limit)


def overall(figures):
    """fail when a figure fails, else unknown when a required one is not known, else warn when one warns, else pass."""
    found = {figure.verdict for figure in figures if figure.required or figure.verdict != "unknown"}
    return next((verdict for verdict in ("fail", "unknown", "warn") if verdict in found), "pass")


def counts(figures):
    found = {verdict: sum(figure.verdict == verdict for figure in figures) for verdict in VERDICTS}
    return dict(found, total=len(figures))


def worst_first(figures):
    """Those that are not well, the worst first, and of those that are as bad the required ones."""
    bad = [figure for figure in figures if figure.verdict not in ("pass", "not_configured")]
    return sorted(bad, key=lambda figure: (VERDICTS.index(figure.verdict), not figure.required))


def summary(figures):
    """One sentence: ``16 of 19 figures are good; blocked: fail (3 sessions wait for locks, the longest for 75 s)``."""
    good, bad = sum(figure.verdict == "pass" for figure in figures), worst_first(figures)
    parts = ["{0} of {1} figures are good".format(good, len(figures))]
    parts += ["{0}: {1} ({2})".format(figure.name, figure.verdict, figure.message) for figure in bad[:MOST_TOLD]]
    if len(bad) > MOST_TOLD:
        parts.append("and {0} more".format(len(bad) - MOST_TOLD))
    return "; ".join(parts)


def table(figures):
    """Lines of text for people, one a figure: verdict, name, what was found, and what to do about what is not well."""
    width = max([len(figure.name) for figure in figures] or [0])
    lines = []
    for figure in figures:
        line = "{0:<14}  {1:<{2}}  {3}".format(figure.verdict, figure.name, width, figure.message)
        lines.append("{0} -> {1}".format(line, figure.next) if figure.next else line)
    return lines


def size(number):
    """Bytes for people: ``1.4 GiB``."""
    if number is None:
        return "an unknown size"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if abs(number) < 1024:
            return "{0:.0f} {1}".format(number, unit) if unit == "bytes" else "{0:.1f} {1}".format(number, unit)
        number /= 1024.0
    return "{0:.1f} TiB".format(number)


def span(seconds):
    """Seconds for people: ``45 s``, ``12 min``, ``3.5 h``, ``8.0 d``."""
    for limit, divisor, form in ((120, 1, "{0:.0f} s"), (7200, 60, "{0:.0f} min"), (172800, 3600, "{0:.1f} h")):
        if seconds < limit:
            return form.format(seconds / divisor)
    return "{0:.1f} d".format(seconds / 86400)


def plural(word, number):
    """``word`` as it is said of so many."""
    return word if number == 1 else word + "s"
