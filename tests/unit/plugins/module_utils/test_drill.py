"""The record of drills, and what their times say."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _drill
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.modules.drill_record import event_to_append

NOTHING = {
    "path": "drills.jsonl", "drill": None, "fault": None, "host": "demo", "operator": "ada", "details": {}, "outcome": None,
    "detected_by": "", "detect_seconds": None, "recover_seconds": None, "summary": "",
}  # fmt: skip


class Record:
    def __init__(self):
        self.events, self.minute = [], 0

    def add(self, event, **params):
        self.minute += 1
        now = f"2026-11-29T20:{self.minute:02}:00.000Z"
        added = event_to_append(NOTHING | {"event": event} | params, _drill.fold(self.events), now)
        self.events += [added] if added else []
        return added

    def drill(self, fault, detect=None, recover=None, outcome=_drill.RECOVERED):
        begun = self.add(_drill.BEGUN, fault=fault, details={"containers": ["one"]})["drill"]
        self.add(_drill.ENDED, drill=begun, outcome=outcome, detect_seconds=detect, recover_seconds=recover, detected_by="health")
        return begun

    @property
    def drills(self):
        return _drill.fold(self.events)


def times(*pairs):
    record = Record()
    for detect, recover in pairs:
        record.drill("replica_killed", detect, recover)
    return _drill.trends(record.drills)[0]


def test_a_drill_is_known_before_its_end_with_all_that_heals_it():
    record = Record()
    begun = record.add(_drill.BEGUN, fault="replica_killed", details={"containers": ["one"]})
    [drill] = _drill.unfinished(record.drills)
    assert (drill["id"], drill["details"], drill["outcome"]) == (begun["drill"], {"containers": ["one"]}, "running")
    assert begun["drill"] == "20261129T200100.000Z-replica_killed"


def test_one_that_came_to_its_end_needs_no_healing_and_its_times_are_kept():
    record = Record()
    record.drill("replica_killed", 3.0, 20.0)
    [drill] = record.drills
    assert _drill.unfinished(record.drills) == []
    assert (drill["detect_seconds"], drill["recover_seconds"], drill["detected_by"]) == (3.0, 20.0, "health")


def test_one_that_was_cut_short_is_healed_once_and_counts_for_nothing():
    record = Record()
    begun = record.add(_drill.BEGUN, fault="replica_killed")["drill"]
    assert record.add(_drill.HEALED, drill=begun)
    assert record.add(_drill.HEALED, drill=begun) is None
    assert [drill["outcome"] for drill in record.drills] == ["interrupted"]
    assert _drill.trends(record.drills) == []


def test_an_end_without_a_beginning_is_refused():
    with pytest.raises(OpsError, match="knows of no drill gone"):
        Record().add(_drill.ENDED, drill="gone", outcome="recovered")


def test_a_time_is_told_with_those_before():
    found = times((2.0, 30.0), (4.0, 10.0), (3.0, 20.0))
    assert found["detect_seconds"] == {"last": 3.0, "median": 3.0, "best": 2.0, "worst": 4.0, "change": "same"}
    assert (found["runs"], found["recovered"]) == (3, 3)


@pytest.mark.parametrize(
    ("pairs", "change"),
    [
        ([(1, 30)], "first"),
        ([(1, 30), (1, 31)], "same"),
        ([(1, 30), (1, 20)], "better"),
        ([(1, 30), (1, 50)], "worse"),
        ([(1, 30), (1, None)], "worse"),
        ([(1, None), (1, 30)], "first"),
        # A second more of two is no trend.
        ([(1, 2), (1, 3)], "same"),
    ],
)
def test_how_the_last_time_is_beside_the_usual_one(pairs, change):
    assert times(*pairs)["recover_seconds"]["change"] == change


def test_what_was_never_measured_is_nothing():
    assert times((None, 3.0))["detect_seconds"] == dict.fromkeys(("last", "median", "best", "worst", "change"))


def test_the_table_has_a_line_a_fault():
    record = Record()
    record.drill("replica_killed", 3.0, 20.0)
    record.drill("upstream_stale", None, None, _drill.NOT_RECOVERED)
    head, *lines = _drill.table(_drill.trends(record.drills))
    assert head.startswith("fault")
    assert [line.split()[0] for line in lines] == ["replica_killed", "upstream_stale"]
    assert "20 s (20 s), first" in lines[0]
    assert "never" in lines[1]
