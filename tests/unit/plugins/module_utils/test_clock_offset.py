from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _clock_offset

NOW = 1764428400.0  # 2025-11-29T15:00:00Z


@pytest.mark.parametrize(
    ("told", "took", "offset"),
    [(0.0, 0.1, 0.0), (0.05, 0.1, 0.0), (90.0, 0.1, 89.9), (-90.0, 0.1, -90.0), (3.0, 5.0, 0.0), (7.0, 5.0, 2.0)],
)
def test_what_the_time_of_the_answer_explains_is_no_offset(told, took, offset):
    assert _clock_offset.offset(NOW + told, NOW, NOW + took) == offset


@pytest.mark.parametrize(
    ("header", "offset"),
    [
        ("Sat, 29 Nov 2025 15:00:00 GMT", 0.0),
        ("Sat, 29 Nov 2025 14:59:58 GMT", 0.0),
        ("Sat, 29 Nov 2025 14:58:28 GMT", -90.0),
        ("Sat, 29 Nov 2025 15:01:30 GMT", 89.5),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_header_may_be_two_seconds_old(header, offset):
    assert _clock_offset.of_date(header, NOW, NOW + 0.5) == offset
