from __future__ import annotations

import datetime
import json
import multiprocessing
import os
import stat

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _incident, _incidents
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.incidents import NOW, Said, later, opened, write

FORK = multiprocessing.get_context("fork")


def read(folder):
    """The only incident of a folder."""
    (kept,), unreadable = IncidentFiles(str(folder)).read()
    assert not unreadable
    return kept


# -- opening


def test_an_incident_is_opened_and_the_guard_sees_it(tmp_path):
    said = opened(tmp_path / "incidents", impact="a third of all logins", people={"commander": "ada"}, note="on it", next_update="30m")
    assert said.before is None and said.entry["kind"] == "opened" and said.entry["note"] == "on it"
    assert said.after["id"] == "2026-0001" and said.after["status"] == "investigating" and said.after["opened_by"] == "ada"
    assert said.after["people"] == {"commander": "ada"} and said.after["next_update_at"] == "2026-11-23T19:17:00.000Z"
    assert said.after["started_at"] == said.after["opened_at"] == said.after["updated_at"] == "2026-11-23T18:47:00.000Z"
    known = {"id": "2026-0001", "severity": "SEV-2", "status": "investigating", "title": "logins fail"}
    assert _incidents.read(str(tmp_path / "incidents")) == ([known], [])
    assert read(tmp_path / "incidents").record == said.after


def test_what_is_written_is_the_owners_only(tmp_path):
    before = os.umask(0)
    try:
        opened(tmp_path / "incidents")
    finally:
        os.umask(before)
    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {
        "incidents": 0o700,
        "incidents/.mutex": 0o600,
        "incidents/2026-0001": 0o700,
        "incidents/2026-0001/incident.json": 0o600,
        "incidents/2026-0001/timeline.jsonl": 0o600,
    }


def test_opening_again_is_no_change_and_a_worse_severity_is_taken(tmp_path):
    first = opened(tmp_path, note="on it")
    again = opened(tmp_path, "  Logins   FAIL ", note="on it, too", impact="another", operator="grace", now=later(minutes=1))
    assert not again.changed and again.after == first.after
    assert not opened(tmp_path, severity="SEV-3").changed
    worse = opened(tmp_path, severity="SEV-1", note="all of them", now=later(minutes=2))
    assert worse.after["severity"] == "SEV-1" and worse.after["severity_at"] == "2026-11-23T18:49:00.000Z"
    assert worse.entry["note"] == "all of them" and worse.after["impact"] == first.after["impact"]


def test_ids_are_in_the_order_of_opening(tmp_path):
    (tmp_path / "2026-0007").mkdir()
    write(tmp_path, "2025-9999", status="resolved")
    assert opened(tmp_path).after["id"] == "2026-0008"
    assert opened(tmp_path, "drafts hang").after["id"] == "2026-0009"
    assert opened(tmp_path, "new year", now=NOW.replace(year=2027)).after["id"] == "2027-0001"


def test_one_that_was_resolved_is_opened_anew_or_again(tmp_path):
    opened(tmp_path)
    Said(tmp_path, "resolved", now=later(minutes=30))
    assert opened(tmp_path, now=later(hours=1)).after["id"] == "2026-0002"
    again = Said(tmp_path, "open", id="2026-0001", now=later(hours=2))
    assert again.entry["kind"] == "reopened" and again.after["status"] == "investigating"
    assert again.after["resolved_at"] is None and again.after["mitigated_at"] is None
    assert not Said(tmp_path, "open", id="2026-0001", note="and again").changed


@pytest.mark.parametrize(
    "options", [{"title": " ", "severity": "SEV-1"}, {"title": "x" * 201, "severity": "SEV-1"}, {"title": "x"}, {"severity": "SEV-1"}]
)
def test_what_is_not_enough_to_open_one_is_refused(tmp_path, options):
    with pytest.raises(OpsError, match="Nothing was written"):
        Said(tmp_path / "incidents", "open", **options)


# -- updating


def test_an_update_changes_what_is_given_and_the_same_again_is_no_change(tmp_path):
    opened(tmp_path, people={"commander": "ada", "scribe": "grace"}, references={"ticket": "OPS-1"})
    options = {
        "severity": "SEV-1",
        "status": "identified",
        "cause": "the pool",
        "conditions": ["database", "data_loss", "database"],
        "people": {"scribe": "", "communications": "mary", "commander": None},
        "references": {"pagerduty": "Q1"},
        "acknowledged_by": "ada",
        "note": "we go back",
        "announcement": "It will be over soon.",
        "actions": [{"title": "Alert earlier", "owner": "grace", "due": "2026-12-24"}],
    }
    said = Said(tmp_path, "updated", now=later(minutes=5), **options)
    after = said.after
    assert after["people"] == {"commander": "ada", "communications": "mary"}
    assert after["references"] == {"ticket": "OPS-1", "pagerduty": "Q1"}
    assert after["conditions"] == ["data_loss", "database"]
    assert after["acknowledged_at"] == after["severity_at"] == after["updated_at"] == "2026-11-23T18:52:00.000Z"
    assert after["actions"] == [{"id": 1, "title": "Alert earlier", "owner": "grace", "due": "2026-12-24", "done_at": None}]
    again = Said(tmp_path, "updated", now=later(minutes=6), **options)
    assert not again.changed and again.after == after
    done = Said(tmp_path, "updated", now=later(minutes=7), actions=[{"title": "alert EARLIER", "done": True}, {"title": "Rest"}]).after
    assert [(action["id"], action["title"], action["owner"]) for action in done["actions"]] == [
        (1, "Alert earlier", "grace"),
        (2, "Rest", ""),
    ]
    assert done["actions"][0]["done_at"] == "2026-11-23T18:54:00.000Z"
    assert not Said(tmp_path, "updated", now=later(minutes=8), actions=[{"title": "Alert earlier", "done": True}]).changed
    assert not Said(tmp_path, "updated", now=later(minutes=8), note="we go back", announcement="It will be over soon.").changed
    other = Said(tmp_path, "updated", now=later(minutes=8), operator="grace", acknowledged_by="grace", note="we go back")
    assert other.entry["by"] == "grace" and other.after["acknowledged_by"] == "ada"


def test_mitigated_is_when_it_is_monitored_until_it_is_not(tmp_path):
    opened(tmp_path)
    assert Said(tmp_path, "updated", status="monitoring", now=later(minutes=9)).after["mitigated_at"] == "2026-11-23T18:56:00.000Z"
    assert Said(tmp_path, "updated", status="investigating", now=later(minutes=10)).after["mitigated_at"] is None
    Said(tmp_path, "updated", status="monitoring", now=later(minutes=20), next_update="1h")
    after = Said(tmp_path, "resolved", now=later(minutes=50), resolution="rolled back").after
    assert (after["mitigated_at"], after["resolved_at"]) == ("2026-11-23T19:07:00.000Z", "2026-11-23T19:37:00.000Z")
    assert after["next_update_at"] is None
    times = _incident.times_of(after, later(days=2))
    assert (times["seconds_to_mitigate"], times["seconds_to_resolve"], times["seconds"]) == (1200, 3000, 3000)
    assert times["seconds_to_acknowledge"] is None


def test_one_that_is_opened_as_mitigated_is(tmp_path):
    after = opened(tmp_path, status="monitoring").after
    assert after["mitigated_at"] == after["opened_at"] == after["severity_at"]


def test_resolving_again_is_no_change_and_without_an_open_one_there_is_nothing_to_do(tmp_path):
    assert not Said(tmp_path / "none", "resolved").changed and not Said(tmp_path, "resolved", write=False).changed
    opened(tmp_path)
    assert Said(tmp_path, "resolved", resolution="rolled back", note="over").entry["kind"] == "resolved"
    assert not Said(tmp_path, "resolved", resolution="rolled back", note="over").changed
    again = Said(tmp_path, "resolved", id="2026-0001", resolution="rolled back", note="over", now=later(days=1))
    assert not again.changed and again.after["resolved_at"] == "2026-11-23T18:47:00.000Z"


def test_it_must_be_clear_which_is_meant(tmp_path):
    with pytest.raises(OpsError, match="No incident is open"):
        Said(tmp_path, "updated", note="hello")
    opened(tmp_path)
    opened(tmp_path, "drafts hang")
    with pytest.raises(OpsError, match=r"2 incidents are open \(2026-0001: logins fail; 2026-0002: drafts hang\)"):
        Said(tmp_path, "updated", note="hello")
    with pytest.raises(OpsError, match="There is no incident 2026-0003"):
        Said(tmp_path, "updated", id="2026-0003", note="hello")
    for name in ("../2026-0001", "", ".", "a/b", "-x"):
        with pytest.raises(OpsError):
            Said(tmp_path, "updated", id=name or " ", note="hello")
    assert Said(tmp_path, "updated", id="2026-0002", note="hello").after["title"] == "drafts hang"


@pytest.mark.parametrize(
    "options",
    [
        {"conditions": ["Data loss"]},
        {"next_update": "soon"},
        {"started_at": "2026-11-23T18:00:00"},
        {"actions": [{"title": "x", "due": "tomorrow"}]},
        {"actions": [{"title": "x", "due": "2026-02-30"}]},
    ],
)
def test_what_means_nothing_is_refused(tmp_path, options):
    opened(tmp_path)
    with pytest.raises(OpsError, match="Nothing was written"):
        Said(tmp_path, "updated", **options)


def test_no_secret_is_written(tmp_path):
    secret = "hunter2" * 2
    opened(tmp_path, f"logins of postgres://astral:{secret}@db fail", note=f"password={secret}", references={"token": secret})
    Said(tmp_path, "updated", cause=f"api_key: {secret}", resolution=f"https://{secret}@sentry.io/1")
    texts = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert secret not in texts and "logins of postgres://astral" in texts


# -- check mode, and what a crash leaves


def test_check_mode_says_the_same_and_writes_nothing(tmp_path):
    folder = tmp_path / "incidents"
    check = opened(folder, write=False)
    assert not folder.exists()
    assert opened(folder).after == check.after
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    check = Said(folder, "updated", note="hello", write=False)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert Said(folder, "updated", note="hello").after == check.after


def test_what_is_in_the_timeline_only_is_not_lost(tmp_path):
    opened(tmp_path)
    path = tmp_path / "2026-0001" / "incident.json"
    before = path.read_text()
    Said(tmp_path, "updated", severity="SEV-1", note="all of them")
    after = read(tmp_path).record
    path.write_text(before)  # killed between the two files
    kept = read(tmp_path)
    assert kept.behind and kept.record == after
    Said(tmp_path, "updated", note="all of them")  # nothing new, but for the file
    assert json.loads(path.read_text()) == after
    for damage in (path.unlink, lambda: path.write_text("{ torn"), lambda: path.write_text("[]")):
        damage()
        assert read(tmp_path).record == after
        Said(tmp_path, "updated", severity="SEV-1")
        assert json.loads(path.read_text()) == after


def test_a_torn_line_of_the_timeline_is_named_and_stays_alone(tmp_path):
    opened(tmp_path)
    with open(tmp_path / "2026-0001" / "timeline.jsonl", "a") as stream:
        stream.write('{"revision": 2, "cha')
    Said(tmp_path, "updated", note="hello")
    kept = read(tmp_path)
    assert kept.damaged == [2] and [entry["revision"] for entry in kept.entries] == [1, 2]


@pytest.mark.parametrize("content", ["", "{}", "{ torn", '{"id": "2026-0001", "severity": "SEV-1", "status": "monitoring"}'])
def test_what_cannot_be_read_is_named_and_the_others_go_on(tmp_path, content):
    write(tmp_path, "2026-0001")
    (tmp_path / "2026-0001" / "incident.json").write_text(content)
    assert opened(tmp_path).after["id"] == "2026-0002"
    kept, unreadable = IncidentFiles(str(tmp_path)).read()
    assert [one.record["id"] for one in kept] == ["2026-0002"]
    with pytest.raises(OpsError, match="The incident 2026-0001 cannot be read"):
        Said(tmp_path, "updated", id="2026-0001", note="hello")
    assert unreadable == [str(tmp_path / "2026-0001" / "incident.json")]


def test_a_record_of_another_hand_is_taken_as_it_is(tmp_path):
    write(tmp_path, "INC-1", extra="left out")
    said = Said(tmp_path, "updated", note="hello", people={"scribe": "ada"})
    assert said.after["id"] == "INC-1" and said.after["severity"] == "SEV-1" and said.after["revision"] == 1


# -- at the same time


def _update(folder, number):
    operator = f"operator-{number}"
    for turn in range(10):
        Said(
            folder,
            "updated",
            operator=operator,
            note=f"note {turn}",
            actions=[{"title": f"{operator} {turn}"}],
            sent=[f"{operator}/{turn}"],
        )


def test_nothing_is_lost_when_several_people_update_at_once(tmp_path):
    opened(tmp_path)
    processes = [FORK.Process(target=_update, args=(tmp_path, number)) for number in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    kept = read(tmp_path)
    assert [entry["revision"] for entry in kept.entries] == list(range(1, 62))
    assert len({(entry["by"], entry["note"]) for entry in kept.entries}) == 61
    assert sorted(action["id"] for action in kept.record["actions"]) == list(range(1, 61))
    assert len(kept.record["notifications"]) == 60
    assert not kept.behind and kept.record == json.loads((tmp_path / "2026-0001" / "incident.json").read_text())


def _open(folder, number):
    opened(folder, "the same" if number % 2 else f"another {number}", operator=f"operator-{number}")


def test_several_who_open_at_once_open_one_of_each_title(tmp_path):
    processes = [FORK.Process(target=_open, args=(tmp_path / "incidents", number)) for number in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    kept, unreadable = IncidentFiles(str(tmp_path / "incidents")).read()
    assert not unreadable
    assert sorted(one.record["title"] for one in kept) == ["another 0", "another 2", "another 4", "another 6", "the same"]
    assert [one.record["id"] for one in kept] == [f"2026-000{number}" for number in range(1, 6)]


def _claim(folder, queue):
    queue.put(Said(folder, "updated", operator="timer", claim=["a", "b", "a"]).claimed)


def test_a_notification_is_claimed_by_one(tmp_path):
    opened(tmp_path)
    queue = FORK.Queue()
    processes = [FORK.Process(target=_claim, args=(tmp_path, queue)) for _number in range(5)]
    for process in processes:
        process.start()
    claims = [queue.get(timeout=30) for _process in processes]
    for process in processes:
        process.join(30)
    assert sorted(claims) == [[], [], [], [], ["a", "b"]]
    assert Said(tmp_path, "updated", claim=["a"], now=later(seconds=599)).claimed == []
    sent = Said(tmp_path, "updated", operator="timer", sent=["b"], now=later(seconds=20))
    assert sent.entry["kind"] == "notified" and sent.after["updated_at"] == "2026-11-23T18:47:00.000Z"
    assert not Said(tmp_path, "updated", operator="timer", sent=["b"]).changed
    # Who claimed it has died: it is sent by another one. What was sent is never again.
    assert Said(tmp_path, "updated", claim=["a", "b"], now=later(seconds=600)).claimed == ["a"]


def test_what_could_not_be_sent_may_be_claimed_at_once(tmp_path):
    opened(tmp_path)
    Said(tmp_path, "updated", claim=["a", "b"])
    given_back = Said(tmp_path, "updated", operator="timer", sent=["b"], unsent=["a", "b", "never claimed"])
    assert given_back.entry["kind"] == "notified" and list(given_back.after["notifications"]) == ["b"]
    assert given_back.after["notifications"]["b"]["sent_at"]
    assert not Said(tmp_path, "updated", unsent=["a", "b"]).changed
    assert Said(tmp_path, "updated", claim=["a", "b"], now=later(seconds=1)).claimed == ["a"]
    assert read(tmp_path).record["notifications"]["a"]["claimed_at"] == "2026-11-23T18:47:01.000Z"


def test_of_an_incident_that_is_over_only_what_everybody_is_told_is_claimed(tmp_path):
    opened(tmp_path)
    Said(tmp_path, "resolved")
    assert Said(tmp_path, "updated", id="2026-0001", claim=["escalation/x", "announcement/x"]).claimed == ["announcement/x"]
    assert Said(tmp_path, "updated", id="2026-0001", claim=["announcement/x"]).claimed == []


# -- action items


def test_an_action_is_overdue_the_day_after(tmp_path):
    actions = [{"title": "one", "due": "2026-11-23"}, {"title": "two", "due": "2026-11-22", "done": True}, {"title": "three"}]
    record = opened(tmp_path, actions=actions).after
    assert _incident.overdue_actions(record, NOW) == []
    assert [action["title"] for action in _incident.overdue_actions(record, NOW + datetime.timedelta(days=1))] == ["one"]
