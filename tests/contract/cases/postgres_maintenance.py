import contextlib
import subprocess
import time

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command

DATABASE = "contract_maintenance"
EXISTS = "SELECT 1 FROM pg_database WHERE datname = 'contract_maintenance'"
# Rows of a transaction that was rolled back are dead for everybody at once: deleted ones stay as long as a replica says that it needs them.
FIXTURE = """
DROP TABLE IF EXISTS dirty, stale, bloated;
CREATE TABLE dirty (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = false);
INSERT INTO dirty SELECT g, md5(g::text) FROM generate_series(1, 5000, 2) g;
CREATE TABLE stale (LIKE dirty) WITH (autovacuum_enabled = false);
INSERT INTO stale SELECT g, md5(g::text) FROM generate_series(1, 5000) g;
CREATE TABLE bloated (LIKE dirty INCLUDING INDEXES) WITH (autovacuum_enabled = false);
BEGIN;
INSERT INTO bloated SELECT g, md5(g::text) FROM generate_series(1, 5000) g WHERE g % 4 <> 0;
ROLLBACK;
INSERT INTO bloated SELECT g, md5(g::text) FROM generate_series(1, 5000) g WHERE g % 4 = 0;
SELECT pg_stat_force_next_flush();
VACUUM ANALYZE dirty, stale, bloated;
BEGIN;
INSERT INTO dirty SELECT g, md5(g::text) FROM generate_series(2, 5000, 2) g;
ROLLBACK;
INSERT INTO stale SELECT id + 5000, v FROM stale;
SELECT pg_stat_force_next_flush();
"""
SOUND = "VACUUM ANALYZE dirty, stale;\nREINDEX TABLE bloated;\nREINDEX TABLE dirty;\n"


def case(world):
    stack = world.stack
    server = stack.containers("postgres-master")[0]["Name"].lstrip("/")
    standby = stack.containers("postgres-replica")[0]
    psql = ["docker", "exec", "--user", "postgres", server, "psql", "-qAtX", "--set", "ON_ERROR_STOP=1", "--dbname"]

    def run(text):
        """In one session, so that what it counts has been counted before its VACUUM."""
        inside = [*psql[:2], "--interactive", *psql[2:], DATABASE]
        subprocess.run(inside, input=text, text=True, check=True, capture_output=True)

    if not command(*psql, "postgres", "--command", EXISTS):
        command(*psql, "postgres", "--command", f"CREATE DATABASE {DATABASE}")
        command(*psql, DATABASE, "--command", "CREATE EXTENSION pgstattuple")
    # What the catalogs call for is another matter every time.
    tables = {"exclude": ["pg_catalog.*", "pg_toast.*", "information_schema.*"]}

    @contextlib.contextmanager
    def called_for(_work):
        run(FIXTURE)
        yield

    @contextlib.contextmanager
    def sound(_work):
        run(FIXTURE + SOUND)
        yield

    @contextlib.contextmanager
    def beside(statement, waits_for):
        """Somebody's transaction, until the module has run."""
        run(FIXTURE)
        session = subprocess.Popen([*psql, DATABASE, "--command", statement], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _time in range(100):
                if command(*psql, DATABASE, "--command", waits_for) != "0":
                    break
                time.sleep(0.1)
            yield
        finally:
            ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN%pg_sleep%'"
            command(*psql, DATABASE, "--command", ending)
            session.wait(20)

    def locked(_work):
        return beside(
            "BEGIN; LOCK dirty IN SHARE UPDATE EXCLUSIVE MODE; SELECT pg_sleep(60)",
            "SELECT count(*) FROM pg_locks WHERE relation = 'dirty'::regclass AND granted AND mode = 'ShareUpdateExclusiveLock'",
        )

    def held(_work):
        return beside(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; SELECT pg_sleep(60)",
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN%pg_sleep%' AND backend_xmin IS NOT NULL",
        )

    base = {
        "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES"), "login_user": "postgres",
        "login_password": stack.secret("postgres-superuser-password"), "login_db": DATABASE, "bloat_floor": 8192, "free_bytes": 10**12,
    }  # fmt: skip
    base = base | tables
    dirty = base | {"operations": ["vacuum"], "lock_timeout": 0.2, "lock_retries": 0, "lock_retry_interval": 0.1}
    quiet = base | {"operations": ["analyze"], "horizon_seconds": 1e6}
    elsewhere = base | {"login_host": next(iter(standby["NetworkSettings"]["Networks"].values()))["IPAddress"], "login_port": 5432}
    disk = {key: value for key, value in base.items() if key != "free_bytes"} | {"data_path": "/"}
    return Case(
        scenes={
            "base": Scene(base, "changed", around=called_for),
            "sound": Scene(base, around=sound),
            # Nobody knows of a lock before it is asked for.
            "in the way": Scene(dirty, around=locked, foreseen=False),
            "held back": Scene(quiet, "changed", around=held),
            "with a disk": Scene(disk, "changed", around=called_for),
            "standby": Scene(elsewhere, "failed"),
            "refused": Scene(base | {"login_port": world.closed_port}, "failed"),
        },
        options={
            "login_host": Other("127.0.0.2", fails=True),
            "login_port": Other(world.closed_port, fails=True),
            "login_user": Other("nobody", fails=True),
            "login_password": Other("wrong-password", fails=True),
            "login_db": Other("postgres", check=True),
            "ssl_mode": Other("require", check=True),
            "ca_cert": Other(stack.ca, check=True),
            "operations": Other(["analyze"], check=True),
            "objects": Other(["public.stale"], check=True),
            "exclude": Other(["*"], check=True),
            "workers": Other(0, fails=True),
            "window": Other(7200, check=True),
            "lock_timeout": Other(0, fails=True),
            "wait_timeout": Other(0, fails=True),
            "lock_retries": Other(1, scene="in the way"),
            "lock_retry_interval": Other(3.1, scene="in the way", together={"lock_retries": 1}, slower=2.0),
            "dead_rows_ratio": Other(0.9, check=True),
            "dead_rows_floor": Other(10**6, check=True),
            "modified_rows_ratio": Other(2, check=True),
            "modified_rows_floor": Other(10**6, check=True),
            "freeze_age_ratio": Other(1e-9, check=True),
            "bloat_ratio": Other(0.99, check=True),
            "bloat_floor": Other(10**9, check=True),
            "bloat_method": Other("statistics", check=True),
            "data_path": Other("/nonexistent", scene="with a disk", fails=True),
            "free_bytes": Other(1, check=True),
            "reserve_bytes": Other(10**13, check=True),
            "truncate": Other(True, check=True),
            "cost_delay": Other(1),
            "horizon_seconds": Other(0, scene="held back", check=True),
            "horizon_age": Other(0, scene="held back", check=True),
            "timeout": Other(0, fails=True),
        },
        noise=[
            r"process \d+",
            r"for \d+ s",
            r"\d+ s\)",
            r"\d+ (transactions|multixacts) old",
            r"keeps \d+ bytes of WAL",
            r"\d+ bytes are free",
            # Numbers of tables that are made anew each time and of sessions, and what is left of the window.
            r"(?<=\(\()\d{5}(?=,)",
            r"'(oids|own)': \[[\d, ]+\]",
            r"'oid': \d+",
            r"(?<=\(\(\[)\d+(?=\])",
            r"(?<=\(\(\d)\d{6}(?=,)",
        ],
        # The oldest comes first, which is now this one, now that one.
        reduced=dict.fromkeys(("pid", "age", "frozen_age", "multixact_age", "retained_bytes"), type)
        | {"holders": lambda holders: sorted(holder["kind"] for holder in holders)},
    )
