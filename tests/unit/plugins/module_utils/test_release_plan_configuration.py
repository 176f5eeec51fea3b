"""Plans that change the configuration and nothing else, or go back to another one."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _release_plan
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, GREEN, digest
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.release_plans import (
    LIVE,
    ROLLED_BACK,
    V1,
    V2,
    facts,
    refusal,
    resolved,
    rollback,
)

OTHER = {"environment": "e2"}
#: v1 with e1, v1 with e2, v2 with e2: the configuration went bad before the version did.
MENDED = [("v1", BLUE, LIVE), ("v1", GREEN, LIVE, OTHER), ("v2", BLUE, LIVE, OTHER)]


def reconfigure(found, environment="e3", **further):
    return resolved(_release_plan.plan_reconfigure(found, environment, **further))


def back(found, version=None):
    return rollback(found, version, other_environment=True)


def test_the_live_image_gets_another_environment_in_the_idle_colour():
    plan = reconfigure(facts(V2, GREEN, blue=("v1", 2), green=("v2", 2)))
    assert (plan.verdict, plan.path, plan.former) == ("go", "cold", GREEN)
    assert [plan.target[name] for name in ("service", "version", "digest", "environment")] == [BLUE, "v2", digest("v2"), "e3"]


def test_the_environment_that_is_live_is_nothing_to_do():
    assert reconfigure(facts(V2, GREEN, green=("v2", 2)), "e1").verdict == "nothing_to_do"


def test_what_somebody_had_begun_and_never_proved_is_taken_up():
    rows = [*V1, ("v1", GREEN, "switched", OTHER)]
    found = facts(rows, GREEN, blue=("v1", 2), green=("v1", 2), environments={BLUE: "e1", GREEN: "e2"})
    assert (reconfigure(found, "e2").path, reconfigure(found, "e2").former) == ("resume", BLUE)


def test_containers_with_another_environment_than_recorded_are_brought_to_it():
    found = facts(V1, BLUE, blue=("v1", 2), environments={BLUE: None, GREEN: None})
    assert reconfigure(found, "e1").verdict == "go"


def test_an_environment_that_was_taken_back_with_this_image_is_refused_and_can_be_overridden():
    rows = [*V1, ("v1", GREEN, "switched taken_back", OTHER | {"message": "5 % failed."})]
    found = facts(rows, BLUE, blue=("v1", 2))
    gate, message, override = refusal(reconfigure(found, "e2"))
    assert (gate, override) == ("quarantine", True)
    assert "5 % failed." in message
    assert reconfigure(found, "e2", overrides=["quarantine"]).verdict == "go"
    assert reconfigure(found, "e3").verdict == "go"


@pytest.mark.parametrize(("rows", "live"), [([], None), ([], BLUE)])
def test_without_a_recorded_release_there_is_none_to_mend(rows, live):
    assert refusal(reconfigure(facts(rows, live)))[0] == "live"


def test_going_back_passes_over_what_ran_with_the_same_environment():
    found = facts(MENDED, BLUE, blue=("v2", 2), environments={BLUE: "e2", GREEN: None})
    plan = back(found)
    assert (plan.target["version"], plan.target["environment"]) == ("v1", "e1")
    assert (rollback(found).target["version"], rollback(found).target["environment"]) == ("v1", "e2")


def test_a_named_version_is_the_one_with_another_environment():
    assert back(facts(MENDED, BLUE, blue=("v2", 2)), "v1").target["environment"] == "e1"


def test_the_live_version_may_be_named_where_it_ran_with_another_environment():
    rows = [("v1", BLUE, LIVE), ("v1", GREEN, LIVE, OTHER)]
    plan = back(facts(rows, GREEN, green=("v1", 2), environments={BLUE: None, GREEN: "e2"}), "v1")
    assert (plan.verdict, plan.target["environment"]) == ("go", "e1")


@pytest.mark.parametrize("version", ["v2", "v9"])
def test_a_version_without_another_environment_is_refused(version):
    gate, message, _override = refusal(back(facts(MENDED, BLUE, blue=("v2", 2)), version))
    assert (gate, "another environment" in message, "v1" in message) == ("version", True, True)


def test_where_all_ran_with_one_environment_the_inventory_is_to_be_mended():
    gate, message, override = refusal(back(facts(V2, GREEN, green=("v2", 2))))
    assert (gate, override) == ("version", False)
    assert "release_configuration=inventory" in message


@pytest.mark.parametrize("version", [None, "v1"])
def test_the_same_command_again_does_not_lead_to_what_it_was_fled_from(version):
    """Neither where the versions differ, nor where the environment went bad under one and the same version."""
    for fled in (MENDED, MENDED[:2]):
        live = GREEN if fled is MENDED else BLUE
        found = facts([*fled, ("v1", live, LIVE, ROLLED_BACK)], live, blue=("v1", 2), green=("v1", 2))
        plan = back(found, version)
        assert (plan.verdict, plan.refusals) == ("nothing_to_do", [])
        assert [plan.target[name] for name in ("service", "version", "environment")] == [live, "v1", "e1"]


@pytest.mark.parametrize("fled", [MENDED, MENDED[:2]])
def test_nor_does_a_rollback_to_the_version_that_it_is_on(fled):
    live = GREEN if fled is MENDED else BLUE
    plan = rollback(facts([*fled, ("v1", live, LIVE, ROLLED_BACK)], live, blue=("v1", 2), green=("v1", 2)), "v1")
    assert (plan.verdict, plan.target["environment"]) == ("nothing_to_do", "e1")


def test_from_there_one_goes_on_by_naming_another_version():
    found = facts([*MENDED, ("v1", GREEN, LIVE, ROLLED_BACK)], GREEN, blue=("v2", 2), green=("v1", 2))
    assert (back(found, "v2").verdict, back(found, "v2").target["environment"]) == ("go", "e2")


def test_a_rollback_that_changed_no_environment_asks_for_a_version():
    rows = [*MENDED, ("v1", GREEN, LIVE, ROLLED_BACK | OTHER)]
    found = facts(rows, GREEN, green=("v1", 2))
    assert "-e release_version" in refusal(back(found))[1]
    assert (back(found, "v1").verdict, back(found, "v1").target["environment"]) == ("go", "e1")


def test_a_way_back_whose_operator_died_is_seen_through():
    rows = [*MENDED, ("v1", GREEN, "switched", ROLLED_BACK)]
    plan = back(facts(rows, GREEN, blue=("v2", 2), green=("v1", 2)))
    assert (plan.path, plan.target["environment"], plan.former) == ("resume", "e1", BLUE)
