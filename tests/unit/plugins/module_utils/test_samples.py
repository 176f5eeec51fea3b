from __future__ import annotations

import math

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _samples

ABOVE = {"operator": ">", "value": 0.01}
BELOW = {"operator": "<", "value": 0.01}


def fails(errors, requests, former=None, confidence=0.99, margin=0.005):
    """Whether a release is taken back for so many errors, beside ``former`` (errors, requests)."""
    baseline = _samples.share(*former, confidence) if former else None
    return _samples.holds(
        ABOVE, _samples.share(errors, requests, confidence), _samples.limit(ABOVE, good=False, baseline=baseline, margin=margin)
    )


@pytest.mark.parametrize(
    ("errors", "requests", "former", "expected"),
    [
        # Few samples decide nothing: one error in twenty requests is five per cent, and may be chance.
        (1, 20, None, False),
        (1, 20, (0, 20), False),
        (3, 100, (0, 100), False),
        (5, 100, (0, 100), True),
        # Three per cent beside none, and beside a background that both have.
        (45, 1500, (0, 1500), True),
        (45, 1500, (5, 1500), True),
        (90, 3000, (9, 3000), True),
        # The background alone.
        (9, 3000, (9, 3000), False),
        (15, 3000, (6, 3000), False),
        (75, 3000, (60, 3000), False),
        # It errs much, but the former one no less: going back would not help.
        (150, 3000, (150, 3000), False),
        (90, 3000, (150, 3000), False),
        (300, 3000, (150, 3000), True),
    ],
)
def test_an_error_rate_is_too_high_only_when_that_is_sure(errors, requests, former, expected):
    assert fails(errors, requests, former) is expected


def test_without_confidence_a_share_is_taken_as_it_is():
    assert _samples.share(1, 20) == (0.05, 0.05, 0.05, 20)
    assert fails(1, 20, confidence=None)


@pytest.mark.parametrize(("part", "whole"), [(0, 20), (1, 20), (10, 20), (20, 20), (21.4, 20), (3, 10000)])
def test_the_bounds_enclose_the_share_and_stay_within_0_and_1(part, whole):
    found = _samples.share(part, whole, 0.99)
    assert 0 <= found.low <= found.value <= found.high <= 1
    tighter = _samples.share(part, whole, 0.9)
    assert found.low <= tighter.low
    assert tighter.high <= found.high


def test_wilsons_interval_is_the_one_in_the_books():
    # Newcombe 1998, table I: 81 of 263 and 0 of 20, two-sided 95 %.
    found = _samples.share(81, 263, 0.975)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert round(_samples.share(0, 20, 0.975).high, 4) == 0.1611


@pytest.mark.parametrize("whole", [0, -1, math.nan])
def test_a_share_of_nothing_is_no_number(whole):
    assert math.isnan(_samples.share(0, whole, 0.99).value)


@pytest.mark.parametrize(
    ("comparison", "good", "baseline", "limit"),
    [
        # Much is bad: so much more than the baseline, but no more than the fixed limit, which counts where the baseline keeps to it.
        ({"operator": ">", "value": 1.0}, False, 0.1, 0.2),
        ({"operator": ">", "value": 1.0}, False, 0.8, 1.0),
        ({"operator": ">", "value": 1.0}, False, 1.2, 1.85),
        ({"operator": "<", "value": 1.0}, True, 0.1, 0.2),
        ({"operator": "<", "value": 1.0}, True, 0.8, 1.0),
        ({"operator": "<=", "value": 1.0}, True, 1.2, 1.85),
        # Little is bad.
        ({"operator": "<", "value": 1.0}, False, 2.0, 3.05),
        ({"operator": ">=", "value": 5.0}, True, 6.0, 9.05),
        ({"operator": "<", "value": 5.0}, False, 2.0, 3.05),
        ({"operator": "<", "value": 2.0}, False, 2.0, 3.05),
    ],
)
def test_the_limit_that_follows_from_a_baseline(comparison, good, baseline, limit):
    found = _samples.limit(comparison, good, _samples.exact(baseline), 1.5, 0.05)
    assert found == pytest.approx(limit)


def test_without_a_baseline_the_fixed_limit_counts():
    assert _samples.limit(ABOVE, good=False, factor=3, margin=1) == 0.01


def test_doubt_about_a_share_counts_against_what_is_claimed_of_it():
    found = _samples.share(2, 100, 0.99)
    assert not _samples.holds(ABOVE, found, 0.01)
    assert not _samples.holds(BELOW, found, 0.03)
    assert _samples.holds(ABOVE, found, found.low - 0.001)
    assert _samples.holds(BELOW, found, found.high + 0.001)
    assert _samples.holds({"operator": "==", "value": 0}, found, 0.02)


def test_numbers_as_people_read_them():
    assert _samples.show([_samples.share(31, 1000)], "%") == "3.1 % of 1000"
    assert _samples.show([_samples.exact(0.0834)], "s") == "0.0834 s"
    assert _samples.show([_samples.exact(1), _samples.exact(3)]) == "1 to 3 (2 values)"
