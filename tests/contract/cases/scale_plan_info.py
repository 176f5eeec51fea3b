import contextlib

import psycopg2
from ansible_collections.astraldraft.ops.tests.contract.cases.release_plan_info import proved
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    stack, small = world.stack, world.small
    there = {
        "project": stack.project, "colours": ["app-blue", "app-green"], "upstream_path": stack.upstream, "replicas": 3,
        "history_path": str(stack.state / "releases.jsonl"),
    }  # fmt: skip
    counted = there | {
        "pool_size": 5, "database_user": "astral", "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES"),
        "login_user": "astral_monitor", "login_password": stack.secret("postgres-monitor-password"), "login_db": "astral_draft_v4",
    }  # fmt: skip
    # An application of 12 replicas fits as long as its own sessions are not taken for those of others.
    many = counted | {"replicas": 12, "warm": False, "reserve_memory": -(10**13)}
    warm = there | {"project": small.project, "upstream_path": str(small.upstream), "history_path": "{work}/releases.jsonl"}

    @contextlib.contextmanager
    def blue(_work):
        small.blue_serves()
        yield

    @contextlib.contextmanager
    def sessions(_work):
        password = stack.secret("postgres-app-password")
        with contextlib.ExitStack() as opened:
            for _number in range(40):
                opened.enter_context(contextlib.closing(psycopg2.connect(
                    host="127.0.0.1", port=stack.port("POSTGRES"), user="astral", password=password, dbname="astral_draft_v4",
                )))  # fmt: skip
            yield

    numbers = ("available", "replica", "growth", "memory_used", "largest", "usable", "others")
    return Case(
        scenes={
            "base": Scene(there),
            "counted": Scene(counted),
            "with a warm one": Scene(warm, files=proved(), around=blue),
            "in use": Scene(many, around=sessions),
            "too many": Scene(counted | {"replicas": 50}),
            "too few": Scene(there | {"minimum": 9}),
            "no nginx": Scene(there | {"balancer": "nothing"}, "failed"),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed"),
        },
        options={
            "project": Other(small.project, fails=True),
            "colours": Other([stack.live, "app-red"]),
            "balancer": Other("prometheus", fails=True),
            "upstream_path": Other(f"{stack.state}/nginx/upstreams/other.conf"),
            "history_path": Other("{work}/none.jsonl"),
            "replicas": Other(4),
            "warm": Other(False, scene="with a warm one"),
            "minimum": Other(9),
            "pool_size": Other(90, scene="counted"),
            "database_user": Other("nobody", scene="in use"),
            "hosts": Other(9, scene="counted"),
            "reserve_connections": Other(90, scene="counted"),
            "reserve_memory": Other(10**15),
            "overrides": Other(["floor"], scene="too few"),
            "login_host": Other("127.0.0.2", scene="counted"),
            "login_port": Other(world.closed_port, scene="counted"),
            "login_user": Other("nobody", scene="counted"),
            "login_password": Other("wrong-password", scene="counted"),
            "login_db": Other("postgres", scene="counted"),
            "ssl_mode": Other("require", scene="counted"),
            "ca_cert": Other(stack.ca, scene="counted"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"\d+ MiB"],
        reduced=dict.fromkeys(numbers, type),
    )
