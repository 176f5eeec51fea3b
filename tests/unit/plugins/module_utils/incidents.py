"""Incidents as other modules leave them, in tests."""

from __future__ import annotations

import json


def write(folder, name="2026-001", **more):
    """Returns what is known of it."""
    incident = {"id": name, "severity": "SEV-1", "status": "investigating", "title": "logins fail", **more}
    (folder / name).mkdir(parents=True)
    (folder / name / "incident.json").write_text(json.dumps(incident))
    return {key: incident[key] for key in ("id", "severity", "status", "title")}
