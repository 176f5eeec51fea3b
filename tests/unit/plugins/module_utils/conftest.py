from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._lock_file import LockFile
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.locks import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lock(tmp_path, clock):
    return LockFile(str(tmp_path / "lock" / "operation.json"), clock)


@pytest.fixture
def elsewhere(tmp_path, clock):
    """The same lock on another host."""
    return LockFile(str(tmp_path / "elsewhere" / "operation.json"), clock)
