from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import exclusive
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import NOW, entry

MOMENT = datetime(2023, 12, 15, 2, 0, 0, tzinfo=UTC)


def test_the_name_is_the_runbooks():
    assert catalogues.backup_name("production", MOMENT) == "backup_production_20231215_020000"
    assert catalogues.backup_name("production", MOMENT, "safety") == "safety_production_20231215_020000"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("backup_test_20261124_115959", True),
        ("safety_test_20261124_115959", True),
        ("backup_test_20261124_105959", False),  # of the hour before
        ("backup_test_20261124_120001", False),  # not yet
        ("backup_test_20261324_115959", False),
        ("backup_test_0.1", False),  # listed
        ("latest", False),
    ],
)
def test_a_name_that_check_mode_gave_stands_for_a_backup_to_come(name, expected):
    assert catalogues.may_be_next([entry(0.1)], name, NOW) is expected
    assert not catalogues.may_be_next([entry(0)], name, NOW)


@pytest.mark.parametrize("environment", ["", "../etc", "a/b", "a b", ".hidden", "a_b"])
def test_an_environment_that_is_no_part_of_a_name_is_refused(environment):
    with pytest.raises(OpsError, match="no name of an environment"):
        catalogues.backup_name(environment, MOMENT)


def test_latest_is_the_newest_ordinary_one_that_is_not_bad():
    entries = [entry(3), entry(2), entry(1, bad=True), entry(0.5, purpose="safety")]
    assert catalogues.find(entries, "latest", "database")["name"] == "backup_test_2"


def test_latest_is_asked_for_one_environment_and_database():
    entries = [entry(3, database="other"), entry(4)]
    assert catalogues.latest(entries, "database", "test", "shop")["name"] == "backup_test_4"
    assert catalogues.latest(entries, "database", "elsewhere") is None
    assert catalogues.latest(entries, "cache") is None


def test_without_a_sound_one_the_bad_ones_are_named():
    with pytest.raises(OpsError, match=r"all of them are marked bad \(backup_test_1\)"):
        catalogues.find([entry(1, bad=True)], "latest", "database")
    with pytest.raises(OpsError, match="lists no ordinary database backup"):
        catalogues.find([], "latest", "database")


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(OpsError, match="There are, for example: backup_test_1"):
        catalogues.find([entry(1)], "backup_tset_1", "database")
    with pytest.raises(OpsError, match="It is empty"):
        catalogues.find([], "backup_test_1", "database")


def test_a_bad_one_and_a_safety_one_are_found_by_name():
    assert catalogues.find([entry(1, bad=True)], "backup_test_1", "database")["bad"]


def check(verdict, *findings):
    return {"at": "2026-11-24T12:00:00.000Z", "verdict": verdict, "findings": list(findings)}


def test_what_fails_is_bad_and_who_restores_it_all_the_same_lifts_that():
    found = entry(1)
    catalogues.record_check(found, "checksum", check("fail", "a hash differs."))
    assert found["bad"]["reason"] == "a hash differs." and found["bad"]["level"] == "checksum"
    catalogues.record_check(found, "restore", check("pass"))
    assert found["bad"] is None and catalogues.is_verified(found)


def test_a_restore_that_failed_is_not_made_good_by_hashes():
    found = entry(1)
    catalogues.record_check(found, "restore", check("fail", "rows are missing."))
    catalogues.record_check(found, "checksum", check("pass"))
    assert found["bad"] and not catalogues.is_verified(found) and not catalogues.passed(found, "checksum")


def test_only_a_restore_makes_it_verified():
    found = entry(1)
    catalogues.record_check(found, "checksum", check("pass"))
    assert catalogues.passed(found, "checksum") and not catalogues.is_verified(found)
    assert catalogues.passed(entry(1, verified=True), "checksum")


def test_changes_are_written_and_a_failure_writes_nothing(tmp_path):
    catalogue = catalogues.Catalogue(str(tmp_path))
    with catalogue.changing() as entries:
        entries.append(entry(1))
    before = (tmp_path / "catalog.json").read_text()
    with pytest.raises(ZeroDivisionError), catalogue.changing() as entries:
        entries.clear()
        raise ZeroDivisionError
    assert (tmp_path / "catalog.json").read_text() == before
    assert [found["name"] for found in catalogue.read()] == ["backup_test_1"]
    assert (tmp_path / "catalog.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 1, "backups": [{}]}', '{"version": 1, "backups": 3}'])
def test_a_damaged_catalogue_is_refused_and_says_what_helps(tmp_path, text):
    (tmp_path / "catalog.json").write_text(text)
    with pytest.raises(OpsError, match=r"is damaged.*Move it away"):
        catalogues.Catalogue(str(tmp_path)).read()


def test_a_newer_catalogue_is_left_alone(tmp_path):
    (tmp_path / "catalog.json").write_text(json.dumps({"version": 99, "backups": []}))
    with pytest.raises(OpsError, match="newer version"):
        catalogues.Catalogue(str(tmp_path)).read()


def test_folders_without_an_entry_and_entries_without_a_folder(tmp_path):
    catalogue = catalogues.Catalogue(str(tmp_path))
    for name in ("backup_test_1", "backup_lost", ".partial-backup_x"):
        (tmp_path / name).mkdir()
    assert catalogue.strays([entry(1), entry(2)]) == (["backup_lost"], ["backup_test_2"])
    assert catalogue.folders()[1] == [".partial-backup_x"]
    assert catalogues.Catalogue(str(tmp_path / "nowhere")).folders() == ([], [])


def test_two_at_once_are_one_too_many(tmp_path):
    catalogue = catalogues.Catalogue(str(tmp_path))
    with catalogue.alone("backup"):
        with catalogue.alone("verification"):
            pass
        with pytest.raises(OpsError, match="Another backup is under way"), catalogue.alone("backup"):
            pass
    with catalogue.alone("backup"):
        pass


def test_what_is_told_of_the_entries_is_told_before_somebody_else_changes_them(tmp_path):
    catalogue, told = catalogues.Catalogue(str(tmp_path)), []

    def tell(entries):
        assert catalogue.read() == entries
        with pytest.raises(TimeoutError), exclusive(catalogue.path + ".lock", timeout=0.0):
            pass
        told.append(len(entries))

    with catalogue.changing(tell) as entries:
        entries.append(entry(1))
    assert told == [1]


def test_in_check_mode_a_folder_that_is_taken_is_refused_as_in_the_run_and_nothing_is_made(tmp_path):
    catalogue = catalogues.Catalogue(str(tmp_path))
    catalogue.demand_free("backup")
    assert list(tmp_path.iterdir()) == []
    with catalogue.alone("backup"):
        with pytest.raises(OpsError, match="Another backup is under way"):
            catalogue.demand_free("backup")
        catalogue.demand_free("verification")
    catalogue.demand_free("backup")
