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
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

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


class EngineError(OpsError):
    """The engine cannot be reached, or did not do what it was asked."""


class EngineTimeout(EngineError):
    """The engine took a request and did not answer it in time."""


@contextlib.contextmanager
def engine(docker_host=None, timeout=30):
    """A client of the Docker Engine at ``docker_host`` (default: DOCKER_HOST, else the local socket).

    Raises OpsError when the SDK is missing, EngineError whenever the engine cannot be reached or refuses a request, EngineTimeout when one
    took longer than ``timeout`` seconds.
    """
    docker, requests = load("docker"), load("requests")
    where = docker_host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    try:
        client = docker.DockerClient(base_url=where, timeout=timeout, version="auto")
    except docker.errors.DockerException as error:
        raise EngineError(
            "No Docker Engine answers at {0}: {1}. Is it running, and may this user use it (group docker)? "
            "Try: docker -H {0} version".format(where, error)
        )
    try:
        yield client
    except docker.errors.APIError as error:
        raise EngineError("The Docker Engine at {0} refused: {1}".format(where, error.explanation or error))
    except docker.errors.DockerException as error:
        raise EngineError("The Docker Engine at {0} failed: {1}".format(where, error))
    # The SDK lets its HTTP library's own errors through.
    except requests.exceptions.Timeout:
        raise EngineTimeout(
            "The Docker Engine at {0} did not answer within {1:g} s. Is the machine overloaded? Try: docker -H {0} version".format(
                where, timeout
            )
        )
    except requests.exceptions.RequestException as error:
        raise EngineError("The Docker Engine at {0} broke the connection: {1}. Try: docker -H {0} version".format(where, error))
    finally:
        client.close()


def trouble(error):
    """The ProbeError that an EngineError stands for, where an engine that does not answer is a fact like others."""
    if isinstance(error, EngineTimeout):
        return ProbeError("timed_out", "slow_engine", error.message, "See what keeps the engine busy.")
    return ProbeError("unreachable", "no_engine", error.message, "Start the engine, or give this user access to it.")


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


def short_name(replica):
    """``app-blue-2``: the service and the number of a Replica, as people and nginx's file name it."""
    return "{0}-{1}".format(replica.service, replica.number)


def execute(client, container_id, argv, user=""):
    """Run ``argv`` (list of str) inside a container. Returns ``(exit code, output text)``, both streams in one."""
    created = client.api.exec_create(container_id, argv, user=user)
    output = client.api.exec_start(created["Id"])
    return client.api.exec_inspect(created["Id"])["ExitCode"], output.decode("utf-8", "replace")


def usage(client, container_id):
    """The bytes of memory that a running container uses and cannot give back at once (int)."""
    return working_set(client.api.stats(container_id, stream=False, one_shot=True).get("memory_stats") or {})


def working_set(memory):
    """The same of the engine's ``memory_stats``: without cached files."""
    details = memory.get("stats") or {}
    cached = details.get("total_inactive_file", details.get("inactive_file", 0))
    return max(0, memory.get("usage", 0) - cached)


def update(client, container_id, resources):
    """Change the limits of a container as it runs. ``resources`` is what the engine's API takes (dict), which the SDK's own method
    knows only a part of."""
    url = "{0}/v{1}/containers/{2}/update".format(client.api.base_url, client.api.api_version, container_id)
    response = client.api.post(url, json=resources, timeout=client.api.timeout)
    if response.status_code != 200:
        try:
            said = response.json()["message"]
        except (ValueError, KeyError, TypeError):
            said = response.text
        raise OpsError("The engine did not take the limits {0} for the container {1}: {2}".format(resources, container_id[:12], said))
