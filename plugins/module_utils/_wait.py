# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting with a limit. Private: other collections must not import it."""

from __future__ import annotations

import time


class Deadline:
    """A point in monotonic time, ``seconds`` from its creation."""

    def __init__(self, seconds, clock=time.monotonic):
        self._clock = clock
        self._started = clock()
        self.seconds = seconds

    @property
    def elapsed(self):
        """Seconds since creation (float)."""
        return self._clock() - self._started

    @property
    def remaining(self):
        """Seconds left (float), never below zero."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def passed(self):
        return self.remaining <= 0


def poll(probe, is_done, timeout, interval, heartbeat=None, sleep=time.sleep, clock=time.monotonic):
    """Call ``probe()`` until ``is_done(answer)`` or until ``timeout`` seconds have passed; at least once.

    ``heartbeat()`` is called before every probe, so that a wait never lets the operation's lock expire.
    Returns ``(answer, done, attempts)``: the last answer, whether it satisfied ``is_done``, and the number of probes.
    """
    deadline = Deadline(timeout, clock)
    attempts = 0
    while True:
        if heartbeat:
            heartbeat()
        answer = probe()
        attempts += 1
        if is_done(answer):
            return answer, True, attempts
        if deadline.passed:
            return answer, False, attempts
        sleep(min(interval, deadline.remaining))
