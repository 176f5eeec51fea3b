from __future__ import annotations

import copy

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _release
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, GREEN, History, digest, history

LIVE = "switched healthy"


def versions(releases):
    return [release["version"] for release in releases]


def test_a_release_is_what_its_events_tell():
    made = history(
        ("v1", BLUE, LIVE), ("v2", GREEN, "switched taken_back", {"message": "5 % errors."}), ("v3", GREEN, "failed"), ("v4", GREEN, "")
    )
    first, second, third, fourth = made.releases
    assert [release["outcome"] for release in made.releases] == ["healthy", "taken_back", "failed", "running"]
    assert (first["started_at"], first["switched_at"], first["finished_at"]) == tuple(
        "2026-11-23T00:0{0}:00.000Z".format(n) for n in (1, 2, 3)
    )
    assert second["message"] == "5 % errors."
    assert third["switched_at"] is None
    assert fourth["finished_at"] is None
    assert set(first) == set(_release.DETAILS) | {
        "id",
        "outcome",
        "message",
        "contracting",
        "contracted",
        "started_at",
        "switched_at",
        "finished_at",
    }


def test_what_is_not_understood_changes_nothing():
    made = history(("v1", BLUE, LIVE))
    before = copy.deepcopy(made.releases)
    made.events += [
        {},
        {"event": "painted", "release": made.releases[0]["id"], "time": "x"},
        {"event": "healthy", "release": "nobody", "time": "x"},
    ]
    assert made.releases == before
    assert _release.fold([]) == []


def test_reading_does_not_alter_the_events():
    made = history(("v1", BLUE, LIVE), ("v2", GREEN, "switched taken_back"))
    before = copy.deepcopy(made.events)
    releases = made.releases
    _release.candidates(releases, releases[0])
    _release.public_list(releases)
    assert made.events == before


@pytest.mark.parametrize(
    ("rows", "service", "version"),
    [
        ([], BLUE, None),
        ([("v1", BLUE, LIVE)], BLUE, "v1"),
        ([("v1", BLUE, LIVE)], GREEN, None),
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, LIVE)], BLUE, "v3"),
        # What never got traffic, or lost it again, is not what is live now.
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, "failed")], BLUE, "v1"),
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, "switched taken_back")], BLUE, "v1"),
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, "switched inconclusive")], BLUE, "v1"),
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, LIVE + " returned")], BLUE, "v1"),
        # Whoever brought it there died: it may well be live.
        ([("v1", BLUE, LIVE), ("v2", GREEN, "switched")], GREEN, "v2"),
        ([("v1", BLUE, LIVE), ("v2", GREEN, "switched interrupted")], GREEN, "v2"),
    ],
)
def test_the_live_release_is_the_newest_that_the_live_colour_may_run(rows, service, version):
    live = _release.live_release(history(*rows).releases, service)
    assert (live["version"] if live else None) == version


@pytest.mark.parametrize(
    ("rows", "bad"),
    [
        ([("v1", BLUE, LIVE)], []),
        ([("v2", GREEN, "switched taken_back")], ["v2"]),
        ([("v2", GREEN, "failed")], []),
        ([("v2", GREEN, "switched inconclusive")], []),
        ([("v2", GREEN, "switched interrupted")], []),
        # It went back because another host failed: nothing speaks against it.
        ([("v2", GREEN, LIVE + " returned")], []),
        ([("v2", GREEN, "switched taken_back"), ("v2", GREEN, LIVE)], []),
        ([("v2", GREEN, LIVE), ("v2", GREEN, "switched taken_back")], ["v2"]),
        ([("v2", GREEN, "switched taken_back"), ("v2", GREEN, "failed")], ["v2"]),
        ([("v2", GREEN, "switched taken_back"), ("v3", GREEN, "switched taken_back"), ("v3", GREEN, LIVE)], ["v2"]),
    ],
)
def test_quarantined_is_what_was_taken_back_and_not_proved_since(rows, bad):
    assert _release.quarantined(history(*rows).releases) == {digest(version) for version in bad}


@pytest.mark.parametrize(
    ("rows", "service", "possible"),
    [
        ([], BLUE, []),
        ([("v1", BLUE, LIVE)], BLUE, []),
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, LIVE)], BLUE, ["v2", "v1"]),
        ([("v1", BLUE, LIVE), ("v2", GREEN, "failed"), ("v3", GREEN, LIVE)], GREEN, ["v1"]),
        ([("v1", BLUE, LIVE), ("v2", GREEN, "switched taken_back")], BLUE, []),
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v1", BLUE, LIVE, {"operation": "rollback"})], BLUE, ["v2"]),
        # The same version twice is one candidate, unless its environment differs.
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v1", BLUE, LIVE), ("v3", GREEN, LIVE)], GREEN, ["v1", "v2"]),
        ([("v1", BLUE, LIVE), ("v1", GREEN, LIVE, {"environment": "e2"})], GREEN, ["v1"]),
        # It was well here and went back all the same: other hosts do not have it, so it is nothing to go back to.
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE + " returned"), ("v3", GREEN, LIVE)], GREEN, ["v1"]),
        # Healthy once, taken back later: nothing to go back to.
        ([("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, LIVE), ("v2", GREEN, "switched taken_back")], BLUE, ["v1"]),
        # Taken back with an environment that was wrong: the image was and is healthy with the one before.
        (
            [("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v2", BLUE, "switched taken_back", {"environment": "e2"}), ("v3", BLUE, LIVE)],
            BLUE,
            ["v2", "v1"],
        ),
    ],
)
def test_candidates_were_healthy_here_newest_first(rows, service, possible):
    releases = history(*rows).releases
    assert versions(_release.candidates(releases, _release.live_release(releases, service))) == possible


def test_a_contract_migration_bars_the_way_to_everything_before_it():
    made = history(("v1", BLUE, LIVE), ("v2", GREEN, LIVE), ("v3", BLUE, LIVE + " contracted"), ("v4", GREEN, LIVE))
    first, second, third, fourth = made.releases
    assert _release.contract_after(made.releases, first)["version"] == "v3"
    assert _release.contract_after(made.releases, second)["version"] == "v3"
    assert _release.contract_after(made.releases, third) is None
    assert _release.contract_after(made.releases, fourth) is None


def test_a_contract_after_another_release_counts_from_when_it_ran():
    """The live release is contracted after a newer one was tried and taken back: what was before the live one is barred."""
    made = History()
    made.release("v1", BLUE, "switched", "healthy")
    live = made.release("v2", GREEN, "switched", "healthy")
    made.release("v3", BLUE, "switched", "taken_back")
    made.add("contracted", release=live)
    assert _release.contract_after(made.releases, made.releases[0])["version"] == "v2"


def test_others_learn_only_what_is_nobodys_secret():
    made = history(("v1", BLUE, LIVE))
    assert set(_release.public_list(made.releases)[0]) == {
        "id", "operation", "version", "digest", "outcome", "started_at", "switched_at", "finished_at"
    }  # fmt: skip


def test_another_environment_proves_by_digest_and_only_by_a_healthy_end():
    exported = _release.public_list(history(("v1", BLUE, LIVE), ("v2", GREEN, "switched taken_back"), ("v1", GREEN, LIVE)).releases)
    assert _release.healthy_elsewhere(exported, digest("v1")) == exported[2]["finished_at"]
    assert _release.healthy_elsewhere(exported, digest("v2")) is None
    assert _release.healthy_elsewhere([], digest("v1")) is None


@pytest.mark.parametrize("entry", [3, "v1", None, ["v1"], {}, {"digest": digest("v1"), "outcome": "healthy"}])
def test_nonsense_in_another_environments_list_is_no_proof_and_no_crash(entry):
    good = _release.public_list(history(("v1", BLUE, LIVE)).releases)
    assert _release.healthy_elsewhere([entry], digest("v1")) is None
    assert _release.healthy_elsewhere([entry] + good, digest("v1")) == good[0]["finished_at"]


def test_a_contract_migration_that_was_only_begun_closes_the_way_back_and_is_not_done():
    events = [
        {"event": "started", "release": "r1", "time": "2026-11-23T00:00:01.000Z"},
        {"event": "started", "release": "r2", "time": "2026-11-23T00:00:02.000Z"},
        {"event": "contracting", "release": "r2", "time": "2026-11-23T00:00:03.000Z"},
    ]
    first, second = releases = _release.fold(events)
    assert (second["contracting"], second["contracted"]) == (True, False)
    assert _release.contract_after(releases, first) is second
    done = _release.fold([*events, {"event": "contracted", "release": "r2", "time": "2026-11-23T00:00:04.000Z"}])[1]
    assert (done["contracting"], done["contracted"]) == (True, True)


def test_scaling_is_recorded_as_often_as_it_happens_and_changes_the_size_alone():
    made = history(("v1", BLUE, "switched healthy"))
    before = made.releases[-1]
    identifier = before["id"]
    assert made.add(_release.SCALED, release=identifier, replicas=2) == []
    assert len(made.add(_release.SCALED, release=identifier, replicas=5)) == 1
    assert made.add(_release.SCALED, release=identifier, replicas=5) == []
    assert made.releases[-1] == dict(before, replicas=5)
    assert len(made.add(_release.SCALED, release=identifier, replicas=2)) == 1
    assert made.releases[-1] == before
