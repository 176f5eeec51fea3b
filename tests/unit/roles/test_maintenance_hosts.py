"""All hosts are closed, or none is: the role itself, with hosts of the test's own and an nginx that only remembers."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact:
        __guard: {operation: maintenance, operator: ada, reason: "", token: null, environment: {}}
        __ops_outcome: {}
        __ops_begun: false
    - block:
        - ansible.builtin.include_role: {name: maintenance, tasks_from: "{{ item }}"}
          loop: "{{ steps }}"
      rescue:
        - ansible.builtin.set_fact:
            __ops_outcome: {verdict: "{{ 'fail' if __ops_begun else 'refused' }}", summary: "{{ ansible_failed_result.msg }}"}
    - ansible.builtin.copy: {content: "{{ __ops_outcome | to_json }}", dest: "{{ folder }}/{{ inventory_hostname }}.outcome", mode: "0600"}
"""
# What it is asked it does, unless its host says otherwise. WANT_JSON
NGINX = """#!{python}
# WANT_JSON
import json, os, sys
given = json.load(open(sys.argv[1]))
path = given["path"]
before = json.load(open(path)) if os.path.exists(path) else {{"state": "absent", "ends_at": None}}
wanted = {{"state": given["state"], "ends_at": given.get("ends_at")}}
if given["state"] == "prepared" and before["state"] == "active":
    wanted["state"] = "active"
changed = before != wanted
if os.environ.get("NGINX_REFUSES") == "look" and given.get("_ansible_check_mode"):
    print(json.dumps({{"failed": True, "msg": "no engine answers."}}))
    sys.exit(1)
if given["state"] == os.environ.get("NGINX_REFUSES"):
    print(json.dumps({{"failed": True, "msg": "nginx refuses it.", "before": before, "after": before}}))
    sys.exit(1)
if changed and not given.get("_ansible_check_mode"):
    json.dump(wanted, open(path, "w"))
print(json.dumps({{"changed": changed, "before": before, "after": wanted, "drained": None, "draining_workers": 0}}))
"""
NOW = {"maintenance_duration": "1h", "maintenance_message": "moved", "ops_override": ["backup", "rollback"]}


@pytest.fixture
def run(tmp_path):
    """Run entry points of the role on hosts, and say what each has noted, and how its nginx is: ``{host: (outcome, state)}``."""
    folder, roles = tmp_path / "state", tmp_path / "roles/maintenance"
    (tmp_path / "library").mkdir()
    folder.mkdir()
    shutil.copytree(ROOT / "roles/maintenance", roles)
    for path in (roles / "tasks").glob("*.yml"):
        path.write_text(path.read_text().replace("astraldraft.ops.nginx_maintenance", "nginx_that_remembers"))
    (tmp_path / "library/nginx_that_remembers.py").write_text(NGINX.format(python=sys.executable))
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    (tmp_path / "ansible.cfg").write_text("[defaults]\nretry_files_enabled = false\n[connection]\npipelining = true\n")

    def play(steps, hosts, *arguments, **variables):
        shared = {
            "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "stack_name": "shop", "folder": str(folder),
            "stack_state_dir": str(folder), "maintenance_dir": str(folder / "{{ inventory_hostname }}.nginx"), "steps": steps,
            "maintenance_state_host": "a", "maintenance_backup_host": "a", "health_checks_full": [], "maintenance_watch_seconds": 0,
            "incident_service": "Shop", "incident_page_dest": str(folder / "page"), "incident_page_url": "https://status.shop.test",
            "incident_state_host": "a", "health_app_services": [], "health_parts": [],
        }  # fmt: skip
        inventory = {"all": {"hosts": hosts, "vars": shared | variables}}
        (tmp_path / "hosts.json").write_text(json.dumps(inventory))
        for old in folder.glob("*.outcome"):
            old.unlink()
        text = PLAYBOOK.replace("- hosts: all\n", "- hosts: all\n  environment: {NGINX_REFUSES: \"{{ refuses | default('') }}\"}\n")
        (tmp_path / "play.yml").write_text(text)
        environment = os.environ | {
            "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections"), "ANSIBLE_ROLES_PATH": str(tmp_path / "roles"),
        }  # fmt: skip
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.json", "play.yml", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        outcomes = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.outcome")}
        assert outcomes or "--check" in arguments, done.stdout + done.stderr
        states = {}
        for name in hosts:
            file = folder / f"{name}.nginx"
            states[name] = json.loads(file.read_text())["state"] if file.exists() else "absent"
        (tmp_path / "output").write_text(done.stdout + done.stderr)
        return outcomes, states, done.stdout

    return play


WELL = {"a": {}, "b": {}}
START = ["preflight", "start"]
ANYHOW = {"ops_override": ["health"]}


def windows(folder):
    return json.loads((folder / "state/maintenance.json").read_text())["windows"]


def test_all_are_closed_and_opened(run, tmp_path):
    page = tmp_path / "state/page/status.json"
    outcomes, states, output = run(START, WELL, **NOW)
    assert set(states.values()) == {"active"}, output
    assert {one["verdict"] for one in outcomes.values()} == {"pass"} and outcomes["a"]["changed"]
    assert "Shop is in maintenance until" in outcomes["a"]["summary"]
    assert json.loads(page.read_text())["state"] == "maintenance"
    # A change that one of them refuses opens none, and moves the end of none.
    ends_at = windows(tmp_path)[0]["ends_at"]
    outcomes, states, output = run(START, WELL | {"b": {"refuses": "prepared"}}, **(NOW | {"maintenance_duration": "3h"}))
    assert set(states.values()) == {"active"}, output
    assert "It was in maintenance before, and stays so" in outcomes["a"]["summary"]
    assert {json.loads((tmp_path / f"state/{name}.nginx").read_text())["ends_at"] for name in WELL} == {ends_at}
    assert windows(tmp_path)[0]["ends_at"] == ends_at
    # When one cannot be opened, the others are.
    outcomes, states, output = run(["end"], WELL | {"b": {"refuses": "absent"}}, **ANYHOW)
    assert states == {"a": "absent", "b": "active"}, output
    assert "Not ended everywhere" in outcomes["a"]["summary"] and "b: nginx refuses it." in outcomes["a"]["summary"]
    outcomes, states, output = run(["end"], WELL, **ANYHOW)
    assert set(states.values()) == {"absent"}, output
    assert outcomes["b"]["summary"].startswith("Shop is open again. It lasted ") and outcomes["b"]["changed"]
    assert json.loads(page.read_text())["state"] == "operational"


def test_where_nginx_cannot_be_asked_nobody_is_let_in_to_what_is_not_well(run):
    run(START, {"a": {}}, **NOW)
    broken = {"health_checks_extra": [{"type": "tcp", "name": "shop", "host": "127.0.0.1", "port": 1}]}
    outcomes, states, output = run(["end"], {"a": {"refuses": "look"}}, **broken)
    assert states == {"a": "active"}, output
    assert outcomes["a"]["verdict"] == "refused" and "It is not well, so it stays in maintenance, until its end" in outcomes["a"]["summary"]


def test_when_one_is_not_prepared_nobody_notices(run, tmp_path):
    outcomes, states, output = run(START, WELL | {"b": {"refuses": "prepared"}}, **NOW)
    assert set(states.values()) == {"absent"}, output
    assert {one["verdict"] for one in outcomes.values()} == {"fail"}
    assert outcomes["a"]["summary"] == "b: nginx refuses it. Nothing is closed."
    assert not (tmp_path / "state/maintenance.json").exists()


def test_when_one_is_not_closed_none_is_and_it_can_begin_later(run, tmp_path):
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=20)
    to_come = {"maintenance_starts_at": soon.isoformat(), "maintenance_duration": "2h", "maintenance_message": "moved"}
    outcomes, _states, output = run(["announce"], {"a": {}}, **to_come)
    assert outcomes["a"]["verdict"] == "pass", output
    anyhow = {"ops_override": ["backup", "rollback"]}
    outcomes, states, output = run(START, WELL | {"b": {"refuses": "active"}}, **anyhow)
    assert set(states.values()) == {"absent"} and outcomes["a"]["verdict"] == "fail", output
    assert outcomes["a"]["summary"] == "b: nginx refuses it. Nothing is closed." and windows(tmp_path)[0]["started_at"] is None
    outcomes, states, output = run(START, WELL, **anyhow)
    assert set(states.values()) == {"active"} and outcomes["a"]["verdict"] == "pass", output
    [window] = windows(tmp_path)
    assert window["title"] == "moved" and window["started_at"] and window["ends_at"] == window["announced_until"]
