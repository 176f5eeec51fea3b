"""The policy that the role incident delivers, with people who can be reached."""

from __future__ import annotations

import copy
import functools
from pathlib import Path

import yaml

DEFAULTS = Path(__file__).resolve().parents[4] / "roles" / "incident" / "defaults" / "main.yml"


@functools.cache
def delivered():
    return yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["incident_policy"]


def policy(**changed):
    """The same, where everybody can be reached, and with other parts."""
    found = copy.deepcopy(delivered())
    for name, contact in found["contacts"].items():
        contact["chat"] = f"@{name}"
    return dict(found, **changed)
