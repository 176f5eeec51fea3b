# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures: thresholds, verdicts and the verdict over all."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _figures
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import Figure, Threshold, judged, merged

THRESHOLDS = {"lag": Threshold(10.0, 60.0, False, "seconds"), "hits": Threshold(0.9, None, True, "fraction")}


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("lag", 10.0, "pass"),
        ("lag", 10.1, "warn"),
        ("lag", 61, "fail"),
        ("lag", None, "unknown"),
        ("hits", 0.9, "pass"),
        ("hits", 0.0, "warn"),
    ],
)
def test_a_figure_is_judged_by_its_threshold(name: str, value: float | None, verdict: str) -> None:
    figure = judged(name, THRESHOLDS, value, "found", "do this")
    assert figure.verdict == verdict
    assert figure.next == ("" if verdict == "pass" else "do this")


def test_given_thresholds_replace_the_usual_ones_one_by_one() -> None:
    found = merged(THRESHOLDS, {"lag": {"warn": "5"}, "hits": {"warn": None}})
    assert found["lag"] == Threshold(5.0, 60.0, False, "seconds")
    assert found["hits"].warn is None
    assert merged(THRESHOLDS, {}) == THRESHOLDS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lagg": {"warn": 1}}, "did you mean lag?"),
        ({"zzzzzz": {}}, "Figures: hits, lag"),
        ({"lag": 5}, "as warn and fail"),
        ({"lag": {"limit": 5}}, "as warn and fail"),
        ({"lag": {"warn": "many"}}, "are numbers"),
    ],
)
def test_thresholds_that_cannot_be_meant_are_refused(given: dict, said: str) -> None:
    with pytest.raises(OpsError, match=said.replace("?", r"\?")):
        merged(THRESHOLDS, given)


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([("pass", True)], "pass"),
        ([("pass", True), ("warn", True)], "warn"),
        ([("warn", True), ("unknown", True)], "unknown"),
        ([("warn", True), ("unknown", False)], "warn"),
        ([("pass", True), ("unknown", False)], "pass"),
        ([("unknown", True), ("fail", False)], "fail"),
        ([("not_configured", True)], "pass"),
    ],
)
def test_what_is_not_known_never_reads_as_healthy(verdicts: list, verdict: str) -> None:
    assert _figures.overall([Figure("x", found, 1, "", required=required) for found, required in verdicts]) == verdict


def test_the_summary_names_the_worst_first_and_the_table_says_what_to_do() -> None:
    figures = [
        judged("lag", THRESHOLDS, 20, "20 s behind", "look"),
        Figure("server", "pass", None, "is up"),
        judged("lag", THRESHOLDS, 99, "99 s", "run"),
    ]
    assert _figures.summary(figures) == "1 of 3 figures are good; lag: fail (99 s); lag: warn (20 s behind)"
    assert _figures.table(figures)[0] == "warn            lag     20 s behind -> look"
    assert _figures.counts(figures) == {"fail": 1, "unknown": 0, "warn": 1, "not_configured": 0, "pass": 1, "total": 3}
    many = [Figure("f", "fail", 1, "bad")] * 9
    assert _figures.summary(many).endswith("and 3 more")


@pytest.mark.parametrize(("number", "text"), [(0, "0 bytes"), (2048, "2.0 KiB"), (5 * 1024**4, "5.0 TiB"), (None, "an unknown size")])
def test_sizes_for_people(number: int | None, text: str) -> None:
    assert _figures.size(number) == text


@pytest.mark.parametrize(("seconds", "text"), [(3, "3 s"), (600, "10 min"), (9000, "2.5 h"), (864000, "10.0 d")])
def test_spans_for_people(seconds: float, text: str) -> None:
    assert _figures.span(seconds) == text
