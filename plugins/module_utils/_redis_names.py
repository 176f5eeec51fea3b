# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of keys, which are bytes of any kind, as text and back. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._table import visible

SHOWN = 80  # characters of a name


def encoded(text):
    """The bytes of a name or a pattern that was written in YAML."""
    return text.encode("utf-8", "surrogateescape")


def told(name, hidden=()):
    """A name (bytes) for people: what is not printable as an escape, and of a secret one its prefix only.

    ``hidden``: prefixes (bytes) of names that are secrets: who knows the name of a session has the session.
    """
    for prefix in hidden:
        if prefix and name.startswith(prefix):
            return printable(prefix) + "..."
    text = printable(name)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def printable(name):
    """Bytes as text without a character that could be mistaken for something else."""
    return visible(name.decode("utf-8", "backslashreplace"))


def prefix_of(name, separator=b":"):
    """What stands before the first separator, with it; all of a name without one counts as ``(none)``."""
    head, found, _rest = name.partition(separator)
    return head + found if found else b""


def literal_of(pattern):
    """What every name that the glob ``pattern`` (bytes) means begins with (bytes), and whether nothing but that name is meant."""
    found, at = bytearray(), 0
    while at < len(pattern):
        character = pattern[at : at + 1]
        if character in (b"*", b"?", b"["):
            return bytes(found), False
        if character == b"\\" and at + 1 < len(pattern):
            at += 1
            character = pattern[at : at + 1]
        found += character
        at += 1
    return bytes(found), True


def may_match(pattern, prefix):
    """Whether a name that begins with ``prefix`` may be meant by the glob ``pattern`` (both bytes). In doubt yes."""
    literal, whole = literal_of(pattern)
    return literal.startswith(prefix) or not whole and prefix.startswith(literal)
