"""A replica of its own, made anew from a primary of its own."""

import contextlib
import time

from ansible_collections.astraldraft.ops.tests.contract.lib.case import MILLISECONDS_LEFT, TOOLS_RUN, Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.cluster import Server

STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
EXISTS = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'old'"


def case(world):
    primary = Server.alone(world, "replica-primary")
    replica = Server.alone(world, "replica", primary.address)
    # As the tools see it, who are in the same network; its address stays as long as it runs.
    there = {
        "project": replica.project, "service": replica.service, "login_password": "throwaway-postgres", "name": "replica",
        "primary_host": primary.address, "primary_login_host": "127.0.0.1", "primary_login_port": primary.port,
        "replication_password": "throwaway-replication",
    }  # fmt: skip
    rebuild = there | {"method": "rebuild"}
    follow = there | {"method": "follow"}

    sound = replica.psql("SHOW primary_conninfo").replace("'", "''")

    @contextlib.contextmanager
    def lost(_work):
        """It follows nobody, and has a slot of its own."""
        replica.psql("ALTER SYSTEM RESET primary_conninfo")
        replica.psql("SELECT pg_reload_conf()")
        if replica.psql(EXISTS) == "0":
            replica.psql("SELECT pg_create_physical_replication_slot('old')")
        try:
            yield
        finally:
            replica.psql(f"ALTER SYSTEM SET primary_conninfo = '{sound}'")
            replica.psql("ALTER SYSTEM SET primary_slot_name = 'replica'")
            replica.psql("SELECT pg_reload_conf()")
            for _attempt in range(100):
                if primary.psql(STREAMS) == "1":
                    break
                time.sleep(0.1)

    return Case(
        scenes={
            "base": Scene(there),
            "lost": Scene(there, "changed", around=lost),
            "rebuild": Scene(rebuild, "changed"),
            "follow": Scene(follow, "changed", around=lost),
            "never": Scene(follow | {"replication_user": "nobody", "wait_timeout": 1}, "failed", around=lost, foreseen=False),
            "by container": Scene(
                {key: value for key, value in there.items() if key not in ("project", "service")} | {"container": replica.container}
            ),
            "a primary": Scene(there | {"project": primary.project}, "failed"),
            "no such name": Scene(there | {"name": "Not a Slot"}, "failed"),
        },
        options={
            "project": Other("nothing", fails=True),
            "service": Other("nothing", fails=True),
            "container": Other("nothing", scene="by container", fails=True),
            "data_path": Other("/nonexistent", check=True),
            "bin_dir": Other("/usr/lib/postgresql/17/bin", scene="lost"),
            "tools_user": Other("nobody", scene="lost", fails=True),
            "primary_host": Other("192.0.2.1", check=True),
            "primary_port": Other(5433, check=True),
            "primary_login_host": Other("127.0.0.2", fails=True),
            "primary_login_port": Other(world.closed_port, fails=True),
            "replication_user": Other(
                "postgres", scene="lost", together={"replication_password": "throwaway-postgres", "wait_timeout": 3}, fails=True
            ),
            "replication_password": Other("wrong-password", scene="lost", together={"wait_timeout": 3}, fails=True),
            "replication_ssl_mode": Other("allow", scene="lost"),
            "name": Other("another", scene="lost"),
            "obsolete_slots": Other(["old"], scene="lost"),
            "method": Other("rebuild", check=True),
            "keep_previous": Other(True, scene="rebuild"),
            "wait_timeout": Other(4, scene="never", slower=1.5),
            "stop_timeout": Other(61, scene="lost"),
            "timeout": Other(3, check=True),
            "login_host": Other("127.0.0.2", check=True),
            "login_port": Other(1, check=True),
            "login_user": Other("nobody", fails=True),
            "login_password": Other("wrong-password", fails=True),
            "login_db": Other("shop", check=True),
            "ssl_mode": Other("allow", check=True),
            "ca_cert": Other(world.stack.ca, check=True),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True),
        },
        noise=[
            *TOOLS_RUN,
            *MILLISECONDS_LEFT,
            r"astraldraft-\w+-[0-9a-f]{8}",
            r"\d+\.\d+\.\d+\.\d+",
            r"It said last: .*",
            r"\.kept-[\w-]+",
        ],
        without_effect=dict.fromkeys(("start_command", "stop_command"), "Not used for containers"),
        reduced=dict.fromkeys(("parts", "bytes", "previous"), type),
    )
