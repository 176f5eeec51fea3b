# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict over repeated rounds of probes. Private: other collections must not import it."""

from __future__ import annotations

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"


def round_verdict(answers):
    """The verdict of one round: fail if any probe failed, else inconclusive if any was, else pass. ``answers``: name to verdict."""
    for verdict in (FAIL, INCONCLUSIVE):
        if verdict in answers.values():
            return verdict
    return PASS


class Watch:
    """Counts rounds until there is a verdict.

    It passes when ``seconds`` are over and the last round passed. It fails after ``failure_limit`` failed rounds in all. It is
    inconclusive when the last round still was, ``inconclusive_seconds`` after that time.
    """

    def __init__(self, seconds, failure_limit, inconclusive_seconds):
        self.seconds, self.failure_limit, self.inconclusive_seconds = seconds, failure_limit, inconclusive_seconds
        self.rounds = self.failures = 0
        self.last = None

    def add(self, answers, elapsed):
        """Take one round's answers, ``elapsed`` seconds after the start. Returns the final verdict, or None to go on."""
        self.rounds += 1
        self.last = round_verdict(answers)
        if self.last == FAIL:
            self.failures += 1
            if self.failures >= self.failure_limit:
                return FAIL
        if elapsed < self.seconds:
            return None
        if self.last == PASS:
            return PASS
        if elapsed < self.seconds + self.inconclusive_seconds:
            return None
        return self.last
