"""What a case of a module that asks one HTTP service has in common with the others: the options of the connection, and scenes for them."""

from __future__ import annotations

from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World


def closed(world: World) -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{world.closed_port}"


def connection_scenes(world: World, args: dict[str, Any], expect: str = "failed") -> dict[str, Scene]:
    """The scenes that connection_options needs, of a module with these arguments."""
    return {
        "refused": Scene(args | {"url": closed(world)}, expect),
        "hung": Scene(args | {"url": f"http://127.0.0.1:{world.hanging.port}", "timeout": 0.2}, expect),
        "tls": Scene(args | {"url": f"https://127.0.0.1:{world.stack.port('LB_TLS')}"}, expect),
    }


def connection_options(world: World, user: str = "base") -> dict[str, Other]:
    """All but url. ``user``: the scene without a token, which goes before a user."""
    return {
        "url_username": Other("monitor-user", scene=user),
        "url_password": Other("monitor-password", scene=user, together={"url_username": "monitor-user"}),
        "bearer_token": Other("monitor-token"),
        "proxy": Other(closed(world), scene="hung"),
        "validate_certs": Other(False, scene="tls"),
        "ca_path": Other(world.stack.ca, scene="tls"),
        "timeout": Other(0.4, scene="hung"),
    }
