"""Noise beside a campaign: bursts of processor load that hit everything on the machine alike."""

from __future__ import annotations

import random
import subprocess
import sys
import threading

BURN = "import time\nend = time.monotonic() + {0}\nwhile time.monotonic() < end:\n    sum(range(1000))"
#: The same bursts in every run.
SEED = 7
BURST_SECONDS, PAUSE_SECONDS = (1.0, 4.0), (2.0, 6.0)


class Noise:
    """A context: now one, now several processes use a core each for a few seconds, with pauses."""

    def __init__(self, processes: int = 2) -> None:
        self._processes, self._random, self._stop = processes, random.Random(SEED), threading.Event()
        self.bursts, self.seconds = 0, 0.0

    def __enter__(self) -> Noise:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._random.uniform(*PAUSE_SECONDS)):
            seconds, count = self._random.uniform(*BURST_SECONDS), self._random.randint(1, self._processes)
            command = [sys.executable, "-c", BURN.format(f"{seconds:.2f}")]
            burning = [subprocess.Popen(command) for _ in range(count)]
            self.bursts, self.seconds = self.bursts + 1, self.seconds + seconds * count
            for process in burning:
                process.wait()
