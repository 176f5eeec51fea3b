from __future__ import annotations

import datetime
import json
import multiprocessing
import os

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _freeze
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import incidents

FORK = multiprocessing.get_context("fork")
NOW = from_iso("2026-12-24T12:00:00Z")
NOTHING = {"last_id": 0, "freezes": []}


def at(text):
    return from_iso(text)


def hours(number):
    return datetime.timedelta(hours=number)


def asked(now=NOW, **more):
    params = {"starts_at": None, "ends_at": None, "duration": None, "reason": "Christmas", "owner": "ada"}
    return _freeze.request({**params, **more}, now)


def window(number=1, starts_at="2026-12-24T10:00:00.000Z", ends_at="2026-12-26T10:00:00.000Z", reason="Christmas", owner="ada"):
    return {"id": number, "starts_at": starts_at, "ends_at": ends_at, "reason": reason, "owner": owner}


# -- windows that people set


def test_a_freeze_starts_now_and_ends_after_its_duration():
    known, found = _freeze.plan_present(NOTHING, asked(duration="24h"), NOW)
    assert found == window(starts_at="2026-12-24T12:00:00.000Z", ends_at="2026-12-25T12:00:00.000Z")
    assert known == {"last_id": 1, "freezes": [found]}


def test_a_freeze_asked_for_again_is_prolonged_only_when_much_of_it_is_gone():
    known, found = _freeze.plan_present(NOTHING, asked(duration="24h"), NOW)
    for passed, prolonged in ((0, False), (2.4, False), (2.5, True), (23.9, True)):
        then = NOW + hours(passed)
        after, again = _freeze.plan_present(known, asked(then, duration="24h"), then)
        assert (again["ends_at"] != found["ends_at"]) == prolonged
        assert (after != known) == prolonged
        assert again["id"] == 1
        assert not prolonged or again["ends_at"] == to_iso(then + hours(24))
    # Never shortened.
    assert _freeze.plan_present(known, asked(duration="1h"), NOW)[0] == known


def test_a_freeze_with_an_end_gets_that_end():
    known, _found = _freeze.plan_present(NOTHING, asked(ends_at="2026-12-28T06:00:00Z"), NOW)
    assert _freeze.plan_present(known, asked(ends_at="2026-12-28T06:00:00Z"), NOW + hours(20))[0] == known
    after, changed = _freeze.plan_present(known, asked(ends_at="2026-12-27T06:00:00+01:00"), NOW)
    assert changed["ends_at"] == "2026-12-27T05:00:00.000Z"
    assert [found["id"] for found in after["freezes"]] == [1]


def test_a_freeze_with_a_start_is_found_again_by_it():
    new_year = {"starts_at": "2026-12-31T00:00:00Z", "duration": "2d", "reason": "Christmas"}
    known, first = _freeze.plan_present(NOTHING, asked(duration="24h"), NOW)
    known, second = _freeze.plan_present(known, asked(**new_year), NOW)
    assert (first["id"], second["id"]) == (1, 2)
    assert second["ends_at"] == "2027-01-02T00:00:00.000Z"
    assert _freeze.plan_present(known, asked(**new_year), NOW + hours(100))[1] == second
    assert [found["id"] for found in known["freezes"]] == [1, 2]


def test_numbers_are_not_given_twice_and_what_is_over_is_forgotten():
    known, _first = _freeze.plan_present(NOTHING, asked(duration="1h"), NOW)
    then = NOW + hours(2)
    after, second = _freeze.plan_present(known, asked(then, duration="1h"), then)
    assert after == {"last_id": 2, "freezes": [second]}
    after, lifted = _freeze.plan_absent(after, None, then)
    assert (after, lifted) == ({"last_id": 2, "freezes": []}, [second])


def test_lifting_takes_what_is_in_force_or_the_one_that_is_named():
    upcoming = window(2, "2026-12-31T00:00:00.000Z", "2027-01-02T00:00:00.000Z")
    known = {"last_id": 2, "freezes": [window(), upcoming]}
    assert _freeze.plan_absent(known, None, NOW) == ({"last_id": 2, "freezes": [upcoming]}, [window()])
    assert _freeze.plan_absent(known, 2, NOW) == ({"last_id": 2, "freezes": [window()]}, [upcoming])
    assert _freeze.plan_absent(known, 7, NOW) == (known, [])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"duration": "soon"}, "'soon' is no duration"),
        ({"duration": "9999999999d"}, "duration of the freeze"),
        ({"starts_at": "tomorrow", "duration": "1h"}, "starts_at is 'tomorrow': write a time with its zone"),
        ({"ends_at": "2026-12-24"}, "ends_at is '2026-12-24': write a time with its zone"),
        ({"ends_at": "2026-12-24T18:00:00"}, "with its zone"),
    ],
)
def test_a_time_that_means_nothing_is_refused(more, words):
    with pytest.raises(OpsError, match=words):
        asked(**more)


@pytest.mark.parametrize(
    "more",
    [
        {"duration": "0"},
        {"ends_at": "2026-12-24T12:00:00Z"},
        {"starts_at": "2026-12-20T00:00:00Z", "duration": "1h"},
        {"starts_at": "2026-12-26T00:00:00Z", "ends_at": "2026-12-25T00:00:00Z"},
    ],
)
def test_a_freeze_that_would_never_be_in_force_is_refused(more):
    with pytest.raises(OpsError, match="would never be in force"):
        _freeze.plan_present(NOTHING, asked(**more), NOW)


def test_the_file_is_written_whole_and_only_when_something_changes(tmp_path):
    file = _freeze.FreezeFile(str(tmp_path / "lock" / "freezes.json"))
    assert file.read() == NOTHING

    def plan(known):
        return _freeze.plan_present(known, asked(duration="24h"), NOW)

    before, after, found = file.change(plan, write=False)
    assert (before, after["freezes"]) == (NOTHING, [found])
    assert not os.path.exists(os.path.dirname(file.path))
    file.change(plan)
    assert file.read() == after
    written = os.stat(file.path)
    assert written.st_mode & 0o777 == 0o600
    file.change(plan)
    assert os.stat(file.path).st_mtime_ns == written.st_mtime_ns


def freeze_once(path, number, start):
    start.wait()
    request = {**asked(duration="24h"), "reason": "number {0}".format(number)}
    _freeze.FreezeFile(path).change(lambda known: _freeze.plan_present(known, request, NOW))


def test_many_who_freeze_at_once_lose_nothing(tmp_path):
    path, start = str(tmp_path / "freezes.json"), FORK.Event()
    processes = [FORK.Process(target=freeze_once, args=(path, number, start)) for number in range(20)]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    known = _freeze.FreezeFile(path).read()
    assert sorted(found["id"] for found in known["freezes"]) == list(range(1, 21))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nothing",
        "[]",
        "null",
        "{}",
        '{"last_id": "1", "freezes": []}',
        '{"last_id": 1, "freezes": 5}',
        '{"last_id": 1, "freezes": [{"id": 1}]}',
        json.dumps({"last_id": 1, "freezes": [window("1")]}),
        json.dumps({"last_id": 1, "freezes": [window(ends_at="soon")]}),
        json.dumps({"last_id": 1, "freezes": [window(ends_at=5)]}),
    ],
)
def test_a_file_that_cannot_be_read_holds_back_and_says_what_to_do(tmp_path, content):
    path = tmp_path / "freezes.json"
    path.write_text(content)
    with pytest.raises(OpsError, match=r"freezes.json cannot be read .*delete it and try again"):
        _freeze.FreezeFile(str(path)).read()
    freezes = _freeze.Freezes(str(path), [], str(tmp_path / "incidents"))
    (refusal,) = freezes.refusals("deploy", NOW)
    assert refusal["guard"] == "freeze"
    assert "cannot be read" in refusal["fact"]
    assert freezes.refusals("rollback", NOW) == []
    assert freezes.public(NOW)["unreadable"] == [refusal["fact"]]


# -- windows of every week


def weekly(starts="fri 16:00", ends="mon 08:00", timezone="UTC", reason="weekend"):
    return {"starts": starts, "ends": ends, "timezone": timezone, "reason": reason}


@pytest.mark.parametrize(
    ("moment", "ends_at"),
    [
        ("2026-12-04T15:59:59Z", None),  # a Friday
        ("2026-12-04T16:00:00Z", "2026-12-07T08:00:00.000Z"),
        ("2026-12-06T23:59:00Z", "2026-12-07T08:00:00.000Z"),
        ("2026-12-07T07:59:59Z", "2026-12-07T08:00:00.000Z"),
        ("2026-12-07T08:00:00Z", None),
    ],
)
def test_a_weekend_goes_over_the_end_of_the_week(moment, ends_at):
    found = _freeze.weekly_end(weekly(), at(moment))
    assert (to_iso(found) if found else None) == ends_at


@pytest.mark.parametrize(
    ("moment", "frozen"), [("2026-12-02T23:59:00Z", True), ("2026-12-03T00:00:00Z", False), ("2026-12-01T12:00:00Z", False)]
)
def test_a_day_ends_at_24(moment, frozen):
    assert bool(_freeze.weekly_end(weekly("wed 00:00", "wed 24:00"), at(moment))) == frozen


def test_sunday_ends_at_24_too():
    found = _freeze.weekly_end(weekly("sun 20:00", "sun 24:00"), at("2026-12-06T21:00:00Z"))
    assert to_iso(found) == "2026-12-07T00:00:00.000Z"


def test_a_window_that_ends_where_it_starts_is_the_whole_week():
    assert to_iso(_freeze.weekly_end(weekly("mon 08:00", "mon 08:00"), at("2026-12-07T08:00:00Z"))) == "2026-12-14T08:00:00.000Z"


def test_a_weekly_window_follows_the_clock_on_the_wall():
    berlin = weekly(timezone="Europe/Berlin")
    assert _freeze.weekly_end(berlin, at("2026-12-04T14:59:00Z")) is None
    assert to_iso(_freeze.weekly_end(berlin, at("2026-12-04T15:00:00Z"))) == "2026-12-07T07:00:00.000Z"
    # The weekend on which summer time begins is an hour shorter.
    assert to_iso(_freeze.weekly_end(berlin, at("2027-03-26T15:00:00Z"))) == "2027-03-29T06:00:00.000Z"


@pytest.mark.parametrize("text", ["", "fri", "friday 16:00", "Fri 16:00", "fri 25:00", "fri 24:30", "fri 16:60", "fri 4:00", "fri 16:00 "])
def test_a_weekly_time_that_means_nothing_is_refused(text):
    with pytest.raises(OpsError, match="write a day and a time, for example fri 16:00"):
        _freeze.weekly_end(weekly(ends=text), NOW)


@pytest.mark.parametrize("name", ["Berlin/Europe", "", "../../etc/passwd", "/etc/localtime"])
def test_an_unknown_time_zone_is_refused(name):
    with pytest.raises(OpsError, match="is not known on this host"):
        _freeze.weekly_end(weekly(timezone=name), NOW)


def test_what_cannot_be_read_of_incidents_holds_back():
    (refusal,) = _freeze.refusals("deploy", NOW, [], [], [], ["/incidents/2026-001/incident.json"])
    assert refusal["guard"] == "incident"
    assert "/incidents/2026-001/incident.json" in refusal["fact"]
    assert "ops_override: [incident]" in refusal["remedy"]


# -- the judge


def test_a_refusal_names_the_fact_the_limit_and_the_override():
    (refusal,) = _freeze.refusals("deploy", NOW, [window()], [], [])
    assert refusal == {
        "guard": "freeze",
        "fact": "deploy is frozen until 2026-12-26T10:00:00.000Z (Christmas, by ada, freeze 1).",
        "remedy": "Wait until then; if it cannot wait, ops_override: [freeze] with ops_reason passes.",
    }
    (refusal,) = _freeze.refusals("deploy", at("2026-12-05T12:00:00Z"), [], [weekly()], [])
    assert refusal["fact"] == "deploy is frozen until 2026-12-07T08:00:00.000Z (weekend, every week from fri 16:00 to mon 08:00 UTC)."
    incident = {"id": "2026-001", "severity": "SEV-1", "status": "investigating", "title": "logins fail"}
    (refusal,) = _freeze.refusals("deploy", NOW, [], [], [incident])
    assert refusal["guard"] == "incident"
    assert refusal["fact"] == "SEV-1 incident 2026-001 is open (logins fail; investigating): until it is resolved, deploy is held back."


@pytest.mark.parametrize(
    ("moment", "count"),
    [("2026-12-24T09:59:59.999Z", 0), ("2026-12-24T10:00:00Z", 1), ("2026-12-26T09:59:59.999Z", 1), ("2026-12-26T10:00:00Z", 0)],
)
def test_a_window_includes_its_start_and_not_its_end(moment, count):
    assert len(_freeze.refusals("deploy", at(moment), [window()], [], [])) == count


def test_everything_that_holds_back_is_found_about_the_lock(tmp_path):
    incident = incidents.write(tmp_path / "incidents")
    incidents.write(tmp_path / "incidents", "2026-003", severity="SEV-3")
    (tmp_path / "lock").mkdir()
    (tmp_path / "lock" / "freezes.json").write_text(json.dumps({"last_id": 2, "freezes": [window(), window(2, reason="", owner="bob")]}))
    options = {"path": str(tmp_path / "lock" / "operation.json"), "freezes_path": None, "incidents_path": None}
    freezes = _freeze.Freezes.of({**options, "freeze_weekly": [weekly("thu 11:00", "thu 13:00", reason="")]})
    assert [refusal["guard"] for refusal in freezes.refusals("deploy", NOW)] == ["freeze", "freeze", "freeze", "incident"]
    assert freezes.refusals("rollback", NOW) == []
    public = freezes.public(NOW - hours(3))
    assert [found["active"] for found in public["freezes"]] == [False, False]
    assert (public["weekly_freezes"][0]["active"], public["weekly_freezes"][0]["ends_at"]) == (False, None)
    assert public["incidents"] == [incident]
    lines = freezes.lines(NOW)
    assert lines[0] == "frozen from 2026-12-24T10:00:00.000Z until 2026-12-26T10:00:00.000Z: Christmas (by ada, freeze 1)"
    assert "no reason was given" in lines[1]
    assert lines[2] == "frozen every week from thu 11:00 to thu 13:00 UTC: no reason was given"
    assert lines[3] == "SEV-1 incident 2026-001 is open (investigating): logins fail"
    elsewhere = _freeze.Freezes.of(
        {**options, "freezes_path": str(tmp_path / "x"), "incidents_path": str(tmp_path / "y"), "freeze_weekly": []}
    )
    assert elsewhere.refusals("deploy", NOW) == []
