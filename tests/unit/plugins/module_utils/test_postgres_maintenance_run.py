"""The runner against a database that is played: what it does when statements fail, wait, or are waited for."""

from __future__ import annotations

import threading
import types

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance as plan
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_maintenance_run as runner
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.test_postgres_maintenance import OPTIONS, SERVER, index, table


class Refusal(Exception):
    def __init__(self, code, text="refused"):
        super().__init__(text)
        self.pgcode = code


class Closed(Exception):
    pass


PSYCOPG2 = types.SimpleNamespace(Error=Closed)
QUICK = OPTIONS | {
    "workers": 2, "window": 20.0, "lock_timeout": 0.2, "wait_timeout": 1.0, "lock_retries": 2, "lock_retry_interval": 0.01,
    "cost_delay": 2.0, "data_path": None, "free_bytes": 10**9, "reserve_bytes": 0,
}  # fmt: skip


class Database:
    """Tables and indexes by name, and what happens when a statement comes (``on``: a word of it to a list of reactions, one a time)."""

    def __init__(self, *found):
        self.objects = {one.name: one for one in found}
        self.on, self.statements, self.waiters, self.now = {}, [], [], 1000.0

    def run(self, connection, sql):
        if sql.startswith("SET "):
            return
        self.statements.append(sql)
        for word, reactions in self.on.items():
            if word in sql and reactions:
                reaction = reactions.pop(0)
                if reaction is not None:
                    reaction(connection)
        self._work(sql)

    def _work(self, sql):
        name = sql.split('"')[-2]
        self.now += 1
        if sql.startswith("DROP"):
            del self.objects[name]
        elif sql.startswith("REINDEX"):
            self.objects[name] = self.objects[name]._replace(valid=True, bloat=0)
        elif sql.startswith("VACUUM"):
            self.objects[name] = self.objects[name]._replace(dead=0, last_vacuum=self.now)
        else:
            self.objects[name] = self.objects[name]._replace(modified=0, last_analyze=self.now)


class Connection:
    numbers = iter(range(100, 10000))

    def __init__(self, database):
        self.database, self.pid, self.notices, self.closed = database, next(self.numbers), [], 0
        self.cancelled = threading.Event()

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def execute(self, sql, _parameters=None):
        self.database.run(self, sql)

    def get_backend_pid(self):
        return self.pid

    def cancel(self):
        self.cancelled.set()

    def close(self):
        self.closed = 1

    def hang(self):
        """Until it is cancelled, as a statement that waits for a lock."""
        assert self.cancelled.wait(10)
        self.cancelled.clear()
        raise Refusal(runner.QUERY_CANCELED, "canceling statement due to user request")


class Meter:
    def __init__(self, database, options):
        self.database, self.options, self.server, self.own, self.old = database, options, SERVER, [], []

    def state(self, oids=None, **_bloated):
        chosen = [
            one for one in self.database.objects.values() if oids is None or {one.oid, getattr(one, "table_oid", one.oid)} & set(oids)
        ]
        tables = [one for one in chosen if isinstance(one, plan.Table)]
        return plan.State(SERVER, tables, [one for one in chosen if isinstance(one, plan.Index)], [], [])

    def size(self, found):
        return found.pages * 8192

    def old_transactions(self, _oid, _seconds):
        return self.old.pop(0) if self.old else []

    def waiting(self):
        return self.database.waiters() if callable(self.database.waiters) else []

    def sessions(self, pids):
        return [{"pid": pid, "user": "bob", "application": "psql", "state": "active", "seconds": 1.0} for pid in pids]


class Module:
    def __init__(self, fences=1000):
        self.fences = fences

    def heartbeat(self):
        pass

    def fence(self):
        self.fences -= 1
        if self.fences < 0:
            raise OpsError("This operation no longer holds the lock.")


def maintain(database, module=None, opened=None, named=(), **options):
    options = QUICK | options
    meter = Meter(database, options)
    meter.old = options.pop("old", [])
    made = plan.make_plan(meter.state(), options, frozenset(named))
    opened = [] if opened is None else opened

    def open_session():
        opened.append(Connection(database))
        return opened[-1]

    found = runner.Runner(module or Module(), PSYCOPG2, meter, open_session, options, frozenset(named))
    try:
        found.run(made)
    finally:
        database.steps = made
    return [(step.operation, step.found.name, step.outcome, step.attempts) for step in made]


def refuse(code):
    def reaction(_connection):
        raise Refusal(code)

    return reaction


def test_everything_is_done_in_its_order():
    database, opened = Database(table(dead=20_000), table(2, "s", modified=50_000), index(bloat=7 * 2**20)), []
    assert maintain(database, opened=opened) == [("vacuum", "t", "done", 1), ("analyze", "s", "done", 1), ("reindex", "t_pkey", "done", 1)]
    assert database.statements[-1].startswith("REINDEX"), "alone, after the others"
    assert all(connection.closed for connection in opened)
    assert len(opened) == 2


def test_a_lock_is_tried_for_again_and_then_given_up():
    database = Database(table(dead=20_000))
    database.on["VACUUM"] = [refuse(runner.LOCK_NOT_AVAILABLE), None]
    assert maintain(database) == [("vacuum", "t", "done", 2)]
    database = Database(table(dead=20_000), table(2, "s", modified=50_000))
    database.on["VACUUM"] = [refuse(runner.LOCK_NOT_AVAILABLE)] * 9
    assert maintain(database) == [("vacuum", "t", "blocked", 3), ("analyze", "s", "done", 1)]
    assert "given up after 3 attempts" in database.steps[0].message


def leave_behind(database, code, oid):
    def reaction(_connection):
        database.objects["t_pkey_ccnew"] = index(oid, "t_pkey_ccnew", valid=False)
        raise Refusal(code)

    return reaction


@pytest.mark.parametrize(
    ("code", "outcome", "attempts"),
    [
        (runner.LOCK_NOT_AVAILABLE, "done", 2),
        (runner.DISK_FULL, "no_room", 1),
        (runner.QUERY_CANCELED, "failed", 1),
        ("23505", "failed", 1),
    ],
)
def test_what_a_rebuild_leaves_behind_is_removed_before_anything_else(code, outcome, attempts):
    database = Database(index(valid=False))
    database.on["REINDEX"] = [leave_behind(database, code, 77)]
    assert maintain(database) == [("reindex", "t_pkey", outcome, attempts), ("drop_leftover", "t_pkey_ccnew", "done", 1)]
    assert [sql.split()[0] for sql in database.statements[:2]] == ["REINDEX", "DROP"]
    assert "t_pkey_ccnew" not in database.objects


def test_a_rebuild_is_not_begun_while_an_old_transaction_would_keep_it_waiting():
    database = Database(index(valid=False))
    old = [{"pid": 7, "user": "bob", "application": "psql", "state": "idle in transaction", "seconds": 99.0}]
    assert maintain(database, old=[old, old]) == [("reindex", "t_pkey", "done", 3)]
    assert len(database.statements) == 1
    database = Database(index(valid=False))
    assert maintain(database, old=[old] * 9) == [("reindex", "t_pkey", "blocked", 3)]
    assert database.statements == []
    assert "not begun: it would wait for process 7 of bob (psql, idle in transaction, 99 s)" in database.steps[0].message


def test_a_statement_that_somebody_waits_for_lets_go():
    database, opened = Database(table(dead=20_000)), []
    database.on["VACUUM"] = [Connection.hang, None]
    database.waiters = lambda: [(1, "AccessExclusiveLock", [opened[0].pid])] if len(database.statements) == 1 else []
    assert maintain(database, opened=opened) == [("vacuum", "t", "done", 2)]


def test_who_waits_without_keeping_others_out_waits():
    database, opened = Database(table(dead=20_000)), []
    database.on["VACUUM"] = [lambda connection: connection.cancelled.wait(1) and pytest.fail("was cancelled")]
    database.waiters = lambda: [(1, "ShareUpdateExclusiveLock", [opened[0].pid])] if opened else []
    assert maintain(database, opened=opened) == [("vacuum", "t", "done", 1)]


def test_at_the_end_of_the_window_the_rest_is_left():
    database = Database(table(dead=20_000), table(2, "s", modified=50_000))
    database.on["VACUUM"] = [Connection.hang]
    assert maintain(database, window=0.3, workers=1) == [("vacuum", "t", "left", 1), ("analyze", "s", "left", 0)]
    assert "end of the window" in database.steps[0].message


def test_what_somebody_else_did_meanwhile_is_not_done_again():
    database = Database(table(dead=40_000), table(2, "s", dead=20_000))
    database.on['"t"'] = [lambda _connection: database.objects.update(s=table(2, "s"))]
    assert maintain(database, workers=1) == [("vacuum", "t", "done", 1), ("vacuum", "s", "not_needed", 0)]


def test_bloat_that_comes_to_light_is_followed_up():
    database = Database(table(dead=20_000), index(bloat=0))
    database.on["VACUUM"] = [lambda _connection: database.objects.update(t_pkey=index(bloat=7 * 2**20))]
    assert maintain(database) == [("vacuum", "t", "done", 1), ("reindex", "t_pkey", "done", 1)]


def test_a_warning_instead_of_a_vacuum_is_no_success(monkeypatch):
    monkeypatch.setattr(runner, "SETTLE_SECONDS", 0.1)
    database = Database(table(dead=20_000))
    database._work = lambda _sql: None
    database.on["VACUUM"] = [lambda connection: connection.notices.append('WARNING:  permission denied to vacuum "t", skipping it\n')]
    assert maintain(database) == [("vacuum", "t", "failed", 1)]
    assert "permission denied" in database.steps[0].message


def test_whoever_loses_the_lock_stops_with_what_runs():
    database, opened = Database(table(dead=40_000), table(2, "s", dead=20_000)), []
    database.on["VACUUM"] = [Connection.hang]
    with pytest.raises(OpsError, match="no longer holds the lock"):
        maintain(database, module=Module(fences=1), opened=opened)
    assert opened[0].cancelled.is_set() or not database.on["VACUUM"]
    assert [step.outcome for step in database.steps] == ["failed", "left"]


def test_fewer_connections_than_workers_are_enough():
    database = Database(table(dead=40_000), table(2, "s", dead=20_000))
    options = QUICK | {"workers": 3}
    meter = Meter(database, options)
    connections = [Connection(database)]

    def open_session():
        if not connections:
            raise OpsError("too many clients already.")
        return connections.pop()

    found = runner.Runner(Module(), PSYCOPG2, meter, open_session, options, frozenset())
    steps = plan.make_plan(meter.state(), options)
    found.run(steps)
    assert [step.outcome for step in steps] == ["done", "done"]
    assert found.notices == ["Goes on with 1 workers: too many clients already."]


def test_room_is_judged_beforehand():
    steps = plan.make_plan(Meter(Database(index(valid=False)), QUICK).state(), QUICK)
    assert runner.settle_room(steps, SERVER, QUICK | {"free_bytes": None}) == [
        "The disk was not looked at: neither data_path nor free_bytes is given."
    ]
    assert steps[0].outcome == "planned"
    assert runner.settle_room(steps, SERVER, QUICK | {"free_bytes": 1000}) == []
    assert steps[0].outcome == "no_room"
    elsewhere = plan.make_plan(Meter(Database(index(valid=False, tablespace=5)), QUICK).state(), QUICK)
    assert "another tablespace" in runner.settle_room(elsewhere, SERVER, QUICK | {"free_bytes": 1000})[0]
    assert runner.free_bytes(QUICK | {"data_path": "/"}) > 0
