"""What the modules of backups say when they fail before anything was done. Real runs are those of the integration targets."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _database_content as content
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import KEEPALIVE
from ansible_collections.astraldraft.ops.plugins.modules import postgres_backup, postgres_backup_verify

PARAMS = {
    "environment": "test", "purpose": "ordinary", "jobs": 2, "compression": "auto", "checksums": False, "role_passwords": False,
    "encrypt_recipients": [], "lock_timeout": 30, "login_host": "db", "login_db": "shop", "name": "latest", "level": "checksum",
    "database": None, "service": None, "container": None, "space_factor": 0.5, "max_age_seconds": None,
}  # fmt: skip


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("plugin", [postgres_backup, postgres_backup_verify])
def test_what_fails_before_anything_was_done_has_changed_nothing(tmp_path, monkeypatch, plugin, check_mode):
    monkeypatch.setattr(postgres_backup, "load", MagicMock())
    monkeypatch.setattr(postgres_backup, "look", MagicMock(side_effect=OpsError("it does not answer")))
    module = MagicMock(params=dict(PARAMS, path=str(tmp_path)), check_mode=check_mode)
    result = {"changed": False}
    with pytest.raises(OpsError):
        plugin.work(module, result)
    assert result["changed"] is False


@pytest.mark.parametrize("name", ["jobs", "lock_timeout"])
def test_what_would_wait_for_ever_is_refused(name):
    with pytest.raises(OpsError, match="{0} must be 1 or more, not 0".format(name)):
        postgres_backup.order_of(dict(PARAMS, **{name: 0}))


def test_the_data_is_as_old_as_the_snapshot_however_long_locks_are_waited_for(monkeypatch):
    clock, connections = [1000.0], []

    def connect(_psycopg2, _login, **further):
        connections.append(further)
        return MagicMock()

    def do(_self, _connection, sql):
        clock[0] += 30 if sql.startswith("LOCK TABLE") else 0
        return [({"schema": "public", "name": "orders"} if sql == content.TABLES else {},)]

    monkeypatch.setattr(content, "connect", connect)
    monkeypatch.setattr(content.Snapshot, "_do", do)
    monkeypatch.setattr(content, "time", MagicMock(time=lambda: clock[0]))
    psycopg2 = MagicMock(Error=ValueError)
    with content.Snapshot(psycopg2, {"login_host": "db", "login_port": 5432}, 30) as snapshot:
        assert snapshot.taken_at == 1000.0 and clock[0] == 1030.0
    assert connections == [KEEPALIVE], "a server that has vanished is noticed"
