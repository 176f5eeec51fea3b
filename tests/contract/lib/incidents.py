"""An incident as it lies in files: its record, its timeline and the journal that belongs to it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident
from ansible_collections.astraldraft.ops.tests.contract.lib.case import WORK

PATH = f"{WORK}/incidents"
BEGAN = "2025-11-24T16:00:00.000Z"
KNOWN = {
    "title": "logins fail", "severity": "SEV-2", "severity_at": BEGAN, "status": "investigating", "started_at": BEGAN, "opened_at": BEGAN,
    "opened_by": "ada", "updated_at": BEGAN, "people": {"commander": "ada"}, "references": {"ticket": "OPS-1"}, "impact": "a third of all",
    "actions": [{"id": 1, "title": "Alert earlier", "owner": "grace", "due": "2025-12-24", "done_at": None}],
}  # fmt: skip


def incident(name: str = "2025-0001", **changed: Any) -> dict[str, str]:
    """The files of one."""
    changes = KNOWN | {"id": name} | changed
    entry = {"revision": 1, "time": BEGAN, "kind": "opened", "by": "ada", "note": "we look", "changes": changes}
    record = _incident.record_of(None, [entry])
    return {
        f"incidents/{name}/incident.json": json.dumps(record),
        f"incidents/{name}/timeline.jsonl": json.dumps(entry) + "\n",
    }


RESOLVED = {"status": "resolved", "resolved_at": "2025-11-24T17:00:00.000Z", "mitigated_at": "2025-11-24T16:30:00.000Z"}
POLICY = {
    "severities": [
        {"name": f"SEV-{number}", "response_minutes": 15 * number, "update_minutes": 30 * number, "chain": "only"} for number in range(1, 5)
    ],
    "chains": {"only": [{"after_minutes": 0, "notify": ["oncall"]}, {"after_minutes": 240, "notify": ["lead"]}]},
    "contacts": {"oncall": {"name": "On call", "chat": "#oncall"}, "lead": {"name": "Lead", "phone": "+49 30 901820"}},
}
