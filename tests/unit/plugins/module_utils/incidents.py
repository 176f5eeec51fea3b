"""Incidents for tests: as other modules leave them, and written as the module writes them."""

from __future__ import annotations

import datetime
import json

from ansible_collections.astraldraft.ops.plugins.module_utils import _incident
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles, Step

NOW = datetime.datetime(2026, 11, 23, 18, 47, tzinfo=datetime.UTC)
_NAMES = "title severity status impact cause resolution conditions people references actions note started_at acknowledged_by next_update"
OPTIONS = dict.fromkeys(f"{_NAMES} claim sent unsent announcement".split())


def write(folder, name="2026-001", **more):
    """Returns what is known of it."""
    incident = {"id": name, "severity": "SEV-1", "status": "investigating", "title": "logins fail", **more}
    (folder / name).mkdir(parents=True)
    (folder / name / "incident.json").write_text(json.dumps(incident))
    return {key: incident[key] for key in ("id", "severity", "status", "title")}


def later(**delta):
    return NOW + datetime.timedelta(**delta)


class Said:
    """What came of it: ``before`` and ``after`` are records, ``entry`` what was added to the timeline."""

    def __init__(self, folder, state, id=None, operator="ada", now=NOW, write=True, **options):
        request = _incident.request_of(dict(OPTIONS, **options), now)

        def plan(kept, names):
            of, self.entry, self.claimed = _incident.step(state, id, request, kept, names, operator, now)
            return Step(of, self.entry)

        self.before, self.after = IncidentFiles(str(folder)).change(plan, write)
        self.changed = self.entry is not None


def opened(folder, title="logins fail", severity="SEV-2", **options):
    return Said(folder, "open", title=title, severity=severity, **options)
