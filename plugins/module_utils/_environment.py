# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of a release: what differs between two, without their secrets, and what cannot be meant. Private: other collections must
not import it.
"""

from __future__ import annotations

import re

from ansible_collections.astraldraft.ops.plugins.module_utils._redact import MASK, is_secret, redact_text, shorten

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
LONGEST = 120
# What stands in an example, and nobody has put the value in its place.
_PLACEHOLDER = re.compile(
    r"(change[-_ ]?me|to[-_ ]?do|fix[-_ ]?me|x{3,}|<[^<>]*>|\[[A-Za-z _-]+\]|your[-_ ].*|\{\{.*)", re.IGNORECASE | re.DOTALL
)


def compare(before, after, hidden=()):
    """What differs between two environments (dicts of str): a list of ``{name, change, before, after}``, by name.

    Values are without secrets: hidden where the name says that it is one, or is in ``hidden``, and where another secret is part of them.
    """
    secrets = [value for variables in (before, after) for name, value in variables.items() if _secret(name, value, hidden)]
    found = []
    for name in sorted(set(before) | set(after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            change = ADDED if old is None else REMOVED if new is None else CHANGED
            shown = [None if value is None else _shown(name, value, hidden, secrets) for value in (old, new)]
            found.append({"name": name, "change": change, "before": shown[0], "after": shown[1]})
    return found


def _secret(name, value, hidden):
    return name in hidden or is_secret(name, value)


def _shown(name, value, hidden, secrets):
    return MASK if _secret(name, value, hidden) else shorten(redact_text(value, secrets), LONGEST, 1)[0]


def sentence(difference):
    """One difference, for people."""
    name, before, after = difference["name"], difference["before"], difference["after"]
    if difference["change"] == ADDED:
        return "{0} is new: {1}".format(name, after)
    if difference["change"] == REMOVED:
        return "{0} is gone; it was {1}".format(name, before)
    if before == after:
        return "{0} has another value, in the part that is hidden or left out here: {1}".format(name, after)
    return "{0} changes from {1} to {2}".format(name, before, after)


def problems(variables, required=(), patterns=None):
    """What is wrong with an environment: sentences that name variables, never values.

    ``patterns``: by name, what the whole of its value must match. Raises ValueError for one that is no regular expression.
    """
    patterns, found = patterns or {}, []
    for name in required:
        if not variables.get(name, "").strip():
            found.append("{0} is {1}; it is required.".format(name, "empty" if name in variables else "missing"))
    for name in sorted(variables):
        value = variables[name].strip()
        if _PLACEHOLDER.fullmatch(value):
            found.append("{0} is a placeholder that nobody filled in.".format(name))
        elif name in patterns and value and not _compiled(name, patterns[name]).fullmatch(variables[name]):
            found.append("{0} is not of the form {1}.".format(name, patterns[name]))
    return found


def _compiled(name, pattern):
    try:
        return re.compile(str(pattern), re.DOTALL)
    except re.error as error:
        raise ValueError("The pattern of {0} is no regular expression: {1}.".format(name, error))
