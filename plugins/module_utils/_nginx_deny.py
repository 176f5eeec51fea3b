# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx's own deny list, for hosts to which clients come through a proxy. Private: other collections must not import it.

One file of ``deny`` lines, which nginx includes in ``http {}``. nginx knows no end of a line: what is over is left out by the next run.
"""

from __future__ import annotations

import os
import re

from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall import Block, State
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

MANAGED = "# Written by astraldraft.ops.firewall_block; changes made by hand are lost at the next block."
_DENY = re.compile(r"^\s*deny\s+(?P<address>[^\s;]+)\s*;\s*(?:#(?: until (?P<until>\S+))? ?(?P<comment>.*))?$")
_REAL = re.compile(r"^\s*set_real_ip_from\s+(?P<source>[^\s;]+)\s*;", re.MULTILINE)


def render(blocks):
    """The text of the file. ``blocks``: list of Block."""
    lines = [MANAGED]
    for block in blocks:
        until = "" if block.expires_at is None else " until {0}".format(to_iso(block.expires_at))
        lines.append("deny {0}; #{1} {2}".format(_addresses.told(block.network), until, block.comment).rstrip(" #"))
    return "\n".join(lines + [""])


def parse(text):
    """``(blocks, problems)`` of the file's text, or of None where there is none."""
    blocks, problems = [], []
    for line in (text or "").splitlines():
        match = _DENY.match(line)
        if not match:
            problems += [] if not line.strip() or line.lstrip().startswith("#") else ["a line is none of ours: {0!r}".format(line[:80])]
            continue
        try:
            ends = from_iso(match.group("until")).timestamp() if match.group("until") else None
            blocks.append(Block(_addresses.network(match.group("address")), ends, match.group("comment") or "", None, None))
        except (OpsError, ValueError):
            problems.append("a line cannot be read: {0!r}".format(line[:80]))
    return blocks, problems


def real_address_sources(configuration):
    """From whom nginx takes the client's address on trust (list of str): its proxies, in what ``nginx -T`` prints."""
    return list(dict.fromkeys(match.group("source") for match in _REAL.finditer(configuration)))


class NginxDeny:
    """``balancer``: the LoadBalancer of _upstream, whose ``path`` is the file."""

    name, uncounted = "nginx", None

    def __init__(self, module, balancer):
        self._module, self._balancer = module, balancer

    def read(self, _now):
        """The State of the file, and of whether nginx has it."""
        text, configuration = read_text(self._balancer.path), self._configuration()
        blocks, problems = parse(text)
        if self._balancer.pending():
            problems.append("it was written, and nginx was not seen to load it")
        if text is not None and MANAGED in text and MANAGED not in configuration:
            problems.append("nginx does not include {0} in http {{}}".format(self._balancer.inside(os.path.basename(self._balancer.path))))
        return State(blocks, problems, text is not None)

    def _configuration(self):
        accepted, configuration = self._balancer.configuration()
        if not accepted:
            raise OpsError(
                "nginx in {0} refuses its configuration as it lies there, so nothing was changed. Mend it, check with: "
                "docker exec {0} nginx -t".format(self._balancer.container.name)
            )
        return configuration

    def real_addresses(self):
        return real_address_sources(self._configuration())

    def apply(self, _state, plan, _now):
        """Write the file and have nginx load it. Raises OpsError; what nginx refuses is taken back."""
        try:
            self._balancer.replace(self._module, render(plan.after), "the new deny list")
        except OpsError as error:
            raise OpsError(error.message)  # what nginx printed is in it

    def forget(self, _networks):
        """None: nginx looks at each request, so that there is no connection to end."""
