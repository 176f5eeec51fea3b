"""A file system of its own at the folder of the backups, and nothing left on it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .fault import Fault

SIZE_MIB, FULL = 24, 0.995
#: The last bytes, too.
CHUNKS = (1 << 16, 1 << 10)


class DiskFull(Fault):
    cause = "disk_full"

    def inject(self) -> None:
        self._path, self._image = self.scene.stack.state / "backups", self.scene.folder / "full.img"
        self._made = not self._path.exists()
        self._path.mkdir(mode=0o700, exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(SIZE_MIB << 20)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        _run("mount", "-o", "loop", str(self._image), str(self._path))
        for chunk in CHUNKS:
            self._said = _fill(self._path / "half-a-backup", chunk)

    def shows(self) -> str:
        found = os.statvfs(self._path)
        used = 1 - found.f_bavail / found.f_blocks
        return f"{used:.1%} used: {self._said}" if used > FULL else ""

    def undo(self) -> None:
        if os.path.ismount(self._path):
            _run("umount", str(self._path))
        self._image.unlink(missing_ok=True)
        if self._made:
            self._path.rmdir()


def _fill(path: Path, chunk: int) -> str:
    """-> what is said when there is no more room"""
    try:
        with path.open("ab", buffering=0) as stream:
            while stream.write(b"x" * chunk):
                pass
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
