# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths into decoded JSON and what is asserted of them. Private: other collections must not import it."""

from __future__ import annotations

import json
import re

STEP = re.compile(r"""\[(-?\d+)\]|\["([^"]*)"\]|\['([^']*)'\]|\.?([^.\[\]]+)""")
MISSING = object()


def parse(path):
    """The steps of ``checks.database``, ``data.result[0].value[1]`` or ``labels["a.b"]``: a list of str and int. Raises ValueError."""
    steps, position = [], 0
    while position < len(path):
        match = STEP.match(path, position)
        if not match:
            raise ValueError("{0!r} is not a path such as checks.database or items[0].name".format(path))
        index, double, single, plain = match.groups()
        steps.append(int(index) if index is not None else next(part for part in (double, single, plain) if part is not None))
        position = match.end()
    return steps


def find(document, path):
    """What ``path`` leads to, or :data:`MISSING`. The empty path is the document itself."""
    for step in parse(path):
        if isinstance(document, list) and (isinstance(step, int) or re.match(r"-?\d+$", step)):
            index = int(step)
            if not -len(document) <= index < len(document):
                return MISSING
            document = document[index]
        elif isinstance(document, dict) and str(step) in document:
            document = document[str(step)]
        else:
            return MISSING
    return document


def text(value):
    """A scalar as JSON spells it, without the quotes of a string: templating turns 1 into "1" and true into "True"."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def same(actual, expected):
    """Equality that forgives what templating does to scalars, and nothing else."""
    if isinstance(actual, bool) or isinstance(expected, bool):
        return text(actual).lower() == text(expected).lower()
    if isinstance(actual, (dict, list)) or isinstance(expected, (dict, list)):
        return actual == expected
    return actual == expected or text(actual) == text(expected)


def brief(value, limit=80):
    """``value`` for a sentence: JSON, cut to ``limit`` characters."""
    shown = json.dumps(value, default=str)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def violation(document, assertion):
    """What is wrong with ``document`` by one assertion, a sentence, or None.

    ``assertion``: dict with ``path`` and any of ``equals``, ``one_of`` (list), ``matches`` (regular expression, searched), ``exists``
    (bool); without any of them the path must exist.
    """
    path, found = assertion["path"], find(document, assertion["path"])
    if assertion.get("exists") is False:
        return None if found is MISSING else "{0} is there ({1})".format(path, brief(found))
    if found is MISSING:
        return "{0} is missing".format(path)
    if assertion.get("equals") is not None and not same(found, assertion["equals"]):
        return "{0} is {1}, not {2}".format(path, brief(found), brief(assertion["equals"]))
    if assertion.get("one_of") is not None and not any(same(found, value) for value in assertion["one_of"]):
        return "{0} is {1}, none of {2}".format(path, brief(found), brief(assertion["one_of"]))
    if assertion.get("matches") is not None and not re.search(assertion["matches"], text(found)):
        return "{0} is {1}, which does not match {2}".format(path, brief(found), assertion["matches"])
    return None
