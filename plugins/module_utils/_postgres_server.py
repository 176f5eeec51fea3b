# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The PostgreSQL server that a module's options name. Private: other collections must not import it."""

from __future__ import annotations

import contextlib

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server_container import ContainerServer
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server_host import HostServer
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import container_of

#: Where a server is, beside DOCKER_SPEC and LOGIN_SPEC.
SERVER_SPEC = {
    "project": {"type": "str"},
    "service": {"type": "str"},
    "container": {"type": "str"},
    "data_path": {"type": "str"},
    "bin_dir": {"type": "str"},
    "tools_user": {"type": "str"},
    "start_command": {"type": "list", "elements": "str"},
    "stop_command": {"type": "list", "elements": "str"},
}
SERVER_RULES = {
    "mutually_exclusive": [("service", "container")],
    "required_by": {"service": ("project",)},
    "required_together": [("start_command", "stop_command")],
}
_PEER = {"login_host": {"type": "str", "required": True}, "login_port": {"type": "int", "default": 5432}}
PEERS_SPEC = {"peers": {"type": "list", "elements": "dict", "default": [], "options": _PEER}}


@contextlib.contextmanager
def server(params, heartbeat=lambda: None):
    """The server that SERVER_SPEC and DOCKER_SPEC (dict) name, whether it runs or not."""
    if not (params["service"] or params["container"]):
        yield HostServer(params, heartbeat)
        return
    with _docker.engine(params["docker_host"], timeout=120) as client:
        yield ContainerServer(client, container_of(client, params, running=False), params, heartbeat)


def login_of(params, found):
    """The options LOGIN_SPEC with a host: where none is given, the server's address, or None while it has none."""
    return dict(params, login_host=params["login_host"] or found.address)
