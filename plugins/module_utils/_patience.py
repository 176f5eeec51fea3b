# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a service again that wants to be asked later (429), when it says. Private: other collections must not import it."""

from __future__ import annotations

import email.utils
import re
import time

USUAL_DELAY = 60.0  # what a 429 means that does not say how long
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def seconds_of(text):
    """The number of seconds that a header says; None when it says none."""
    return float(text) if _SECONDS.fullmatch((text or "").strip()) else None


def retry_after(headers, now):
    """The seconds that the header Retry-After names, as a number or a date. ``now``: seconds since the epoch."""
    after = headers.get("retry-after", "").strip()
    if seconds_of(after) is not None:
        return seconds_of(after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - now)
    except (TypeError, ValueError, IndexError):
        return USUAL_DELAY


def patiently(ask, delay_of, refused, deadline, heartbeat=None, sleep=time.sleep):
    """``(answer, attempts, seconds waited)`` of ``ask()``, which is asked again as long as its answer is a 429, at the time that it names.

    ``delay_of(headers, now)`` reads that; when ``deadline`` comes first, ``refused(answer, delay)`` is the ProbeError that is raised.
    """
    attempts, waited = 0, 0.0
    while True:
        attempts += 1
        answer = ask()
        if answer.status != 429:
            return answer, attempts, waited
        delay = delay_of(answer.headers, time.time())
        if delay > deadline.remaining:
            raise refused(answer, delay)
        waited += delay
        pause(delay, heartbeat, sleep)


def pause(seconds, heartbeat, sleep=time.sleep):
    """Wait, and give a sign of life meanwhile."""
    while seconds > 0:
        if heartbeat:
            heartbeat()
        sleep(min(1.0, seconds))
        seconds -= 1.0
