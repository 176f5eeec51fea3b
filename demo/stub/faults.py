"""Failures on request: a status, a delay, a body, for some or all of a vendor's paths, for ever or a number of times."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .vendors.base import BadRequest

MAX_DELAY_SECONDS = 600.0


@dataclass
class Fault:
    """``delay`` in seconds comes first; without ``status`` the vendor answers after it. ``left`` None: until taken away."""

    vendor: str
    status: int | None = None
    delay: float = 0.0
    body: str | None = None
    path: str = ""
    left: int | None = None


def parse(message: dict[str, Any], vendors: list[str]) -> Fault:
    """The fault that ``POST /__control`` asks for; BadRequest says what is wrong with it."""
    unknown = set(message) - {"vendor", "status", "delay", "body", "path", "count"}
    if unknown:
        raise BadRequest(f"unknown: {', '.join(sorted(unknown))}")
    if message.get("vendor") not in vendors:
        raise BadRequest(f"vendor must be one of {', '.join(vendors)}")
    status, delay, count = message.get("status"), message.get("delay", 0), message.get("count")
    if status is not None and (not isinstance(status, int) or not 200 <= status <= 599):
        raise BadRequest("status must be from 200 to 599")
    if not isinstance(delay, int | float) or not 0 <= delay <= MAX_DELAY_SECONDS:
        raise BadRequest(f"delay must be from 0 to {MAX_DELAY_SECONDS:g} seconds")
    if count is not None and (not isinstance(count, int) or count < 1):
        raise BadRequest("count must be 1 or more")
    if status is None and not delay:
        raise BadRequest("nothing to do: give status, delay or both")
    body = message.get("body")
    return Fault(message["vendor"], status, float(delay), None if body is None else str(body), str(message.get("path", "")), count)


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """The newest for the same vendor and path replaces the one before."""
        self._faults = [other for other in self._faults if (other.vendor, other.path) != (fault.vendor, fault.path)]
        self._faults.append(fault)

    def clear(self, vendor: str | None = None) -> None:
        self._faults = [fault for fault in self._faults if vendor and fault.vendor != vendor]

    def take(self, vendor: str, path: str) -> Fault | None:
        """The fault that meets this call, counted down."""
        for fault in reversed(self._faults):
            if fault.vendor == vendor and path.startswith(fault.path):
                if fault.left is not None:
                    fault.left -= 1
                    if not fault.left:
                        self._faults.remove(fault)
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]
