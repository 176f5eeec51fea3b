"""The playbooks as they are run, one after the other, each first in check mode: every playbook at least once, every road through it."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.astraldraft.ops.tests.contract.lib.world import World
from ansible_collections.astraldraft.ops.tests.contract.steps.demo import demo
from ansible_collections.astraldraft.ops.tests.contract.steps.incidents import incidents
from ansible_collections.astraldraft.ops.tests.contract.steps.operations import operations
from ansible_collections.astraldraft.ops.tests.contract.steps.releases import releases
from ansible_collections.astraldraft.ops.tests.contract.steps.servers import certificates, failover, restores
from ansible_collections.astraldraft.ops.tests.contract.steps.step import Step

# Each in a process of its own, beside the others.
LANES: dict[str, Callable[[World], list[Step]]] = {
    "releases": releases, "operations": operations, "restores": restores, "failover": failover, "certificates": certificates,
    "demo": demo, "incidents": incidents,
}  # fmt: skip
