"""What a module says of itself: its options by their full names, its return values, whether it ever changes anything."""

from __future__ import annotations

import ast
import functools
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = ROOT / ".ansible" / "collections"
OPS = COLLECTIONS / "ansible_collections" / "astraldraft" / "ops"
NOTHING_MODIFIED = "This module does not modify anything."


@dataclass(frozen=True)
class Documented:
    name: str
    path: Path
    options: dict[str, dict[str, Any]]
    returned: dict[str, dict[str, Any]]
    never_changes: bool
    always_changes: bool
    is_action: bool


@functools.cache
def documented(path: Path) -> Documented:
    """The documentation in a module's file, with what its fragments add."""
    strings = strings_of(path)
    doc = yaml.safe_load(strings["DOCUMENTATION"])
    options, attributes = doc.get("options") or {}, doc.get("attributes") or {}
    for name in doc.get("extends_documentation_fragment") or []:
        more = fragment(name)
        options, attributes = under(options, more.get("options") or {}), under(attributes, more.get("attributes") or {})
    return Documented(
        name=path.stem,
        path=path,
        options=flat(options),
        returned=yaml.safe_load(strings["RETURN"]) or {},
        never_changes=NOTHING_MODIFIED in str(attributes.get("idempotent", {}).get("details")),
        always_changes=attributes.get("idempotent", {}).get("support") == "none",
        # One whose action plugin only follows it is a module like any other.
        is_action=path.parent == OPS / "plugins" / "modules" and "def main(" not in path.read_text(encoding="utf-8"),
    )


def strings_of(path: Path) -> dict[str, str]:
    """The texts that a module's file gives names to."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant):
            found[node.targets[0].id] = str(node.value.value)
    return found


def fragment(name: str) -> dict[str, Any]:
    """One fragment of this collection: ``astraldraft.ops._operation`` or a part of it, ``astraldraft.ops._operation.docker``."""
    file, _dot, part = name.removeprefix("astraldraft.ops.").partition(".")
    module = importlib.import_module(f"ansible_collections.astraldraft.ops.plugins.doc_fragments.{file}")
    return yaml.safe_load(getattr(module.ModuleDocFragment, (part or "documentation").upper()))


def under(own: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """``more`` with ``own`` written over it, key by key of each option."""
    return {name: {**(more.get(name) or {}), **(own.get(name) or {})} for name in {**more, **own}}


def flat(options: dict[str, dict[str, Any]], above: str = "") -> dict[str, dict[str, Any]]:
    """``{checks: ..., checks.url: ...}``: suboptions after the option they belong to."""
    found = {}
    for name, option in options.items():
        found[above + name] = option
        found.update(flat(option.get("suboptions") or {}, above + name + "."))
    return found


def all_modules() -> list[str]:
    """Every module that the collection lists: the action group holds all of them, which a unit test checks."""
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    return list(runtime["action_groups"]["all"])


def module_path(name: str) -> Path:
    return OPS / "plugins" / "modules" / f"{name}.py"


def text_of(description: Any) -> str:
    return " ".join(description) if isinstance(description, list) else str(description or "")
