"""Entries and manifests of backups, for tests."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

NOW = from_iso("2026-11-24T12:00:00Z").timestamp()
DAY = 86400.0
PROPERTIES = {
    "owner": "shop", "encoding": "UTF8", "collate": "C", "ctype": "C", "locale_provider": "c", "locale": None, "connection_limit": -1,
    "grants": None, "comment": None, "settings": [],
}  # fmt: skip


def manifest(**more):
    found = {
        "version": 1, "name": "backup_test_20261124_100000", "kind": "database", "purpose": "ordinary", "environment": "test",
        "database": "shop", "snapshot_at": "2026-11-24T10:00:00.000Z", "seconds": 4.0, "bytes": 1000, "database_bytes": 10000,
        "server_version": "17.5", "encrypted": False, "objects": {"tables": 1}, "properties": PROPERTIES, "files": [],
        "extensions": [{"name": "plpgsql", "version": "1.0", "schema": "pg_catalog"}],
        "tables": [{"schema": "public", "name": "orders", "rows": 3, "checksum": "7"}],
    }  # fmt: skip
    return dict(found, **more)


def entry(days=0.0, verified=False, bad=False, **more):
    """One that is so many days old."""
    from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

    found = catalogues.entry_of(manifest(snapshot_at=to_iso(NOW - days * DAY), name="backup_test_{0:g}".format(days)), "hash", NOW)
    if verified:
        found["checks"]["restore"] = {"at": to_iso(NOW), "verdict": "pass", "findings": [], "restore_seconds": 2.5, "data_age_seconds": 60}
    if bad:
        found["bad"] = {"at": to_iso(NOW), "level": "checksum", "reason": "broken"}
    return dict(found, **more)
