# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of a Compose project, through the Docker SDK. Private: other collections must not import it."""

from __future__ import annotations

import collections
import contextlib
import os

from ansible.module_utils.basic import env_fallback
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load

DOCKER_SPEC = {
    "docker_host": {"type": "str", "fallback": (env_fallback, ["DOCKER_HOST"])},
}
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
ONE_OFF_LABEL = "com.docker.compose.oneoff"

#: One container of a service. ``addresses`` maps network name to IPv4 address; ``state`` is Docker's (running, exited ...);
#: ``health`` is healthy, unhealthy, starting or None where the image declares no check; ``inspection`` is Docker's own answer.
Replica = collections.namedtuple("Replica", "id name service number image_id state health addresses inspection")


@contextlib.contextmanager
def engine(docker_host=None, timeout=30):
    """A client of the Docker Engine at ``docker_host`` (default: DOCKER_HOST, else the local socket).

    Raises OpsError when the SDK is missing, and whenever the engine cannot be reached or refuses a request.
    """
    docker = load("docker")
    where = docker_host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    try:
        client = docker.DockerClient(base_url=where, timeout=timeout, version="auto")
    except docker.errors.DockerException as error:
        raise OpsError(
            "No Docker Engine answers at {0}: {1}. Is it running, and may this user use it (group docker)? "
            "Try: docker -H {0} version".format(where, error)
        )
    try:
        yield client
    except docker.errors.APIError as error:
        raise OpsError("The Docker Engine at {0} refused: {1}".format(where, error.explanation or error))
    except docker.errors.DockerException as error:
        raise OpsError("The Docker Engine at {0} failed: {1}".format(where, error))
    finally:
        client.close()


def replicas(client, project, service=None):
    """Every container of a Compose project (running or not; one-off ones left out), by service and number.

    ``service`` narrows it to one service. Returns a list of :class:`Replica`, empty when there is none.
    """
    import docker

    labels = ["{0}={1}".format(PROJECT_LABEL, project), "{0}=False".format(ONE_OFF_LABEL)]
    if service:
        labels.append("{0}={1}".format(SERVICE_LABEL, service))
    found = []
    for listed in client.api.containers(all=True, filters={"label": labels}):
        try:
            found.append(to_replica(client.api.inspect_container(listed["Id"])))
        except docker.errors.NotFound:  # removed between the listing and the inspection
            continue
    return sorted(found, key=lambda replica: (replica.service, replica.number))


def to_replica(inspection):
    """The Replica of what ``docker inspect`` says of one container (a dict)."""
    labels = inspection["Config"].get("Labels") or {}
    state = inspection["State"]
    networks = inspection.get("NetworkSettings", {}).get("Networks") or {}
    return Replica(
        id=inspection["Id"],
        name=inspection["Name"].lstrip("/"),
        service=labels.get(SERVICE_LABEL, ""),
        number=int(labels.get(NUMBER_LABEL) or 0),
        image_id=inspection["Image"],
        state=state["Status"],
        health=(state.get("Health") or {}).get("Status"),
        addresses={name: network["IPAddress"] for name, network in sorted(networks.items()) if network.get("IPAddress")},
        inspection=inspection,
    )


def execute(client, container_id, argv, user=""):
    """Run ``argv`` (list of str) inside a container. Returns ``(exit code, output text)``, both streams in one."""
    created = client.api.exec_create(container_id, argv, user=user)
    output = client.api.exec_start(created["Id"])
    return client.api.exec_inspect(created["Id"])["ExitCode"], output.decode("utf-8", "replace")
