"""What all contract tests share: the stack, the lab, and one set of runs a module."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case
from ansible_collections.astraldraft.ops.tests.contract.lib.contract import Contract
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT, documented, module_path
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Lab
from ansible_collections.astraldraft.ops.tests.contract.lib.world import Stack, World
from xdist.scheduler import LoadScopeScheduling

#: What modules of the same service have the stub say of it is one and the same for all processes, so these are not asked side by side.
STUBBED = ("grafana_", "pagerduty_", "sentry_")


class Scheduling(LoadScopeScheduling):
    """What is known of a module, or done in a lane, stays in one process."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if not file.endswith(("modules.py", "playbooks.py")):
            return file
        name = scope(nodeid)
        return next((service for service in STUBBED if name.startswith(service)), name) if file.endswith("modules.py") else name


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sample", action="store_true", help="leave out the modules and lanes that tests/long names")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--sample"):
        return
    lines = [line.split() for line in (ROOT / "tests/long").read_text().splitlines() if not line.startswith("#")]
    long = {name for suite, name in lines if suite == "contract"}
    left_out = [item for item in items if scope(item.nodeid) in long]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def scope(nodeid: str) -> str:
    """The module, or the lane of playbooks, that a test is about."""
    return nodeid.partition("::")[2].partition("[")[2].rstrip("]").partition(":")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = Lab(tmp_path_factory.mktemp("contract"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def world(lab: Lab) -> Iterator[World]:
    found = World(Stack.of_environment(), os.environ.get("PYTEST_XDIST_WORKER", ""), lab.programs)
    yield found
    found.close()


@pytest.fixture(scope="session")
def contract_of(lab: Lab, world: World) -> Callable[[str], Contract]:
    """The contract of a module by its name; the same one each time, so that every situation is run once."""
    made: dict[str, Contract] = {}

    def contract(name: str) -> Contract:
        if name not in made:
            case: Case = importlib.import_module(f"ansible_collections.astraldraft.ops.tests.contract.cases.{name}").case(world)
            made[name] = Contract(lab, documented(module_path(name)), case)
        return made[name]

    return contract
