"""What all contract tests share: the stack, the lab, and one set of runs a module."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case
from ansible_collections.astraldraft.ops.tests.contract.lib.contract import Contract
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import documented, module_path
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Lab
from ansible_collections.astraldraft.ops.tests.contract.lib.world import Stack, World


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = Lab(tmp_path_factory.mktemp("contract"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    found = World(Stack.of_environment(), os.environ.get("PYTEST_XDIST_WORKER", ""))
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
