"""Inert check mode of a playbook: what it does in check mode, and whether its tasks say then what they do afterwards."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.documented import all_modules, documented, module_path
from ansible_collections.astraldraft.ops.tests.contract.lib.inert import more_than_reading
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Lab, Play
from ansible_collections.astraldraft.ops.tests.contract.lib.returns import dishonest

# What Ansible adds to a result for what is written at the task.
OF_THE_TASK = ("attempts", "changed_when_result", "failed_when_result", "failed_when_suppressed_exception")


def arguments(playbook: str, variables: dict[str, Any], check: bool) -> list[str]:
    return ["-i", "inventories/demo", playbook, "-e", json.dumps(variables)] + (["--check", "--diff"] if check else [])


def said(play: Play) -> str:
    """What a play printed. YAML wraps long lines: words are compared, not lines."""
    return " ".join(play.output.split())


def in_check_mode(play: Play) -> list[str]:
    """Sentences about what a play did that it must not do in check mode, each with the task that did it."""
    found = []
    for event, task in zip(play.trace, play.task_of, strict=True):
        found += [f"{task}: {sentence}" for sentence in more_than_reading([event])]
    return list(dict.fromkeys(found))


def told_wrongly(checked: Play, real: Play, exceptions: dict[str, str]) -> list[str]:
    """Sentences about tasks whose `changed` in check mode is not that of the run. A task that was not run changed nothing."""
    before, after = ({result.key: result.changed for result in play.results} for play in (checked, real))
    found = []
    for key in {**before, **after}:
        said, did = before.get(key, False), after.get(key, False)
        if said != did and key[2] not in exceptions:
            found.append(f"{key[2]} ({key[1]}) on {key[0]}: changed is {said} in check mode and {did} in the run")
    return found


def returned_dishonestly(play: Play) -> list[str]:
    """Sentences about results of our own modules that are not as they are documented."""
    ours = {f"astraldraft.ops.{name}" for name in all_modules()}
    found = []
    for result in play.results:
        known = documented_keys(result.action)
        bare = {key: value for key, value in result.result.items() if key not in OF_THE_TASK or key in known}
        bare |= {"failed": True} if result.how == "failed" else {}
        if result.action in ours and result.how in ("ok", "failed") and "censored" not in bare and "results" not in bare:
            found += [f"{result.key[2]}: {sentence}" for sentence in dishonest(documented(module_path(bare_name(result.action))), bare)]
    return found


def bare_name(action: str) -> str:
    return action.rpartition(".")[2]


def documented_keys(action: str) -> set[str]:
    return set(documented(module_path(bare_name(action))).returned) if action.startswith("astraldraft.ops.") else set()


def run_both(lab: Lab, playbook: str, variables: dict[str, Any]) -> tuple[Play, Play]:
    """A playbook in check mode, with everything recorded, and the run that follows it."""
    checked = lab.playbook(arguments(playbook, variables, check=True), record=True)
    return checked, lab.playbook(arguments(playbook, variables, check=False), record=False)
