# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine knows of the colours and their images. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker

#: The variable that every rendered environment carries, so that a container tells which one it was started with.
ENVIRONMENT_VARIABLE = "ASTRALDRAFT_ENVIRONMENT"


def environment_of(replicas):
    """The checksum of the environment that all ``replicas`` were started with, or None when they differ or do not say."""
    prefix = ENVIRONMENT_VARIABLE + "="
    found = set()
    for replica in replicas:
        variables = replica.inspection["Config"].get("Env") or []
        found.add(next((variable[len(prefix) :] for variable in variables if variable.startswith(prefix)), None))
    return found.pop() if len(found) == 1 else None


def created_at(replicas):
    """When the oldest of ``replicas`` was made (ISO 8601, UTC), or None without any."""
    return min((replica.inspection["Created"] for replica in replicas), default=None)


def running(client, project, service):
    """The running replicas of a service (list of Replica)."""
    return [replica for replica in _docker.replicas(client, project, service) if replica.state == "running"]


def find_image(client, reference):
    """``{reference, digest, id}`` of an image on this host, or None.

    The digest is the registry's where the image came from one, and then the reference names it; an image built here has only
    its id, which is as immutable.
    """
    import docker

    try:
        found = client.api.inspect_image(reference)
    except docker.errors.ImageNotFound:
        return None
    repository = _without_tag(reference.split("@")[0])
    for name in found.get("RepoDigests") or []:
        if name.split("@")[0] == repository:
            return {"reference": name, "digest": name.split("@")[1], "id": found["Id"]}
    return {"reference": found["Id"], "digest": found["Id"], "id": found["Id"]}


def _without_tag(name):
    """``registry:5000/app`` of ``registry:5000/app:v1``: what follows the last colon is a port when there is a slash in it."""
    repository, _colon, tag = name.rpartition(":")
    return repository if repository and "/" not in tag else name


def known_tags(client, repository):
    """The tags of a repository on this host (sorted list of str)."""
    tags = set()
    for image in client.api.images(name=repository):
        for name in image.get("RepoTags") or []:
            repo, _separator, tag = name.rpartition(":")
            if repo == repository:
                tags.add(tag)
    return sorted(tags)
