"""A record of releases as the module release_history writes it, from a few words a release."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _release
from ansible_collections.astraldraft.ops.plugins.modules.release_history import events_to_append

BLUE, GREEN = "app-blue", "app-green"


def digest(version):
    return "sha256:" + version.replace(".", "").ljust(64, "0")


class History:
    """Events in the order they happened. Every event is a minute after the one before."""

    def __init__(self):
        self.events, self.minute = [], 0

    def add(self, event, **params):
        self.minute += 1
        params = dict(
            {"event": event, "release": None, "message": "", "comment": "", "path": "releases.jsonl", "details": None, "replicas": None},
            **params,
        )
        now = "2026-11-23T{0:02}:{1:02}:00.000Z".format(*divmod(self.minute, 60))
        added = events_to_append(params, self.events, now)
        self.events += added
        return added

    def release(self, version, service, *events, environment="e1", operation="deploy", replicas=2, message=""):
        """Begin a release and let ``events`` happen to it. Returns its id."""
        details = {
            "operation": operation,
            "version": version,
            "image": digest(version),
            "digest": digest(version),
            "environment": environment,
            "service": service,
            "replicas": replicas,
            "operator": "ada",
            "reason": "",
            "emergency": False,
            "migration_phase": "none",
        }
        identifier = self.add(_release.STARTED, details=details)[-1]["release"]
        for event in events:
            self.add(event, release=identifier, message=message, comment=message)
        return identifier

    @property
    def releases(self):
        return _release.fold(self.events)


def history(*rows):
    """The History of ``rows``: (version, service, events separated by blanks) and optionally a dict of further arguments."""
    made = History()
    for version, service, events, *further in rows:
        made.release(version, service, *events.split(), **(further[0] if further else {}))
    return made
