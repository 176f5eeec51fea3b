# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of text from anywhere as lines for people. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._harmless import visible

LONGEST = 300  # characters of one cell
WIDEST = 60  # a longer cell pushes what follows it to the right, in its own line only


def cell(value, longest=LONGEST):
    text = visible("" if value is None else str(value))
    return text if len(text) <= longest else text[: longest - 3] + "..."


def lines(rows):
    """One line a row, columns below each other. ``rows``: lists of as many cells each, of any type."""
    shown = [[cell(value) for value in row] for row in rows]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*shown)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in shown]
