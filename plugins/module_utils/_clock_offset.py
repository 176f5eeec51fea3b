# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far somebody else's clock is from ours. Private: other collections must not import it. Pure.

Nobody tells the time at the very moment that we ask: it was told some time between question and answer, to a second or to a microsecond.
What that explains is no offset, so that a slow answer never makes a clock wrong.
"""

from __future__ import annotations

import email.utils


def offset(told, before, after, exact_to=0.0):
    """The seconds by which their clock is ahead of ours (negative: behind), at least; 0.0 when both may be the same.

    ``told``: what it said; it stands for up to ``exact_to`` seconds more. ``before`` and ``after``: ours around the question.
    """
    least, most = told - after, told + exact_to - before
    return round(least, 3) if least > 0 else round(most, 3) if most < 0 else 0.0


def of_date(header, before, after):
    """The same by the header ``Date`` of an HTTP answer; None without one that can be read.

    It is exact to a second, and servers put it together once a second: it may be two seconds old.
    """
    try:
        told = email.utils.parsedate_to_datetime(header).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return offset(told, before, after, exact_to=2.0)
