"""A standby of its own, which is one again after every promotion."""

from ansible_collections.astraldraft.ops.tests.contract.lib.case import MILLISECONDS_LEFT, Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.cluster import Server


def case(world):
    server = Server.alone(world, "promote")
    stack = world.stack
    there = server.login
    beyond = there | {"lsn": "FFF/0", "wait_timeout": 0.3}
    # It does not let in who asks with another password, and so may be one that takes writes.
    primary = {"login_host": "127.0.0.1", "login_port": stack.port("POSTGRES")}
    standby = server.standby
    return Case(
        scenes={
            "base": Scene(there, "changed", around=standby),
            "primary": Scene(there, around=server.primary),
            "it lacks much": Scene(beyond, "failed", around=standby, foreseen=False),
            "it stalls": Scene(beyond | {"wait_timeout": 20, "stall_timeout": 0.3}, "failed", around=standby, foreseen=False),
            "beside itself": Scene(there | {"peers": [there_of(server)]}, "changed", around=standby),
            "no position": Scene(there | {"lsn": "nonsense"}, "failed", around=standby),
        },
        options={
            "login_host": Other("127.0.0.2", scene="primary", fails=True),
            "login_port": Other(world.closed_port, scene="primary", fails=True),
            "login_user": Other("nobody", scene="primary", fails=True),
            "login_password": Other("wrong-password", scene="primary", fails=True),
            "login_db": Other("shop", scene="primary"),
            "ssl_mode": Other("allow", scene="primary"),
            "ca_cert": Other(stack.ca, scene="primary"),
            "lsn": Other("0/1", check=True),
            "max_missing_bytes": Other(2**48, scene="it lacks much", fails=True),
            "wait_timeout": Other(2.5, scene="it lacks much", slower=1.0),
            "stall_timeout": Other(2.5, scene="it stalls", slower=1.0),
            "promote_timeout": Other(50),
            "timeout": Other(3, scene="primary"),
            "peers": Other([primary], fails=True),
            "peers.login_host": Other("127.0.0.2", scene="beside itself"),
            "peers.login_port": Other(world.closed_port, scene="beside itself"),
        },
        noise=[*MILLISECONDS_LEFT, r"it is at \w+/\w+", r"lacks \d+ bytes"],
        reduced=dict.fromkeys(("replayed_lsn", "missing_bytes", "timeline", "waited_seconds", "promote_seconds", "promoted_at"), type),
    )


def there_of(server):
    return {"login_host": "127.0.0.1", "login_port": server.port}
