from __future__ import annotations

import datetime
import random

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _incident_policy
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_policy import Hours, what_is_due
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.incidents import NOW, Said, later, opened
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.policies import policy


def keys(record, now, of=None):
    return [one["key"] for one in what_is_due(of or policy(), record, now)]


# -- five hours of a SEV-1


class Run:
    """An incident in files, people who do something at minutes of it, and a timer that is not always there."""

    def __init__(self, folder, ticks, dies_at=None):
        self.folder, self.ticks, self.sent, self.deaths = folder, ticks, [], 0
        self.dies_at = dies_at
        opened(folder, "nothing works", "SEV-1", people={"commander": "ada"}, conditions=["database"])

    def say(self, minute, **options):
        Said(self.folder, options.pop("state", "updated"), now=later(minutes=minute), operator="grace", **options)

    def tick(self, minute):
        """What the timer's run does: ask, claim, send, say that it was sent. Nothing is kept from one to the next but the files."""
        now = later(minutes=minute)
        ((kept,), _unreadable) = IncidentFiles(str(self.folder)).read()
        due = what_is_due(policy(), kept.record, now)
        if not due:
            return
        claimed = Said(self.folder, "updated", operator="timer", now=now, claim=[one["key"] for one in due]).claimed
        if claimed and minute == self.dies_at:
            self.deaths += 1  # the machine goes down after the claim and before the message
            return
        self.sent += [(minute, key) for key in claimed]
        Said(self.folder, "updated", operator="timer", now=now, sent=claimed)

    def go(self, people, last=300):
        for minute in range(last + 1):
            for options in people.get(minute, []):
                self.say(minute, **options)
            if minute in self.ticks:
                self.tick(minute)
        return [key for _minute, key in self.sent]


PEOPLE = {
    20: [{"acknowledged_by": "ada"}],
    25: [{"note": "nothing to be seen in the logs"}],
    29: [{"announcement": "we look for it", "note": "a note is no update"}],
    90: [{"cause": "the pool is exhausted", "status": "identified", "announcement": "it is the pool", "next_update": "60m"}],
    100: [{"conditions": ["database", "data_loss"]}],
}
#: What the policy names within five hours, in any order but that of time.
CHAIN = [
    "escalation/SEV-1/0/primary_oncall",
    "escalation/SEV-1/0/escalation_manager",
    "condition/database/database_administrator",
    "escalation/SEV-1/15/secondary_oncall",
    "escalation/SEV-1/30/senior_engineer",
    "escalation/SEV-1/30/platform_engineer",
    "escalation/SEV-1/60/team_lead",
    "escalation/SEV-1/60/engineering_manager",
    "condition/cause_unknown/senior_engineer",
    "condition/data_loss/engineering_manager",
    "escalation/SEV-1/240/cto",
]
#: After the words of 18:47 + 29 one is due at 19:46, and again; after those of + 90 at 21:17, as was promised, and then every half hour.
UPDATES = [f"update/2026-11-23T{time}:00.000Z" for time in ("19:46", "20:16", "21:17", "21:47", "22:17", "22:47", "23:17", "23:47")]


def test_five_hours_of_a_sev_1_send_what_the_policy_names_and_nothing_twice(tmp_path):
    run = Run(tmp_path, range(301))
    sent = run.go(PEOPLE)
    assert sorted(sent) == sorted(CHAIN + UPDATES)
    assert len(sent) == len(set(sent))
    minutes = {key: minute for minute, key in run.sent}
    assert [minutes[key] for key in CHAIN] == [0, 0, 0, 15, 30, 30, 60, 60, 60, 100, 240]
    assert [minutes[key] for key in UPDATES] == [59, 89, 150, 180, 210, 240, 270, 300]


@pytest.mark.parametrize("seed", range(8))
def test_runs_that_were_missed_and_a_machine_that_went_down_lose_nothing(tmp_path, seed):
    chance = random.Random(seed)
    ticks = {minute for minute in range(0, 301, 5) if chance.random() < 0.6} | {0, 15, 300}
    # It goes down at two hours for forty minutes, just after it claimed what is due at one hour.
    ticks = {minute for minute in ticks if not 60 < minute < 100} | {60}
    run = Run(tmp_path, ticks, dies_at=60)
    sent = run.go(PEOPLE)
    assert run.deaths == 1
    assert len(sent) == len(set(sent))
    # When it is back, the cause is known: whom that was to be told is not told any more.
    expected = [key for key in CHAIN if not key.startswith("condition/cause_unknown")]
    assert sorted(key for key in sent if not key.startswith("update/")) == sorted(expected)
    # Of reminders that were missed only the last one is left.
    assert {key for key in sent if key.startswith("update/")} <= set(UPDATES) and UPDATES[-1] in sent


def test_nothing_is_sent_of_what_was_resolved_and_nothing_in_check_mode(tmp_path):
    run = Run(tmp_path, {0, 200, 300})
    run.go({10: [{"state": "resolved", "resolution": "it came back"}]})
    assert [minute for minute, _key in run.sent] == [0, 0, 0]
    claim = ["escalation/SEV-1/15/secondary_oncall"]
    assert Said(tmp_path, "updated", id="2026-0001", claim=claim).claimed == []  # resolved between the look and the claim
    Said(tmp_path, "open", id="2026-0001", now=later(minutes=301))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    checked = Said(tmp_path, "updated", now=later(minutes=301), claim=claim, write=False)
    assert checked.claimed and {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


# -- its parts


def test_who_took_it_on_spares_those_who_are_told_when_nobody_does(tmp_path):
    record = opened(tmp_path, severity="SEV-1", acknowledged_by="ada").after
    assert "escalation/SEV-1/15/secondary_oncall" not in keys(record, later(hours=5))
    assert "escalation/SEV-1/15/secondary_oncall" in keys(dict(record, acknowledged_at=None), later(hours=5))


def test_minutes_count_from_when_it_became_that_bad_and_nobody_is_told_that_it_is_less(tmp_path):
    opened(tmp_path, severity="SEV-2", cause="known", note="a")
    sent = ["escalation/SEV-2/0/primary_oncall", "escalation/SEV-2/120/senior_engineer", "escalation/SEV-2/120/platform_engineer"]
    record = Said(tmp_path, "updated", severity="SEV-1", sent=sent, acknowledged_by="ada", announcement="b", now=later(hours=3)).after
    assert keys(record, later(hours=3)) == ["escalation/SEV-1/0/escalation_manager", "escalation/SEV-1/0/primary_oncall"]
    told = [key for key in keys(record, later(hours=3, minutes=31)) if key.startswith("escalation")]
    record = Said(tmp_path, "updated", severity="SEV-2", sent=told, announcement="c", now=later(hours=4)).after
    assert [key for key in keys(record, later(hours=9)) if key.startswith("escalation")] == [
        "escalation/SEV-2/150/team_lead",
        "escalation/SEV-2/210/engineering_manager",
    ]


def test_what_is_due_says_who_and_why(tmp_path):
    record = opened(tmp_path, severity="SEV-1", people={"commander": "ada", "communications": "mary"}, conditions=["database"]).after
    found = {one["key"]: one for one in what_is_due(policy(), record, later(minutes=31))}
    assert found["escalation/SEV-1/30/senior_engineer"] == {
        "key": "escalation/SEV-1/30/senior_engineer",
        "kind": "escalation",
        "severity": "SEV-1",
        "contact": "senior_engineer",
        "name": "Senior engineer",
        "due_at": "2026-11-23T19:17:00.000Z",
        "late_seconds": 60,
        "why": "SEV-1 for 30 minutes",
    }
    assert found["escalation/SEV-1/15/secondary_oncall"]["why"] == "SEV-1 for 15 minutes, and nobody has acknowledged it"
    assert found["condition/database/database_administrator"]["why"] == "it is about the database"
    reminder = found["update/2026-11-23T19:17:00.000Z"]
    assert (reminder["contact"], reminder["name"]) == ("communications", "mary")
    nobody = what_is_due(policy(), dict(record, people={}), later(minutes=31))[-1]
    assert (nobody["contact"], nobody["name"]) == ("primary_oncall", "Primary on-call engineer")


def test_a_promise_goes_before_the_cadence(tmp_path):
    record = opened(tmp_path, severity="SEV-1", next_update="20m").after
    assert _incident_policy.update_due_at(policy(), record) == later(minutes=20)
    kept = Said(tmp_path, "updated", announcement="as promised", now=later(minutes=20)).after
    assert _incident_policy.update_due_at(policy(), kept) == later(minutes=50)
    assert _incident_policy.update_due_at(policy(), dict(record, severity="SEV-4", next_update_at=None)) is None
    assert _incident_policy.update_due_at(policy(), dict(record, status="resolved")) is None


def test_a_severity_that_the_policy_does_not_know_is_nothing(tmp_path):
    record = opened(tmp_path).after
    assert what_is_due(policy(), dict(record, severity="SEV-9"), later(hours=9)) == []
    assert _incident_policy.update_due_at(policy(), dict(record, severity="SEV-9")) is None


def test_a_record_of_another_hand_has_no_times_and_those_are_told_who_are_at_once(tmp_path):
    record = dict(opened(tmp_path, severity="SEV-1").after, severity_at=None, opened_at=None, started_at=None, updated_at=None)
    assert [key for key in keys(record, later(hours=9)) if "SEV-1/0/" in key] == keys(record, later(hours=9))


# -- the hours that count

WORKING = {"days": ["mon", "tue", "wed", "thu", "fri"], "starts": "09:00", "ends": "17:00", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("moment", "minutes", "expected"),
    [
        ("2026-11-23T10:00Z", 0, "2026-11-23T10:00Z"),
        ("2026-11-23T10:00Z", 240, "2026-11-23T14:00Z"),
        ("2026-11-23T15:00Z", 120, "2026-11-24T09:00Z"),  # an hour until five o'clock in Berlin, an hour from nine
        ("2026-11-23T18:00Z", 0, "2026-11-24T08:00Z"),
        ("2026-11-27T16:00Z", 0, "2026-11-30T08:00Z"),  # the very end of a day is not in it
        ("2026-11-27T16:00Z", 1, "2026-11-30T08:01Z"),  # over the weekend
        ("2026-11-28T12:00Z", 480, "2026-11-30T16:00Z"),
        ("2026-11-23T08:00Z", 4800, "2026-12-04T16:00Z"),  # ten working days
        ("2026-03-27T15:00Z", 61, "2026-03-30T07:01Z"),  # over the night on which the clock is changed
        ("2026-12-24T15:00Z", 120, "2026-12-28T09:00Z"),  # a holiday and a weekend
    ],
)
def test_minutes_of_working_hours(moment, minutes, expected):
    hours = Hours("business", dict(WORKING, holidays=["2026-12-25"]))
    assert hours.after(datetime.datetime.fromisoformat(moment), minutes) == datetime.datetime.fromisoformat(expected)


def test_a_day_may_end_at_midnight():
    hours = Hours("business", dict(WORKING, starts="00:00", ends="24:00", timezone="UTC"))
    assert hours.after(NOW, 24 * 60) == later(days=1)
    assert Hours("always", WORKING).after(NOW, 90) == later(minutes=90)


def test_a_sev_3_of_friday_evening_is_told_of_on_monday(tmp_path):
    friday = datetime.datetime(2026, 11, 27, 18, 0, tzinfo=datetime.UTC)
    record = opened(tmp_path, severity="SEV-3", now=friday).after
    assert keys(record, friday + datetime.timedelta(hours=60)) == []
    assert keys(record, friday + datetime.timedelta(hours=63)) == ["escalation/SEV-3/0/primary_oncall"]
    assert keys(record, friday + datetime.timedelta(hours=67, minutes=1)) == [
        "escalation/SEV-3/0/primary_oncall",
        "escalation/SEV-3/240/team_lead",
        "update/2026-11-30T13:00:00.000Z",
    ]
