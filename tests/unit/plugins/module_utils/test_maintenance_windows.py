from __future__ import annotations

import datetime

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _maintenance_windows as windows
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

NOW = datetime.datetime(2026, 12, 1, 2, 0, tzinfo=datetime.UTC)
NOTHING = {"last_id": 0, "windows": []}


def later(**delta):
    return NOW + datetime.timedelta(**delta)


def asked(**given):
    params = {"starts_at": None, "ends_at": None, "length": None, "title": None, "impact": None, "owner": "ada"} | given
    return windows.request(params)


def announced(known=None, starts=None, **given):
    given = {"length": "40m", "title": "moved", "starts_at": to_iso(starts or later(days=3))} | given
    return windows.plan_announced(NOTHING if known is None else known, asked(**given), NOW)


def test_an_announcement_is_found_again_by_its_start():
    known, window = announced()
    assert window["id"] == 1 and window["announced_at"] == to_iso(NOW) and window["ends_at"] == to_iso(later(days=3, minutes=40))
    known, _window = windows.plan_told(known, 1, {"maintenance_notice": ["chat"]}, NOW)
    again, same = announced(known)
    assert again == known and same["told"] == {"maintenance_notice": ["chat"]}
    # What differs is told anew.
    _known, other = announced(known, length="1h")
    assert other["id"] == 1 and other["told"] == {} and other["ends_at"] == to_iso(later(days=3, hours=1))


def test_two_windows_do_not_meet():
    known, _window = announced()
    with pytest.raises(OpsError, match=r"Another maintenance is announced from .* window 1.* withdraw that one first"):
        announced(known, starts=later(days=3, minutes=30))
    assert announced(known, starts=later(days=3, minutes=40))[1]["id"] == 2


@pytest.mark.parametrize("lacks", ["starts_at", "length", "title"])
def test_an_announcement_says_all(lacks):
    with pytest.raises(OpsError, match="starts_at"):
        announced(**{lacks: None})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"length": "soon"}, "length: 'soon' is no duration"),
        ({"length": "0"}, "at least a second"),
        ({"starts_at": "tomorrow"}, "with its zone"),
        ({"starts_at": "2026-12-01T02:00:00"}, "with its zone"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, words):
    with pytest.raises(OpsError, match=words):
        asked(**given)


def test_a_window_that_is_over_is_not_announced():
    with pytest.raises(OpsError, match="is over"):
        announced(starts=later(hours=-2))


def test_the_announced_one_is_started_and_keeps_its_end():
    known, _window = announced(starts=later(minutes=10))
    _known, window = windows.plan_started(known, asked(), NOW)
    assert window["id"] == 1 and window["started_at"] == to_iso(NOW) and window["ends_at"] == to_iso(later(minutes=50))
    _known, window = windows.plan_started(known, asked(length="20m"), NOW)
    assert window["ends_at"] == to_iso(later(minutes=20)) and window["title"] == "moved"


def test_one_that_is_far_away_is_not_started():
    known, _window = announced()
    with pytest.raises(OpsError, match="No maintenance is announced for now"):
        windows.plan_started(known, asked(), NOW)
    assert windows.plan_started(known, asked(length="5m", title="else"), NOW)[1]["id"] == 2


def started(length="1h", at=NOW):
    return windows.plan_started(NOTHING, asked(length=length, title="moved"), at)[0]


@pytest.mark.parametrize(
    ("minutes", "length", "ends"),
    [(0, "1h", 60), (5, "1h", 60), (7, "1h", 67), (5, None, 60), (5, "2h", 125), (5, "10m", 15), (30, "33m", 60)],
)
def test_the_end_is_moved_when_it_is_not_nearly_as_asked(minutes, length, ends):
    _known, window = windows.plan_started(started(), asked(length=length), later(minutes=minutes))
    assert window["ends_at"] == to_iso(later(minutes=ends)) and window["started_at"] == to_iso(NOW)


def test_the_end_that_the_hosts_were_told_is_taken_to_the_second():
    _known, window = windows.plan_started(NOTHING, asked(length="1h", title="moved", ends_at=to_iso(later(minutes=61))), NOW)
    assert window["ends_at"] == to_iso(later(minutes=61))


def test_it_is_ended_or_has_ended_by_itself():
    known, window = windows.plan_ended(started(), later(minutes=25))
    assert window["ended_by"] == "operator" and windows.lasted(window) == 1500
    assert windows.plan_ended(known, later(minutes=26)) == (known, None)
    known, window = windows.plan_ended(started(), later(hours=3))
    assert window["ended_by"] == "deadline" and windows.lasted(window) == 3600
    assert windows.plan_ended(NOTHING, NOW) == (NOTHING, None)


def test_one_that_did_not_begin_after_all_is_to_come_again():
    known, to_come = announced(starts=later(minutes=10))
    begun = windows.plan_started(known, asked(length="20m"), NOW)[0]
    again, window = windows.plan_withdrawn(begun, 1, None, later(minutes=1))
    assert window == to_come and again == known
    # One that had not begun is as it was, and one that nobody announced is over.
    assert windows.plan_withdrawn(known, 1, None, NOW) == (known, to_come)
    known, window = windows.plan_withdrawn(started(), 1, None, later(minutes=1))
    assert window["ended_by"] == "withdrawn" and windows.public(known["windows"], later(minutes=2)) == []


def test_an_announcement_is_taken_back_by_its_start():
    known, _window = announced()
    gone, window = windows.plan_withdrawn(known, None, later(days=3), NOW)
    assert window["ended_by"] == "withdrawn" and windows.lasted(window) is None and windows.public(gone["windows"], NOW) == []
    assert windows.plan_withdrawn(gone, None, later(days=3), NOW) == (gone, None)
    assert windows.plan_withdrawn(known, None, later(days=4), NOW) == (known, None)
    # Its place is free again, and the other one keeps its number.
    assert announced(gone)[1]["id"] == 2


def test_what_people_have_noticed_is_not_taken_back():
    known = announced(starts=later(minutes=10))[0]
    known = windows.plan_started(known, asked(), NOW)[0]
    with pytest.raises(OpsError, match=r"window 1\) has begun. End it"):
        windows.plan_withdrawn(known, None, later(minutes=10), NOW)
    with pytest.raises(OpsError, match="end that one first"):
        announced(known, starts=later(minutes=15))


def test_the_next_one_notes_that_the_last_one_ended_by_itself():
    known, window = windows.plan_started(started(), asked(length="5m", title="again"), later(hours=2))
    assert window["id"] == 2 and [one["ended_by"] for one in known["windows"]] == ["deadline", None]


def test_what_is_public():
    known, _window = announced(started())
    shown = windows.public(known["windows"], later(minutes=1))
    assert [one["starts_at"] for one in shown] == [to_iso(NOW), to_iso(later(days=3))]
    assert set(shown[0]) == {"title", "impact", "starts_at", "ends_at"}
    assert [one["title"] for one in windows.public(known["windows"], later(hours=2))] == ["moved"]
    assert windows.public(windows.plan_ended(known, later(minutes=5))[0]["windows"], later(minutes=6))[0]["starts_at"] == to_iso(
        later(days=3)
    )


def test_who_has_heard_is_added_up():
    known = windows.plan_told(started(), 1, {"maintenance_started": ["mail"]}, NOW)[0]
    known, window = windows.plan_told(known, 1, {"maintenance_started": ["chat"], "maintenance_completed": ["chat"]}, NOW)
    assert window["told"] == {"maintenance_started": ["chat", "mail"], "maintenance_completed": ["chat"]}
    with pytest.raises(OpsError, match="no window 7"):
        windows.plan_told(known, 7, {}, NOW)


def test_only_the_last_hundred_are_kept():
    known = NOTHING
    for number in range(105):
        at = later(hours=number)
        known = windows.plan_started(known, asked(length="10m", title="moved"), at)[0]
        known = windows.plan_ended(known, at + datetime.timedelta(minutes=5))[0]
    assert len(known["windows"]) == windows.KEPT and known["last_id"] == 105


def test_a_file_that_is_damaged_is_said_to_be(tmp_path):
    path = tmp_path / "maintenance.json"
    path.write_text('{"last_id": 1, "windows": [{}]}')
    with pytest.raises(OpsError, match=r"The windows in .*maintenance.json cannot be read"):
        windows.WindowFile(str(path)).read()
    assert windows.WindowFile(str(tmp_path / "none.json")).read() == NOTHING
