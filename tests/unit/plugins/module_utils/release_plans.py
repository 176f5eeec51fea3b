"""What a host runs and has run, and the plans that follow from it, for tests of plans."""

from __future__ import annotations

import collections

from ansible_collections.astraldraft.ops.plugins.module_utils import _release_plan
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.history import BLUE, GREEN, digest, history

LIVE = "switched healthy"
ROLLED_BACK = {"operation": "rollback"}
#: Before anything in the record.
CREATED = {BLUE: "2026-11-23T00:00:30.123456789Z", GREEN: "2026-11-23T00:00:30.123456789Z"}
Replica = collections.namedtuple("Replica", "image_id")


def image_id(version):
    return "sha256:id-{0}".format(version)


def image(version):
    return {"reference": "registry/app@" + digest(version), "digest": digest(version), "id": image_id(version)}


def facts(rows, live, blue=(None, 0), green=(None, 0), wanted=None, environments=None, **further):
    """The Facts of a host. ``blue`` and ``green``: version and number of replicas that run; ``wanted``: the version to resolve."""
    running = {name: [Replica(image_id(version))] * count for name, (version, count) in ((BLUE, blue), (GREEN, green))}
    return _release_plan.Facts(
        history(*rows).releases,
        live,
        [BLUE, GREEN],
        running,
        environments or {BLUE: "e1" if blue[1] else None, GREEN: "e1" if green[1] else None},
        image=image(wanted) if wanted else None,
        **dict({"known_versions": ["v1", "v2"], "staging": _release_plan.SKIPPED, "created": CREATED}, **further),
    )


def deploy(found, version, environment="e1", replicas=2, **further):
    plan = _release_plan.plan_deploy(found, version, environment, replicas, **further)
    return resolved(plan)


def rollback(found, version=None, **further):
    return resolved(_release_plan.plan_rollback(found, version, **further))


def resolved(plan, gone=()):
    """The plan with its path, as the caller resolves it; ``gone`` are versions whose image is no longer on this host."""
    if plan.target:
        version = plan.target["version"]
        _release_plan.resolve_path(plan, None if version in gone else image_id(version))
    return plan


def refusal(plan):
    """The one refusal of a plan, as (gate, message, whether it can be overridden)."""
    assert plan.verdict == "refused"
    assert len(plan.refusals) == 1
    return tuple(plan.refusals[0][name] for name in ("gate", "message", "override"))


V1 = [("v1", BLUE, LIVE)]
V2 = [*V1, ("v2", GREEN, LIVE)]
V3 = [*V2, ("v3", BLUE, LIVE)]
TAKEN_BACK = [*V1, ("v2", GREEN, "switched taken_back", {"message": "5 % of the requests failed."})]
