"""The live colour's replicas may use a twentieth of a core."""

from __future__ import annotations

import os
import time

from .fault import Fault
from .stack import docker

CPUS = "0.05"
LATE_SECONDS = 1.0


class CpuStarvation(Fault):
    cause = "cpu_starvation"

    def inject(self) -> None:
        self._containers = self.scene.live()
        docker("update", "--cpus", CPUS, *self._containers)

    def shows(self) -> str:
        seconds = sorted(self._seconds() for _ in range(3))
        return f"answers take {seconds[1]:.1f} s" if seconds[1] >= LATE_SECONDS else ""

    def _seconds(self) -> float:
        began = time.monotonic()
        self.scene.status("/api/drafts")
        return time.monotonic() - began

    def undo(self) -> None:
        # There is no way back to "as much as there is" but all that there is.
        docker("update", "--cpus", str(os.cpu_count()), *self._containers)
