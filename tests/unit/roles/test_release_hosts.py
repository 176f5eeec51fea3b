"""All hosts keep a release, or none does: the role's own conditions and variables, with hosts of the test's own and nothing done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROLE = Path(__file__).resolve().parents[3] / "roles/release"
PLAYBOOK = """
- hosts: all
  gather_facts: false
  vars_files: [vars.yml]
  tasks:
    - ansible.builtin.set_fact:
        __release_stage: "{{{{ stage }}}}"
        __release_ready: "{{{{ ready | default(true) }}}}"
        __ops_outcome: {{verdict: "{{{{ verdict }}}}"}}
    - ansible.builtin.fail:
      when: lost | default(false)
    - ansible.builtin.include_tasks: "{entry}.yml"
"""
# In place of what would be done: the host writes down that it would.
WRITES = "- ansible.builtin.copy: {{content: '', dest: '{folder}/{name} {{{{ inventory_hostname }}}}', mode: '0600'}}\n"
WELL = {"verdict": "pass", "stage": "switched"}
FAILED = {"verdict": "fail", "stage": "undone"}
NOT_BEGUN = {"verdict": "pass", "stage": "none"}


@pytest.fixture
def told(tmp_path):
    """What each host would do at that entry point: a list of ``what host``."""

    def run(entry, hosts):
        folder = tmp_path / "done"
        folder.mkdir()
        shutil.copy(ROLE / "vars/main.yml", tmp_path / "vars.yml")
        shutil.copy(ROLE / f"tasks/{entry}.yml", tmp_path)
        for name in ("return", "seal", "deploy", "stand_back"):
            (tmp_path / f"{name}.yml").write_text(WRITES.format(folder=folder, name=name))
        (tmp_path / "play.yml").write_text(PLAYBOOK.format(entry=entry))
        variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {"all": {"hosts": {name: variables | values for name, values in hosts.items()}}}
        (tmp_path / "hosts.json").write_text(json.dumps(inventory))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.json", "play.yml"]
        (tmp_path / "ansible.cfg").write_text("")
        environment = os.environ | {"ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path / "home")}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert "PLAY RECAP" in done.stdout, done.stdout + done.stderr
        return sorted(path.name for path in folder.iterdir())

    return run


def test_when_all_are_well_all_keep_it(told):
    assert told("conclude", {"a": WELL, "b": WELL}) == ["seal a", "seal b"]


@pytest.mark.parametrize("other", [FAILED, WELL | {"lost": True}], ids=["failed", "lost"])
def test_when_one_fails_or_is_lost_all_that_were_switched_go_back_and_none_is_concluded(told, other):
    assert told("conclude", {"a": WELL, "b": other, "c": WELL, "d": NOT_BEGUN}) == ["return a", "return c"]


def test_when_one_has_failed_no_other_is_begun(told):
    assert told("main", {"a": FAILED, "b": WELL}) == ["stand_back a", "stand_back b"]


def test_when_none_has_failed_it_is(told):
    assert told("main", {"a": WELL, "b": WELL}) == ["deploy a", "deploy b"]
