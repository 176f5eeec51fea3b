"""The faults of the role drill are data: each names files that are there, and a playbook."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "drill"
FAULTS = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__drill_faults"]
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]


def test_there_are_faults():
    assert len(FAULTS) >= 6


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_broken_and_mended_by_what_is_there(name):
    fault = FAULTS[name]
    assert set(fault) == {"parts", "how", "playbook", "what"}
    for folder, key in (("parts", "parts"), ("inject", "how"), ("recover", "playbook")):
        assert (ROLE / "tasks" / folder / f"{fault[key]}.yml").is_file()
    assert (ROOT / "playbooks" / f"{fault['playbook']}.yml").is_file()
    assert f"V({name})" in " ".join(OPTIONS["drill_fault"]["description"])
    assert name in (ROOT / "docs" / "drills.md").read_text(encoding="utf-8")


def test_what_heals_is_noted_before_anything_is_broken():
    begin = yaml.safe_load((ROLE / "tasks/begin.yml").read_text(encoding="utf-8"))
    assert set(begin[0]["ansible.builtin.set_fact"]["__drill_undo"]) == {"how", "containers", "version"}
    healed = yaml.safe_load((ROLE / "tasks/healed.yml").read_text(encoding="utf-8"))
    assert healed[0]["block"][0]["vars"]["__drill_healed"] == "{{ __drill_undo }}"


@pytest.mark.parametrize(("inventory", "allowed"), [("production", False), ("staging", True), ("demo", True)])
def test_production_is_never_broken(inventory, allowed):
    said = yaml.safe_load((ROOT / "inventories" / inventory / "group_vars/all/drill.yml").read_text(encoding="utf-8"))
    assert said["drill_allowed"] is allowed
    assert OPTIONS["drill_allowed"]["default"] is False
