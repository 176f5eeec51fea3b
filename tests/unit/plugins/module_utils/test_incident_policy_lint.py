from __future__ import annotations

import copy

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_policy import lines
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_policy_lint import lint, placeholders, unusable
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.policies import delivered, policy


def changed(path, value):
    """The policy with one thing changed: ``path`` is made of keys and numbers; None takes it out."""
    found = here = copy.deepcopy(policy())
    *parents, last = path
    for parent in parents:
        here = here[parent]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return found


def kinds(of):
    return [finding["kind"] for finding in lint(of)]


def test_what_is_delivered_is_sound_and_lacks_only_the_people():
    assert lint(policy()) == []
    found = lint(delivered())
    assert {finding["kind"] for finding in found} == {"unreachable"} and len(found) == len(delivered()["contacts"])
    first, second, _third, fourth = lines(policy())
    assert first.startswith(
        "SEV-1: answered within 15 min (always), an update every 30 min; primary_oncall, escalation_manager after 0 min; "
    )
    assert "no updates" in fourth and "unless it is acknowledged" in second


STEP = {"after_minutes": 10, "notify": ["team_lead"]}
CONTRADICTIONS = [
    (("chains", "outage", 2, "after_minutes"), 15, "order", "comes after 15 minutes, and the step before it after 15"),
    (("chains", "outage", 4, "notify"), ["senior_engineer"], "told_twice", "senior_engineer after 240 minutes, and an earlier"),
    (("severities", 0, "response_minutes"), 90, "rank", "SEV-1 is answered within 90 minutes, and SEV-2, which is less, within 60"),
    (("severities", 0, "update_minutes"), 60, "cadence", "SEV-1 has an update every 60 minutes, and SEV-2, which is less, every 30"),
    (("severities", 0, "update_minutes"), None, "cadence", "SEV-1 has no updates, and SEV-2, which is less, has"),
    (("severities", 2, "update_minutes"), 300, "cadence", "an update every 300 minutes, and the last of its chain is told after 240"),
    (("chains", "degradation", 0, "after_minutes"), 29, None, ""),
    (("chains", "improvement", 0, "after_minutes"), 4801, "too_late", "its chain tells the first one after 4801"),
    (("chains", "minor", 0, "unless"), "acknowledged", "too_late", "skipped when somebody acknowledges"),
    (("severities", 3, "chain"), None, "undefined", "severities.SEV-4 has no chain"),
    (("severities", 3, "chain"), "none", "undefined", "'none', which is not among the chains"),
    (("severities", 3, "name"), "SEV-3", "two_response_times", "severities.SEV-3 has two response times, 240 and 4800 minutes"),
    (("severities", 3, "name"), "SEV-9", "form", "is none of SEV-1, SEV-2, SEV-3, SEV-4"),
    (("chains", "spare"), [STEP], "unused", "chains.spare belongs to no severity"),
    (("chains", "outage", 0, "notify"), ["nobody"], "undefined", "names 'nobody', who is not among the contacts"),
    (("conditions", 0, "notify"), ["nobody"], "undefined", "conditions[0].notify names 'nobody'"),
    (("conditions", 1, "name"), "cause_unknown", "told_twice", "of cause_unknown after 0 minutes, and another one after 60"),
    (("contacts", "cto"), {"name": "CTO"}, "unreachable", "contacts.cto has none of phone"),
    (("contacts", "cto", "phone"), "+1-XXX-XXX-XXXX", "placeholder", "contacts.cto.phone is '+1-XXX-XXX-XXXX', which was never filled in"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "kind", "words"), CONTRADICTIONS)
def test_a_contradiction_is_named(path, value, kind, words):
    found = lint(changed(path, value))
    if kind is None:
        assert found == []
        return
    assert kind in [finding["kind"] for finding in found]
    assert any(words in finding["message"] for finding in found), found
    # With two of one severity there is none of another.
    assert bool(unusable(found)) == (kind in ("form", "undefined", "two_response_times"))


FORMS = [
    ((), "no dict"),
    (("severities",), None),
    (("severities",), "SEV-1"),
    (("severities", 0), "SEV-1"),
    (("severities", 0, "response_minutes"), "soon"),
    (("severities", 0, "response_minutes"), -1),
    (("severities", 0, "response_minutes"), True),
    (("severities", 0, "respond_minutes"), 15),
    (("severities", 0, "hours"), "at night"),
    (("chains", "outage"), []),
    (("chains", "outage", 0), "primary_oncall"),
    (("chains", "outage", 0, "notify"), []),
    (("chains", "outage", 0, "notify"), "primary_oncall"),
    (("chains", "outage", 1, "unless"), "it rains"),
    (("contacts", "cto"), "+49 30 1234567"),
    (("contacts", "The CTO"), {"name": "x", "chat": "@x"}),
    (("conditions", 0, "name"), "Data loss"),
    (("conditions", 0, "severities"), ["SEV-0"]),
    (("conditions", 0), "data_loss"),
    (("business_hours", "days"), []),
    (("business_hours", "days"), ["monday"]),
    (("business_hours", "starts"), "9"),
    (("business_hours", "ends"), "08:00"),
    (("business_hours", "timezone"), "Berlin"),
    (("business_hours", "holidays"), ["Christmas"]),
]


@pytest.mark.parametrize(("path", "value"), FORMS)
def test_what_is_not_in_its_form_is_named_and_not_used(path, value):
    found = lint(changed(path, value) if path else value)
    assert "form" in [finding["kind"] for finding in found]
    assert unusable(found)
    assert all(finding["message"].endswith(".") for finding in found)


def test_working_hours_need_to_be_said():
    assert set(kinds(policy(business_hours=None))) == {"undefined"}
    assert kinds(policy(conditions=None)) == []


def test_the_runbook_as_it_is_written_contradicts_itself():
    """Its severities (l.29-47), its list of when to escalate (l.508-519) and its tree (l.526-536) in one policy."""
    found = lint(
        policy(
            severities=[
                {"name": "SEV-1", "response_minutes": 15, "update_minutes": 30, "chain": "sev_1"},
                {"name": "SEV-2", "response_minutes": 60, "update_minutes": 30, "chain": "sev_2"},
                {"name": "SEV-2", "response_minutes": 30, "update_minutes": 30, "chain": "sev_2"},
                {"name": "SEV-3", "response_minutes": 240, "update_minutes": 30, "hours": "business", "chain": "sev_3"},
                {"name": "SEV-4", "response_minutes": 4800, "update_minutes": 30, "hours": "business", "chain": "sev_3"},
            ],
            chains={
                "sev_1": [
                    {"after_minutes": 0, "notify": ["primary_oncall", "engineering_manager"]},
                    {"after_minutes": 30, "notify": ["senior_engineer"]},
                    {"after_minutes": 60, "notify": ["team_lead", "engineering_manager"]},
                    {"after_minutes": 120, "notify": ["engineering_manager"]},
                ],
                "sev_2": [
                    {"after_minutes": 30, "notify": ["primary_oncall", "senior_engineer"]},
                    {"after_minutes": 120, "notify": ["senior_engineer"]},
                ],
                "sev_3": [{"after_minutes": 0, "notify": ["primary_oncall"]}],
            },
        )
    )
    assert [(finding["kind"], finding["where"]) for finding in found] == [
        ("told_twice", "chains.sev_1[2]"),
        ("told_twice", "chains.sev_1[3]"),
        ("told_twice", "chains.sev_2[1]"),
        ("two_response_times", "severities.SEV-2"),
    ]


@pytest.mark.parametrize(
    "text",
    ["+1-XXX-XXX-XXXX", "[name]", "<phone>", "TODO", "tbd", "oncall@example.com", "https://status.example.org/x", "ops@mail.example.net",
     "changeme",
     "your-phone", "+1 555 0123", "+1-202-555-0143", "0000000000",
     "+1 2222222", "123-456-7890", "{{ vault_phone }}", "http://stub.invalid/", "555-0100"],
)  # fmt: skip
def test_a_placeholder_is_found_wherever_it_stands(text):
    ((finding),) = placeholders({"a": [{"b": text}]}, "addresses")
    assert finding["where"] == "addresses.a[0].b" and text in finding["message"]


@pytest.mark.parametrize(
    "text",
    ["+49 30 901820", "+1-415-867-5309", "oncall@astraldraft.com", "https://status.astraldraft.com", "#oncall", "@ada", "Max Xaver", "",
     "https://exampleton.com", "P1XX9", "Alexxandra", "Q1DHTL9FOUKPY6", "https://hooks.astraldraft.com/services/T000/B000"],
)  # fmt: skip
def test_what_is_real_is_none(text):
    assert placeholders({"a": text}, "addresses") == []
