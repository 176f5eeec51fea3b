# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environment files as Docker Compose reads them. Private: other collections must not import it."""

from __future__ import annotations

import re

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"))


def render(variables):
    """The text of an env file with every value in double quotes, so that spaces, quotes, dollars and newlines arrive as they are.

    ``variables`` maps names to values (str, numbers, or booleans as ``true``/``false``).
    Raises ValueError for a name that no shell would take, and for a value that is no text.
    """
    return "".join('{0}="{1}"\n'.format(_checked(name), _escaped(name, variables[name])) for name in sorted(variables))


def _checked(name):
    if not _NAME.match(name):
        raise ValueError(
            "{0!r} is no name for an environment variable: letters, digits and underscores, not beginning with a digit.".format(name)
        )
    return name


def _escaped(name, value):
    if value is None or isinstance(value, (dict, list)):
        raise ValueError(
            "The value of {0} is no text but a {1}. Leave it out, or write it as text (to_json).".format(name, type(value).__name__)
        )
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text
