import contextlib
import threading
import time

import psycopg2
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command

APPLICATION = "contract-case"
STUBBORN = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"


def run(connection, statement):
    with contextlib.suppress(psycopg2.Error):
        connection.cursor().execute(statement)


def case(world):
    stack = world.stack
    address = {"host": "127.0.0.1", "port": stack.port("POSTGRES"), "dbname": "astral_draft_v4"}

    def session():
        password = stack.secret("postgres-app-password")
        return contextlib.closing(psycopg2.connect(**address, user="astral", password=password, application_name=APPLICATION))

    @contextlib.contextmanager
    def forgotten(_work):
        """A transaction that waits for its client."""
        with session() as idle:
            idle.cursor().execute("SELECT 1")
            time.sleep(0.05)
            yield

    @contextlib.contextmanager
    def stubborn(_work):
        """A statement that begins anew whenever it is cancelled."""
        with session() as busy:
            threading.Thread(target=run, args=(busy, STUBBORN), daemon=True).start()
            time.sleep(0.2)
            yield

    @contextlib.contextmanager
    def stopped(_work):
        """A session whose process is stopped, so that it cannot end."""
        with session() as idle:
            with idle.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = str(cursor.fetchone()[0])
            server = stack.containers("postgres-master")[0]["Id"]
            command("docker", "exec", "--user", "root", server, "bash", "-c", f"kill -STOP {pid}")
            try:
                yield
            finally:
                command("docker", "exec", "--user", "root", server, "bash", "-c", f"kill -CONT {pid}")

    there = {
        "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES"), "login_user": "postgres", "login_db": "astral_draft_v4",
        "login_password": stack.secret("postgres-superuser-password"), "states": ["idle in transaction"], "older_than": "0",
        "applications": [APPLICATION],
    }  # fmt: skip
    nobody = there | {"applications": ["nobody-at-all"]}
    spared = there | {"allow_list": [{"application": APPLICATION}]}

    def meant(args, expect="changed"):
        return Scene(args, expect, around=forgotten)

    return Case(
        scenes={
            "base": meant(there),
            "nobody": Scene(nobody),
            "spared": meant(spared, "unchanged"),
            "spared address": meant(there | {"allow_list": [{"address": "0.0.0.0/0"}]}, "unchanged"),
            "stubborn": Scene(there | {"states": ["active"], "grace": 0.1}, "changed", around=stubborn),
            "stopped": Scene(there | {"wait_timeout": 0.1}, "failed", around=stopped, foreseen=False),
            "too many": meant(there | {"maximum": 0}, "failed"),
            "hung": Scene(there | {"login_port": world.hanging.port, "timeout": 0.5}, "failed"),
            "refused": Scene(there | {"login_port": world.closed_port}, "failed"),
        },
        options={
            "login_host": Other("127.0.0.2", scene="nobody", fails=True),
            "login_port": Other(world.closed_port, scene="nobody", fails=True),
            "login_user": Other("nobody", scene="nobody", fails=True),
            "login_password": Other("wrong-password", scene="nobody", fails=True),
            "login_db": Other("postgres", scene="nobody"),
            "ssl_mode": Other("require", scene="nobody"),
            "ca_cert": Other(stack.ca, scene="nobody"),
            "states": Other(["idle"], check=True),
            "older_than": Other("1h", check=True),
            "users": Other(["nobody-at-all"], check=True),
            "applications": Other(["nobody-at-all"], check=True),
            "databases": Other(["nobody-at-all"], check=True),
            "addresses": Other(["192.0.2.1"], check=True),
            "allow_list.user": Other("nobody-at-all", scene="spared", check=True),
            "allow_list.application": Other("nobody-at-all", scene="spared", check=True),
            "allow_list.database": Other("nobody-at-all", scene="spared", check=True),
            "allow_list.address": Other("192.0.2.1", scene="spared address", check=True),
            "maximum": Other(5, scene="too many", fails=True),
            "grace": Other(1.6, scene="stubborn", slower=1.0),
            "wait_timeout": Other(1.6, scene="stopped", slower=1.0),
            "timeout": Other(9.0, scene="nobody"),
        },
        noise=[r"\d+(\.\d+)? s\b", r"\[\[\d+\]"],
        reduced=dict.fromkeys(("pid", "started", "seconds", "used", "by_state", "terminated", "cancelled"), type),
    )
