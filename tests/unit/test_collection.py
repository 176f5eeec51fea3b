# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection promises about itself: what it lists is what it has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
PYTHON = sorted(PLUGINS.rglob("*.py"))
COPYRIGHT = "# Copyright (c) 2026, Astral Draft Platform Engineering"
SPDX = "# SPDX-License-Identifier: GPL-3.0-or-later"
STANDARD_ATTRIBUTES = {"check_mode", "diff_mode", "idempotent", "action_group"}


def documentation(path: Path, name: str):
    """The YAML of a module's DOCUMENTATION, EXAMPLES or RETURN; None when it has none."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
            return yaml.safe_load(ast.literal_eval(node.value))
    return None


def attributes(path: Path) -> set[str]:
    """The attributes that a module documents, those of its fragments among them."""
    found = documentation(path, "DOCUMENTATION")
    names = set(found.get("attributes") or {})
    for fragment in found.get("extends_documentation_fragment") or []:
        collection, _dot, rest = fragment.rpartition("ops.")
        if collection != "astraldraft.":
            continue
        name, _dot, part = rest.partition(".")
        source = (PLUGINS / "doc_fragments" / f"{name}.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Assign) and node.targets[0].id == (part or "documentation").upper():
                names |= set(yaml.safe_load(ast.literal_eval(node.value)).get("attributes") or {})
    return names


def test_there_are_modules() -> None:
    assert MODULES


def test_action_group_names_every_module() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["all"] == [path.stem for path in MODULES], "run tools/runtime-meta"


def test_action_plugins_are_documented_as_modules() -> None:
    actions = {path.stem for path in (PLUGINS / "action").glob("*.py")}
    assert actions <= {path.stem for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_documents_itself(path: Path) -> None:
    found = documentation(path, "DOCUMENTATION")
    assert found["module"] == path.stem
    assert documentation(path, "EXAMPLES")
    assert documentation(path, "RETURN")
    missing = STANDARD_ATTRIBUTES - attributes(path)
    assert not missing, f"attributes not documented: {sorted(missing)}"


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_plugin_file_has_its_licence_and_future_import(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py" and not text:
        return
    head = text.splitlines()[:6]
    assert COPYRIGHT in head
    assert SPDX in head
    assert "from __future__ import annotations" in text


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_plugin_file_is_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_private_utils_and_fragments_say_so_by_their_name() -> None:
    for folder in ("module_utils", "doc_fragments"):
        public = [path.name for path in (PLUGINS / folder).glob("*.py") if not path.name.startswith("_")]
        assert not public, f"plugins/{folder}: {public}"


def test_execution_environment_needs_what_the_requirements_say() -> None:
    environment = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))
    for kind in ("python", "system"):
        assert (ROOT / environment["dependencies"][kind]).is_file()


def test_version_is_the_changelogs() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d+\.\d+\.\d+", galaxy["version"])
    changelog = ROOT / "changelogs" / "changelog.yaml"
    released = set(yaml.safe_load(changelog.read_text(encoding="utf-8"))["releases"]) if changelog.exists() else set()
    assert not released or galaxy["version"] >= max(released)


def test_collections_used_are_declared() -> None:
    declared = {"ansible.builtin", "astraldraft.ops"}
    declared |= set(yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["dependencies"])
    used = set()
    for folder in ("roles", "playbooks"):
        for path in (ROOT / folder).rglob("*.yml"):
            used |= set(re.findall(r"^\s*(?:- )?([a-z_]+\.[a-z_]+)\.[a-z0-9_]+:", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert used <= declared, f"not in galaxy.yml: {sorted(used - declared)}"


def test_what_takes_long_is_there() -> None:
    folders = {"integration": "tests/integration/targets/{}", "molecule": "extensions/molecule/{}"}
    folders["contract"] = "tests/contract/cases/{}.py"
    lines = [line.split() for line in (ROOT / "tests/long").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    lanes = (ROOT / "tests/contract/steps/__init__.py").read_text(encoding="utf-8").partition("LANES:")[2]
    assert lines
    absent = [name for suite, name in lines if not (ROOT / folders[suite].format(name)).exists()]
    assert [name for name in absent if f'"{name}": ' not in lanes] == []


NAMED_PLAYBOOK = re.compile(r"ansible-playbook astraldraft\.ops\.(\w+)|\bplaybooks/(\w+)\.yml")
TOLD = [
    path
    for folder in ("README.md", "docs", "plugins", "roles", "playbooks", "demo", "inventories")
    for path in ([ROOT / folder] if (ROOT / folder).is_file() else sorted((ROOT / folder).rglob("*")))
    if path.suffix in (".md", ".py", ".yml", ".j2")
]


def test_whoever_is_told_to_run_a_playbook_finds_it():
    """At three in the morning a command that is not there is worse than none."""
    known = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    named = {(str(path.relative_to(ROOT)), "".join(found)) for path in TOLD for found in NAMED_PLAYBOOK.findall(path.read_text("utf-8"))}
    assert len(named) > 50
    assert sorted(one for one in named if one[1] not in known) == []


def _checks(value: object):
    """Every mapping in ``value`` that is a check: it has a type and a name."""
    if isinstance(value, dict):
        if {"name", "type"} <= set(value):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _checks(one)


def _check_options() -> set[str]:
    source = ast.parse((PLUGINS / "doc_fragments/_checks.py").read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and "suboptions:" in str(node.value)]
    return {name for text in texts for name in yaml.safe_load(str(text))["options"]["checks"]["suboptions"]}


def test_what_the_inventories_check_is_what_a_check_can_be() -> None:
    options, found = _check_options(), 0
    for path in sorted((ROOT / "inventories").rglob("*.yml")):
        for check in _checks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            found += 1
            assert set(check) <= options, f"{path.relative_to(ROOT)}: {check['name']}: {sorted(set(check) - options)}"
    assert found
