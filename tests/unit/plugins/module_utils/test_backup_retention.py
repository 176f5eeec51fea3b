from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_retention import plan
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import NOW, entry


def pruned(entries, keep_last=1, keep_days=0, keep_safety_days=0):
    return [found["name"] for found, reasons in plan(entries, NOW, keep_last, keep_days, keep_safety_days) if not reasons]


def test_the_last_ones_and_the_young_ones_are_kept():
    entries = [entry(days) for days in (1, 2, 3, 10)]
    assert pruned(entries, keep_last=2) == ["backup_test_3", "backup_test_10"]
    assert pruned(entries, keep_last=0, keep_days=5) == ["backup_test_10"]


def test_the_newest_verified_one_is_never_pruned():
    entries = [entry(1), entry(50, verified=True), entry(60, verified=True)]
    assert pruned(entries) == ["backup_test_60"]


def test_one_that_was_verified_and_is_bad_now_is_no_floor():
    entries = [entry(1), entry(50, verified=True, bad=True), entry(60, verified=True)]
    assert pruned(entries) == ["backup_test_50"]


def test_keeping_none_keeps_the_newest_sound_one():
    assert pruned([entry(1), entry(2)], keep_last=0) == ["backup_test_2"]


def test_what_was_recovered_is_as_old_as_its_recovery():
    old = dict(entry(100), purpose="recovered", catalogued_at=to_iso(NOW - 86400))
    assert pruned([entry(1), old], keep_safety_days=2) == []
    assert pruned([entry(1), old], keep_safety_days=0.5) == ["backup_test_100"]


def test_bad_ones_do_not_count_as_kept_ones():
    entries = [entry(1, bad=True), entry(2, bad=True), entry(3), entry(4)]
    assert pruned(entries, keep_last=2) == ["backup_test_1", "backup_test_2"]


def test_when_all_are_bad_the_newest_stays():
    assert pruned([entry(1, bad=True), entry(2, bad=True)]) == ["backup_test_2"]


def test_safety_backups_are_kept_by_their_age_and_hold_no_place():
    entries = [entry(1, purpose="safety"), entry(9, purpose="safety", verified=True), entry(2), entry(3)]
    assert pruned(entries, keep_safety_days=7) == ["backup_test_3", "backup_test_9"]


@pytest.mark.parametrize("key", ["database", "environment", "kind"])
def test_each_database_is_counted_by_itself(key):
    assert pruned([entry(1), entry(2, **{key: "other"})]) == []


def test_one_from_the_future_is_kept():
    assert pruned([entry(-1), entry(1)], keep_days=0.5) == ["backup_test_1"]


def test_every_reason_is_told():
    (_entry, reasons) = plan([entry(1, verified=True)], NOW, 1, 14, 7)[0]
    assert reasons == ["younger than 14 days", "one of the last 1", "the newest that was verified", "the newest that is not bad"]


def test_members_stay_as_long_as_their_set():
    members = [entry(9), entry(8, kind="cache")]
    names = [member["name"] for member in members]
    others = [entry(1), entry(2, kind="cache")]
    kept = entry(7, kind="stack", members=names)
    assert pruned([*members, *others, kept]) == []
    reasons = {found["name"]: why for found, why in plan([*members, *others, kept], NOW, 1, 0, 0)}
    assert reasons["backup_test_9"] == reasons["backup_test_8"] == ["part of backup_test_7"]
    newer = entry(3, kind="stack", members=["backup_test_1", "one that nobody lists"])
    assert pruned([*members, *others, kept, newer]) == ["backup_test_7", "backup_test_8", "backup_test_9"]
