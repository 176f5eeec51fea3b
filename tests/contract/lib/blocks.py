"""Tables of nftables of the tests' own, made and removed by nft itself. Only addresses for documentation are blocked."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RULES = "ip saddr @blocked4 counter drop; ip6 saddr @blocked6 counter drop"
NOISE = [r"\d{4}-\d\d-\d\dT[\d:.]+Z"]
#: What passes between making a block and looking at it.
REDUCED: dict[str, Callable[[Any], Any]] = {"seconds_left": lambda left: left and round(left, -2), "table": len}


def table(project: str) -> str:
    """A name of a project's own."""
    return "contract_" + project.replace("-", "_")


def nft(text: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True, capture_output=True)


def with_table(
    name: str, elements: str = "", rules: str = RULES, also: str = ""
) -> Callable[[Path], contextlib.AbstractContextManager[None]]:
    """Around a scene: the table ``name`` with these elements of IPv4, none where ``rules`` are empty. Nor is there one called ``also``."""

    @contextlib.contextmanager
    def around(_work: Path) -> Iterator[None]:
        remove(name, also)
        if rules:
            kind = "flags interval, timeout; counter;"
            inside = f"elements = {{ {elements} }};" if elements else ""
            nft(
                f"table inet {name} {{ set blocked4 {{ type ipv4_addr; {kind} {inside} }}; set blocked6 {{ type ipv6_addr; {kind} }}; "
                f"chain prerouting {{ type filter hook prerouting priority raw; policy accept; {rules}; }}; }}\n"
            )
        try:
            yield
        finally:
            remove(name, also)

    return around


def remove(*names: str) -> None:
    for name in filter(None, names):
        subprocess.run(["nft", "delete", "table", "inet", name], check=False, capture_output=True)
