from __future__ import annotations

import gzip
import json
import os

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _archive
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import Replica
from ansible_collections.astraldraft.ops.plugins.modules import container_archive

INSPECTION = {
    "Id": "2f1e0c9d8b7a6f5e4d3c",
    "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": True},
    "Config": {
        "Env": ["PATH=/usr/bin", "DATABASE_URL=postgresql://a:s3cret@db/x", "API_KEY=s3cret", "APP_VERSION=v1"],
        "Image": "sha256:1",
    },
}


def replica(service="app-blue", number=1, inspection=None):
    return Replica("2f1e0c9d8b7a6f5e4d3c", "demo-app-blue-1", service, number, "sha256:1", "exited", None, {}, inspection or INSPECTION)


@pytest.mark.parametrize(
    ("variable", "kept"),
    [
        ("PATH=/usr/bin", True),
        ("APP_VERSION=v1.2.3", True),
        ("NOTHING=", True),
        ("MALFORMED", True),
        ("PASSWORD=x", False),
        ("db_password=x", False),
        ("PGPASSFILE=x", False),
        ("DATABASE_URL=postgresql://a:b@c/d", False),
        ("REDIS_URI=redis://:p@h", False),
        ("SENTRY_DSN=https://k@s/1", False),
        ("AWS_SECRET_ACCESS_KEY=x", False),
        ("GITHUB_TOKEN=a=b=c", False),
    ],
)
def test_values_that_may_be_secret_are_masked(variable, kept):
    masked = _archive.mask_variable(variable)
    assert (masked == variable) == kept
    assert masked.partition("=")[0] == variable.partition("=")[0]
    if not kept:
        assert masked.endswith("=" + _archive.MASKED)


def test_masking_leaves_the_inspection_itself_alone():
    before = json.dumps(INSPECTION)
    assert "s3cret" not in json.dumps(_archive.mask(INSPECTION))
    assert json.dumps(INSPECTION) == before


@pytest.mark.parametrize("inspection", [{"Config": {}}, {"Config": {"Env": None}}, {}])
def test_a_container_without_variables_can_be_archived(inspection, tmp_path):
    path, _size = _archive.save(str(tmp_path), replica(inspection=dict(inspection, Id="x")), [])
    assert os.path.exists(os.path.join(path, "state.json"))


def test_an_archive_holds_log_and_state_without_secrets(tmp_path):
    beats = []
    path, size = _archive.save(str(tmp_path / "logs"), replica(), [b"one\n", "né\n".encode(), b"\xff\x00"], lambda: beats.append(1))
    assert os.path.basename(path) == "app-blue-1-2f1e0c9d8b7a"
    with gzip.open(os.path.join(path, "log.gz")) as stream:
        assert stream.read() == b"one\n" + "né\n".encode() + b"\xff\x00"
    with open(os.path.join(path, "state.json"), encoding="utf-8") as stream:
        text = stream.read()
    assert json.loads(text)["State"]["ExitCode"] == 137
    assert "s3cret" not in text
    assert size == sum(os.path.getsize(os.path.join(path, name)) for name in ("state.json", "log.gz"))
    assert len(beats) == 3
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700


def test_a_later_archive_of_the_same_container_replaces_the_former(tmp_path):
    _archive.save(str(tmp_path), replica(), [b"early\n"])
    path, _size = _archive.save(str(tmp_path), replica(), [b"early\n", b"late\n"])
    assert os.listdir(tmp_path) == [os.path.basename(path)]
    with gzip.open(os.path.join(path, "log.gz")) as stream:
        assert stream.read() == b"early\nlate\n"


def breaking_off():
    yield b"half\n"
    raise OSError("the engine went away")


def test_a_log_that_breaks_off_leaves_the_former_archive_whole(tmp_path):
    path, _size = _archive.save(str(tmp_path), replica(), [b"whole\n"])
    with pytest.raises(OSError, match="went away"):
        _archive.save(str(tmp_path), replica(), breaking_off())
    assert os.listdir(tmp_path) == [os.path.basename(path)]
    with gzip.open(os.path.join(path, "log.gz")) as stream:
        assert stream.read() == b"whole\n"


def test_the_oldest_archives_and_all_halves_are_surplus(tmp_path):
    for age in range(5):
        folder = tmp_path / "app-blue-{0}-x".format(age)
        folder.mkdir()
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / ".app-blue-9-x.half").mkdir()
    (tmp_path / "a-file").write_text("not an archive")

    def names(keep):
        return sorted(os.path.basename(path) for path in _archive.surplus(str(tmp_path), keep))

    assert names(3) == [".app-blue-9-x.half", "app-blue-3-x", "app-blue-4-x"]
    assert names(50) == [".app-blue-9-x.half"]
    assert len(names(0)) == 6
    assert _archive.surplus(str(tmp_path / "nothing"), 3) == []


@pytest.mark.parametrize(
    ("only", "spare", "meant"),
    [
        (None, [], ["app-blue-1", "app-blue-2", "app-blue-7"]),
        (["app-blue-7", "app-green-1"], [], ["app-blue-7"]),
        (None, ["app-blue-1", "app-blue-9"], ["app-blue-2", "app-blue-7"]),
        (["app-blue-1", "app-blue-2"], ["app-blue-1"], ["app-blue-2"]),
        ([], [], []),
    ],
)
def test_replicas_are_meant_by_name(only, spare, meant):
    replicas = [replica(number=number) for number in (1, 2, 7)]
    found = container_archive.chosen({"only": only, "spare": spare}, replicas)
    assert ["app-blue-{0}".format(one.number) for one in found] == meant


def test_a_container_gets_the_time_that_it_asks_for():
    assert container_archive.grace(replica(inspection={"Config": {"StopTimeout": 35}})) == 35
    assert container_archive.grace(replica(inspection={"Config": {}})) == 10
