"""What the cases of PagerDuty's modules have in common: the connection, and what the stub knows."""

from __future__ import annotations

from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World

CALM: dict[str, Any] = {"limited": {"count": 0, "seconds": 1}, "meanwhile": ""}
LOGINS = {"title": "logins fail", "id": "Q1", "key": "logins", "notes": ["we look"]}
ACKNOWLEDGED, RESOLVED = LOGINS | {"status": "acknowledged"}, LOGINS | {"status": "resolved"}


def account(world: World) -> dict[str, Any]:
    return {"url": world.stack.url("STUB") + "/pagerduty", "token": "demo-pagerduty-token"}


def there(world: World, *incidents: dict[str, Any], **settings: Any):
    return told(world, "pagerduty", CALM, incidents=list(incidents), **settings)


def scenes(world: World, args: dict[str, Any]) -> dict[str, Scene]:
    """Scenes for the options of the connection. What is wanted later is so for a second."""
    return connection_scenes(world, args) | {
        "later": Scene(
            args, "changed" if "state" in args else "unchanged", around=there(world, LOGINS, limited={"count": 1, "seconds": 1})
        ),
    }


def options(world: World) -> dict[str, Other]:
    shared = {name: other for name, other in connection_options(world).items() if name in ("proxy", "validate_certs", "ca_path", "timeout")}
    return shared | {
        "url": Other(closed(world), fails=True),
        "token": Other("another-token", fails=True),
        "wait_timeout": Other(0, scene="later", fails=True),
    }


NOISE = [r"PNOTE\d{8}"]
