# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast keys are gone through, without a server."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis_pace as paces
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_pace import Pace

LIMIT = 0.002
KEY_SECONDS = 4e-6


def feel(pace, seconds, rounds=1):
    for _number in range(rounds * paces.ADJUST_EVERY):
        pace.felt(seconds)


def busy(pace):
    """The share of its time for which the server works for us."""
    step = pace.count * KEY_SECONDS
    return step / (step + pace.pause)


def test_it_begins_slowly_and_goes_as_fast_as_nobody_feels():
    pace = Pace(200, LIMIT)
    assert busy(pace) < 0.5
    feel(pace, 0.0003, 20)
    assert (pace.count, pace.pause, pace.slowed) == (200, 0.0, 0)


def test_a_small_batch_is_never_exceeded():
    pace = Pace(60, LIMIT)
    feel(pace, 0.0001, 20)
    assert pace.count == 60


def test_it_slows_down_and_comes_back():
    pace = Pace(200, LIMIT)
    feel(pace, 0.0017)
    assert (pace.count, pace.pause, pace.slowed) == (paces.SMALLEST, 0.001, 1)
    feel(pace, 0.0017, 3)
    assert (pace.count, pace.pause) == (paces.SMALLEST, paces.LONGEST_PAUSE)
    feel(pace, 0.0001, 30)
    assert (pace.count, pace.pause) == (200, 0.0)


def test_between_the_two_marks_it_stays():
    pace = Pace(200, LIMIT)
    before = pace.count, pace.pause
    feel(pace, LIMIT * (paces.HIGH + paces.LOW) / 2, 20)
    assert (pace.count, pace.pause, pace.slowed) == (*before, 0)


@pytest.mark.parametrize("free", [0.1, 0.3, 0.6])
def test_where_others_feel_more_the_busier_it_is_they_stay_below_the_limit(free):
    pace, worst = Pace(200, LIMIT), []
    for _number in range(200):
        seconds = 0.0004 + 0.002 * max(0.0, busy(pace) - free)
        feel(pace, seconds)
        worst.append(seconds)
    assert max(worst[20:]) < LIMIT
    assert pace.count > paces.SMALLEST or pace.pause < paces.LONGEST_PAUSE


def listen(pace, seconds):
    for _number in range(paces.ALONE_KEPT):
        pace.felt(seconds, alone=True)


def test_what_others_feel_without_us_is_not_ours():
    pace = Pace(200, LIMIT)
    feel(pace, 0.05, 4)
    assert (pace.limit, pace.pause) == (LIMIT, paces.LONGEST_PAUSE)
    listen(pace, 0.05)
    assert pace.limit == pytest.approx(0.1)
    feel(pace, 0.04, 20)
    assert pace.count == 200
    # When that is over, what is felt is ours again.
    listen(pace, 0.0002)
    feel(pace, 0.04)
    assert pace.limit == LIMIT
    assert pace.count < 200


def test_one_slow_answer_of_ten_is_no_noise():
    pace = Pace(200, LIMIT)
    for seconds in [0.0002] * 9 + [0.02]:
        pace.felt(seconds, alone=True)
    assert pace.limit == LIMIT


def test_it_listens_as_each_second_begins():
    pace = Pace(200, LIMIT)
    assert [pace.must_listen(now) for now in (7.9, 7.95, 8.01, 8.5, 9.2)] == [True, False, True, False, True]


def test_a_single_slow_ping_is_none():
    pace = Pace(200, LIMIT)
    pace.felt(1.0)
    feel(pace, 0.0001, 3)
    assert pace.slowed == 0
    assert Pace(200, LIMIT).p99() is None
