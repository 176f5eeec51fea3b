"""Deploys and rollbacks as the campaigns run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .play import Play
from .stack import COLOURS, GOOD, Stack

REASON = "a campaign tries it"


class Operations:
    """Runs playbooks on a stack; every run's output goes to a numbered file in ``folder``."""

    def __init__(self, stack: Stack, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.stack, self.folder, self._environment = stack, folder, environment
        self._count = 0

    def start(self, playbook: str, variables: dict[str, Any], *arguments: str) -> Play:
        self._count += 1
        name = f"{self._count:02d}-{playbook}-{variables.get('release_version', 'last')}.log"
        return Play(playbook, {"ops_reason": REASON, **variables}, self.folder / name, arguments, self._environment)

    def run(self, playbook: str, variables: dict[str, Any], *arguments: str) -> Play:
        play = self.start(playbook, variables, *arguments)
        play.wait()
        return play

    def deploy(self, version: str, **more: Any) -> Play:
        return self.run("deploy", {"release_version": version, **more})

    def ensure_live(self, version: str) -> None:
        """``version`` live and proved, whatever was before. Raises RuntimeError when that cannot be had."""
        if self.stack.live() == version and not self.stack.unsettled(version):
            return
        override = {"ops_override": ["quarantine"]} if self.stack.quarantined(version) else {}
        play = self.deploy(version, **override)
        if play.process.returncode != 0:
            raise RuntimeError(f"{version} could not be made live to begin with. See {play.log}")

    def ensure_known(self) -> None:
        """Every good version was healthy here once, so that one can go back to each; the first one is live in the end."""
        healthy = {release["version"] for release in self.stack.releases() if release["outcome"] == "healthy"}
        for version in reversed(GOOD):
            if version not in healthy or version == GOOD[0]:
                self.ensure_live(version)

    def places(self) -> tuple[str, str | None]:
        """``(live version, version in the idle colour or None)``"""
        live = self.stack.live()
        assert live, "no release answers"
        idle = next(colour for colour in COLOURS if colour != self.stack.live_colour())
        return live, self.stack.version_of(idle)


def path_taken(play: Play) -> str:
    """cold, warm, resume or ``-``, from the playbook's own summary."""
    match = re.search(r"replicas, (\w+) start\)", play.output)
    return match.group(1) if match else "-"


def last_words(play: Play) -> str:
    """What a playbook that did not succeed says why."""
    found = [text for _, text in play.lines if re.search(r"msg: |fatal:|FAILED!|ERROR", text)]
    return f"{' '.join(found[-1:])[:300]} (see {play.log})"
