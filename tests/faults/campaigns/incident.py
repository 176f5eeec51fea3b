"""A SEV-2 from its alert to its post-mortem, by the playbooks alone, on the stack under load."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from .fault import Scene, ask, wait_for
from .fault_bad_release import VERSION, BadRelease
from .operations import Operations, last_words
from .play import Play
from .record import Record
from .restores import TOLD, evidence
from .stack import GOOD, Stack, seconds_of
from .traffic import Traffic

PROMISE = (
    "A SEV-2 is told from its alert to its post-mortem by those who did something about it, and by nobody's memory: the document has no "
    "empty required field, its timeline is the journal, its graphs show the fault"
)
ALERT, ALERT_SECONDS = "HighErrorRate", 180.0
RATE, CALM_SECONDS = 40.0, 20.0
#: So long before an incident its timeline begins.
LEAD_SECONDS = 3600
TITLE = "One request in twenty fails"
OPENED = {
    "incident_severity": "SEV-3",
    "incident_title": TITLE,
    "incident_impact": "One request in twenty ends with an error.",
    "incident_message": "We are looking into it.",
    "incident_people": {"commander": "ada", "scribe": "grace"},
}
WORSE = {"incident_severity": "SEV-2", "incident_message": "Drafts are lost, so it is worse than it seemed."}
FOUND = {"incident_status": "identified", "incident_cause": f"{VERSION} fails in one request of twenty.", "incident_note": "We go back."}
MITIGATED = {"incident_status": "monitoring", "incident_message": "The release before it is back."}
OVER = {
    "incident_resolution": "We went back to the release before it.",
    "incident_actions_due": [{"title": "Look at errors before the soak lets a release pass", "owner": "grace", "due": "2099-01-01"}],
}
#: The release fails in one request of twenty; a graph of a window smooths it.
FAULT_PERCENT = 2.0
GRAPHS = {"error_rate", "latency", "load"}


class Story:
    """The steps of it, each a playbook."""

    def __init__(self, record: Record, stack: Stack, folder: Path) -> None:
        self.record, self.stack = record, stack
        self.operations = Operations(stack, folder)
        self._told = Operations(stack, folder, TOLD)
        self.scene = Scene(self.operations)

    def step(self, what: str, playbook: str, variables: dict[str, Any], *, fails: bool = False) -> tuple[Play, dict[str, Any]]:
        """``(the run, the evidence that it told, empty without one)``"""
        play = self._told.run(playbook, variables)
        well = (play.process.returncode != 0) == fails
        self.record.check(well, what, f"{play.seconds:.0f} s" if well else last_words(play))
        try:
            return play, evidence(play)
        except (ValueError, KeyError):
            return play, {}

    def firing(self) -> str:
        """Since when Alertmanager has the alert; empty while it has none."""
        url = f"http://127.0.0.1:{self.scene.port('ALERTMANAGER')}/api/v2/alerts?active=true"
        return next((alert["startsAt"] for alert in ask(url) if alert["labels"]["alertname"] == ALERT), "")

    def journal(self, since: float) -> list[dict[str, Any]]:
        """The operations that ended since then, read from the file."""
        lines = map(json.loads, (self.stack.state / "journal.jsonl").read_text().splitlines())
        return [entry for entry in lines if seconds_of(entry["ended_at"] or entry["time"]) >= since]

    def folder_of(self, identity: str) -> Path:
        return self.stack.state / "incidents" / identity


def run(stack: Stack, folder: Path) -> Record:
    record = Record("incident", PROMISE)
    story = Story(record, stack, folder)
    story.operations.ensure_live(GOOD[0])
    fault, began = BadRelease(story.scene), time.time()
    with Traffic(stack, folder, RATE):
        try:
            fault.inject()
            seen = wait_for(story.firing, ALERT_SECONDS, 1)
            record.check(bool(seen), f"the alert {ALERT} reaches Alertmanager", f"{time.time() - began:.0f} s after the deploy began")
            identity = _told(story)
        finally:
            fault.undo()
        time.sleep(CALM_SECONDS)
    _document(story, identity)
    return record


def _told(story: Story) -> str:
    """-> the incident's id"""
    record, stack = story.record, story.stack
    story.step("it is opened", "incident_open", OPENED)
    story.step("it becomes a SEV-2", "incident_update", WORSE)
    story.step("whoever is to be told is told", "incident_escalate", {})
    play, found = story.step("it is looked into", "diagnose", {}, fails=True)
    first = (found.get("hypotheses") or [{"cause": "nothing"}])[0]["cause"]
    record.check(first == "bad_release", "the diagnosis names the release", f"{first}, {play.seconds:.0f} s")
    story.step("the cause is written down", "incident_update", FOUND)
    held, _evidence = story.step("nothing new goes into production meanwhile", "deploy", {"release_version": GOOD[2]}, fails=True)
    record.check("incident" in held.output, "and it says why", last_words(held))
    story.step("back to the release before", "rollback", {"release_emergency": True})
    record.check(stack.live() == GOOD[0], f"{GOOD[0]} is live", str(stack.live()))
    story.step("it is mitigated", "incident_update", MITIGATED)
    story.step("it is over", "incident_resolve", OVER)
    return max(path.name for path in (stack.state / "incidents").iterdir() if _record_of(path).get("title") == TITLE)


def _record_of(folder: Path) -> dict[str, Any]:
    path = folder / "incident.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def _document(story: Story, identity: str) -> None:
    record, path = story.record, story.folder_of(identity)
    expected = story.journal(seconds_of(_record_of(path)["started_at"]) - LEAD_SECONDS)
    _play, found = story.step("the post-mortem is written", "incident_postmortem", {"incident_id": identity})
    record.check(found.get("missing") == [], "no required field of it is empty", ", ".join(found.get("missing", ["no result"])))
    record.check(found.get("impact", {}).get("failed_requests", 0) > 0, "it knows how many requests failed", str(found.get("impact")))
    record.check(set(found.get("graphs", [])) == GRAPHS, "it has its graphs", ", ".join(found.get("graphs", [])))
    page, text = (path / "postmortem.html").read_text(), (path / "postmortem.md").read_text()
    rows = [int(number) for number in re.findall(r"\(journal (\d+)\)", text)]
    numbers = [entry["sequence"] for entry in expected]
    record.check(bool(numbers) and rows == numbers, "its timeline is the journal", f"{len(numbers)} operations; {rows} of {numbers}")
    record.check(ALERT in text and ALERT in page, "the alert is in it", "")
    drawn = json.loads((path / "postmortem.json").read_text())["measured"]["graphs"]["error_rate"]
    began = seconds_of(_record_of(path)["started_at"])
    worst = max((percent or 0.0 for moment, percent in drawn if moment >= began), default=0.0)
    record.check(worst >= FAULT_PERCENT, "its graph of errors shows the fault", f"{worst:.1f} % of the requests failed at the worst moment")
    record.check(page.count("<svg ") == len(GRAPHS) and "<script" not in page, "the page is whole, and runs nothing", f"{len(page)} bytes")
    again, _evidence = story.step("once more", "incident_postmortem", {"incident_id": identity})
    record.check("is as it was" in again.output, "twice is the same", last_words(again) if "is as it was" not in again.output else "")
    status = json.loads((story.stack.state / "status-page/status.json").read_text())
    left = [one["title"] for one in status["incidents"]]
    record.check(TITLE not in left, "the status page says that it is over", ", ".join(left))
    record.note(f"The documents are {path}/postmortem.md and .html.")
