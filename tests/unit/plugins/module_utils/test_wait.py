from __future__ import annotations

import itertools

from ansible_collections.astraldraft.ops.plugins.module_utils import _wait


class Clock:
    """Monotonic time that passes only by sleeping, and by ``cost`` seconds a probe."""

    def __init__(self, cost=0.0):
        self.now, self.cost, self.slept = 100.0, cost, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds

    def probing(self, answers):
        source = iter(answers)

        def probe():
            self.now += self.cost
            return next(source)

        return probe


def poll(clock, answers, timeout, interval, heartbeat=None):
    return _wait.poll(clock.probing(answers), lambda answer: answer == "done", timeout, interval, heartbeat, sleep=clock.sleep, clock=clock)


def test_what_is_done_at_once_is_never_waited_for():
    clock = Clock()
    assert poll(clock, ["done"], 10, 1) == ("done", True, 1)
    assert clock.slept == []


def test_it_asks_at_least_once_even_without_any_time():
    assert poll(Clock(), ["done"], 0, 1) == ("done", True, 1)
    assert poll(Clock(), ["not yet"], 0, 1) == ("not yet", False, 1)


def test_it_ends_in_time_and_asks_once_more_at_the_very_end():
    clock = Clock()
    assert poll(clock, itertools.repeat("not yet"), 2.5, 1) == ("not yet", False, 4)
    assert clock.slept == [1, 1, 0.5]
    assert clock.now == 102.5


def test_what_gets_done_in_the_last_moment_counts():
    assert poll(Clock(), ["no", "no", "no", "done"], 2.5, 1) == ("done", True, 4)


def test_slow_probes_do_not_stretch_the_limit_by_more_than_one_of_them():
    clock = Clock(cost=4)
    _answer, done, attempts = poll(clock, itertools.repeat("not yet"), 10, 1)
    assert not done
    assert attempts == 3
    assert clock.now <= 100 + 10 + 4


def test_the_heart_beats_before_every_probe():
    beats = []
    poll(Clock(), ["no", "no", "done"], 10, 1, heartbeat=lambda: beats.append(1))
    assert len(beats) == 3


def test_a_deadline_never_counts_below_zero():
    clock = Clock()
    deadline = _wait.Deadline(5, clock)
    assert not deadline.passed
    clock.now += 4.5
    assert (deadline.elapsed, deadline.remaining, deadline.passed) == (4.5, 0.5, False)
    clock.now += 0.5
    assert deadline.passed
    clock.now += 100
    assert (deadline.remaining, deadline.passed) == (0.0, True)
