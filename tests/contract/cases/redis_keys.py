import contextlib

import redis
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

PREFIX = "contract-keys:"
CONTENT = '{"user": "ada", "name": "bob"}'
ADA = {"field": "user", "value": "ada"}


def connection(world):
    """What every module of Redis needs to find the test stack's cluster."""
    return {"login_host": "127.0.0.1", "login_port": world.stack.port("REDIS")}


def with_keys(world, *names):
    """A context manager, for `around`, within which the cluster has these keys."""

    @contextlib.contextmanager
    def around(_work):
        client = redis.RedisCluster(host="127.0.0.1", port=world.stack.port("REDIS"))
        try:
            for name in names:
                client.set(name, CONTENT)
            yield
        finally:
            for name in names:
                client.delete(name)
            client.close()

    return around


def connection_options(world):
    """Other values for the connection options of a module whose scene "tls" is one with TLS where nobody speaks Redis."""
    stack, closed = world.stack, world.closed_port
    return {
        "login_host": Other("127.0.0.2", scene="nothing", fails=True),
        "login_port": Other(closed, scene="nothing", fails=True),
        "nodes": Other([f"127.0.0.1:{closed}"], scene="nothing"),
        "login_user": Other("nobody", scene="nothing", together={"login_password": "redis-password"}),
        "login_password": Other("redis-password", scene="nothing", fails=True),
        "tls": Other(True, scene="nothing", fails=True),
        "validate_certs": Other(False, scene="tls"),
        "ca_path": Other(stack.ca, scene="tls"),
        "client_cert": Other("/nonexistent.pem", scene="tls with a certificate"),
        "client_key": Other("/nonexistent.pem", scene="tls with a certificate"),
        "topology": Other("single", scene="nothing"),
        "sentinel_user": Other("nobody", scene="sentinel", together={"sentinel_password": "redis-password"}),
        "sentinel_password": Other("redis-password", scene="sentinel"),
    }


def connection_scenes(world, args):
    """The scenes that connection_options needs, for a module with these arguments that finds nothing to do with them."""
    tls = args | {"login_port": world.stack.port("LB_TLS"), "tls": True, "timeout": 2}
    return {
        "nothing": Scene(args),
        "tls": Scene(tls, "failed"),
        "tls with a certificate": Scene(tls | {"client_cert": world.stack.ca, "client_key": world.stack.ca}, "failed"),
        "sentinel": Scene(args | {"topology": "sentinel"}, "failed"),
        "hung": Scene(args | {"login_port": world.hanging.port, "timeout": 0.3}, "failed"),
    }


# What only a Sentinel of several groups, and a server that has just gone, could show.
WITHOUT_EFFECT = {"sentinel_name": "where Sentinels watch more than one", "wait_timeout": "to wait for a failover"}
PACE = {"batch": Other(20, scene="nothing"), "latency_limit": Other(50.0, scene="nothing")}
# How fast it was.
NOISE = [r"\d+(\.\d+)? s\b"]
REDUCED = dict.fromkeys(("p99", "slowed", "before", "after", "total"), type) | {"limit": lambda seconds: seconds >= 50, "parts": sorted}


def case(world):
    there = connection(world) | {"pattern": PREFIX + "*"}
    names = [f"{PREFIX}{number}" for number in range(5)]
    some = with_keys(world, *names)
    protected = there | {"protected_prefixes": [PREFIX + "1"]}
    return Case(
        scenes={
            "base": Scene(there, "changed", around=some),
            "protected": Scene(protected, "failed", around=some),
            "allowed": Scene(protected | {"allow_prefixes": [PREFIX + "1"]}, "changed", around=some),
            "of one": Scene(there | {"where": ADA}, "changed", around=some),
            "too many": Scene(there | {"maximum": 2}, "failed", around=some),
            **connection_scenes(world, connection(world) | {"pattern": "nothing-of-this-name:*"}),
        },
        options=connection_options(world)
        | {
            "pattern": Other(PREFIX + "[12]", check=True),
            "idle": Other(3600, check=True),
            "where.field": Other("name", scene="of one", check=True),
            "where.value": Other("bob", scene="of one", check=True),
            "maximum": Other(9, scene="too many", fails=True),
            "protected_prefixes": Other([PREFIX + "9"], scene="protected", fails=True),
            "allow_prefixes": Other([PREFIX + "1"], scene="protected", fails=True),
            "db": Other(1, scene="nothing", together={"topology": "single"}, fails=True),
            "timeout": Other(1.2, scene="hung", slower=0.5),
            **PACE,
            "progress_path": Other("{work}/progress"),
        },
        noise=NOISE,
        reduced=REDUCED,
        without_effect=WITHOUT_EFFECT | {"state": "There is no other choice"},
    )
