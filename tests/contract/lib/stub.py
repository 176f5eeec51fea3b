"""The stub of outside services in the test stack: what it is told before a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import requests
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World


def told(world: World, vendor: str, after: dict[str, Any] | None = None, **settings: Any) -> Callable[[Path], AbstractContextManager[None]]:
    """A context manager, for `around`: the settings of a vendor within it, and those of ``after`` from then on."""

    def tell(values: dict[str, Any]) -> None:
        message = {"vendor": vendor, "settings": values}
        requests.post(f"{world.stack.url('STUB')}/__control", json=message, timeout=5).raise_for_status()

    @contextlib.contextmanager
    def around(_work: Path) -> Iterator[None]:
        tell(settings)
        try:
            yield
        finally:
            if after is not None:
                tell(after)

    return around
