"""Programs of the tests' own."""

from __future__ import annotations

import subprocess

LIMIT_SECONDS = 60


def command(*argv: str) -> str:
    """What a program prints."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout.strip()
