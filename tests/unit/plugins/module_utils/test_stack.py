from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _stack

COLOURS = ["app-blue", "app-green"]


@pytest.mark.parametrize("text", ["2.26.1\n", "v2.0.0", "2.26.1-4", "2.40.0+ds1", "5.1.0", "10.0"])
def test_compose_v2_and_newer_will_do(text):
    assert _stack.check_compose_version(text) is None


@pytest.mark.parametrize("text", ["1.29.2\n", "v1.0", "", "dev", "unknown"])
def test_an_old_or_nameless_compose_is_named(text):
    finding = _stack.check_compose_version(text)
    assert (text.strip() or "?") in finding
    assert "version 2" in finding


def model(**services):
    return {"services": {name.replace("_", "-"): service for name, service in services.items()}}


def test_a_model_that_can_be_scaled_has_nothing_against_it():
    whole = model(nginx={"ports": [{"published": "80"}]}, app_blue={}, app_green={"ports": [{"target": 3000}]})
    assert _stack.check_model(whole, COLOURS, "nginx") == []
    assert _stack.check_model(model(nginx=None, app_blue=None, app_green=None), COLOURS, "nginx") == []


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ({"nginx": {}, "app_blue": {}}, ["no service app-green", "app-blue, nginx"]),
        ({"app_blue": {}, "app_green": {}}, ["no service nginx"]),
        ({"nginx": {}, "app_blue": {"container_name": "blue"}, "app_green": {}}, ["app-blue has container_name blue", "Remove it"]),
        (
            {"nginx": {}, "app_blue": {}, "app_green": {"ports": [{"published": "3001"}, {"published": 3002}]}},
            ["app-green publishes port 3001, 3002"],
        ),
    ],
)
def test_what_is_in_the_way_is_said_in_a_sentence(services, words):
    findings = _stack.check_model(model(**services), COLOURS, "nginx")
    assert len(findings) == 1
    for word in words:
        assert word in findings[0]


def test_an_empty_model_names_everything_that_lacks():
    for empty in ({}, {"services": None}, {"services": {}}):
        findings = _stack.check_model(empty, COLOURS, "nginx")
        assert len(findings) == 3
        assert all("Its services: none." in finding for finding in findings)


@pytest.mark.parametrize(("free", "enough"), [(2**30, True), (2**30 - 1, False), (0, False), (2**40, True)])
def test_a_disk_needs_room(free, enough):
    finding = _stack.check_disk("/var/lib", free, 2**30)
    assert (finding is None) == enough
    if finding:
        assert "/var/lib" in finding
        assert "1024 MiB are needed" in finding
