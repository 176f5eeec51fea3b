#!/usr/bin/env python3
"""Give ansible-test the pip it bootstraps its virtual environments with, where it cannot download that by itself.

ansible-test fetches a get-pip script from a host of its own, although everything else comes from PyPI. Behind a mirror of PyPI, or
with that host out of reach, nothing would work. This makes an equivalent script from pip's own wheel and leaves it in ansible-test's
cache. It does nothing where the cache has one already. Run it with the Python that runs ansible-test.
"""

from __future__ import annotations

import base64
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path("~/.ansible/test/cache").expanduser()
SCRIPT = '''"""pip {version} from its own wheel, in the place of get-pip."""
import base64, os, sys, tempfile

WHEEL = "{wheel}"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "{name}")
        with open(path, "wb") as handle:
            handle.write(base64.b64decode(WHEEL))
        sys.path.insert(0, path)
        from pip._internal.cli.main import main
        wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
        sys.exit(main(["install", "--upgrade", "--force-reinstall"] + wanted))
'''


def versions() -> set[str]:
    """The pip versions that the installed ansible-test asks for."""
    found = importlib.util.find_spec("ansible_test")
    if found is None or not found.submodule_search_locations:
        sys.exit("ansible-test is not installed for this Python. Run: make setup")
    source = Path(next(iter(found.submodule_search_locations))) / "_internal" / "python_requirements.py"
    return set(re.findall(r"\bpip='([0-9.]+)'", source.read_text(encoding="utf-8")))


def seed(version: str) -> None:
    """Put the bootstrap script of one pip version into the cache. Raises CalledProcessError when PyPI cannot be reached either."""
    target = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    if target.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--dest", folder, f"pip=={version}"], check=True)
        wheel = next(Path(folder).glob("pip-*.whl"))
        text = SCRIPT.format(version=version, name=wheel.name, wheel=base64.b64encode(wheel.read_bytes()).decode())
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".unfinished")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(target)


if __name__ == "__main__":
    for wanted in sorted(versions()):
        seed(wanted)
