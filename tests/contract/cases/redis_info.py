import contextlib

import redis
from ansible_collections.astraldraft.ops.tests.contract.cases.postgres_info import kinds
from ansible_collections.astraldraft.ops.tests.contract.cases.redis_keys import WITHOUT_EFFECT, with_keys
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def told(rows):
    """Whether there are several, and whether names are hidden."""
    return [len(rows) > 1, any(row["name"] == "contract-sampled:..." for row in rows)]


def evicting(world):
    """A context manager, for `around`, within which the cluster may evict keys. It has room for all that it holds."""

    @contextlib.contextmanager
    def around(_work):
        client = redis.RedisCluster(host="127.0.0.1", port=world.stack.port("REDIS"))
        try:
            client.config_set("maxmemory-policy", "allkeys-lru", target_nodes=client.ALL_NODES)
            yield
        finally:
            client.config_set("maxmemory-policy", "noeviction", target_nodes=client.ALL_NODES)
            client.close()

    return around


def case(world):
    stack = world.stack
    cluster = {"login_host": "127.0.0.1", "login_port": stack.port("REDIS"), "window": 0}
    # Speaks TLS, but not Redis inside of it.
    tls = cluster | {"login_port": stack.port("LB_TLS"), "tls": True}
    refused = cluster | {"login_port": world.closed_port}
    # Other clients come and go, and everything ages.
    changing = ("slow_log", "latency_events", "prefixes", "counts", "summary", "table", "value", "message", "nodes")
    return Case(
        scenes={
            "base": Scene(cluster, around=with_keys(world, *(f"contract-sampled:{number}" for number in range(9)))),
            "evicting": Scene(cluster, around=evicting(world)),
            "tls": Scene(tls),
            "tls with a certificate": Scene(tls | {"client_cert": stack.ca, "client_key": stack.ca}),
            "refused": Scene(refused),
            "hung": Scene(cluster | {"login_port": world.hanging.port, "timeout": 0.3}),
            "sentinel": Scene(cluster | {"topology": "sentinel", "nodes": [f"127.0.0.1:{world.closed_port}"]}),
            "gated": Scene(refused | {"gate": True}, "failed"),
            "no such figure": Scene(cluster | {"thresholds": {"memmory": {"warn": 1}}}, "failed"),
        },
        options={
            "login_host": Other("127.0.0.2"),
            "login_port": Other(world.closed_port),
            "nodes": Other([f"127.0.0.1:{world.closed_port}"]),
            "login_user": Other("nobody", together={"login_password": "redis-password"}),
            "login_password": Other("redis-password"),
            "tls": Other(True),
            "validate_certs": Other(False, scene="tls"),
            "ca_path": Other(stack.ca, scene="tls"),
            "client_cert": Other("/nonexistent.pem", scene="tls with a certificate"),
            "client_key": Other("/nonexistent.pem", scene="tls with a certificate"),
            "topology": Other("single"),
            "sentinel_user": Other("nobody", scene="sentinel", together={"sentinel_password": "redis-password"}),
            "sentinel_password": Other("redis-password", scene="sentinel"),
            "db": Other(1, together={"topology": "single"}),
            "timeout": Other(1.2, scene="hung", slower=0.5),
            "window": Other(1.5, slower=1.0),
            "sample": Other(0),
            "replicas": Other(2),
            "eviction_expected": Other(True, scene="evicting"),
            "hidden_prefixes": Other(["contract-sampled:"]),
            "thresholds": Other({"memory": {"warn": 0}}),
            "limit": Other(1),
            "gate": Other(True, scene="refused", fails=True),
        },
        # Which ones are measured, chance decides.
        noise=[r"(TYPE|USAGE)\s+\$\d+\s+\S+", r"\d+(\.\d+)? (ms|s|min|h|d|bytes|KiB|MiB|GiB)\b"],
        reduced=dict.fromkeys(changing, kinds) | {"big_keys": told, "message": lambda text: "nonexistent" in str(text)},
        without_effect={"sentinel_name": WITHOUT_EFFECT["sentinel_name"]},
    )
