"""How a module's case is written down: situations, and for every option another value that must make a difference."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORK = "{work}"
LOCK = f"{WORK}/lock/operation.json"
BEGUN = 1764000000.0  # 2025-11-24T16:00:00Z
# Noise: what is left of a limit, in milliseconds, to a whole second (a lookbehind has one length), and the names that a run in a container
# of the tools gives to what it makes.
MILLISECONDS_LEFT = [r"(?<=\(\(\d)\d{3}(?=,)", r"(?<=\(\(\d\d)\d{3}(?=,)"]
TOOLS_RUN = [
    r"\bj\d{9,}(\.\d+)?", r"ansible-tmp-<now [+-]\d+ min>-\d+-\d+", r"astraldraft-\w+(-[0-9a-f]+)+",
    r"[0-9A-F]{8}-[0-9A-F]{8}-\d", r"\d{4}-\d\d-\d\dT[\d:.]+Z", r"(?<=: )\d+ s; .*",  # how far it was after so many seconds
]  # fmt: skip


@dataclass
class Scene:
    """A situation: what lies in the run's own folder, what is done around a run, and the arguments.

    ``{work}`` in arguments and files stands for that folder. ``expect`` is how the real run ends: changed, unchanged or failed;
    ``foreseen`` is false for a failure that nobody can know of without doing the thing.
    """

    args: dict[str, Any]
    expect: str = "unchanged"
    files: dict[str, str | bytes] = field(default_factory=dict)
    around: Callable[[Path], AbstractContextManager[Any]] = nullcontext
    foreseen: bool = True


@dataclass
class Other:
    """Another value of an option, in the situation ``scene``. ``together`` are values of other options that this one needs, in both runs.

    ``fails`` says that the run with it ends otherwise than the one without: an option may be what a failure depends on.
    ``check`` compares runs in check mode. ``slower`` is for options that change nothing but the time that is taken: the run with the
    other value takes so many seconds more.
    """

    value: Any
    scene: str = "base"
    at: str = ""
    together: dict[str, Any] = field(default_factory=dict)
    fails: bool = False
    check: bool = False
    slower: float = 0.0


@dataclass
class Case:
    """Of one module. ``without_effect`` are options that are documented to have none here, with the words that say so.

    What differs from one run to the next for reasons of its own: ``noise`` are regular expressions of text, ``reduced`` maps a key to a
    function that leaves of its value what does not, ``opaque`` are patterns of files whose content is not compared, and with ``patient``
    the pauses are not: it waits for programs that take as long as the machine lets them.
    """

    scenes: dict[str, Scene]
    options: dict[str, Other | list[Other]]
    noise: list[str] = field(default_factory=list)
    reduced: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    opaque: list[str] = field(default_factory=list)
    patient: bool = False
    without_effect: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Every module takes part in the operation that holds the lock."""
        if "operation_token" not in self.without_effect:
            self.scenes.setdefault("locked", locked(self.scenes["base"]))
            self.options = LOCK_OPTIONS | self.options


def locked(scene: Scene) -> Scene:
    """The same situation within an operation that holds a lock."""
    args = scene.args | {"operation_lock_path": LOCK, "operation_token": 7}
    return Scene(args, scene.expect, scene.files | {"lock/operation.json": lock_record(), "lock/other.json": lock_record(8)}, scene.around)


def lock_record(token: int = 7, by_hand: str = "", **more: Any) -> str:
    """A lock that one operation holds, alive for a hundred years unless told otherwise; ``by_hand`` is who has locked it besides."""
    record = {
        "token": token, "operation": "deploy", "owner": "ada", "host": "laptop", "reason": "", "acquired": BEGUN, "heartbeat": BEGUN,
        "expiry": 4e9, "usual_expiry": 45.0, "lease_hosts": [],
    }  # fmt: skip
    manual = {"owner": by_hand, "host": "", "reason": "a new disk", "since": BEGUN} if by_hand else None
    return json.dumps({"holders": [record | more] if token else [], "manual": manual})


# The holder's token is what a module needs to go on; another lock's file is another file that is written.
LOCK_OPTIONS = {
    "operation_lock_path": Other(None, scene="locked"),
    "operation_token": Other(8, scene="locked", fails=True),
}


def filled(value: Any, work: Path) -> Any:
    """``value`` with the name of the run's folder in it."""
    if isinstance(value, str):
        return value.replace(WORK, str(work))
    if isinstance(value, dict):
        return {key: filled(item, work) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, work) for item in value]
    return value


def with_option(args: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """``args`` with one option set, by its full name; of a list of dicts the first is meant. None takes the option out."""
    args = copy.deepcopy(args)
    here: Any = args
    *parents, last = name.split(".")
    for parent in parents:
        here = here.setdefault(parent, {})
        here = here[0] if isinstance(here, list) else here
    if value is None:
        here.pop(last, None)
    else:
        here[last] = value
    return args


def prepare(scene: Scene, work: Path) -> dict[str, Any]:
    """Lay the scene's files into ``work``. -> its arguments."""
    for name, content in scene.files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(WORK, str(work)).encode() if isinstance(content, str) else content)
    return filled(scene.args, work)


def others(case: Case) -> Iterator[tuple[str, Other]]:
    for name, found in case.options.items():
        for other in found if isinstance(found, list) else [found]:
            yield name, other
