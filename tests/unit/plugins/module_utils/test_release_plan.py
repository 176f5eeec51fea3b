from __future__ import annotations

import collections

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _release, _release_plan
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, GREEN, digest, history

LIVE = "switched healthy"
ROLLED_BACK = {"operation": "rollback"}
#: Before anything in the record.
CREATED = {BLUE: "2026-11-23T00:00:30.123456789Z", GREEN: "2026-11-23T00:00:30.123456789Z"}
Replica = collections.namedtuple("Replica", "image_id")


def image_id(version):
    return "sha256:id-{0}".format(version)


def image(version):
    return {"reference": "registry/app@" + digest(version), "digest": digest(version), "id": image_id(version)}


def facts(rows, live, blue=(None, 0), green=(None, 0), wanted=None, environments=None, **further):
    """The Facts of a host. ``blue`` and ``green``: version and number of replicas that run; ``wanted``: the version to resolve."""
    running = {name: [Replica(image_id(version))] * count for name, (version, count) in ((BLUE, blue), (GREEN, green))}
    return _release_plan.Facts(
        history(*rows).releases,
        live,
        [BLUE, GREEN],
        running,
        environments or {BLUE: "e1" if blue[1] else None, GREEN: "e1" if green[1] else None},
        image=image(wanted) if wanted else None,
        **dict({"known_versions": ["v1", "v2"], "staging": _release_plan.SKIPPED, "created": CREATED}, **further),
    )


def deploy(found, version, environment="e1", replicas=2, **further):
    plan = _release_plan.plan_deploy(found, version, environment, replicas, **further)
    return resolved(plan)


def rollback(found, version=None, **further):
    return resolved(_release_plan.plan_rollback(found, version, **further))


def resolved(plan, gone=()):
    """The plan with its path, as the caller resolves it; ``gone`` are versions whose image is no longer on this host."""
    if plan.target:
        version = plan.target["version"]
        _release_plan.resolve_path(plan, None if version in gone else image_id(version))
    return plan


def refusal(plan):
    """The one refusal of a plan, as (gate, message, whether it can be overridden)."""
    assert plan.verdict == "refused"
    assert len(plan.refusals) == 1
    return tuple(plan.refusals[0][name] for name in ("gate", "message", "override"))


V1 = [("v1", BLUE, LIVE)]
V2 = [*V1, ("v2", GREEN, LIVE)]
V3 = [*V2, ("v3", BLUE, LIVE)]


# -- deploy


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


TAKEN_BACK = [*V1, ("v2", GREEN, "switched taken_back", {"message": "5 % of the requests failed."})]


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


# -- rollback


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


# -- between two steps: the former colour is live, and another release in the idle one has a share of the traffic


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
