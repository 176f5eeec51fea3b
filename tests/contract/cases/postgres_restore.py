"""Into a small database of the stack's server, which is no other test's. Its state is made anew before every run."""

import contextlib
import json
import subprocess

from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_restore import WRITTEN
from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import FOLDER, backup, folder, taken
from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command

SOURCE, LIVE, ROLE = "contract_restore_source", "contract_restore", "contract_restore_owner"
CONTENT = """
CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, note text);
INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 100) n ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS owned (id int);
ALTER TABLE owned OWNER TO contract_restore_owner;
"""
FRESH = "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname ~ '^contract_restore(__.*)?$'"


def case(world):
    stack = world.stack
    server = stack.containers("postgres-master")[0]["Name"].lstrip("/")
    psql = ["docker", "exec", "--user", "postgres", "--interactive", server, "psql", "-qAtX", "--set", "ON_ERROR_STOP=1", "--dbname"]

    def run(text, database="postgres"):
        return subprocess.run([*psql, database], input=text, text=True, check=True, capture_output=True).stdout.split("\n")

    if not command(*psql, "postgres", "--command", "SELECT 1 FROM pg_roles WHERE rolname = 'contract_restore_owner'"):
        run(f"CREATE ROLE {ROLE}")
    if not command(*psql, "postgres", "--command", "SELECT 1 FROM pg_database WHERE datname = 'contract_restore_source'"):
        run(f"CREATE DATABASE {SOURCE}")
    run(CONTENT, SOURCE)
    backups = taken(stack, SOURCE)
    entry = json.loads(backups["backups/catalog.json"])["backups"][0]
    run("DROP TABLE owned", SOURCE)

    def make(role=True):
        for line in filter(None, run(FRESH)):
            run(line)
        run(f"DROP ROLE IF EXISTS {ROLE}")
        if role:
            run(f"CREATE ROLE {ROLE}")
        run(f"CREATE DATABASE {LIVE}")

    @contextlib.contextmanager
    def fresh(_work):
        make()
        yield

    @contextlib.contextmanager
    def without_role(_work):
        make(role=False)
        yield

    def keeping(until, backup_name=entry["name"], **more):
        """Beside the live database one that it took the place of."""

        @contextlib.contextmanager
        def kept(_work):
            make()
            oid = int(run("SELECT oid FROM pg_database WHERE datname = 'contract_restore'")[0])
            record = {
                "role": "previous", "of": LIVE, "since": "2026-01-01T00:00:00.000Z", "until": until, "replaced_by": oid, "comment": None,
                "limit": -1, "backup": backup_name, "manifest_sha256": entry["manifest_sha256"],
                "written": json.loads("".join(run(WRITTEN, LIVE))),
            } | more  # fmt: skip
            run(f"CREATE DATABASE {LIVE}__before_1")
            run(f"COMMENT ON DATABASE {LIVE}__before_1 IS '{json.dumps({'astraldraft.ops': record})}'")
            run(f"ALTER DATABASE {LIVE}__before_1 ALLOW_CONNECTIONS false")
            yield

        return kept

    there = {
        "path": FOLDER, "database": SOURCE, "project": stack.project, "service": "postgres-master", "login_host": "127.0.0.1",
        "login_port": stack.port("POSTGRES"), "login_password": stack.secret("postgres-superuser-password"), "login_db": LIVE,
    }  # fmt: skip
    container = stack.containers("postgres-master")[0]["Name"].lstrip("/")
    late, over = "2099-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
    encrypted = folder(backup(1, encrypted=True, database=SOURCE))
    two = folder(backup(1, database=SOURCE, bad={"at": over, "level": "checksum", "reason": "broken"}), backup(2, database=SOURCE))
    undo = there | {"state": "undone"}
    return Case(
        scenes={
            "base": Scene(there, "changed", backups, fresh),
            "restored already": Scene(there, "unchanged", backups, keeping(late)),
            "undo": Scene(undo, "changed", backups, keeping(late)),
            "nothing to undo": Scene(undo, "unchanged", backups, fresh),
            "killed": Scene(there, "unchanged", backups, keeping(late, written=None, provisional=True)),
            "to accept": Scene(there | {"state": "accepted"}, "changed", backups, keeping(late, provisional=True)),
            "over": Scene(there | {"state": "cleaned"}, "changed", backups, keeping(over)),
            "not over": Scene(there | {"state": "cleaned"}, "unchanged", backups, keeping(late)),
            "no role": Scene(there, "failed", backups, without_role, foreseen=False),
            "encrypted": Scene(there, "failed", encrypted, fresh, foreseen=False),
            "damaged": Scene(there, "failed", two | {"backups/backup_test_20260102_000000/dump/toc.dat": "?"}, fresh, foreseen=False),
            "no server": Scene(there | {"login_port": world.closed_port}, "failed", backups),
        },
        options={
            "path": Other("{work}/elsewhere", fails=True, check=True),
            "name": Other("backup_test_20260101_000000", scene="damaged", fails=True, check=True),
            "environment": Other("other", fails=True, check=True),
            "database": Other(LIVE, fails=True, check=True),
            "state": Other("undone", check=True),
            "jobs": Other(1),
            "identity_path": Other("/nonexistent/key", scene="encrypted"),
            "queries": Other(["SELECT false"], fails=True),
            "create_roles": Other(True, scene="no role", fails=True),
            "keep_previous_hours": Other(-1, fails=True, check=True),
            "provisional": Other(True),
            "space_factor": Other(7, check=True),
            "reserve_bytes": Other(1, check=True),
            "data_path": Other("/proc", fails=True, check=True),
            "free_bytes": Other(1, fails=True, check=True),
            "swap_timeout": Other(0, fails=True, check=True),
            "count_timeout": Other(0, scene="undo"),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", fails=True, check=True),
            "service": Other("nothing", fails=True, check=True),
            "container": Other(container, together={"service": None, "project": None}, fails=True),
            "bin_dir": Other("/nonexistent"),
            "tools_user": Other("root"),
            "work_dir": Other("/nonexistent", fails=True),
            "tools_login_host": Other("127.0.0.2"),
            "tools_login_port": Other(1, fails=True),
            "login_host": Other("127.0.0.2", fails=True, check=True),
            "login_port": Other(world.closed_port, fails=True, check=True),
            "login_user": Other("nobody", fails=True, check=True),
            "login_password": Other("wrong-password", fails=True, check=True),
            "login_db": Other("postgres", fails=True, check=True),
            "ssl_mode": Other("require", check=True),
            "ca_cert": Other(stack.ca, check=True),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True, check=True),
        },
        noise=[
            *TOOLS_RUN,
            r"\d{8}_\d{6}",
            r"__restoring_[0-9a-f]+",
            r'"replaced_by": \d+',
            r"'oids': \[[\d, ]+\]",
            r"'pid': \d+",
            r'"tables": "[0-9a-f]{32}"',
            r'"since": "[^"]*\+00"',
        ],
        reduced=dict.fromkeys(("parts", "unavailable_seconds", "free_bytes", "bytes", "keep_until", "swapped_at", "sessions_ended"), type),
        opaque=["*/catalog.json"],
    )
