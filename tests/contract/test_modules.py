"""Every module of the collection: inert in check mode, honest about what it returns, deaf to none of its options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.astraldraft.ops.tests.contract.lib.contract import Contract
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import all_modules

CASES = Path(__file__).parent / "cases"
MODULES = all_modules()


def holds(found: list[str]) -> None:
    """Fail with the sentences ``found``, should there be any."""
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_module_has_a_case() -> None:
    assert sorted(path.stem for path in CASES.glob("*.py")) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_check_mode_is_inert(name: str, contract_of: Callable[[str], Contract]) -> None:
    holds(contract_of(name).inert())


@pytest.mark.parametrize("name", MODULES)
def test_no_option_is_dropped(name: str, contract_of: Callable[[str], Contract]) -> None:
    holds(contract_of(name).heard())


@pytest.mark.parametrize("name", MODULES)
def test_return_docs_are_honest(name: str, contract_of: Callable[[str], Contract]) -> None:
    holds(contract_of(name).honest())
