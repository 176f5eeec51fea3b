from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _incident, _postmortem, _postmortem_kept
from ansible_collections.astraldraft.ops.plugins.module_utils import _postmortem_evidence as evidence_of
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.incidents import Said, later, opened
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.postmortems import ALERT, RELEASE, complete, said


def test_a_complete_one_lacks_nothing(tmp_path):
    found = said(complete(tmp_path))
    assert found["missing"] == [] and found["unknown"] == []
    assert found["times"] == {"detect": 90.0, "acknowledge": 120.0, "mitigate": 600.0, "resolve": 900.0, "lasted": 900.0}
    assert found["measured"]["minutes"] == 10.0
    assert (found["detected_by"], found["open"], found["overdue"]) == ("the alert HighErrorRate (service=app)", False, [])


@pytest.mark.parametrize(
    ("changed", "lacking"),
    [
        ({"cause": ""}, ["cause"]),
        ({"started_at": None}, ["started_at"]),
        ({"actions": []}, ["actions"]),
        ({"actions": [{"id": 1, "title": "t", "owner": "", "due": None, "done_at": None}]}, ["owner of action 1", "due of action 1"]),
        ({"resolved_at": None, "mitigated_at": None, "status": "investigating"}, ["mitigated_at", "resolved_at"]),
    ],
)
def test_what_is_empty_has_a_name(tmp_path, changed, lacking):
    one = complete(tmp_path)
    assert said(one._replace(record=dict(one.record, **changed)))["missing"] == lacking


def test_what_nobody_counted_is_missing_and_not_zero(tmp_path):
    found = said(complete(tmp_path), measured=evidence_of.NOTHING)
    assert found["missing"] == ["failed_requests"]
    assert (found["measured"]["failed_requests"], found["measured"]["complete"]) == (None, False)


def test_an_empty_record_of_another_hand_says_what_it_lacks(tmp_path):
    record = dict(_incident.NOTHING, id="2026-0001", title="logins fail", severity="SEV-1", status="investigating")
    found = said(complete(tmp_path)._replace(record=record, entries=[]), alerts=None, silences=None, releases=[], own=[])
    assert found["times"] == dict.fromkeys(found["times"])
    assert {"impact", "cause", "started_at", "actions"} <= set(found["missing"])
    assert found["marks"] == []


def test_whoever_was_first_has_detected_it():
    record = dict(_incident.NOTHING, started_at="2026-11-23T18:00:00.000Z", opened_at="2026-11-23T18:05:00.000Z", opened_by="ada")
    assert _postmortem.detected(record, None) == ("2026-11-23T18:05:00.000Z", "ada, who opened the incident")
    assert _postmortem.detected(record, [ALERT | {"firing_at": "2026-11-23T18:01:00.000Z"}])[1].startswith("the alert")
    for other in ({"firing_at": None}, {"firing_at": "2026-11-23T17:59:00.000Z"}, {"before": True}, {"severity": "none"}):
        assert _postmortem.detected(record, [ALERT | {"firing_at": "2026-11-23T18:01:00.000Z"} | other])[1].startswith("ada")


def test_everything_is_in_the_timeline_in_its_order(tmp_path):
    found = said(complete(tmp_path))["timeline"]
    assert [item["time"] for item in found] == sorted(item["time"] for item in found)
    assert {item["source"] for item in found} == {"incident", "journal", "alert", "silence", "release"}
    texts = {item["source"]: item["text"] for item in found}
    assert texts["silence"] == "job=app until 2026-11-23 19:00:00 UTC: a disk"
    assert texts["release"] == "deploy of v1.2.3 on app-1: healthy, traffic from 2026-11-23 18:45:00 UTC"
    assert [item["kind"] for item in found if item["source"] == "alert"] == ["pending", "firing", "ended"]


def test_an_alert_that_goes_on_or_was_there_before_says_so():
    goes_on = ALERT | {"ended_at": None, "before": True}
    assert [item["text"].partition(" is ")[2] for item in _postmortem.of_alerts([goes_on])] == [
        "pending, and was so before", "firing (critical), and goes on",
    ]  # fmt: skip


def test_releases_of_another_time_are_not_in_it():
    span = evidence_of.Span(1764000000, 1764000600, 1764000000 - 3600, 0, 0, True)  # 2025-11-24T16:00:00Z
    kept = {"2025-11-24T14:59:59.000Z": False, "2025-11-24T15:00:01.000Z": True, "2025-11-24T16:10:01.000Z": False}
    for moment, there in kept.items():
        assert bool(_postmortem.releases_in([RELEASE | {"started_at": moment, "finished_at": moment}], span)) == there
    assert _postmortem.releases_in([RELEASE | {"started_at": "2025-11-24T14:00:00.000Z", "finished_at": "2025-11-24T16:00:00.000Z"}], span)


def test_who_was_told_what_when(tmp_path):
    found = said(complete(tmp_path))["told"]
    assert [(one["who"], one["what"], one["sent"]) for one in found] == [
        ("everybody", "We look.", True),
        ("lead", "escalation SEV-2 30", False),
        ("Ada Lovelace", "escalation SEV-2 0", True),
    ]


def test_graphs_show_what_was_before_and_after(tmp_path):
    record = complete(tmp_path).record
    span = _postmortem.span_of(record, later(hours=5), 3600)
    assert (span.ends - span.starts, span.starts - span.looks_from) == (900, 3600)
    assert (span.starts - span.drawn_from, span.drawn_to - span.ends, span.whole) == (900, 900, True)
    soon = _postmortem.span_of(record, later(minutes=16), 3600)
    assert (soon.drawn_to - soon.ends, soon.whole) == (50, False)
    still = _postmortem.span_of(dict(record, resolved_at=None), later(seconds=60), 3600)
    assert still.ends == still.drawn_to == later(seconds=60).timestamp()
    without = _postmortem.span_of(dict(record, started_at=None, opened_at=None), later(hours=5), 0)
    assert without.starts == without.ends


def test_marks_and_courses(tmp_path):
    found = said(complete(tmp_path))
    assert [mark[0] for mark in found["marks"]] == ["incident began", "mitigated", "resolved", "deploy v1.2.3"]
    courses = _postmortem.courses(found)
    assert sorted(courses) == ["error_rate", "load"]  # no number of a latency is known
    assert [mark.kind for mark in courses["load"].marks] == ["began", "mitigated", "resolved", "release"]


def test_the_one_that_is_open_is_meant_or_else_the_last(tmp_path):
    with pytest.raises(OpsError, match="no incident to write a post-mortem of"):
        _postmortem.chosen([], None)
    with pytest.raises(OpsError, match="There is no incident 2026-0009"):
        _postmortem.chosen([], "2026-0009")
    for title in ("one", "two", "three"):
        Said(tmp_path, "resolved", id=opened(tmp_path, title).after["id"], resolution="x", now=later(minutes=5 if title == "two" else 1))
    kept = IncidentFiles(str(tmp_path)).read()[0]
    assert _postmortem.chosen(kept, None).record["title"] == "two"
    assert _postmortem.chosen(kept, "2026-0003").record["title"] == "three"
    opened(tmp_path, "four")
    assert _postmortem.chosen(IncidentFiles(str(tmp_path)).read()[0], None).record["title"] == "four"


def test_lines_that_are_no_entries_are_said(tmp_path):
    found = said(complete(tmp_path)._replace(damaged=[2, 5]))
    assert found["unknown"] == ["What lines 2, 5 of its timeline said is not known: they are no entries."]


# -- what an earlier run knew

SPAN = evidence_of.Span(1.0, 2.0, 0.0, 0.0, 3.0, False)
KNOWN = dict(evidence_of.NOTHING, requests=10, failed_requests=3, unknown_seconds=0, complete=True)


def again(kept, measured=evidence_of.NOTHING, alerts=(), silences=()):
    unknown = []
    return _postmortem_kept.completed(measured, list(alerts), silences, kept, unknown), unknown


def test_what_prometheus_has_forgotten_stays_known():
    kept = _postmortem_kept.read(_postmortem_kept.written(SPAN, KNOWN, [ALERT], [{"id": "a", "starts_at": "1"}]), SPAN)
    (measured, alerts, silences), unknown = again(kept, silences=[{"id": "b", "starts_at": "0"}])
    assert (measured, alerts, [one["id"] for one in silences]) == (KNOWN, [ALERT], ["b", "a"])
    assert unknown == [_postmortem_kept.FORGOTTEN]


def test_graphs_end_where_they_ended_until_all_can_be_seen():
    kept = _postmortem_kept.read(_postmortem_kept.written(SPAN, KNOWN, None, None), SPAN)
    later_on = SPAN._replace(drawn_to=4.0)
    assert _postmortem_kept.settled(later_on, kept).drawn_to == 3.0
    assert _postmortem_kept.settled(later_on, {}).drawn_to == 4.0
    assert _postmortem_kept.settled(later_on._replace(whole=True), kept).drawn_to == 4.0


def test_what_is_known_better_now_is_taken():
    kept = _postmortem_kept.read(_postmortem_kept.written(SPAN, dict(KNOWN, unknown_seconds=30), [ALERT], None), SPAN)
    (measured, alerts, silences), unknown = again(kept, KNOWN, ["another"], None)
    assert (measured, alerts, silences, unknown) == (KNOWN, ["another"], None, [])


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"span": [1.0, 2.0]}', '{"span": [1.0, 2.0], "measured": {}, "silences": 1}'])
def test_what_cannot_be_read_is_as_if_nothing_was_kept(text):
    assert _postmortem_kept.read(text, SPAN) == {}
    assert again({}, KNOWN, [ALERT], [])[0] == (KNOWN, [ALERT], [])


def test_of_another_time_nothing_is_taken():
    assert _postmortem_kept.read(_postmortem_kept.written(SPAN, KNOWN, None, None), SPAN._replace(ends=5.0)) == {}
