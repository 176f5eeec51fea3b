# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict over repeated rounds of probes, and what is said meanwhile. Private: other collections must not import it."""

from __future__ import annotations

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
VERDICTS = (PASS, FAIL, INCONCLUSIVE)
HOLD, UNTIL = "hold", "until"
#: What takes no longer than this needs no progress shown.
SILENT_SECONDS = 5.0


def round_verdict(answers):
    """The verdict of one round: fail if any probe failed, else inconclusive if any was, else pass. ``answers``: name to verdict."""
    for verdict in (FAIL, INCONCLUSIVE):
        if verdict in answers.values():
            return verdict
    return PASS


class Watch:
    """Counts rounds until there is a verdict.

    ``hold``: all must be well for the whole time. It passes when ``seconds`` are over and the last ``success_limit`` rounds passed. It
    fails after ``failure_limit`` failed rounds in all, or at once when a failure is certain. It is inconclusive when nothing was known
    for ``inconclusive_seconds`` at a stretch, or when it still is neither so long after its time.

    ``until``: it passes as soon as ``success_limit`` rounds in a row passed, and ends after ``seconds`` with what the last round was.
    """

    def __init__(self, seconds, failure_limit=2, inconclusive_seconds=60.0, success_limit=1, mode=HOLD):
        self.seconds, self.mode = seconds, mode
        self.failure_limit, self.success_limit, self.inconclusive_seconds = failure_limit, success_limit, inconclusive_seconds
        self.rounds = self.failures = self.successes = 0
        self.last = self.unknown_since = None

    def add(self, answers, elapsed, certain=False):
        """Take one round's answers, ``elapsed`` seconds after the start. Returns the final verdict, or None to go on.

        ``certain``: what failed is so plain that it need not be looked at again.
        """
        self.rounds += 1
        self.last = round_verdict(answers)
        self.successes = self.successes + 1 if self.last == PASS else 0
        self.failures += self.last == FAIL
        if self.last != INCONCLUSIVE:
            self.unknown_since = None
        elif self.unknown_since is None:
            self.unknown_since = elapsed
        return self._until(elapsed) if self.mode == UNTIL else self._hold(elapsed, certain)

    def _until(self, elapsed):
        if self.successes >= self.success_limit:
            return PASS
        # Passes that were too few in a row say nothing for sure.
        return None if elapsed < self.seconds else INCONCLUSIVE if self.last == PASS else self.last

    def _hold(self, elapsed, certain):
        if self.last == FAIL and (certain or self.failures >= self.failure_limit):
            return FAIL
        if elapsed >= self.seconds and self.successes >= self.success_limit:
            return PASS
        if self.unknown_for(elapsed) >= self.inconclusive_seconds and self.last == INCONCLUSIVE:
            return INCONCLUSIVE
        if elapsed < self.seconds + self.inconclusive_seconds:
            return None
        return FAIL if self.last == FAIL else INCONCLUSIVE

    def unknown_for(self, elapsed):
        """For how many seconds nothing has been known."""
        return 0.0 if self.unknown_since is None else elapsed - self.unknown_since

    def state(self, elapsed):
        """How it stands, in a phrase: the time of its limit, and what would end it of how much of that is too much."""
        said = "{0:.0f}/{1:.0f} s".format(elapsed, self.seconds)
        if self.mode == UNTIL:
            return said
        if self.last == INCONCLUSIVE:
            return said + ", held: nothing known for {0:.0f}/{1:.0f} s".format(self.unknown_for(elapsed), self.inconclusive_seconds)
        said += ", {0}/{1} failures".format(self.failures, self.failure_limit)
        if elapsed >= self.seconds and self.success_limit > 1:
            said += ", {0}/{1} passes in a row".format(self.successes, self.success_limit)
        return said


class Cadence:
    """When to say something: on a terminal at every chance, elsewhere once an interval and when the verdict changes."""

    def __init__(self, interval, terminal):
        self.interval, self.terminal = interval, terminal
        self._due, self._verdict = min(SILENT_SECONDS, interval), None

    def due(self, elapsed, verdict):
        """Whether to say something ``elapsed`` seconds after the start, when the last round's verdict is ``verdict``."""
        changed = self._verdict not in (None, verdict)
        self._verdict = verdict
        if self.terminal:
            return elapsed >= SILENT_SECONDS or changed
        if elapsed < self._due and not changed:
            return False
        self._due = elapsed + self.interval
        return True


def line(subject, watch, elapsed, summaries, width=None):
    """The line of progress; cut to ``width`` columns where it must fit into one. ``summaries``: what the probes say (list of str)."""
    text = "; ".join(["{0}: {1}".format(subject, watch.state(elapsed))] + [summary for summary in summaries if summary])
    text = " ".join(text.split())
    return text if width is None or len(text) <= width else text[: max(0, width - 3)] + "..."
