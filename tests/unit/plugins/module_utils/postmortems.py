"""An incident from its beginning to its end, and what others knew of it, for tests of the post-mortem."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident_timeline, _postmortem
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.incidents import NOW, Said, later, opened

ALERT = {
    "name": "HighErrorRate", "title": "HighErrorRate (service=app)", "labels": {}, "severity": "critical", "before": False,
    "pending_at": "2026-11-23T18:47:30.000Z", "firing_at": "2026-11-23T18:48:30.000Z", "ended_at": "2026-11-23T18:57:00.000Z",
}  # fmt: skip
SILENCE = {
    "id": "s1", "state": "expired", "matchers": ["job=app"], "owner": "grace", "comment": "a disk", "seconds_left": 0,
    "starts_at": "2026-11-23T18:50:00.000Z", "ends_at": "2026-11-23T19:00:00.000Z",
}  # fmt: skip
RELEASE = {
    "id": "r1", "operation": "deploy", "version": "v1.2.3", "host": "app-1", "operator": "ada", "outcome": "healthy", "message": "",
    "started_at": "2026-11-23T18:44:00.000Z", "switched_at": "2026-11-23T18:45:00.000Z", "finished_at": "2026-11-23T18:46:00.000Z",
}  # fmt: skip
OPERATION = {
    "time": "2026-11-23T18:56:00.000Z", "ended_at": "2026-11-23T18:56:05.000Z", "source": "journal", "kind": "rollback", "by": "ada",
    "text": "pass: v1.2.2 is live.", "verdict": "pass", "changed": True, "number": 7,
}  # fmt: skip
START = NOW.timestamp()
MEASURED = {
    "requests": 1000, "failed_requests": 30, "error_seconds": 240, "probe_failed_seconds": 0, "unknown_seconds": 0, "complete": True,
    "graphs": {
        "error_rate": [(START + 10 * number, 3.0 if 20 < number < 60 else 0.0) for number in range(-60, 90)],
        "latency": [(START, None)],
        "load": [(START + 10 * number, 5.0) for number in range(-60, 90)],
    },
}  # fmt: skip


def complete(folder, **changed):
    """The Kept of an incident of which everything is known. ``changed``: other words."""
    words = {
        "title": "Logins fail", "severity": "SEV-2", "impact": "A third of all logins end with an error.", "announcement": "We look.",
        "people": {"commander": "ada"}, "references": {"ticket": "OPS-12"}, "conditions": ["database"],
    }  # fmt: skip
    opened(folder, **dict(words, started_at="2m", now=later(minutes=2), **changed.pop("opening", {})))
    Said(folder, "updated", acknowledged_by="ada", claim=["escalation/SEV-2/0/oncall", "escalation/SEV-2/30/lead"], now=later(minutes=2))
    Said(folder, "updated", sent=["escalation/SEV-2/0/oncall"], now=later(minutes=3))
    actions = [{"title": "Alert before the pool is empty", "owner": "grace", "due": "2026-12-24", "done": None}]
    ending = dict({"cause": "The pool was empty.", "actions": actions, "note": "It works again."}, **changed)
    Said(folder, "updated", status="monitoring", now=later(minutes=10), **ending)
    Said(folder, "resolved", resolution="v1.2.2 is live again.", now=later(minutes=15))
    return IncidentFiles(str(folder)).read()[0][0]


def evidence(one, **changed):
    known = {
        "measured": MEASURED, "alerts": [ALERT], "silences": [SILENCE], "releases": [RELEASE], "operations": [OPERATION], "left_out": 0,
        "contacts": {"oncall": {"name": "Ada Lovelace"}}, "unknown": [], "own": _incident_timeline.of_entries(one.entries),
        "span": _postmortem.span_of(one.record, later(hours=5), 3600),
    }  # fmt: skip
    return known | changed


def said(one, **changed):
    return _postmortem.document(one, evidence(one, **changed), later(hours=5))
