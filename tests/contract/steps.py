"""The playbooks as they are run, one after the other, each first in check mode: every playbook at least once, every road through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.world import World

# The releases are proved by their health alone, and at once: what is compared is what the tasks say of themselves.
QUICK = {"release_soak_seconds": 0, "release_minimum_uptime_seconds": 0, "release_soak_interval": 1, "release_metrics_url": ""}
WHY = {"ops_reason": "contract test"}


@dataclass(frozen=True)
class Step:
    """One run of a playbook. ``refused`` says that it ends with an error, in check mode as well."""

    what: str
    playbook: str
    variables: dict[str, Any] = field(default_factory=dict)
    refused: bool = False


# Tasks whose `changed` in check mode cannot be that of the run, by their names, each with the reason. None is the best number.
EXCEPTIONS: dict[str, str] = {}


def steps(world: World) -> list[Step]:
    """In this order: the state that one leaves is where the next one starts."""
    live = world.stack.live_version
    first, second = [version for version in ("v1.2.3", "v1.2.4", "v1.2.2") if version != live][:2]
    small = {
        "stack_name": world.small.project, "stack_state_dir": str(world.small.folder), "stack_project_src": str(world.small.folder),
        "release_public_url": "", "release_environment": {},
    }  # fmt: skip
    contract = {
        "release_version": "forky", "release_image": "astraldraft/nginx", "__release_checksum": "throwaway",
        "release_migration_phase": "contract", "release_migration_command": ["true"],
    }  # fmt: skip
    nobody = {"type": "tcp", "host": "127.0.0.1", "port": 1}
    return [
        Step("everything is there", "stack"),
        Step("everything is well", "health"),
        Step("the quick look", "health", {"health_profile": "quick"}),
        Step("one check more, which fails", "health", {"health_checks_extra": [nobody]}, refused=True),
        Step("the record", "releases"),
        Step("a new version with an expand migration", "deploy", QUICK | {"release_version": first, "release_migration_phase": "expand"}),
        Step("what is live already", "deploy", QUICK | {"release_version": first}),
        Step("another new version", "deploy", QUICK | {"release_version": second}),
        Step("back to what is warm", "rollback", QUICK | WHY),
        Step("back to what is cold", "rollback", QUICK | WHY | {"release_version": live}),
        Step("back to what is live", "rollback", QUICK | WHY | {"release_version": live}),
        Step("an unknown version", "deploy", {"release_version": "v9.9.9"}, refused=True),
        Step("a misspelt variable", "deploy", {"release_verison": first}, refused=True),
        Step("no reason", "rollback", refused=True),
        Step("one replica more", "scale", WHY | {"scale_replicas": 3}),
        Step("as many as there are", "scale", WHY | {"scale_replicas": 3}),
        Step("back to two", "scale", WHY | {"scale_replicas": 2}),
        Step("another limit", "scale", WHY | {"scale_service": "alertmanager", "scale_memory": "300M"}),
        Step("too many replicas", "scale", WHY | {"scale_replicas": 5000}, refused=True),
        Step("less for one replica", "weights", WHY | {"traffic_weights": {f"{world.stack.live}-1": 0}}),
        Step("the same for all", "weights", WHY | {"traffic_weights": {}}),
        Step("a service with state", "restart_service", WHY | {"service_name": "alertmanager"}),
        Step("a colour", "restart_service", WHY | {"service_name": world.stack.live}),
        Step("nothing that is over", "retire"),
        Step("a contract migration of what is live", "deploy", QUICK | WHY | small | contract),
    ]
