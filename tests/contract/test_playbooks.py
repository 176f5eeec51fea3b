"""Every playbook: in check mode it only reads, and each of its tasks says `changed` where the run that follows changes something."""

from __future__ import annotations

import json

import pytest
from ansible_collections.astraldraft.ops.tests.contract.cases.release_history import FIRST
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Lab
from ansible_collections.astraldraft.ops.tests.contract.lib.plays import in_check_mode, returned_dishonestly, run_both, told_wrongly
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World, command
from ansible_collections.astraldraft.ops.tests.contract.steps import EXCEPTIONS, Step, steps


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a step. What a step runs depends on the stack, its name does not."""
    if "number" in metafunc.fixturenames:
        names = [f"{step.playbook}: {step.what}" for step in steps(Nowhere())]
        metafunc.parametrize("number", range(len(names)), ids=names)


class Nowhere:
    """Stands in for the stack while the tests are only counted."""

    def __getattr__(self, name: str) -> Nowhere:
        return self

    def __str__(self) -> str:
        return "nowhere"


@pytest.fixture(scope="module")
def planned(world: World) -> list[Step]:
    """The steps, once there is a record for the small project: its blue colour is live and proved."""
    small = world.small
    [address] = small.addresses("app-blue")
    small.traffic(f"upstream app {{\n    server {address}:3000 weight=1; # app-blue-1\n}}\n")
    image = command("docker", "image", "inspect", "--format", "{{.Id}}", "astraldraft/nginx:forky")
    begun = FIRST | {"version": "forky", "image": image, "digest": image, "environment": "throwaway", "service": "app-blue", "replicas": 1}
    events = [begun, *({"time": begun["time"], "event": event, "release": begun["release"]} for event in ("switched", "healthy"))]
    (small.folder / "releases.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return steps(world)


def test_every_playbook_is_run() -> None:
    assert {step.playbook for step in steps(Nowhere())} == {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


def test_playbook(number: int, planned: list[Step], lab: Lab) -> None:
    step = planned[number]
    checked, real = run_both(lab, f"playbooks/{step.playbook}.yml", step.variables)
    assert [bool(play.code) for play in (checked, real)] == [step.refused] * 2, checked.output + real.output
    found = in_check_mode(checked) + told_wrongly(checked, real, EXCEPTIONS)
    found += returned_dishonestly(checked) + returned_dishonestly(real)
    assert found == []
