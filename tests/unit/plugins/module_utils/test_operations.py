from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _operations

ROOT = Path(__file__).resolve().parents[4]
#: The playbooks of the guide that must exclude each other, whatever else is changed in the table.
EXCLUSIVE = [
    ("deploy", "deploy"),
    ("deploy", "rollback"),
    ("deploy", "restore"),
    ("deploy", "scale"),
    ("deploy", "weights"),
    ("deploy", "restart_service"),
    ("deploy", "database_maintenance"),
    ("restore", "backup"),
    ("restore", "maintenance_end"),
    ("restore", "database_connections"),
    ("backup", "backup"),
    ("cache_clear", "deploy"),
    ("recover_system", "backup_verify"),
    ("nobody_knows_it", "backup_verify"),
    ("nobody_knows_it", "nobody_knows_it"),
    ("stack", "deploy"),
]
TOGETHER = [
    ("deploy", "backup"),
    ("restart_service", "backup"),
    ("deploy", "silence"),
    ("restore", "silence"),
    ("restore", "maintenance_start"),
    ("backup_verify", "backup_verify"),
    ("incident_open", "deploy"),
    ("incident_open", "nobody_knows_it"),
    ("block_address", "block_address"),
    ("lock", "deploy"),
    ("unfreeze", "recover_system"),
]


@pytest.mark.parametrize(("one", "other"), EXCLUSIVE)
def test_these_never_run_at_once(one, other):
    assert _operations.excludes(one, other)
    assert _operations.excludes(other, one)
    assert _operations.contended(one, other) == _operations.contended(other, one)


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_these_may_run_at_once(one, other):
    assert not _operations.excludes(one, other)
    assert not _operations.excludes(other, one)


def test_what_two_operations_contend_for_is_named():
    assert _operations.contended("deploy", "rollback") == ["app", "traffic"]
    assert _operations.contended("deploy", "restore") == ["app", "database"]
    assert _operations.contended("deploy", "backup") == []


@pytest.mark.parametrize("operation", ["deploy", "scale", "database_maintenance", "cache_clear", "nobody_knows_it"])
def test_a_freeze_holds_back_what_brings_something_new(operation):
    assert _operations.frozen(operation)


@pytest.mark.parametrize(
    "operation", ["rollback", "restore", "restart_service", "weights", "silence", "incident_open", "backup", "unfreeze", "recover_system"]
)
def test_a_freeze_holds_back_no_remedy(operation):
    assert not _operations.frozen(operation)


def test_every_resource_is_known_and_none_is_used_twice():
    for name, operation in _operations.OPERATIONS.items():
        assert operation.alone | operation.beside <= set(_operations.RESOURCES), name
        assert not operation.alone & operation.beside, name
        assert not operation.frozen or _operations.uses(name), name


def test_every_playbook_is_listed():
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert playbooks <= set(_operations.OPERATIONS)


def guide():
    """The rows of the table in docs/guard.md: operation to (alone, beside, frozen)."""
    text = (ROOT / "docs" / "guard.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    found = {}
    for names, alone, beside, frozen in (row for row in rows if len(row) == 4):
        for name in re.findall(r"`(\w+)`", names):
            assert name not in found, f"{name} stands in the table twice"
            resources = [frozenset(_operations.RESOURCES if cell == "everything" else re.findall(r"\w+", cell)) for cell in (alone, beside)]
            found[name] = (*resources, frozen == "yes")
    return found


def test_the_table_of_the_guide_is_the_one_that_is_used():
    assert guide() == {name: tuple(operation) for name, operation in _operations.OPERATIONS.items()}
