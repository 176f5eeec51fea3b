# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules that block addresses, and the backend that they name. Private: other collections must not import it."""

from __future__ import annotations

import contextlib

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import exclusive
from ansible_collections.astraldraft.ops.plugins.module_utils._nftables import Nftables
from ansible_collections.astraldraft.ops.plugins.module_utils._nginx_deny import NginxDeny
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import LoadBalancer

BACKEND_SPEC = {
    "backend": {"type": "str", "choices": ["nftables", "nginx"], "default": "nftables"},
    "table": {"type": "str", "default": "astraldraft_ops"},
    "project": {"type": "str"},
    "service": {"type": "str", "default": "nginx"},
    "path": {"type": "path"},
}
BACKEND_RULES = [("backend", "nginx", ["project", "path"])]


@contextlib.contextmanager
def backend(module, alone=False):
    """The Nftables or NginxDeny of a module's options; ``alone``: nobody else writes nginx's file meanwhile. Raises OpsError."""
    params = module.params
    if params["backend"] == "nftables":
        if not params["table"].replace("_", "").isalnum() or params["table"][0].isdigit():
            raise OpsError("The table {0!r} is no name for one. Nothing was done. Use letters, digits and _.".format(params["table"]))
        yield Nftables(lambda argv, data: module.run_command(argv, data=data), module.get_bin_path, params["table"])
        return
    with _docker.engine(params["docker_host"]) as client:
        own = NginxDeny(module, LoadBalancer(client, params["project"], params["service"], params["path"]))
        with exclusive(params["path"] + ".lock") if alone else contextlib.nullcontext():
            yield own
