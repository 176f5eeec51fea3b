# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environment files as Docker Compose reads them. Private: other collections must not import it."""

from __future__ import annotations

import hashlib
import re

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"))
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SEAL = "# sha256 "


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


def seal(text):
    """``text`` with a last line, a comment to Compose, by which one can tell later whether somebody has edited it."""
    return "{0}{1}{2}\n".format(text, _SEAL, _digest(text))


def edited(text):
    """Whether a sealed text was altered since; None for one without a seal, of which nobody can tell."""
    body, mark, digest = text.rpartition(_SEAL)
    if not mark or (body and not body.endswith("\n")):
        return None
    return digest != _digest(body) + "\n"


def _digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def parse(text):
    """The variables (dict of str) of an env file: of one that render made, and of one that somebody wrote by hand."""
    variables = {}
    for line in text.split("\n"):
        match = _LINE.match(line)
        if match:
            variables[match.group(1)] = _unquoted(match.group(2).strip())
    return variables


def _unquoted(value):
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _ESCAPED.sub(lambda match: {"n": "\n"}.get(match.group(1), match.group(1)), value[1:-1])
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    return re.split(r"\s#", value)[0].rstrip()
