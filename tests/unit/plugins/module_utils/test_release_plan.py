"""Plans of a deploy, and what holds for every plan."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _release, _release_plan
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, GREEN, history
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.release_plans import (
    LIVE,
    TAKEN_BACK,
    V1,
    V2,
    V3,
    Replica,
    deploy,
    facts,
    image_id,
    refusal,
    rollback,
)


def test_the_very_first_release_goes_to_the_first_colour_in_the_size_asked_for():
    plan = deploy(facts([], None, wanted="v1"), "v1", replicas=3)
    assert (plan.verdict, plan.path, plan.former) == ("go", "cold", None)
    assert (plan.target["service"], plan.target["replicas"], plan.target["id"]) == (BLUE, 3, image_id("v1"))
    assert plan.target["release"] is None


def test_the_next_release_goes_to_the_idle_colour_in_the_size_of_the_live_one():
    plan = deploy(facts(V1, BLUE, blue=("v1", 5), wanted="v2"), "v2", replicas=2)
    assert (plan.verdict, plan.path, plan.former) == ("go", "cold", BLUE)
    assert (plan.target["service"], plan.target["replicas"]) == (GREEN, 5)


def test_a_live_release_that_lost_replicas_does_not_shrink_the_next_one():
    for left in (0, 1):
        plan = deploy(facts(V1, BLUE, blue=("v1", left), wanted="v2"), "v2", replicas=1)
        assert plan.target["replicas"] == 2


def test_what_is_live_is_not_deployed_again():
    plan = deploy(facts(V2, GREEN, blue=("v1", 2), green=("v2", 2), wanted="v2"), "v2")
    assert (plan.verdict, plan.refusals) == ("nothing_to_do", [])
    assert plan.target["service"] == GREEN


def test_the_same_image_with_another_environment_is_another_release():
    plan = deploy(facts(V2, GREEN, green=("v2", 2), wanted="v2"), "v2", environment="e2")
    assert (plan.verdict, plan.path, plan.target["service"]) == ("go", "cold", BLUE)


def test_the_version_of_the_warm_colour_is_back_without_a_start():
    plan = deploy(facts(V2, GREEN, blue=("v1", 2), green=("v2", 2), wanted="v1"), "v1")
    assert (plan.verdict, plan.path, plan.target["service"]) == ("go", "warm", BLUE)


def test_replicas_of_two_images_are_not_that_release():
    mixed = facts(V1, BLUE, blue=("v1", 2), wanted="v1")
    mixed.running[BLUE][1] = Replica(image_id("v0"))
    plan = deploy(mixed, "v1")
    assert (plan.verdict, plan.target["service"]) == ("go", GREEN)


def test_an_unknown_version_is_refused_with_those_that_are_known():
    gate, message, override = refusal(deploy(facts(V1, BLUE, blue=("v1", 2)), "v9", overrides=["image"], emergency=True))
    assert (gate, override) == ("image", False)
    assert "no image of version v9" in message
    assert "v1, v2" in message
    assert "Versions found here: none" in refusal(deploy(facts([], None, known_versions=[]), "v9"))[1]


def test_a_version_that_was_taken_back_is_refused_with_the_reason_and_the_override():
    gate, message, override = refusal(deploy(facts(TAKEN_BACK, BLUE, blue=("v1", 2), wanted="v2"), "v2"))
    assert (gate, override) == ("quarantine", True)
    for word in ("v2", "taken back", "5 % of the requests failed.", "ops_override: [quarantine]", "ops_reason"):
        assert word in message


def test_an_override_lifts_the_quarantine_and_an_emergency_does_not():
    found = facts(TAKEN_BACK, BLUE, blue=("v1", 2), wanted="v2")
    lifted = deploy(found, "v2", overrides=["quarantine"])
    assert (lifted.verdict, lifted.refusals) == ("go", [])
    assert any("taken back" in notice for notice in lifted.notices)
    assert all(isinstance(notice, str) for notice in lifted.notices)
    assert deploy(found, "v2", emergency=True).verdict == "refused"
    assert deploy(found, "v2", overrides=["staging", "lock"]).verdict == "refused"


@pytest.mark.parametrize("outcome", ["failed", "switched inconclusive", "switched interrupted"])
def test_what_did_not_go_bad_in_production_may_be_tried_again(outcome):
    assert deploy(facts([*V1, ("v2", GREEN, outcome)], BLUE, blue=("v1", 2), wanted="v2"), "v2").verdict == "go"


def test_a_version_that_was_healthy_after_all_is_no_longer_quarantined():
    rows = [*TAKEN_BACK, ("v2", GREEN, LIVE), ("v3", BLUE, LIVE)]
    assert deploy(facts(rows, BLUE, blue=("v3", 2), wanted="v2"), "v2").verdict == "go"


STAGING = _release.public_list(history(("v2", BLUE, LIVE), ("v3", GREEN, "switched taken_back")).releases)


@pytest.mark.parametrize(
    ("version", "staging", "further", "verdict", "words"),
    [
        ("v2", STAGING, {}, "go", []),
        ("v3", STAGING, {}, "refused", ["Staging has not run v3", "ops_override: [staging]"]),
        ("v2", [], {}, "refused", ["Staging has not run v2"]),
        ("v3", STAGING, {"emergency": True}, "go", ["Staging has not run v3"]),
        ("v3", STAGING, {"overrides": ["staging"]}, "go", ["Staging has not run v3"]),
        ("v3", None, {}, "go", ["not configured"]),
        ("v3", _release_plan.SKIPPED, {}, "go", ["skipped"]),
    ],
)
def test_the_staging_gate_goes_by_digest_and_says_when_nobody_was_asked(version, staging, further, verdict, words):
    plan = deploy(facts(V1, BLUE, blue=("v1", 2), wanted=version, staging=staging), version, **further)
    assert plan.verdict == verdict
    said = " ".join(plan.notices + [entry["message"] for entry in plan.refusals])
    for word in words:
        assert word in said
    assert bool(words) == bool(said)


def test_every_gate_that_refuses_is_named_at_once():
    plan = deploy(facts(TAKEN_BACK, BLUE, blue=("v1", 2), wanted="v2", staging=[]), "v2")
    assert [entry["gate"] for entry in plan.refusals] == ["quarantine", "staging"]
    half = deploy(facts(TAKEN_BACK, BLUE, blue=("v1", 2), wanted="v2", staging=[]), "v2", overrides=["quarantine"])
    assert [entry["gate"] for entry in half.refusals] == ["staging"]
    assert (
        deploy(facts(TAKEN_BACK, BLUE, blue=("v1", 2), wanted="v2", staging=[]), "v2", overrides=["quarantine", "staging"]).verdict == "go"
    )


@pytest.mark.parametrize("events", ["switched", "switched interrupted", ""])
def test_a_deploy_whose_operator_died_after_the_switch_is_proved_by_the_next_run(events):
    rows = [*V1, ("v2", GREEN, events)]
    found = facts(rows, GREEN, blue=("v1", 2), green=("v2", 2), wanted="v2")
    plan = deploy(found, "v2")
    assert (plan.verdict, plan.path, plan.former) == ("go", "resume", BLUE)
    assert (plan.target["service"], plan.target["release"]) == (GREEN, found.releases[-1]["id"])
    alone = deploy(facts(rows, GREEN, green=("v2", 2), wanted="v2"), "v2")
    assert (alone.path, alone.former) == ("resume", None)


def test_a_deploy_whose_operator_died_before_the_switch_begins_anew():
    plan = deploy(facts([*V1, ("v2", GREEN, "")], BLUE, blue=("v1", 2), green=("v2", 1), wanted="v2"), "v2")
    assert (plan.verdict, plan.target["service"], plan.target["release"]) == ("go", GREEN, None)
    assert plan.path == "cold"


def test_no_plan_alters_the_facts():
    found = facts(V3, BLUE, blue=("v3", 2), green=("v2", 2), wanted="v2")
    before = repr(vars(found))
    deploy(found, "v2")
    rollback(found)
    assert repr(vars(found)) == before


@pytest.mark.parametrize(
    ("rows", "live", "green", "hour", "expected"),
    [
        # v1 was proved at 00:03; an hour is kept.
        ([("v1", BLUE, LIVE)], BLUE, 2, "00:30", (2, "2026-11-23T01:03:00.000Z", False)),
        ([("v1", BLUE, LIVE)], BLUE, 2, "01:03", (2, "2026-11-23T01:03:00.000Z", True)),
        ([("v1", BLUE, LIVE)], BLUE, 0, "01:03", (0, None, False)),
        # A live release that is not proved may still need its predecessor, however long it takes.
        ([("v1", BLUE, "switched")], BLUE, 2, "23:00", (2, None, False)),
        ([], None, 2, "23:00", (0, None, False)),
    ],
)
def test_the_warm_colour_is_kept_for_its_time(rows, live, green, hour, expected):
    found = facts(rows, live, green=("v2", green))
    now = from_iso("2026-11-23T{0}:00.000Z".format(hour))
    replicas, until, overdue = expected
    assert _release_plan.warm(found, 3600, now) == {"replicas": replicas, "until": until, "overdue": overdue}
