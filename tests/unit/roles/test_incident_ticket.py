"""An incident's ticket and marks: the role's own tasks, on a record of the test's own, against the demo's stub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

ROOT = Path(__file__).resolve().parents[3]
TRACKERS = {
    "github": {"project": "astraldraft/operations", "token": "demo-github-token"},
    "jira": {"project": "OPS", "token": "demo-jira-token", "token_user": "ada@astraldraft.test"},
    "webhook": {"token": "demo-webhook-key"},
}
PATHS = {"github": "/github", "jira": "/jira", "webhook": "/webhook/signed"}
#: One step: the record, then what follows it, as the entry points do it.
STEP = """
    - name: Write it down
      astraldraft.ops.incident_record: {record}
      register: __incident
    - ansible.builtin.set_fact: {{__incident_ticket: {{}}, __incident_page: {{}}}}
    - ansible.builtin.include_role: {{name: astraldraft.ops.incident, tasks_from: "{{{{ item }}}}"}}
      loop: {entries}
      vars: {{__incident_ticket_state: {state}}}
    - ansible.builtin.debug: {{msg: "problem: {{{{ __incident_ticket.problem }}}}."}}
"""
OPEN = ("open", {"state": "open", "title": "Logins fail", "severity": "SEV-2", "impact": "a third of them", "announcement": "We look."})
WORSE = ("updated", {"state": "updated", "severity": "SEV-1", "announcement": "It is worse.", "note": "The pool is empty."})
SAID = ("updated", {"state": "updated", "announcement": "We go back."})
OVER = ("resolved", {"state": "resolved", "resolution": "rolled back", "cause": "the pool", "announcement": "It is over."})


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        yield found


@pytest.fixture
def run(tmp_path, stub):
    """The steps, one after the other, in one play; what it printed."""

    def play(tracker, *steps, check=False, marked=False, **more):
        tasks = ""
        for state, record in steps:
            record = {"path": str(tmp_path / "incidents"), "operator": "ada"} | record
            entries = ["ticket", *(["references"] if state == "open" else []), *(["mark"] if marked else [])]
            tasks += STEP.format(record=json.dumps(record), state=state, entries=json.dumps(entries))
        header = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
        (tmp_path / "play.yml").write_text(header + tasks)
        variables = {
            "ansible_python_interpreter": sys.executable,
            "stack_name": "demo",
            "guard_state_host": "localhost",
            "__guard": {"operator": "ada"},
            "incident_path": str(tmp_path / "incidents"),
            "incident_message": "We look.",
            "incident_tracker": {"kind": tracker, "url": stub.url + PATHS[tracker], "people": ["ada"]} | TRACKERS[tracker] | more,
            "monitoring_grafana_url": stub.url + "/grafana",
            "monitoring_grafana_connection": {"bearer_token": "demo-grafana-token"},
            "monitoring_sentry_dsn": stub.url.replace("//", "//demo-sentry-key@") + "/sentry/42",
        }
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(tmp_path / "play.yml")]
        command += ["-e", json.dumps(variables), *(["--check"] if check else [])]
        environment = os.environ | {"ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert "failed=0" in done.stdout and "demo-github-token" not in done.stdout, done.stdout + done.stderr
        return " ".join(done.stdout.split())  # YAML wraps long lines

    return play


def writes(stub, vendor):
    return [call for call in stub.calls(vendor) if call["method"] != "GET"]


def record_of(tmp_path):
    (path,) = (tmp_path / "incidents").glob("*/incident.json")
    return json.loads(path.read_text())


def test_a_ticket_follows_its_incident_and_is_marked(run, stub, tmp_path):
    run("github", OPEN, check=True, marked=True)
    assert not any(writes(stub, vendor) for vendor in ("github", "grafana", "sentry"))
    run("github", OPEN, OPEN, WORSE, OVER, marked=True)
    (issue,), incident = stub.service._vendors["github"].settings()["issues"], record_of(tmp_path)
    assert issue["title"] == "[SEV-1] Logins fail" and issue["state"] == "closed"
    assert sorted(issue["labels"]) == ["demo-incident-" + incident["id"], "incident"]
    assert issue["body"].startswith("Impact: a third of them\n\nWe look.\n\nIncident: ") and issue["body"].endswith("\n\ncc @ada")
    worse, over = issue["comments"]
    assert "Severity: SEV-1\nIt is worse." in worse and "Resolution: rolled back\nStatus: resolved\nIt is over." in over
    # A tracker may be public.
    assert "The pool" not in str(issue) and "the pool" not in str(issue)
    assert incident["references"]["ticket"] == "https://github.com/astraldraft/operations/issues/1"
    (mark,) = stub.service._vendors["grafana"].settings()["annotations"]
    assert mark["timeEnd"] > mark["time"] and "SEV-1" in mark["tags"] and "Logins fail" in mark["text"]
    assert [call["method"] for call in writes(stub, "grafana")] == ["POST", "PATCH", "PATCH"]
    assert [call["status"] for call in writes(stub, "sentry")] == [200, 200, 200]


@pytest.mark.parametrize("kind", ["jira", "webhook"])
def test_the_other_trackers_get_the_same(run, stub, kind):
    run(kind, OPEN, OPEN, WORSE, OVER, internal=True)
    if kind == "jira":
        (issue,) = stub.service._vendors["jira"].settings()["issues"]
        assert (issue["summary"], issue["status"], len(issue["comments"])) == ("[SEV-1] Logins fail", "Done", 2)
        assert "The pool is empty." in issue["comments"][0] and "Cause: the pool" in issue["comments"][1]
    else:
        told = [call["json"]["type"] for call in stub.calls("signed_webhook")]
        assert told == ["ticket.opened", "ticket.updated", "ticket.closed"]


def test_one_that_could_not_be_opened_is_opened_later(run, stub, tmp_path):
    stub.fault("github", status=502, count=2)
    assert "problem: GitHub at" in run("github", OPEN)
    assert "ticket" not in record_of(tmp_path)["references"]
    assert "problem: ." in run("github", SAID)
    (issue,) = stub.service._vendors["github"].settings()["issues"]
    assert issue["state"] == "open" and "We go back." in issue["comments"][0]
    assert record_of(tmp_path)["references"]["ticket"].endswith("/issues/1")


def test_what_is_configured_wrongly_is_said(run):
    assert "problem: value of tracker must be one of: github, jira, webhook, got: trac" in run("github", OPEN, kind="trac")
