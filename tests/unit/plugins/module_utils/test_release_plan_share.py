"""Plans between two steps of traffic: the former colour is live, and another release in the idle one has a share."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, GREEN
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.release_plans import (
    LIVE,
    ROLLED_BACK,
    V1,
    V2,
    deploy,
    facts,
    rollback,
)

STEP = (*V1, ("v2", GREEN, "switched"))


def shared(rows=STEP, **more):
    return facts(rows, BLUE, blue=("v1", 2), green=("v2", 2), shared=True, **more)


def test_a_rollback_away_from_a_share_leads_to_the_colour_that_is_live():
    for version in (None, "v1"):
        plan = rollback(shared(), version)
        assert (plan.verdict, plan.target["service"], plan.target["version"]) == ("nothing_to_do", BLUE, "v1")
    # Without a share, the same words mean the release before the live one, of which there is none here.
    assert rollback(facts(V1, BLUE, blue=("v1", 2), green=("v2", 2))).verdict == "refused"


def test_a_rollback_away_from_a_share_needs_no_version_though_the_live_release_was_reached_by_one():
    rows = [*V2, ("v1", BLUE, LIVE, ROLLED_BACK), ("v2", GREEN, "switched")]
    assert rollback(shared(rows)).verdict == "nothing_to_do"
    assert rollback(facts(rows, BLUE, blue=("v1", 2), green=("v2", 2))).verdict == "refused"


def test_a_rollback_to_another_version_than_the_live_one_is_planned_as_ever():
    rows = [("v0", GREEN, LIVE), *V1, ("v2", GREEN, "switched")]
    plan = rollback(shared(rows), "v0")
    assert (plan.verdict, plan.path, plan.target["service"], plan.former) == ("go", "cold", GREEN, BLUE)


def test_the_same_deploy_begins_anew_and_another_one_replaces_it():
    for version in ("v2", "v3"):
        plan = deploy(shared(wanted=version), version)
        assert (plan.verdict, plan.path, plan.target["service"], plan.former) == ("go", "cold", GREEN, BLUE)


def test_a_deploy_of_the_live_version_gives_it_all_the_traffic():
    assert deploy(shared(wanted="v1"), "v1").verdict == "nothing_to_do"


def test_a_share_beside_a_live_release_that_nobody_proved_is_resolved_by_proving_that_one():
    rows = [*V1, ("v2", BLUE, "switched interrupted"), ("v3", GREEN, "switched")]
    plan = rollback(facts(rows, BLUE, blue=("v2", 2), green=("v3", 2), shared=True))
    assert (plan.path, plan.target["service"], plan.target["version"]) == ("resume", BLUE, "v2")
