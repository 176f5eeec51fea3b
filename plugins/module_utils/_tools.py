# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's own tools, where they are: on this host or in a container. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import POSTGRESQL, TEMPORARY, Host
from ansible_collections.astraldraft.ops.plugins.module_utils._place_container import SHARED, beside

EVERYBODY = 0o777
TOOLS_SPEC = {
    "project": {"type": "str"},
    "service": {"type": "str"},
    "container": {"type": "str"},
    "bin_dir": {"type": "str"},
    "tools_user": {"type": "str"},
    "work_dir": {"type": "str", "default": TEMPORARY},
}
#: Of a module whose tools reach a server that is there already.
TOOLS_LOGIN_SPEC = {"tools_login_host": {"type": "str"}, "tools_login_port": {"type": "int"}}
TOOLS_RULES = {"mutually_exclusive": [("service", "container")], "required_by": {"service": ("project",)}}


@contextlib.contextmanager
def tools(params, major, offline=False, writable=None, suite=POSTGRESQL):
    """The place of the tools that TOOLS_SPEC and DOCKER_SPEC (dict) name, for servers of version ``major``. ``offline``: they need no
    server that is there already, so that a container of which they are taken need not run. ``writable`` (list of paths): they work on the
    container's own volumes, too, and write to those alone. ``suite``: whose tools they are."""
    if not params["service"] and not params["container"]:
        yield Host(major, params["bin_dir"], params["work_dir"], params["tools_user"], suite)
        return
    with _docker.engine(params["docker_host"], timeout=60) as client:
        model = container_of(client, params, not offline, suite)
        network = "none" if offline else "container:{0}".format(model.id)
        of_whom = (params["bin_dir"], params["tools_user"], params["work_dir"])
        with beside(client, model, network, major, *of_whom, writable=writable, suite=suite) as place:
            yield place


def container_of(client, params, running=True, suite=POSTGRESQL):
    """The Replica in which the tools are. Raises OpsError when there is none, or, where that matters, when it does not run."""
    import docker

    named = params["container"] or "{0} of project {1}".format(params["service"], params["project"])
    if params["service"]:
        found = _docker.replicas(client, params["project"], params["service"])
    else:
        try:
            found = [_docker.to_replica(client.api.inspect_container(params["container"]))]
        except docker.errors.NotFound:
            found = []
    fit = [replica for replica in found if replica.state == "running" or not running]
    if not fit:
        raise OpsError("No container of {0} runs, in which {1}'s tools are. Look at: docker ps --all".format(named, suite.product))
    return fit[0]


@contextlib.contextmanager
def apart(place, label):
    """Where the server is to run. -> (the throw-away place, a folder in it, the folder of the socket as seen in there, and as seen here)"""
    if isinstance(place, Host):
        with place.sibling() as own:
            remove_left(own, label)
            with own.workspace(label) as folder:
                yield own, folder, folder, folder
        return
    here = Host(place.major, suite=place.suite)
    remove_left(here, label)
    with here.workspace(label) as outer:
        # Whoever the server runs as in there may write to it; nobody else comes here, for the folder around it.
        shared = outer + "/socket"
        os.mkdir(shared)
        os.chmod(shared, EVERYBODY)
        with place.sibling(shared) as own, own.workspace(label) as folder:
            yield own, folder, SHARED, shared


def remove_left(place, label):
    """Remove what somebody who died left. The caller holds the lock that goes with the label."""
    place.remove(place.leftovers(label))
