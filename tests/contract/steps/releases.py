"""From the first release to one that cannot be taken back any more."""

from __future__ import annotations

from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.world import World
from ansible_collections.astraldraft.ops.tests.contract.steps.step import WHY, Step, of


def releases(world: World) -> list[Step]:
    """From the first release to one that cannot be taken back any more."""
    new = of(world.newcomer)

    def deploy(version: str, **more: Any) -> dict[str, Any]:
        return new | {"release_version": version} | more

    def rollback(**more: Any) -> dict[str, Any]:
        return new | WHY | more

    at_once = {"release_keep_warm_seconds": 0}
    return [
        Step("no image of it", "deploy", deploy("v9"), ("no image of version v9",), refused=True, real=False),
        Step("the first release", "deploy", deploy("v1"), ("v1 would be live on app-blue",), changes=True),
        Step("what is live already", "deploy", deploy("v1"), ("v1 is live on app-blue already",)),
        Step(
            "the next one, step by step, with an expand migration", "deploy",
            deploy("v2", release_migration_phase="expand", release_traffic_steps=[50, 100], release_traffic_step_seconds=0),
            ("The expand migration of v2 would run", "v2 would be live on app-green"), changes=True,
        ),
        Step("what was released", "releases", new, ("v1", "v2")),
        Step("no reason", "rollback", new, ("needs a reason",), refused=True, real=False),
        Step("what is warm", "rollback", rollback(), ("v1 would be live on app-blue", "warm start"), changes=True),
        Step("what is live already", "rollback", rollback(release_version="v1"), ("v1 is live on app-blue already",), real=False),
        Step("nothing that is over", "retire", new, ("app-green is kept warm until",), real=False),
        Step("what is over", "retire", new | at_once, ("app-green would be retired",), changes=True),
        Step("what is cold", "rollback", rollback(release_version="v2"), ("v2 would be live on app-green", "cold start"), changes=True),
        Step(
            "a contract migration of what is live", "deploy", deploy("v2", release_migration_phase="contract"),
            ("The contract migration of v2 would run",), changes=True,
        ),
        *configuration(new),
    ]  # fmt: skip


def configuration(new: dict[str, Any]) -> list[Step]:
    """Of the release that is live, v2 on green."""
    debug = new | {"release_configuration": "inventory", "release_environment": {"LOG_LEVEL": "debug", "API_KEY": "rosebud"}}
    required = {"release_environment_required": ["DATABASE_URL"]}
    return [
        Step("never another one", "recover_configuration", new, ("ran with another environment",), refused=True, real=False),
        Step("half of it", "recover_configuration", debug | required, ("DATABASE_URL is missing",), refused=True, real=False),
        Step("another version", "recover_configuration", debug | {"release_version": "v1"}, ("is not taken",), refused=True, real=False),
        Step(
            "of the inventory", "recover_configuration", debug,
            ("v2 would be live on app-blue", "LOG_LEVEL is new: debug", "API_KEY is new: ********"), changes=True,
        ),
        Step("the same", "recover_configuration", debug, ("v2 is live on app-blue already",), real=False),
        Step("of before", "recover_configuration", new, ("v2 would be live on app-green", "LOG_LEVEL is gone; it was debug"), changes=True),
        Step("of before, again", "recover_configuration", new, ("v2 is live on app-green already", "-e release_version"), real=False),
    ]  # fmt: skip
