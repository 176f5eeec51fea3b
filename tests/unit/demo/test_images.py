"""The images of the app: the list of versions and the layers they share."""

from pathlib import Path

import pytest

from demo.app.config import Settings

DEMO = Path(__file__).resolve().parents[3] / "demo"
LINES = [line.split() for line in (DEMO / "app/versions").read_text().splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("line", LINES, ids=[line[0] for line in LINES])
def test_every_version_can_start(line):
    tag, version, *faults = line
    settings = Settings.from_environment({"APP_VERSION": version, **dict(fault.split("=", 1) for fault in faults)})
    assert bool(settings.faults.active()) == ("-" in version)
    assert (tag == version) or tag.endswith("-mislabelled")


def test_one_bad_release_of_each_kind():
    tags = {line[0] for line in LINES}
    assert {"v1.2.2", "v1.2.3", "v1.2.4"} <= tags
    assert {f"v1.2.5-{kind}" for kind in ("unhealthy", "errors", "slow", "crash", "mislabelled")} <= tags


def packages(image):
    text = (DEMO / "images" / image / "Dockerfile").read_text()
    return text[text.index("ARG BASE") : text.index("RUN useradd")]


def test_app_and_stub_share_their_layer_of_packages():
    assert packages("app") == packages("stub")
