from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident_timeline as timeline
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import journals
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.incidents import NOW, Said, later, opened


def operation(path, name, begins, ends, **more):
    times = {"started_at": begins and later(minutes=begins).isoformat(), "ended_at": ends and later(minutes=ends).isoformat()}
    return journals.append(path, operation=name, **times, **more)


def merged(tmp_path, now, lead=0):
    kept, _unreadable = IncidentFiles(str(tmp_path / "incidents")).read()
    windows = timeline.Windows([one.record for one in kept], now, lead)
    found, left_out = timeline.from_journal(str(tmp_path / "journal.jsonl"), windows)
    assert left_out == 0
    return {one.record["id"]: timeline.merged(timeline.of_entries(one.entries), found.get(one.record["id"], [])) for one in kept}


def test_operations_of_the_window_are_in_the_timeline_and_others_are_not(tmp_path):
    journal = tmp_path / "journal.jsonl"
    opened(tmp_path / "incidents", started_at="10m", note="on it")
    operation(journal, "backup", -40, -30)
    operation(journal, "deploy", -12, -5, summary="v1.2.3 is live")  # reaches into it
    operation(journal, "rollback", 5, 6, verdict="fail", operator="grace", summary="")
    operation(journal, "silence", 200, 201, incident="2026-0001")  # says itself that it belongs to it
    operation(journal, "health", 70, 71)
    Said(tmp_path / "incidents", "resolved", now=later(minutes=60), resolution="went back", operator="grace")
    (items,) = merged(tmp_path, later(days=1)).values()
    assert [(item["source"], item["kind"]) for item in items] == [
        ("journal", "deploy"),
        ("incident", "opened"),
        ("journal", "rollback"),
        ("incident", "resolved"),
        ("journal", "silence"),
    ]
    deploy, begun, rollback, ended, _silence = items
    assert deploy["text"] == "pass: v1.2.3 is live" and deploy["time"] == "2026-11-23T18:35:00.000Z"
    assert deploy["ended_at"] == "2026-11-23T18:42:00.000Z" and deploy["number"] == 2
    assert rollback["text"] == "fail" and rollback["by"] == "grace"
    assert begun["text"] == "on it; title: logins fail; severity: SEV-2; status: investigating; began at 2026-11-23T18:37:00.000Z"
    assert ended["text"] == "status: resolved; resolution: went back"
    assert merged(tmp_path, later(days=1), 3600)["2026-0001"][0]["kind"] == "backup"


def test_while_it_is_open_its_window_is_until_now(tmp_path):
    journal = tmp_path / "journal.jsonl"
    opened(tmp_path / "incidents")
    opened(tmp_path / "incidents", "drafts hang", now=later(minutes=30))
    operation(journal, "deploy", None, 45)
    both = merged(tmp_path, later(minutes=50))
    assert [[item["kind"] for item in items] for items in both.values()] == [["opened", "deploy"], ["opened", "deploy"]]
    assert [[item["kind"] for item in items] for items in merged(tmp_path, NOW).values()] == [["opened"], ["opened"]]


def test_a_journal_that_is_not_there_is_an_empty_one(tmp_path):
    opened(tmp_path / "incidents")
    assert [item["kind"] for item in merged(tmp_path, NOW)["2026-0001"]] == ["opened"]


def test_what_changed_is_described(tmp_path):
    opened(tmp_path)
    entry = Said(
        tmp_path,
        "updated",
        people={"scribe": "ada"},
        conditions=["data_loss"],
        references={"ticket": "OPS-1"},
        actions=[{"title": "Alert earlier", "owner": "grace", "due": "2026-12-24"}, {"title": "Rest", "done": True}],
        sent=["SEV-2/60/lead"],
        claim=["SEV-2/120/manager"],
    ).entry
    assert timeline.described(entry["changes"]) == [
        "scribe: ada",
        "conditions: data_loss",
        "ticket: OPS-1",
        "action 1: Alert earlier (grace, due 2026-12-24)",
        "action 2: Rest (nobody, done)",
        "sending SEV-2/120/manager",
        "sent SEV-2/60/lead",
    ]
    gone = Said(tmp_path, "updated", people={"scribe": ""}, references={"ticket": ""}, conditions=[]).entry
    assert timeline.described(gone["changes"]) == ["scribe: nobody", "conditions: none", "ticket: none"]
    given_back = Said(tmp_path, "updated", unsent=["SEV-2/120/manager"]).entry
    assert timeline.described(given_back["changes"]) == ["not sent SEV-2/120/manager"]
