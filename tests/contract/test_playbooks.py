"""Every playbook: in check mode it only reads and says what would change, task by task what the run that follows changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Lab, Play
from ansible_collections.astraldraft.ops.tests.contract.lib.plays import arguments, in_check_mode, returned_dishonestly, said, told_wrongly
from ansible_collections.astraldraft.ops.tests.contract.lib.snapshot import differences, snapshot
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World
from ansible_collections.astraldraft.ops.tests.contract.steps import LANES
from ansible_collections.astraldraft.ops.tests.contract.steps.step import EXCEPTIONS, Step


class Nowhere:
    """Stands in for the world while the tests are only counted: what a step runs depends on it, its name does not."""

    def __getattr__(self, name: str) -> Nowhere:
        return self

    def __str__(self) -> str:
        return "nowhere"

    def __call__(self, *_arguments: object) -> Nowhere:
        return self

    __or__ = __truediv__ = __call__


COUNTED = {lane: lane_steps(Nowhere()) for lane, lane_steps in LANES.items()}
NUMBERED = [
    pytest.param(lane, number, id=f"{lane}: {step.playbook}: {step.what}")
    for lane, found in COUNTED.items()
    for number, step in enumerate(found)
]


@pytest.fixture(scope="session")
def steps_of(world: World) -> Callable[[str], list[Step]]:
    """The steps of a lane in this world."""
    made: dict[str, list[Step]] = {}

    def steps(lane: str) -> list[Step]:
        if lane not in made:
            made[lane] = LANES[lane](world)
        return made[lane]

    return steps


def test_every_playbook_is_run_for_real() -> None:
    run = {step.playbook for found in COUNTED.values() for step in found if step.real}
    assert run == {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


@pytest.mark.parametrize(("lane", "number"), NUMBERED)
def test_playbook(lane: str, number: int, steps_of: Callable[[str], list[Step]], lab: Lab, world: World) -> None:
    step = steps_of(lane)[number]
    playbook, place = f"playbooks/{step.playbook}.yml", world.place(step.variables)
    before = snapshot(*place)
    checked = lab.playbook(arguments(playbook, step.variables, check=True), record=True)
    found = [f"not said: {words}" for words in step.says if words not in said(checked)]
    found += ["it breaks with a traceback"] if "Traceback" in checked.output else []
    found += [f"check mode has left its mark: {difference}" for difference in differences(before, snapshot(*place))]
    found += in_check_mode(checked) + returned_dishonestly(checked)
    if step.changes != any(result.changed for result in checked.results):
        found.append(f"its case says that {'something' if step.changes else 'nothing'} would change, and check mode does not")
    hold(step, checked, found)
    if step.real:
        real = lab.playbook(arguments(playbook, step.variables, check=False), record=False)
        silent = [f"not said when it is run: {words}" for words in step.told if words not in said(real)]
        hold(step, real, silent + told_wrongly(checked, real, EXCEPTIONS) + returned_dishonestly(real))


def hold(step: Step, play: Play, found: list[str]) -> None:
    """Fail with what was found, and with what the play printed, when it is not as its step says."""
    if bool(play.code) != step.refused:
        found = [f"it ends with code {play.code}", *found]
    if found:
        pytest.fail("\n".join([*found, play.output]), pytrace=False)
