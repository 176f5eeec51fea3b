"""PostgreSQL's clock is 90 seconds ahead: all processes of its container get the time from libfaketime.

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
LIBRARY, PRELOAD, SETTING = "/usr/local/lib/libfaketime.so.1", "/etc/ld.so.preload", "/etc/faketimerc"
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
        for path, content in ((SETTING, f"+{SECONDS}\n"), (PRELOAD, f"{LIBRARY}\n")):
            local = self.scene.folder / Path(path).name
            local.write_text(content)
            local.chmod(0o644)
        docker("cp", str(library), f"{self._container}:{LIBRARY}")
        docker("cp", str(self.scene.folder / Path(SETTING).name), f"{self._container}:{SETTING}")
        docker("cp", str(self.scene.folder / Path(PRELOAD).name), f"{self._container}:{PRELOAD}")
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
        docker("exec", "--user", "root", self._container, "rm", "-f", PRELOAD, SETTING, LIBRARY)
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
