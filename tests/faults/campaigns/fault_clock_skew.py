"""PostgreSQL's clock is 90 seconds ahead: the server gets its time from libfaketime.

A container has the clock of its machine. The library comes from Debian (package libfaketime), and nothing of it is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from .fault import Fault, wait_for
from .stack import docker

SECONDS = 90
LIBRARY, ENTRYPOINT = "/usr/local/lib/libfaketime.so.1", "/usr/local/bin/entrypoint"
#: The server alone is told: a root process before it would leave what the server, who is nobody in particular, cannot open.
START, SKEWED = "--init-groups postgres -D", f"--init-groups env LD_PRELOAD={LIBRARY} FAKETIME=+{SECONDS}s postgres -D"
DOWNLOAD = """
set -eu
cd "$1"
apt-get download -qq libfaketime || { apt-get update -qq && apt-get download -qq libfaketime; }
dpkg-deb -x libfaketime_*.deb .
"""


class ClockSkew(Fault):
    cause = "clock_skew"

    def inject(self) -> None:
        self._container = self.scene.container("postgres-master")
        library = downloaded(self.scene.folder.parent.parent / "libfaketime")
        self._kept, skewed = self.scene.folder / "entrypoint", self.scene.folder / "entrypoint.skewed"
        docker("cp", f"{self._container}:{ENTRYPOINT}", str(self._kept))
        text = self._kept.read_text()
        if text.count(START) != 1:
            raise RuntimeError(f"{ENTRYPOINT} does not start the server with {START!r}")
        skewed.write_text(text.replace(START, SKEWED))
        skewed.chmod(0o755)
        docker("cp", str(library), f"{self._container}:{LIBRARY}")
        docker("cp", str(skewed), f"{self._container}:{ENTRYPOINT}")
        self._restart()

    def _restart(self) -> None:
        docker("restart", self._container)
        if not wait_for(self._offset_known, 60):
            raise RuntimeError(f"{self._container} does not answer after its restart")

    def _offset_known(self) -> bool:
        try:
            self._offset = float(self.scene.psql("SELECT extract(epoch FROM clock_timestamp())")) - time.time()
        except (subprocess.CalledProcessError, ValueError):
            return False
        return True

    def shows(self) -> str:
        self._offset_known()
        return f"its clock is {self._offset:+.0f} s off" if abs(self._offset) > SECONDS / 2 else ""

    def undo(self) -> None:
        docker("cp", str(self._kept), f"{self._container}:{ENTRYPOINT}")
        docker("exec", "--user", "root", self._container, "rm", "-f", LIBRARY)
        self._restart()


def downloaded(folder: Path) -> Path:
    """The library; kept in ``folder`` for the next time."""
    kept = folder / "libfaketime.so.1"
    if not kept.exists():
        work = folder / "package"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        subprocess.run(["sh", "-c", DOWNLOAD, "sh", str(work)], check=True, capture_output=True)
        shutil.copy(next(work.glob("usr/lib/*/faketime/libfaketime.so.1")), kept)
        shutil.rmtree(work)
    return kept
