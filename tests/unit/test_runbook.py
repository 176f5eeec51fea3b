# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/runbook.md promises a playbook and a test in each of its rows: they are there, and they run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    line
    for line in (ROOT / "docs/runbook.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| you were", "|--"))
]
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
UNIT_TESTS = {path.stem for path in (ROOT / "tests/unit").rglob("test_*.py")}
#: Where a test of each kind is, and what runs it.
PLACES = {
    "target": lambda name: (ROOT / "tests/integration/targets" / name / "tasks/main.yml").is_file(),
    "campaign": lambda name: (ROOT / "tests/faults/campaigns" / f"{name}.py").is_file(),
    "scenario": lambda name: (ROOT / "extensions/molecule" / name / "molecule.yml").is_file(),
    "unit": UNIT_TESTS.__contains__,
}


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def named_tests(cell: str) -> list[tuple[str, str]]:
    """(kind, name) of each test that a cell names. A kind holds until another one is said."""
    found, kind = [], ""
    for word, name in re.findall(r"(\b\w+\b)?[ ,]*`([^`]+)`", cell):
        kind = word or kind
        found.append((kind, name))
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: cells(row)[0][:60])
def test_a_row_names_what_there_is(row: str) -> None:
    said, harm, instead, seen = cells(row)
    assert said and harm
    words = {re.split(r"\s", name)[0] for name in re.findall(r"`([^`]+)`", instead)}
    assert words & PLAYBOOKS or re.search(r"module `|role `|every playbook|\[\w+\.md\]", instead), instead
    for name in re.findall(r"\[(\w+\.md)\]", instead):
        assert (ROOT / "docs" / name).is_file(), name
    tests = named_tests(seen)
    assert tests, "no test is named"
    for kind, name in tests:
        assert PLACES[kind](name), f"there is no {kind} {name}"
