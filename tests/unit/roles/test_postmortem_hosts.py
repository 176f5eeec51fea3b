"""A post-mortem knows what was released on every host, although the operation's lock is on one of them alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, History
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.incidents import opened

ROOT = Path(__file__).resolve().parents[3]


def test_every_host_is_asked_and_whoever_cannot_be_is_named(tmp_path):
    now = utc_now()
    for host in ("app-1", "app-2", "app-3", "state-1"):
        (tmp_path / host).mkdir()
    opened(tmp_path / "state-1/incidents", now=now)
    for host in ("app-1", "app-2"):
        history = History()
        history.release("v1.2.3", BLUE, "switched", "healthy")
        moment = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        lines = [json.dumps(dict(event, time=moment)) for event in history.events]
        (tmp_path / host / "releases.jsonl").write_text("".join(line + "\n" for line in lines))
    (tmp_path / "app-3/releases.jsonl").mkdir()

    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "stack_name": "demo"}
    hosts = {host: {"stack_state_dir": str(tmp_path / host)} for host in ("app-1", "app-2", "app-3", "state-1")}
    groups = {"app": {"hosts": dict.fromkeys(("app-1", "app-2", "app-3"))}, "state": {"hosts": {"state-1": None}}}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": variables, "children": groups}}))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(tmp_path / "hosts.json")]
    command += ["playbooks/incident_postmortem.yml", "--check"]
    environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_OK_HOSTS": "1"}
    done = subprocess.run(command + ["--diff"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    said = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "v1.2.3 on app-1" in said and "v1.2.3 on app-2" in said
    _before, _mark, why = said.partition("What was released is not known of app-3: ")
    assert str(tmp_path / "app-3/releases.jsonl") in why
    assert "rescued=1" in said, "that it failed is seen where it failed, too"
