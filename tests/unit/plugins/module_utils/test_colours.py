from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _colours, _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._nginx import Server
from ansible_collections.astraldraft.ops.plugins.modules.nginx_info import stale

ID = "sha256:" + "1d3f" * 16


def inspection(service="app-blue", number="1", state="running", addresses=None, env=None, **further):
    """What the engine (API 1.41) says of a container, cut down to what is read of it."""
    networks = {name: {"IPAddress": address, "Aliases": None} for name, address in (addresses or {"demo_default": "172.18.0.5"}).items()}
    labels = {_docker.PROJECT_LABEL: "demo", _docker.SERVICE_LABEL: service, _docker.NUMBER_LABEL: number}
    answer = {
        "Id": "2f1e0c9d8b7a",
        "Name": "/demo-{0}-{1}".format(service, number),
        "Image": ID,
        "State": {"Status": state, "Running": state == "running"},
        "Config": {"Env": env, "Labels": labels},
        "NetworkSettings": {"Networks": networks},
    }
    answer.update(further)
    return answer


def test_a_container_is_read_from_what_the_engine_says():
    replica = _docker.to_replica(inspection(addresses={"b": "10.0.0.2", "a": "10.0.0.1", "none": ""}))
    assert (replica.name, replica.service, replica.number, replica.state, replica.health) == (
        "demo-app-blue-1",
        "app-blue",
        1,
        "running",
        None,
    )
    assert list(replica.addresses.items()) == [("a", "10.0.0.1"), ("b", "10.0.0.2")]


@pytest.mark.parametrize(
    "odd",
    [
        {"Config": {"Labels": None}},
        {"NetworkSettings": {}},
        {"NetworkSettings": {"Networks": None}},
        {"State": {"Status": "created", "Health": None}},
    ],
)
def test_what_the_engine_leaves_out_is_no_crash(odd):
    replica = _docker.to_replica(inspection(**odd))
    assert replica.health is None


def test_health_is_what_docker_says():
    assert _docker.to_replica(inspection(State={"Status": "running", "Health": {"Status": "starting"}})).health == "starting"


@pytest.mark.parametrize(
    ("environments", "checksum"),
    [
        ([], None),
        ([None], None),
        ([["PATH=/bin"]], None),
        ([["PATH=/bin", "ASTRALDRAFT_ENVIRONMENT=abc"]], "abc"),
        ([["ASTRALDRAFT_ENVIRONMENT=abc"], ["ASTRALDRAFT_ENVIRONMENT=abc"]], "abc"),
        ([["ASTRALDRAFT_ENVIRONMENT=abc"], ["ASTRALDRAFT_ENVIRONMENT=abd"]], None),
        ([["ASTRALDRAFT_ENVIRONMENT=abc"], ["PATH=/bin"]], None),
        ([["ASTRALDRAFT_ENVIRONMENT_OLD=abc"]], None),
    ],
)
def test_a_colour_has_an_environment_when_all_its_replicas_say_the_same(environments, checksum):
    assert _colours.environment_of([_docker.to_replica(inspection(env=env)) for env in environments]) == checksum


class Api:
    """The two calls of docker.APIClient that are used, with answers as the engine gives them."""

    def __init__(self, images):
        self._images = images

    def inspect_image(self, reference):
        import docker

        if reference not in self._images:
            raise docker.errors.ImageNotFound("No such image: " + reference)
        return self._images[reference]

    def images(self, name):
        return [image for reference, image in self._images.items() if reference.rpartition(":")[0] == name]


class Client:
    def __init__(self, **images):
        self.api = Api({reference.replace("__", "/"): image for reference, image in images.items()})


def find(reference, repo_digests):
    client = Client()
    client.api = Api({reference: {"Id": ID, "RepoDigests": repo_digests, "RepoTags": [reference]}})
    return _colours.find_image(client, reference)


REGISTRY_DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("astraldraft/app:v1", "astraldraft/app"),
        ("registry:5000/astraldraft/app:v1", "registry:5000/astraldraft/app"),
        ("registry:5000/astraldraft/app@" + REGISTRY_DIGEST, "registry:5000/astraldraft/app"),
        ("astraldraft/app@" + REGISTRY_DIGEST, "astraldraft/app"),
        ("astraldraft/app:v1@" + REGISTRY_DIGEST, "astraldraft/app"),
    ],
)
def test_an_image_from_a_registry_is_known_by_the_registrys_digest(reference, repository):
    named = repository + "@" + REGISTRY_DIGEST
    found = find(reference, ["mirror/other@sha256:" + "00" * 32, named])
    assert found == {"reference": named, "digest": REGISTRY_DIGEST, "id": ID}


@pytest.mark.parametrize("repo_digests", [None, [], ["mirror/app@" + REGISTRY_DIGEST]])
def test_an_image_built_here_is_known_by_its_id(repo_digests):
    assert find("astraldraft/app:v1", repo_digests) == {"reference": ID, "digest": ID, "id": ID}
    assert find(ID, repo_digests) == {"reference": ID, "digest": ID, "id": ID}


def test_an_image_that_is_not_here_is_none():
    assert _colours.find_image(Client(), "astraldraft/app:v9") is None


def test_tags_of_that_repository_alone_are_known():
    client = Client()
    client.api = Api(
        {
            "astraldraft/app:v1": {"Id": ID, "RepoTags": ["astraldraft/app:v1", "astraldraft/app:latest", "other/app:v7"]},
            "astraldraft/app:x": {"Id": ID, "RepoTags": None},
        }
    )
    assert _colours.known_tags(client, "astraldraft/app") == ["latest", "v1"]


@pytest.mark.parametrize(
    ("address", "state", "stale_ones"),
    [
        ("172.18.0.5:3000", "running", []),
        ("172.18.0.9:3000", "running", ["app-blue-1"]),
        ("172.18.0.5:3000", "exited", ["app-blue-1"]),
    ],
)
def test_a_server_is_stale_when_its_replica_has_another_address_or_does_not_run(address, state, stale_ones):
    assert stale([Server(address, 1, "app-blue-1")], [_docker.to_replica(inspection(state=state))]) == stale_ones
    assert stale([Server(address, 1, "app-blue-1")], []) == ["app-blue-1"]
    assert stale([], [_docker.to_replica(inspection(state=state))]) == []
