# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _outcome

GOOD = {"verdict": "pass", "changed": True, "summary": "v2 is live.", "evidence": {"live": "v2"}, "before": {"release": "v1"}}
BAD = {"verdict": "fail", "changed": True, "summary": "v2 was taken back.", "next": "Look at its logs.", "evidence": {"soak": "fail"}}


def test_one_host_speaks_for_itself():
    result = _outcome.combine({"app-1": GOOD})
    assert result == dict(GOOD, next="", after={})


def test_the_worst_host_decides_and_comes_first():
    result = _outcome.combine({"app-1": GOOD, "app-2": BAD})
    assert result["verdict"] == "fail"
    assert result["summary"] == "app-2: v2 was taken back. app-1: v2 is live."
    assert result["next"] == "Look at its logs."
    assert result["evidence"] == {"app-1": {"live": "v2"}, "app-2": {"soak": "fail"}}
    assert result["before"] == {"app-1": {"release": "v1"}}


def test_what_all_say_is_said_once():
    result = _outcome.combine({"app-1": GOOD, "app-2": GOOD})
    assert (result["summary"], result["evidence"], result["before"]) == ("v2 is live.", {"live": "v2"}, {"release": "v1"})


def test_a_host_that_says_nothing_failed():
    result = _outcome.combine({"app-1": GOOD, "app-2": {}})
    assert result["verdict"] == "fail"
    assert "app-2: It gave no answer." in result["summary"]
    assert result["next"]


def test_after_a_refusal_silence_means_nothing():
    refused = {"verdict": "refused", "changed": False, "summary": "deploy was refused: locked."}
    result = _outcome.combine({"app-1": refused, "app-2": {}})
    assert (result["verdict"], result["summary"], result["changed"]) == ("refused", "deploy was refused: locked.", False)


def test_tables_of_several_hosts_stand_one_below_the_other():
    one = {"verdict": "pass", "summary": ["a", "b"]}
    other = {"verdict": "pass", "summary": ["c"]}
    assert _outcome.combine({"app-1": one, "app-2": other})["summary"] == ["app-1:", "a", "b", "app-2:", "c"]


@pytest.mark.parametrize("verdict", _outcome.VERDICTS)
def test_a_host_without_a_summary_is_known_by_its_verdict(verdict):
    assert _outcome.combine({"app-1": {"verdict": verdict}})["summary"] == verdict


def test_no_host_no_outcome():
    with pytest.raises(ValueError):
        _outcome.combine({})
