# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/runbook.md promises a playbook and a test in each of its rows: they are there, and they run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT, NOT_BUILT = (ROOT / "docs/runbook.md").read_text(encoding="utf-8").split("## What is not built")
ROWS = [line for line in BUILT.splitlines() if line.startswith("| ") and not line.startswith("| you were")]
ABSENT = [line for line in NOT_BUILT.splitlines() if line.startswith("| ") and not line.startswith("| what |")]
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


@pytest.mark.parametrize("row", ABSENT, ids=lambda row: cells(row)[0][:60])
def test_what_is_not_built_has_something_instead(row: str) -> None:
    what, why, instead = cells(row)
    assert what and why
    assert {re.split(r"\s", name)[0] for name in re.findall(r"`([^`]+)`", instead)} & PLAYBOOKS, instead


def test_no_document_waits_for_a_shell_to_date_it() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    dated = re.compile(r"^[^|]*(updated|reviewed?)\b.*\$\(date", re.IGNORECASE | re.MULTILINE)
    assert dated.search("Last updated: $(date +%F)")
    assert not [path.name for path in documents if dated.search(path.read_text(encoding="utf-8"))]
