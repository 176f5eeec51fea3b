"""Roles of its own on the stack's server; another one for each run."""

import contextlib
import subprocess

import psycopg2
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_access import MARK
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command

ROLE, OTHER, PASSWORD = "contract_writer", "contract_other", "contract-password"


def case(world):
    stack = world.stack
    server = stack.containers("postgres-master")[0]["Name"].lstrip("/")

    def run(text):
        argv = ["docker", "exec", "--user", "postgres", "--interactive", server, "psql", "-qAtX", "--set", "ON_ERROR_STOP=1"]
        subprocess.run([*argv, "--dbname", "postgres"], input=text, text=True, check=True, capture_output=True)

    def with_role(*more):
        @contextlib.contextmanager
        def made(_work):
            run(f"DROP ROLE IF EXISTS {ROLE}; CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}';")
            run(f"DROP ROLE IF EXISTS {OTHER}; CREATE ROLE {OTHER} LOGIN;")
            for statement in more:
                run(statement)
            yield

        return made

    def session():
        return contextlib.closing(
            psycopg2.connect(host="127.0.0.1", port=stack.port("POSTGRES"), user=ROLE, password=PASSWORD, dbname="postgres")
        )

    @contextlib.contextmanager
    def connected(work):
        with with_role()(work), session():
            yield

    @contextlib.contextmanager
    def stopped(work):
        """A session whose process is stopped, so that it cannot end."""
        with with_role()(work), session() as idle:
            pid = str(idle.info.backend_pid)
            container = stack.containers("postgres-master")[0]["Id"]
            command("docker", "exec", "--user", "root", container, "bash", "-c", f"kill -STOP {pid}")
            try:
                yield
            finally:
                command("docker", "exec", "--user", "root", container, "bash", "-c", f"kill -CONT {pid}")

    shut = with_role(f"ALTER ROLE {ROLE} NOLOGIN", f"ALTER ROLE {ROLE} SET \"{MARK}\" TO '2026-01-01T00:00:00Z'")
    there = {
        "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES"), "login_user": "postgres", "login_db": "postgres",
        "login_password": stack.secret("postgres-superuser-password"), "roles": [ROLE], "state": "closed",
    }  # fmt: skip
    let_in = there | {"state": "open"}
    return Case(
        scenes={
            "base": Scene(there, "changed", around=with_role()),
            "connected": Scene(there, "changed", around=connected),
            "stopped": Scene(there | {"wait_timeout": 0.1}, "failed", around=stopped, foreseen=False),
            "closed already": Scene(there, "unchanged", around=shut),
            "let in": Scene(let_in, "changed", around=shut),
            "open already": Scene(let_in, "unchanged", around=with_role()),
            "never might": Scene(let_in, "unchanged", around=with_role(f"ALTER ROLE {ROLE} NOLOGIN")),
            "no such role": Scene(there | {"roles": ["nobody-at-all"]}, "failed", around=with_role()),
            "itself": Scene(there | {"roles": ["postgres"]}, "failed", around=with_role()),
            "refused": Scene(there | {"login_port": world.closed_port}, "failed"),
            "hung": Scene(there | {"login_port": world.hanging.port, "timeout": 0.5}, "failed"),
        },
        options={
            "login_host": Other("127.0.0.2", fails=True),
            "login_port": Other(world.closed_port, fails=True),
            "login_user": Other("nobody", fails=True),
            "login_password": Other("wrong-password", fails=True),
            "login_db": Other("astral_draft_v4"),
            "ssl_mode": Other("require"),
            "ca_cert": Other(stack.ca),
            "roles": Other([OTHER], check=True),
            "state": Other("open", check=True),
            "settle": Other(2.0, slower=1.0),
            "wait_timeout": Other(1.6, scene="stopped", slower=1.0),
            "timeout": Other(9.0),
        },
        noise=[r"\d{4}-\d\d-\d\dT[\d:.]+Z", r"\d+(\.\d+)? s\b"],
        reduced=dict.fromkeys(("closed_since",), type),
    )
