# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deploy or a rollback would do, decided from facts alone. Private: other collections must not import it."""

from __future__ import annotations

import datetime

from ansible_collections.astraldraft.ops.plugins.module_utils import _release
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

GO, NOTHING_TO_DO, REFUSED = "go", "nothing_to_do", "refused"
WARM, COLD, RESUME = "warm", "cold", "resume"
SKIPPED = "skipped"


class Facts:
    """What is true before an operation.

    ``releases``: the record, folded. ``live``: the service that gets traffic, or None. ``services``: the colours, in order.
    ``running``: service name to the list of its running replicas (with ``image_id``). ``environments``: service name to the
    checksum of the environment it was started with, or None. ``image``: the resolved image (``reference``, ``digest``,
    ``id``) of the wanted version, or None. ``known_versions``: tags found beside it. ``staging``: the list that staging
    exports, None where none is configured, or SKIPPED. ``created``: service name to the time (ISO 8601, UTC) at which the
    oldest of its running replicas was made, or None. ``shared``: whether the idle colour gets a share of the traffic, because
    somebody died between two steps of a deploy. Until the last step the colour that is live is still the former one.
    """

    def __init__(
        self, releases, live, services, running, environments, image=None, known_versions=(), staging=None, created=None, shared=False
    ):
        self.releases, self.live, self.services, self.shared = releases, live, services, shared
        self.running, self.environments, self.created = running, environments, created or {}
        self.image, self.known_versions, self.staging = image, known_versions, staging
        self.live_release = _release.live_release(releases, live) if live else None

    @property
    def idle(self):
        """The colour without traffic; the first one when none is live."""
        return next(service for service in self.services if service != self.live)

    def runs(self, service, image_id, environment):
        """Whether ``service`` runs, and every replica of it is of that image and environment."""
        replicas = self.running.get(service) or []
        return (
            bool(replicas) and all(replica.image_id == image_id for replica in replicas) and self.environments.get(service) == environment
        )

    def proved(self, service, wanted):
        """Whether ``wanted`` (dict with ``digest`` and ``environment``) was found healthy in ``service`` since its replicas were made.

        What an operator who died had started is not: it is not even known to be whole.
        """
        since = self.created.get(service)
        return since is not None and any(
            release["service"] == service
            and release["outcome"] == _release.HEALTHY
            and _release.identity(release) == _release.identity(wanted)
            and release["finished_at"] >= since
            for release in self.releases
        )


def warm(facts, keep_seconds, now):
    """How long the colour without traffic is kept, ``now`` being an aware datetime: ``{replicas, until, overdue}``.

    Its time begins when the live release is proved; until then it is needed, and ``until`` is None.
    """
    replicas, live = len(facts.running.get(facts.idle) or []), facts.live_release
    if not (replicas and live and live["outcome"] == _release.HEALTHY):
        return {"replicas": replicas, "until": None, "overdue": False}
    until = from_iso(live["finished_at"]) + datetime.timedelta(seconds=keep_seconds)
    return {"replicas": replicas, "until": to_iso(until), "overdue": now >= until}


class Plan:
    """The outcome: a verdict, what was refused and why, where to go, and which service to go back to (``former``)."""

    def __init__(self, facts):
        self.verdict, self.refusals, self.notices = GO, [], []
        self.target: dict = {}
        self.path = None
        self.warm_replicas = 0
        self.facts, self.former = facts, facts.live

    def refuse(self, gate, message, override=True):
        self.refusals.append({"gate": gate, "message": message, "override": override})
        self.verdict = REFUSED

    def settle(self, overrides, emergency, soft_gates=("staging",)):
        """Turn the refusals that an override or an emergency lifts into notices."""
        kept = []
        for refusal in self.refusals:
            lifted = refusal["gate"] in overrides or (emergency and refusal["gate"] in soft_gates)
            (self.notices if refusal["override"] and lifted else kept).append(refusal)
        self.notices = [notice["message"] if isinstance(notice, dict) else notice for notice in self.notices]
        self.refusals = kept
        if not kept and self.verdict == REFUSED:
            self.verdict = GO
        return self


def plan_deploy(facts, version, environment, replicas, overrides=(), emergency=False):
    """The Plan of a deploy of ``version`` with the environment whose checksum is ``environment``.

    ``replicas`` is the size of the very first release; afterwards a release starts at the size of the live one.
    """
    plan = Plan(facts)
    if not facts.image:
        _refuse_unknown(plan, version)
        return plan
    _aim(plan, facts.image, version, environment, replicas)
    if facts.live and facts.runs(facts.live, facts.image["id"], environment):
        return _already_live(plan)
    if facts.image["digest"] in _release.quarantined(facts.releases):
        plan.refuse(
            "quarantine",
            "{0} ({1}) was taken back by itself before: {2} Deploy another version, or give ops_override: [quarantine] "
            "with ops_reason.".format(version, facts.image["digest"][:19], _last_message(facts.releases, facts.image["digest"])),
        )
    _staging_gate(plan, version)
    return plan.settle(overrides, emergency)


def plan_reconfigure(facts, environment, overrides=(), emergency=False):
    """The Plan of giving the image that is live another environment, whose checksum is ``environment``.

    The image is the recorded one, whatever its tag means by now; staging and quarantine have let it pass already. What was taken back with
    this very environment is another thing.
    """
    plan, live = Plan(facts), facts.live_release
    if not live:
        plan.refuse(
            "live",
            "No release that is on record gets traffic, so there is none whose environment could be mended. "
            "Use: deploy -e release_version=...",
            override=False,
        )
        return plan
    _aim(plan, _recorded(live), live["version"], environment, live["replicas"])
    if facts.environments.get(facts.live) == environment:
        return _already_live(plan)
    if _release.identity(plan.target) in _release.taken_back(facts.releases):
        plan.refuse(
            "quarantine",
            "{0} was taken back with this very environment before: {1} Mend release_environment in the inventory, or give "
            "ops_override: [quarantine] with ops_reason.".format(live["version"], _last_message(facts.releases, live["digest"])),
        )
    return plan.settle(overrides, emergency)


def plan_rollback(facts, version=None, overrides=(), emergency=False, other_environment=False):
    """The Plan of a rollback, to ``version`` or to the last release that was healthy in production.

    ``facts.image`` is not needed: a rollback goes by what was recorded, and the caller resolves it afterwards. With ``other_environment``
    only to what ran with another environment than the live release does, unless that one was itself reached so.
    """
    plan = Plan(facts)
    if not facts.live:
        plan.refuse(
            "live", "No release gets traffic, so there is nothing to roll back from. Use: deploy -e release_version=...", override=False
        )
        return plan
    live = facts.live_release
    # What is fled from with a share of the traffic alone is in the idle colour: the way back leads to the live one.
    from_share = live and facts.shared and version in (None, live["version"])
    if _half_way(live, version) or from_share or ((other_environment or version) and _went_back(facts, version)):
        _aim(plan, _recorded(live), live["version"], live["environment"], live["replicas"])
        return _already_live(plan)
    possible = _release.candidates(facts.releases, live)
    if other_environment:
        possible = [release for release in possible if not live or release["environment"] != live["environment"]]
    names = ", ".join(dict.fromkeys(release["version"] for release in possible)) or "none"
    if version:
        target = next((release for release in possible if release["version"] == version), None)
        if not target:
            _refuse_target(plan, version, names, other_environment)
            return plan
    elif not possible and other_environment:
        plan.refuse(
            "version",
            "No release that was healthy here ran with another environment than {0} does, so there is none to go back to. Mend "
            "release_environment in the inventory and run: recover_configuration -e release_configuration=inventory".format(
                live["version"] if live else "what is live"
            ),
            override=False,
        )
        return plan
    elif facts.live_release and facts.live_release["operation"] == "rollback":
        plan.refuse(
            "version",
            "The live release {0} was itself reached by a rollback, so which one is meant now must be said: "
            "-e release_version=..., one of: {1}.".format(facts.live_release["version"], names),
            override=False,
        )
        return plan
    elif not possible:
        plan.refuse("version", "No earlier release was ever healthy here, so there is nothing to go back to. See: releases", override=False)
        return plan
    else:
        target = possible[0]
    contracted = _release.contract_after(facts.releases, target)
    if contracted:
        plan.refuse(
            "contract",
            "{0} ran a contract migration at {1}: the database no longer has what {2} needs. Deploy a fixed newer version, or restore; "
            "ops_override: [contract] with ops_reason goes back all the same.".format(
                contracted["version"], contracted["finished_at"], target["version"]
            ),
        )
    _aim(plan, _recorded(target), target["version"], target["environment"], target["replicas"])
    plan.target["release"] = target["id"]
    return plan.settle(overrides, emergency)


def _recorded(release):
    """The image of a release as the record names it; its id on this host is not known yet."""
    return {"reference": release["image"], "digest": release["digest"], "id": None}


def _half_way(live, version):
    """Whether somebody died while bringing ``live`` here, and what is wanted now is to bring it here."""
    if not live or live["outcome"] == _release.HEALTHY:
        return False
    return version == live["version"] or (not version and live["operation"] == "rollback")


def _went_back(facts, version):
    """Whether a rollback has brought the live release from another environment, and what is wanted now is to bring it here.

    What it was fled from is the last one that was healthy with another environment: the same command again would lead there.
    """
    live = facts.live_release
    if not live or live["operation"] != "rollback" or version not in (None, live["version"]):
        return False
    former = _release.live_release(facts.releases[: facts.releases.index(live)], facts.idle)
    return former is not None and former["environment"] != live["environment"]


def resolve_path(plan, image_id):
    """Say by ``image_id`` (None: not on this host) whether the target already runs in the idle colour, and was proved there.

    A warm colour smaller than the live one is topped up: it would be brought to its knees by traffic that it was not made for.
    """
    facts, target = plan.facts, plan.target
    target["id"] = image_id
    if plan.path == RESUME:
        return plan
    plan.path = COLD
    if image_id and facts.runs(facts.idle, image_id, target["environment"]) and facts.proved(facts.idle, target):
        plan.path, plan.warm_replicas = WARM, len(facts.running[facts.idle])
        serving = len(facts.running.get(facts.live) or [])
        if plan.warm_replicas >= serving:
            target["replicas"] = plan.warm_replicas
        else:
            plan.notices.append(
                "{0} is warm with {1} of the {2} replicas that {3} has, so it is topped up.".format(
                    facts.idle, plan.warm_replicas, target["replicas"], facts.live
                )
            )
    return plan


def cool(plan, troubles):
    """Take back that the idle colour is warm, when its replicas do not answer as they should (``troubles``: sentences)."""
    if troubles:
        plan.path, plan.warm_replicas = COLD, 0
        plan.notices.append("The warm colour is started afresh, since it does not answer rightly: {0}.".format("; ".join(troubles)))


def _aim(plan, image, version, environment, replicas):
    """Point the plan at the idle colour, in the size of the live one: of what runs there, and of what should.

    A rollback is often called for because replicas of the live release keep dying.
    """
    facts = plan.facts
    live_size = len(facts.running.get(facts.live) or []) if facts.live else 0
    if facts.live_release:
        live_size = max(live_size, facts.live_release["replicas"])
    plan.target = {
        "service": facts.idle,
        "version": version,
        "image": image["reference"],
        "digest": image["digest"],
        "id": image["id"],
        "environment": environment,
        "replicas": live_size or replicas,
        "release": None,
    }


def _already_live(plan):
    """Nothing to do, unless whoever brought it there died before it was proved: then the proof is taken up again."""
    facts, release = plan.facts, plan.facts.live_release
    plan.target["service"] = facts.live
    if release is None or release["outcome"] == _release.HEALTHY:
        plan.verdict = NOTHING_TO_DO
        return plan
    plan.path, plan.target["release"] = RESUME, release["id"]
    plan.former = facts.idle if facts.running.get(facts.idle) else None
    return plan


def _refuse_unknown(plan, version):
    known = ", ".join(plan.facts.known_versions) or "none"
    plan.refuse(
        "image",
        "There is no image of version {0} on this host, nor did a registry give one. Versions found here: {1}. "
        "Check the spelling, build or pull the image, and try again.".format(version, known),
        override=False,
    )


def _refuse_target(plan, version, names, other_environment):
    live = plan.facts.live_release
    if other_environment:
        plan.refuse(
            "version",
            "{0} was never healthy here with another environment than the live one, so its configuration is nothing to go back to. "
            "Candidates: {1}. See: releases".format(version, names),
            override=False,
        )
        return
    if live and live["version"] == version:
        plan.verdict = NOTHING_TO_DO
        return
    plan.refuse(
        "version",
        "{0} was never healthy here, or was taken back, so it is nothing to go back to. Candidates: {1}. See: releases".format(
            version, names
        ),
        override=False,
    )


def _staging_gate(plan, version):
    facts = plan.facts
    if facts.staging == SKIPPED:
        plan.notices.append("The staging gate was skipped.")
    elif facts.staging is None:
        plan.notices.append(
            "The staging gate is not configured (release_staging_releases), so nobody has asked whether staging ran this image."
        )
    elif not _release.healthy_elsewhere(facts.staging, facts.image["digest"]):
        plan.refuse(
            "staging",
            "Staging has not run {0} ({1}) to a healthy end. Deploy it there first, or give ops_override: [staging] "
            "with ops_reason.".format(version, facts.image["digest"][:19]),
        )


def _last_message(releases, digest):
    for release in reversed(releases):
        if release["digest"] == digest and release["outcome"] == _release.TAKEN_BACK:
            return release["message"] or "no reason was recorded."
    return ""
