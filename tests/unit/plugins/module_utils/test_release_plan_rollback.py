"""Plans of a rollback."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _release, _release_plan
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, GREEN, digest, history
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.release_plans import (
    LIVE,
    ROLLED_BACK,
    TAKEN_BACK,
    V1,
    V2,
    V3,
    deploy,
    facts,
    refusal,
    resolved,
    rollback,
)


def test_a_rollback_goes_to_the_last_release_that_was_healthy_here():
    plan = rollback(facts(V3, BLUE, blue=("v3", 2), green=("v2", 2)))
    assert (plan.verdict, plan.path, plan.former) == ("go", "warm", BLUE)
    assert (plan.target["service"], plan.target["version"], plan.target["digest"]) == (GREEN, "v2", digest("v2"))
    assert plan.target["release"]


def test_what_was_taken_back_in_between_is_passed_over():
    rows = [*V1, ("v2", GREEN, "switched taken_back"), ("v3", GREEN, LIVE), ("v4", BLUE, "failed")]
    assert rollback(facts(rows, GREEN, green=("v3", 2))).target["version"] == "v1"


def test_a_named_version_is_brought_by_what_was_recorded_of_it():
    plan = rollback(facts(V3, BLUE, blue=("v3", 2), green=("v2", 2)), "v1")
    assert (plan.verdict, plan.path, plan.target["image"], plan.target["environment"]) == ("go", "cold", digest("v1"), "e1")


def test_a_rollback_whose_image_is_gone_is_cold():
    plan = _release_plan.plan_rollback(facts(V3, BLUE, blue=("v3", 2), green=("v2", 2)))
    assert (resolved(plan, gone=["v2"]).path, plan.target["id"]) == ("cold", None)


@pytest.mark.parametrize("created", [{BLUE: None, GREEN: None}, {BLUE: None, GREEN: "2026-11-23T09:00:00.5Z"}])
def test_what_runs_and_was_never_proved_since_it_was_started_is_started_anew(created):
    rows = [*V3, ("v2", GREEN, "")]
    assert deploy(facts(rows, BLUE, blue=("v3", 2), green=("v2", 2), wanted="v2", created=created), "v2").path == "cold"
    assert rollback(facts(rows, BLUE, blue=("v3", 2), green=("v2", 2), created=created)).path == "cold"


def test_the_warm_colour_with_another_environment_is_not_warm():
    found = facts(V3, BLUE, blue=("v3", 2), green=("v2", 2), environments={BLUE: "e1", GREEN: "e2"})
    assert rollback(found).path == "cold"


@pytest.mark.parametrize(
    ("serving", "warm", "replicas"),
    [
        (2, 2, 2),
        # A rollback in the middle of a crash loop: what runs there is enough, however little is left here.
        (1, 2, 2),
        (0, 2, 2),
        (0, 1, 1),
    ],
)
def test_the_warm_colour_takes_over_when_it_is_as_large_as_what_serves(serving, warm, replicas):
    plan = rollback(facts(V3, BLUE, blue=("v3", serving), green=("v2", warm)))
    assert (plan.path, plan.target["replicas"], plan.warm_replicas) == ("warm", replicas, warm)
    assert plan.notices == []


# Scaled up since, or the warm colour lost a replica: it could not bear the traffic.
@pytest.mark.parametrize(("serving", "warm", "replicas"), [(4, 2, 4), (2, 1, 2)])
def test_a_warm_colour_that_is_too_small_is_topped_up_and_that_is_said(serving, warm, replicas):
    for plan in (
        rollback(facts(V3, BLUE, blue=("v3", serving), green=("v2", warm))),
        deploy(facts(V3, BLUE, blue=("v3", serving), green=("v2", warm), wanted="v2"), "v2"),
    ):
        assert (plan.path, plan.target["replicas"], plan.warm_replicas) == ("warm", replicas, warm)
        assert "warm with {0} of the {1} replicas that app-blue has".format(warm, replicas) in " ".join(plan.notices)


def test_a_warm_colour_that_does_not_answer_has_no_warm_replicas():
    plan = rollback(facts(V3, BLUE, blue=("v3", 2), green=("v2", 2)))
    _release_plan.cool(plan, ["app-green-1: 503"])
    assert (plan.path, plan.warm_replicas, plan.target["replicas"]) == ("cold", 0, 2)


def test_the_next_release_starts_in_the_size_that_the_live_one_was_scaled_to():
    made = history(*V1)
    made.add(_release.SCALED, release=made.releases[-1]["id"], replicas=5)
    found = facts(V1, BLUE, blue=("v1", 5), wanted="v2")
    found.releases = made.releases
    found.live_release = made.releases[-1]
    assert deploy(found, "v2").target["replicas"] == 5
    made.add(_release.SCALED, release=made.releases[-1]["id"], replicas=1)
    found.live_release, found.running[BLUE] = made.releases[-1], found.running[BLUE][:1]
    assert deploy(found, "v2").target["replicas"] == 1


def test_without_a_live_release_there_is_nothing_to_roll_back_from():
    gate, message, override = refusal(rollback(facts(V1, None)))
    assert (gate, override) == ("live", False)
    assert "deploy -e release_version=" in message


def test_without_an_earlier_release_there_is_nothing_to_go_back_to():
    for rows in (V1, TAKEN_BACK, []):
        gate, message, override = refusal(rollback(facts(rows, BLUE, blue=("v1", 2))))
        assert (gate, override) == ("version", False)
        assert "nothing to go back to" in message


BACK = [*V3, ("v2", GREEN, LIVE, ROLLED_BACK)]


def test_a_second_rollback_in_a_row_asks_which_version_and_names_the_candidates():
    found = facts(BACK, GREEN, blue=("v3", 2), green=("v2", 2))
    for further in ({}, {"overrides": ["version"]}, {"emergency": True}):
        gate, message, override = refusal(rollback(found, **further))
        assert (gate, override) == ("version", False)
        assert "v2 was itself reached by a rollback" in message
        assert "one of: v3, v1." in message
    assert rollback(found, "v3").path == "warm"
    assert rollback(found, "v1").path == "cold"


def test_after_a_deploy_a_rollback_needs_no_version_again():
    rows = [*BACK, ("v4", BLUE, LIVE)]
    assert rollback(facts(rows, BLUE, blue=("v4", 2), green=("v2", 2))).target["version"] == "v2"


def test_the_live_version_is_nothing_to_do():
    plan = rollback(facts(V3, BLUE, blue=("v3", 2), green=("v2", 2)), "v3")
    assert (plan.verdict, plan.refusals) == ("nothing_to_do", [])


@pytest.mark.parametrize("version", ["v9", "v5-bad"])
def test_a_version_that_was_never_healthy_here_is_refused_with_the_candidates(version):
    rows = [*V2, ("v5-bad", BLUE, "switched taken_back")]
    gate, message, override = refusal(rollback(facts(rows, GREEN, green=("v2", 2)), version, overrides=["version"]))
    assert (gate, override) == ("version", False)
    assert version + " was never healthy here" in message
    assert "Candidates: v1." in message


CONTRACTED = [*V2, ("v3", BLUE, LIVE + " contracted")]


def test_a_contract_migration_bars_the_way_back_and_is_named():
    found = facts(CONTRACTED, BLUE, blue=("v3", 2))
    for version in (None, "v1", "v2"):
        gate, message, override = refusal(rollback(found, version))
        assert (gate, override) == ("contract", True)
        for word in ("v3 ran a contract migration", version or "v2", "ops_override: [contract]"):
            assert word in message
    assert rollback(found, emergency=True).verdict == "refused"
    lifted = rollback(found, overrides=["contract"])
    assert (lifted.verdict, lifted.target["version"]) == ("go", "v2")


def test_releases_after_the_contract_are_open():
    rows = [*CONTRACTED, ("v4", GREEN, LIVE)]
    assert rollback(facts(rows, GREEN, blue=("v3", 2), green=("v4", 2))).target["version"] == "v3"


@pytest.mark.parametrize("events", ["switched", "switched interrupted", ""])
@pytest.mark.parametrize("version", [None, "v2"])
def test_a_rollback_whose_operator_died_is_seen_through_by_the_next_run(events, version):
    """Without a hand: the run that follows must not ask for a version because the live release was reached by a rollback."""
    found = facts([*V3, ("v2", GREEN, events, ROLLED_BACK)], GREEN, blue=("v3", 2), green=("v2", 2))
    plan = rollback(found, version)
    assert (plan.verdict, plan.path, plan.former) == ("go", "resume", BLUE)
    assert (plan.target["service"], plan.target["version"], plan.target["release"]) == (GREEN, "v2", found.releases[-1]["id"])


def test_a_rollback_away_from_a_deploy_whose_operator_died_goes_back():
    plan = rollback(facts([*V1, ("v2", GREEN, "switched")], GREEN, blue=("v1", 2), green=("v2", 2)))
    assert (plan.verdict, plan.path, plan.target["version"]) == ("go", "warm", "v1")
