"""Tables of nftables, made and removed by nft itself, on a host of the tests' own. Only addresses for documentation are blocked."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RULES = "ip saddr @blocked4 counter drop; ip6 saddr @blocked6 counter drop"
NOISE = [r"\d{4}-\d\d-\d\dT[\d:.]+Z"]
#: What passes between making a block and looking at it.
REDUCED: dict[str, Callable[[Any], Any]] = {"seconds_left": lambda left: left and round(left, -2), "table": len}


class Firewall:
    """A network namespace whose firewall is that of whoever runs the tests: nobody has to be root, and this machine's own is left alone.

    ``programs`` is a folder of PATH: what is in it does what the programs of the same name do, there.
    """

    #: The name of a table that nobody has made.
    table = "steps"

    def __init__(self, programs: Path) -> None:
        inside = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", "echo there; exec sleep infinity"]
        self._holder = subprocess.Popen(inside, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._holder.stdout
        said = self._holder.stdout.readline().strip()
        assert said == "there", f"no network namespace for the firewall's tests: {said}. Run them as root, or allow user namespaces."
        for name in ("nft", "conntrack"):
            path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
            assert path, f"{name} is not installed, and the firewall's tests need it. Run: make setup"
            enter = f"exec nsenter --target {self._holder.pid} --user --net --preserve-credentials {shlex.quote(path)}"
            (programs / name).write_text(f'#!/bin/sh\n{enter} "$@"\n', encoding="utf-8")
            (programs / name).chmod(0o755)
        self._nft = str(programs / "nft")

    def close(self) -> None:
        self._holder.kill()
        self._holder.communicate()

    def with_table(
        self, name: str, elements: str = "", rules: str = RULES, also: str = ""
    ) -> Callable[[Path], contextlib.AbstractContextManager[None]]:
        """Around a scene: the table ``name`` with these elements of IPv4, none where ``rules`` are empty; and none called ``also``."""

        @contextlib.contextmanager
        def around(_work: Path) -> Iterator[None]:
            self._remove(name, also)
            if rules:
                kind = "flags interval, timeout; counter;"
                inside = f"elements = {{ {elements} }};" if elements else ""
                text = (
                    f"table inet {name} {{ set blocked4 {{ type ipv4_addr; {kind} {inside} }}; set blocked6 {{ type ipv6_addr; {kind} }}; "
                    f"chain prerouting {{ type filter hook prerouting priority raw; policy accept; {rules}; }}; }}\n"
                )
                subprocess.run([self._nft, "-f", "-"], input=text, text=True, check=True, capture_output=True)
            try:
                yield
            finally:
                self._remove(name, also)

        return around

    def _remove(self, *names: str) -> None:
        for name in filter(None, names):
            subprocess.run([self._nft, "delete", "table", "inet", name], check=False, capture_output=True)
