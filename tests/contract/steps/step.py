"""One run of a playbook, and what the steps of several lanes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.world import Newcomer

WHY = {"ops_reason": "contract test"}


@dataclass(frozen=True)
class Step:
    """One run of a playbook. ``says`` are words of its check mode, ``changes`` whether it says there that anything would change.

    ``refused``: it ends with an error. ``told`` are words of the run itself. ``real`` is false where only check mode is run: the same road
    was gone before, or it ends in a refusal.
    """

    what: str
    playbook: str
    variables: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    changes: bool = False
    refused: bool = False
    real: bool = True
    told: tuple[str, ...] = ()


# Tasks whose `changed` in check mode cannot be that of the run, by their names, each with the reason. None is the best number.
EXCEPTIONS: dict[str, str] = {}


def of(newcomer: Newcomer) -> dict[str, Any]:
    """The variables of a newcomer's application, over those of the demo. Releases are proved by their health alone, and at once."""
    return {
        "stack_name": newcomer.project, "stack_state_dir": str(newcomer.folder), "stack_project_src": str(newcomer.folder),
        "release_image": newcomer.image, "release_environment": {}, "release_environment_required": [],
        "release_smoke_checks": [], "release_metrics_url": "",
        "release_public_url": f"http://127.0.0.1:{newcomer.port}", "release_soak_seconds": 0, "release_minimum_uptime_seconds": 0,
        "release_soak_interval": 1, "release_soak_success_limit": 1, "release_migration_command": ["true"],
        "scale_pool_size": 0, "scale_database": {}, "health_ca_path": "", "ops_operator": "ada",
    }  # fmt: skip
