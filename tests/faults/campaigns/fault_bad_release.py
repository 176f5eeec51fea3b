"""A release with one error in twenty, deployed minutes ago and not taken back."""

from __future__ import annotations

from .fault import Fault
from .operations import last_words

VERSION = "v1.2.5-errors"
#: The soak looks, and lets everything pass.
BLIND = {"release_skip_smoke": True, "release_soak_error_rate": 0.9, "release_soak_error_rate_margin": 0.9}
LEAST = 5


class BadRelease(Fault):
    cause = "bad_release"

    def inject(self) -> None:
        stack = self.scene.stack
        self._former = stack.live()
        override = {"ops_override": ["quarantine"]} if stack.quarantined(VERSION) else {}
        play = self.scene.operations.deploy(VERSION, **BLIND, **override)
        if play.process.returncode != 0:
            raise RuntimeError(f"{VERSION} did not get live: {last_words(play)}")

    def shows(self) -> str:
        errors = self.scene.measured(f'increase(http_requests_total{{release="{VERSION}",status="500"}}[1m])')
        return f"{errors:.0f} errors of {VERSION} in a minute" if errors >= LEAST else ""

    def undo(self) -> None:
        if self.scene.stack.live() == self._former:
            return
        play = self.scene.operations.run("rollback", {"release_version": self._former, "release_emergency": True})
        if play.process.returncode != 0:
            raise RuntimeError(f"{self._former} did not come back: {last_words(play)}")
