# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that nobody knows, and the ones that were probably meant. Private: other collections must not import it."""

from __future__ import annotations

import difflib


def nearest(name, known):
    """The known name that is most like ``name``, or None when none is."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)), None)


def unknown(given, known, prefixes):
    """The names of ``given`` that begin with one of ``prefixes`` and are not ``known``.

    Returns a sorted list of ``(name, nearest known name or None)``. Names without such a prefix are none of our business.
    """
    suspects = sorted(name for name in given if name.startswith(tuple(prefixes)) and name not in known)
    return [(name, nearest(name, known)) for name in suspects]
