# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast to go through keys, by what others feel of it. Private: other collections must not import it."""

from __future__ import annotations

import collections

FIRST, SMALLEST = 100, 50  # a step of 50 keys takes about 0.1 ms
FIRST_PAUSE, LEAST_PAUSE, LONGEST_PAUSE = 0.001, 0.0002, 0.008
ADJUST_EVERY = 20  # pings
PINGS_KEPT = 100
#: Shares of the limit: above the one it slows down, below the other it speeds up. Of 20 pings the second slowest says less than a p99.
HIGH, LOW = 0.75, 0.45
#: What others feel without us is not ours, and changes: every second nothing is done for so long but ask.
LISTEN = 0.04
ALONE_KEPT = 40
IDLE_FACTOR = 2.0


class Pace:
    """How many keys a step may look at and how long to wait after it, so that others do not feel it. It begins slowly.

    ``largest``: keys that a step may look at; ``least``: the seconds that a PING of somebody else may take in any case, at the 99th
    percentile. ``listening``: nothing is done but ask.
    """

    def __init__(self, largest, least):
        self.largest, self._least = max(SMALLEST, largest), least
        self.batch, self.slowed = float(min(FIRST, self.largest)), 0
        self.pause, self._pings, self._new = FIRST_PAUSE, collections.deque(maxlen=PINGS_KEPT), 0
        self._alone, self._second, self.listening = collections.deque(maxlen=ALONE_KEPT), None, False

    @property
    def count(self):
        return int(self.batch)

    @property
    def limit(self):
        """The seconds that a PING may take now: twice what 19 of 20 take without us, where that is more."""
        ordered = sorted(self._alone)
        return max(self._least, IDLE_FACTOR * ordered[int((len(ordered) - 1) * 0.95)]) if ordered else self._least

    def must_listen(self, now):
        """Whether another second of the monotonic clock ``now`` has begun: the same moment for whoever works on other servers."""
        due, self._second = int(now) != self._second, int(now)
        return due

    def p99(self):
        """Of the latest pings, in seconds, a single one of few never counts; None without any."""
        ordered = sorted(self._pings)
        return ordered[max(0, min(len(ordered) - 2, int(len(ordered) * 0.99)))] if ordered else None

    def felt(self, seconds, alone=False):
        """One PING took so many seconds. ``alone``: nothing else was done meanwhile."""
        if alone:
            self._alone.append(seconds)
        self._pings.append(seconds)
        self._new += 1
        if self._new < ADJUST_EVERY:
            return
        self._new = 0
        now, limit = self.p99(), self.limit
        if now > HIGH * limit:
            self._slow_down()
            # What made it slow down must not do so for ever.
            self._pings.clear()
        elif now < LOW * limit:
            self._speed_up()

    def _slow_down(self):
        """A smaller step is one that others wait for less; pauses are for when that is not enough."""
        self.slowed += 1
        if self.batch > SMALLEST:
            self.batch = max(SMALLEST, self.batch / 2)
        else:
            self.pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self.pause * 2))

    def _speed_up(self):
        if self.pause:
            self.pause = self.pause / 2 if self.pause > LEAST_PAUSE else 0.0
        else:
            self.batch = min(self.largest, self.batch * 1.5)
