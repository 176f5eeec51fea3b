from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._names import unknown

KNOWN = {"release_version", "release_emergency", "ops_reason", "ops_operator", "ops_override"}
PREFIXES = ["release_", "ops_"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("release_verison", "release_version"),
        ("release_versoin", "release_version"),
        ("ops_reasons", "ops_reason"),
        ("ops_overrides", "ops_override"),
        ("release_zzzzqqqq_xxxx", None),
    ],
)
def test_a_misspelt_name_is_found_with_the_one_that_was_meant(name, nearest):
    assert unknown([name, "release_version"], KNOWN, PREFIXES) == [(name, nearest)]


def test_what_is_known_and_what_is_not_ours_passes():
    assert unknown({"release_version": 1, "releases": 2, "awx_user_name": 3, "ansible_facts": 4, "my_release_x": 5}, KNOWN, PREFIXES) == []
    assert unknown([], KNOWN, PREFIXES) == []
    assert unknown(["release_x"], KNOWN, []) == []


def test_the_findings_are_sorted():
    found = unknown({"release_b": 0, "ops_z": 0, "release_a": 0}, KNOWN, PREFIXES)
    assert [name for name, _nearest in found] == ["ops_z", "release_a", "release_b"]
