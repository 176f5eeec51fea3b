"""The contracts themselves: modules and a playbook that break them on purpose, and what is said of each."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.contract import Contract
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import documented
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Lab
from ansible_collections.astraldraft.ops.tests.contract.lib.plays import in_check_mode, returned_dishonestly, run_both, told_wrongly
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World

BROKEN = Path(__file__).parent / "broken"
WITHOUT_LOCK = {"operation_lock_path": "", "operation_token": ""}


def contract(lab: Lab, name: str, scenes: dict[str, Scene], options: dict[str, Any] | None = None) -> Contract:
    return Contract(lab, documented(BROKEN / f"{name}.py"), Case(scenes, options or {}, without_effect=WITHOUT_LOCK))


@pytest.fixture
def somebody() -> Iterator[int]:
    """A process that does nothing."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


ACTS = {
    "write a file": "writes: open {where}",
    "remove a file": "writes: remove {where}",
    "start a program": "starts a program: touch {where}",
    "start services": "starts a program: docker compose --project-directory {where} up",
    "post": "sends POST /silences HTTP/1.1 to 127.0.0.1:{where}",
    "delete a key": "sends UNLINK contract:nothing of this name to Redis at 127.0.0.1:{where}",
    "write a table": "runs SQL in a transaction that may write: SELECT 1",
    "cancel a query": "runs SQL that acts although it only reads tables: SELECT pg_cancel_backend(0)",
    "stop a container": "asks the Docker Engine for POST /v1.41/containers/{where}/stop",
    "reload nginx": "runs nginx -s reload inside a container",
    "signal": "sends the signal 18 to process {where}",
}


def test_whoever_acts_in_check_mode_is_found(lab: Lab, world: World, somebody: int, tmp_path: Path) -> None:
    postgres = {"host": "127.0.0.1", "port": world.stack.port("POSTGRES"), "user": "astral_monitor", "dbname": "astral_draft_v4"}
    postgres["password"] = world.stack.secret("postgres-monitor-password")
    there = tmp_path / "there"
    there.touch()
    wheres: dict[str, Any] = {
        "write a file": str(tmp_path / "file"), "remove a file": str(there), "start a program": str(tmp_path / "program"),
        "start services": str(tmp_path), "post": world.hanging.port, "delete a key": world.stack.port("REDIS"), "write a table": postgres,
        "cancel a query": postgres, "stop a container": "nothing", "reload nginx": f"{world.small.project}-nginx-1", "signal": somebody,
    }  # fmt: skip
    scenes = {deed: Scene({"deed": deed, "where": where}, "changed") for deed, where in wheres.items()}
    found = contract(lab, "acts_in_check_mode", scenes).inert()
    assert found == [f"{deed}: {ACTS[deed].format(where=where)}" for deed, where in wheres.items()]


def test_whoever_lies_about_changes_in_check_mode_is_found(lab: Lab) -> None:
    scenes = {"base": Scene({"deed": "tell a lie", "where": ""}, "changed")}
    [sentence] = contract(lab, "acts_in_check_mode", scenes).inert()
    assert sentence == "base: (changed, failed) is (False, False) in check mode and (True, False) in the run that follows"


RETURNS = {
    "one key more": "secret is returned and not documented",
    "one key less": "count is documented (always) and not returned",
    "another type": "count is '1', documented as int",
    "another type inside": "servers[0].address is 1, documented as str",
    "one key more inside": "servers[0].weight is returned and not documented",
    "one key less inside": "servers[0].address is documented (always there) and not returned",
    "null": "count is null, which its description does not say (V(null))",
    "one key more on failure": "evidence is returned and not documented",
}
RIGHT = {"base": Scene({}), "changed": Scene({"how": "changed"}, "changed"), "failed": Scene({"how": "failed"}, "failed")}


@pytest.mark.parametrize("how", RETURNS)
def test_whoever_returns_something_else_is_found(how: str, lab: Lab) -> None:
    scenes = RIGHT | {how: Scene({"how": how}, "failed" if "failure" in how else "unchanged")}
    found = contract(lab, "returns_something_else", scenes).honest()
    assert found == [f"{how}, check mode: {RETURNS[how]}", f"{how}: {RETURNS[how]}"]


def test_whoever_returns_what_is_documented_is_not(lab: Lab) -> None:
    assert contract(lab, "returns_something_else", RIGHT).honest() == []


def test_a_path_that_no_scene_takes_is_found(lab: Lab) -> None:
    found = contract(lab, "returns_something_else", {"base": Scene({})}).honest()
    assert found == ["its case has no scene that ends changed", "its case has no scene that ends failed"]


UNHEARD_OF = (
    "unheard of='a' in base is not accepted: Unsupported parameters for (ignores_an_option) module: unheard of. Supported parameters "
    "include: forgotten, heard, ignored, operation_lock_path, operation_token, things."
)


def test_whoever_ignores_an_option_is_found(lab: Lab) -> None:
    options = {
        "heard": Other("a"), "ignored": Other("a"), "things.heard": Other("a"), "things.ignored": Other("a"), "unheard of": Other("a"),
    }  # fmt: skip
    found = contract(lab, "ignores_an_option", {"base": Scene({"things": [{}]})}, options).heard()
    assert [sentence for sentence in found if not sentence.startswith("operation_")] == [
        "forgotten has no other value in its case",
        "unheard of is in its case and not documented",
        "ignored='a' in base makes no difference",
        "things.ignored='a' in base makes no difference",
        UNHEARD_OF,
    ]


def test_a_broken_playbook_is_found(lab: Lab, tmp_path: Path) -> None:
    checked, real = run_both(lab, str(BROKEN / "playbook.yml"), {"broken_folder": str(tmp_path)})
    assert (checked.code, real.code) == (0, 0), checked.output
    done = in_check_mode(checked)
    assert f"Start a program in check mode: starts a program: touch {tmp_path}/program" in done
    assert any(sentence.startswith(f"Write a file in check mode: writes: rename {tmp_path}/file") for sentence in done), done
    # The file and the program's are there when the run follows: what check mode did shows there, too.
    assert [sentence.partition(" (")[0] for sentence in told_wrongly(checked, real, {})] == [
        "Write a file in check mode", "Say in check mode that nothing would change",
    ]  # fmt: skip
    assert returned_dishonestly(checked) == returned_dishonestly(real) == []
