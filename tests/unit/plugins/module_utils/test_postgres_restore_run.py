"""What a run of the module does with what it finds, without a server; and what is said of a swap that could not be."""

from __future__ import annotations

from unittest.mock import MagicMock

import psycopg2
import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_restore as plan
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_restore_run import RESULT, Run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_restore_swap import Admin, LostSession
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import entry
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.test_postgres_restore import (
    STATE,
    WRITTEN,
    database,
    put_aside,
)

PARAMS = {
    "path": "/nonexistent", "keep_previous_hours": 1, "count_timeout": 0, "swap_timeout": 5, "free_bytes": None, "data_path": None,
    "service": None, "container": None, "docker_host": None, "space_factor": 1.2, "reserve_bytes": 0,
}  # fmt: skip
LOGIN = {"login_host": "10.0.0.1", "login_port": 5432, "login_db": "shop"}


def a_run(*databases, check=False, written=..., login=(), **params):
    def ask(sql, _arguments=None):
        return [dict(STATE, data_directory="/")] if sql.startswith("\nSELECT json_build_object(\n  'version'") else list(databases)

    admin = MagicMock(ask=MagicMock(side_effect=ask), ask_in=MagicMock(return_value=WRITTEN if written is ... else written))
    module = MagicMock(params=dict(PARAMS, **params), check_mode=check)
    return Run(module, dict({"changed": False}, **RESULT), admin, dict(LOGIN, **dict(login)), Progress())


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("databases", "why"),
    [
        ([], "there is no database shop"),
        ([database("shop", 2)], "no database is kept"),
        ([database("shop", 1), put_aside("shop__undone_1", 2, 1, plan.UNDONE)], "was undone at"),
    ],
)
def test_there_is_nothing_to_undo(databases, why, check):
    run = a_run(*databases, check=check)
    run.undo()
    assert why in run.result["notices"][0] and not run.result["changed"] and run.result["verdict"] == "pass"
    run.admin.swap.assert_not_called()


def test_check_mode_says_what_would_be_undone():
    run = a_run(database("shop", 2), put_aside("shop__before_1", 1, 2), check=True, written=dict(WRITTEN, inserted=9))
    run.undo()
    assert run.result["changed"] and run.result["rows_written_since"]["inserted"] == 4
    assert not run.result["rows_written_since"]["counted"]
    run.admin.swap.assert_not_called()
    run.admin.do.assert_not_called()


@pytest.mark.parametrize(
    ("written", "sha256", "live"),
    [(WRITTEN, "s", True), (dict(WRITTEN, updated=1), "s", False), (dict(WRITTEN, tables="b"), "s", False), (WRITTEN, "another", False)],
)
def test_a_backup_is_live_until_somebody_writes(written, sha256, live):
    run = a_run(database("shop", 2), put_aside("shop__before_1", 1, 2), written=written)
    assert run.is_live(entry(1, manifest_sha256=sha256)) is live


def test_of_one_that_takes_no_connections_nobody_knows():
    assert a_run(database("shop", 2, open=False), put_aside("shop__before_1", 1, 2)).is_live(entry(1, manifest_sha256="s")) is False


@pytest.mark.parametrize("check", [True, False])
def test_whose_time_is_over_is_dropped_after_a_look_at_the_token(check):
    left = plan.restoring_name("shop")
    run = a_run(database("shop", 2), put_aside("a", 1, 2, hours=-1), put_aside("b", 3, 4, hours=1e6), database(left, 5), check=check)
    run.clean()
    assert run.result["removed"] == [left, "a"] and run.result["changed"]
    assert run.admin.do.call_count == run.module.fence.call_count == (0 if check else 2)


def test_who_died_counting_is_helped():
    run = a_run(database("shop", 1), dict(put_aside("shop__undone_1", 2, 1, plan.UNDONE), open=True, limit=0))
    run.begin()
    run.admin.do.assert_called_once_with('ALTER DATABASE "shop__undone_1" ALLOW_CONNECTIONS false CONNECTION LIMIT -1')


def test_where_space_is_measured():
    assert a_run(free_bytes=7).measure(None) == (7, "the server")
    assert a_run(data_path="/").measure(None)[0] > 0
    assert a_run(login={"login_host": "/run"}).measure(None)[1] == "/"
    assert a_run().measure(None) == (None, "/")


def admin_of(error, closed=0):
    """An Admin whose transaction fails with ``error``."""

    def execute(sql, _arguments=None):
        if sql.startswith("BEGIN"):
            raise error

    cursor = MagicMock(description=None)
    cursor.execute.side_effect = execute
    connection = MagicMock(closed=closed)
    connection.cursor.return_value.__enter__.return_value = cursor
    found = Admin.__new__(Admin)
    found._psycopg2, found._login, found._tick, found._readonly = psycopg2, LOGIN, lambda: None, False
    found._target, found._connection, found.connect = "db", connection, lambda: connection
    return found


def test_a_swap_that_is_given_up_leaves_all_as_it_was():
    with pytest.raises(OpsError, match=r"within 5 s: somebody stays\. The live one is as it was") as raised:
        admin_of(psycopg2.errors.ObjectInUse("somebody stays")).swap("BEGIN", [1, 2], 5)
    assert raised.value.evidence == {"sessions_ended": {}}


def test_of_a_session_that_breaks_nobody_knows_what_became():
    with pytest.raises(LostSession, match="Either both names are changed or none"):
        admin_of(psycopg2.OperationalError("server closed the connection"), closed=2).swap("BEGIN", [1, 2], 5)
