# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of strangers, shown so that it does nothing to a terminal. Private: other collections must not import it."""

from __future__ import annotations

import re

# What colours a line and moves the cursor says nothing to people, and would stand between a name and its secret.
_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")


def visible(text):
    """``text`` with every character that is not printable (control, direction, line ends) as an escape."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode("ascii") for character in text)


def without_sequences(text):
    """``text`` without the sequences that a terminal would obey."""
    return _SEQUENCES.sub("", text) if "\x1b" in text else text
