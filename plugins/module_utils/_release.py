# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of releases: events on disk, releases in memory. Private: other collections must not import it.

The file holds one event a line and is only ever appended to. A release begins with ``started`` and ends with one of
``healthy``, ``failed`` (it never got traffic), ``taken_back`` (it got traffic, went bad, and lost it again by itself),
``inconclusive`` (it lost it again because nobody could tell), ``returned`` (it was well, and lost it again because another host
failed) or ``interrupted`` (whoever ran it died).
What is live is not read from here: the load balancer knows. ``scaled`` says how many replicas a release has from then on.
"""

from __future__ import annotations

STARTED, SWITCHED, CONTRACTING, CONTRACTED, RETIRED, SCALED = "started", "switched", "contracting", "contracted", "retired", "scaled"
HEALTHY, FAILED, TAKEN_BACK, INCONCLUSIVE, INTERRUPTED = "healthy", "failed", "taken_back", "inconclusive", "interrupted"
RETURNED = "returned"
OUTCOMES = (HEALTHY, FAILED, TAKEN_BACK, INCONCLUSIVE, INTERRUPTED, RETURNED)
EVENTS = (STARTED, SWITCHED, CONTRACTING, CONTRACTED, RETIRED, SCALED) + OUTCOMES
UNFINISHED = "running"

#: What ``started`` records of a release, beside its id and time.
DETAILS = (
    "operation",
    "version",
    "image",
    "digest",
    "environment",
    "service",
    "replicas",
    "operator",
    "reason",
    "emergency",
    "migration_phase",
)


def fold(events):
    """The releases (list of dict, oldest first) that the events (list of dict, oldest first) tell of.

    Each has its DETAILS, ``id``, ``outcome``, ``message``, ``contracting`` (the migration was begun), ``contracted``
    (it was seen through) and the times ``started_at``, ``switched_at``,
    ``finished_at`` (ISO 8601 or None).
    """
    releases = {}
    for event in events:
        identifier, kind = event.get("release"), event.get("event")
        if kind == STARTED:
            release = {name: event.get(name) for name in DETAILS}
            release.update(
                id=identifier,
                outcome=UNFINISHED,
                message="",
                contracting=False,
                contracted=False,
                started_at=event["time"],
                switched_at=None,
                finished_at=None,
            )
            releases[identifier] = release
        elif identifier in releases:
            _apply(releases[identifier], kind, event)
    return list(releases.values())


def _apply(release, kind, event):
    if kind == SWITCHED:
        release["switched_at"] = event["time"]
    elif kind in (CONTRACTING, CONTRACTED):
        release.update(contracting=True, contracted=kind == CONTRACTED)
    elif kind == SCALED:
        release["replicas"] = event["replicas"]
    elif kind in OUTCOMES:
        release.update(outcome=kind, finished_at=event["time"], message=event.get("message", ""))


def identity(release):
    """What makes two releases the same: the image's digest and the environment's checksum."""
    return release["digest"], release["environment"]


def unfinished(releases):
    """The releases that neither ended well nor badly: somebody died, or is at work right now."""
    return [release for release in releases if release["outcome"] == UNFINISHED]


def live_release(releases, service):
    """The release behind the ``service`` that gets traffic, or None when the record knows of none."""
    for release in reversed(releases):
        if release["service"] == service and release["outcome"] not in (FAILED, TAKEN_BACK, INCONCLUSIVE, RETURNED):
            return release
    return None


def quarantined(releases):
    """Digests (set of str) that were taken back by themselves, and have not been proved healthy since."""
    return _still_bad(releases, lambda release: release["digest"])


def taken_back(releases):
    """Identities (set) that were taken back by themselves, and have not been proved healthy since."""
    return _still_bad(releases, identity)


def _still_bad(releases, key):
    bad = set()
    for release in releases:
        if release["outcome"] == TAKEN_BACK:
            bad.add(key(release))
        elif release["outcome"] == HEALTHY:
            bad.discard(key(release))
    return bad


def candidates(releases, live):
    """The releases one could go back to: once healthy, not the live one, not bad since; newest first, each identity once.

    What was taken back with another environment does not speak against the same image with the one it was healthy with.
    """
    found, seen = [], _still_bad(releases, identity)
    if live:
        seen.add(identity(live))
    for release in reversed(releases):
        if release["outcome"] == HEALTHY and identity(release) not in seen:
            seen.add(identity(release))
            found.append(release)
    return found


def contract_after(releases, target):
    """The newest release that began a contract migration later than ``target`` was started, or None."""
    later = releases[releases.index(target) + 1 :]
    return next((release for release in reversed(later) if release["contracting"]), None)


def public_list(releases):
    """What another environment needs to know of our releases (for the staging gate): nothing secret, nothing internal."""
    names = ("id", "operation", "version", "digest", "outcome", "started_at", "switched_at", "finished_at")
    return [{name: release[name] for name in names} for release in releases]


def healthy_elsewhere(exported, digest):
    """When another environment (its exported list) last proved ``digest`` healthy: ISO 8601, or None."""
    times = [
        str(release.get("finished_at") or "")
        for release in exported
        if isinstance(release, dict) and release.get("digest") == digest and release.get("outcome") == HEALTHY
    ]
    return max(times, default="") or None
