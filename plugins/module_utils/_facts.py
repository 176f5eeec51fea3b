# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is true of the colours before an operation. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _colours, _nginx, _release, _release_plan
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_lines

FACTS_SPEC = {
    "project": {"type": "str", "required": True},
    "colours": {"type": "list", "elements": "str", "required": True},
    "balancer": {"type": "str", "default": "nginx"},
    "upstream_path": {"type": "path", "required": True},
    "history_path": {"type": "path", "required": True},
}


def gather(client, balancer, project, colours, history_path):
    """The Facts of this host, those of a wanted image apart.

    Raises OpsError when traffic goes somewhere, and nobody can say which colour that is.
    """
    servers = balancer.servers()
    serving = [name for name in _nginx.services(servers) if name in colours]
    # A deploy in steps names the former colour first, until the new one has it all.
    live = serving[0] if serving else None
    if servers and not live:
        raise OpsError(
            "{0} sends traffic to {1}, and no comment there says that this is {2}: the colour that is live could be taken for the idle "
            "one. Send traffic to the live colour with astraldraft.ops.nginx_upstream, and try again.".format(
                balancer.path, ", ".join(server.address for server in servers), " or ".join(colours)
            )
        )
    running = {name: _colours.running(client, project, name) for name in colours}
    return _release_plan.Facts(
        releases=_release.fold(read_lines(history_path)[0]),
        live=live,
        services=colours,
        running=running,
        environments={name: _colours.environment_of(found) for name, found in running.items()},
        created={name: _colours.created_at(found) for name, found in running.items()},
        shared=len(serving) > 1,
    )
