"""nginx sends requests to addresses where nobody is any more, as after containers were made anew without it being told."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from .fault import Fault
from .stack import docker

SERVER = re.compile(r"(?m)^(\s*server )([0-9.]+)(:\d+)")


class StaleUpstream(Fault):
    cause = "stale_upstream"

    def inject(self) -> None:
        path = self.scene.stack.upstream_path
        self._before = path.read_text()
        unused = self._unused()
        path.write_text(SERVER.sub(lambda match: f"{match.group(1)}{next(unused)}{match.group(3)}", self._before))
        self.scene.reload_nginx()

    def _unused(self) -> Iterator[object]:
        """Addresses of the stack's network, from its end: the engine gives them out from its beginning."""
        shown = docker("network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", f"{self.scene.stack.project}_default")
        network = next(found for found in map(ipaddress.ip_network, shown.split()) if found.version == 4)
        return (network.broadcast_address - number for number in range(2, 20))

    def shows(self) -> str:
        said = [self.scene.status("/api/health") for _ in range(3)]
        return f"requests end with {said}" if all(status in (502, 504) for status in said) else ""

    def undo(self) -> None:
        self.scene.stack.upstream_path.write_text(self._before)
        self.scene.reload_nginx()
