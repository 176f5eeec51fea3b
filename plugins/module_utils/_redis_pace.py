# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast to go through keys, by what others feel of it. Private: other collections must not import it."""

from __future__ import annotations

import collections

FIRST, SMALLEST = 100, 50  # a step of 50 keys takes about 0.2 ms
FIRST_PAUSE, LEAST_PAUSE, LONGEST_PAUSE = 0.001, 0.0002, 0.008
ADJUST_EVERY = 20  # pings
PINGS_KEPT = 100
#: Shares of the limit: above the one it slows down, below the other it speeds up. Of 20 pings the second slowest says less than a p99.
HIGH, LOW = 0.6, 0.35
#: So many times in a row at its slowest, and still felt: then it is not us.
MOST_IN_VAIN = 5


class Pace:
    """How many keys a step may look at and how long to wait after it, so that others do not feel it. It begins slowly.

    ``largest``: keys that a step may look at; ``limit``: the seconds that a PING of somebody else may take, at the 99th percentile.
    """

    def __init__(self, largest, limit):
        self.largest, self.limit = max(SMALLEST, largest), limit
        self.batch, self.pause, self.slowed = float(min(FIRST, self.largest)), FIRST_PAUSE, 0
        self._pings, self._new, self._in_vain = collections.deque(maxlen=PINGS_KEPT), 0, 0

    @property
    def count(self):
        return int(self.batch)

    def p99(self):
        """Of the latest pings, in seconds, a single one of few never counts; None without any."""
        ordered = sorted(self._pings)
        return ordered[max(0, min(len(ordered) - 2, int(len(ordered) * 0.99)))] if ordered else None

    def felt(self, seconds):
        """One PING took so many seconds."""
        self._pings.append(seconds)
        self._new += 1
        if self._new < ADJUST_EVERY:
            return
        self._new = 0
        now = self.p99()
        if now > HIGH * self.limit:
            self._slow_down(now)
            # What made it slow down must not do so for ever.
            self._pings.clear()
        else:
            self._in_vain = 0
            if now < LOW * self.limit:
                self._speed_up()

    def _slow_down(self, now):
        self.slowed += 1
        self._in_vain += self.batch <= SMALLEST and self.pause >= LONGEST_PAUSE
        if self._in_vain > MOST_IN_VAIN:
            self.limit, self._in_vain = max(self.limit, 3 * now), 0
        self.batch = max(SMALLEST, self.batch / 2)
        self.pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self.pause * 2))

    def _speed_up(self):
        if self.pause:
            self.pause = self.pause / 2 if self.pause > LEAST_PAUSE else 0.0
        else:
            self.batch = min(self.largest, self.batch * 1.5)
