import atexit
import contextlib
import functools
import os
import time

import redis
from ansible_collections.astraldraft.ops.tests.contract.cases.redis_keys import (
    NOISE,
    REDUCED,
    WITHOUT_EFFECT,
    connection_options,
    connection_scenes,
)
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command


def container(project):
    """Its name."""
    return f"{project}-contract-redis-{os.getpid()}"


@functools.cache
def server(project):
    """The port of a server that may be emptied: nobody's but this process's."""
    name = container(project)
    where = ["--publish", "127.0.0.1::6379", "--label", f"org.astraldraft.demo={project}"]
    command("docker", "run", "--detach", "--rm", "--name", name, *where, "--user", "redis", "--no-healthcheck",
            "--entrypoint", "redis-server", "astraldraft/redis:8", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "",
            "--repl-diskless-sync-delay", "0")  # fmt: skip
    atexit.register(command, "docker", "rm", "--force", name)
    port = int(command("docker", "port", name, "6379").split()[0].rpartition(":")[2])
    for _attempt in range(50):
        with contextlib.suppress(redis.ConnectionError):
            redis.Redis(port=port).ping()
            break
        time.sleep(0.1)
    return port


def with_keys(port, *names):
    """A context manager, for `around`, within which it has these keys and no others."""

    @contextlib.contextmanager
    def around(_work):
        with contextlib.closing(redis.Redis(port=port)) as client, contextlib.closing(redis.Redis(port=port, db=1)) as other:
            client.flushall()
            for name in names:
                client.set(name, "x")
            if names:
                other.set("cache:other database", "x")
            yield

    return around


def case(world):
    port = server(world.stack.project)
    filled = functools.partial(with_keys, port)
    there = {"login_host": "127.0.0.1", "login_port": port, "name": "shop", "confirm": "shop"}
    keys = filled("cache:1", "cache:2")
    sessions = filled("cache:1", "session:1")
    scenes = connection_scenes(world, there)
    scenes["nothing"] = Scene(there, around=filled())
    return Case(
        scenes={
            "base": Scene(there, "changed", around=keys),
            "protected": Scene(there, "failed", around=sessions),
            "allowed": Scene(there | {"allow_prefixes": ["session:"]}, "changed", around=sessions),
            "unconfirmed": Scene(there | {"confirm": "shp"}, "failed", around=keys),
            **scenes,
        },
        options=connection_options(world)
        | {
            "topology": Other("cluster", scene="nothing", fails=True),
            "login_user": Other("nobody", scene="nothing", together={"login_password": "redis-password"}),
            "name": Other("shp", scene="unconfirmed", fails=True),
            "confirm": Other("shop", scene="unconfirmed", fails=True),
            "all_databases": Other(True, check=True),
            "db": Other(1),
            "protected_prefixes": Other(["lock:"], scene="protected", fails=True),
            "allow_prefixes": Other(["session:"], scene="protected", fails=True),
            "timeout": Other(1.2, scene="hung", slower=0.5),
            "batch": Other(20),
        },
        noise=NOISE,
        reduced=REDUCED,
        without_effect=WITHOUT_EFFECT | {"latency_limit": "Above this, and above twice what they take while nothing is done here"},
    )
