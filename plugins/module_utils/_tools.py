# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's own tools, where they are: on this host or in a container. Private: other collections must not import it."""

from __future__ import annotations

import contextlib

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import POSTGRESQL, TEMPORARY, Host
from ansible_collections.astraldraft.ops.plugins.module_utils._place_container import beside

TOOLS_SPEC = {
    "project": {"type": "str"},
    "service": {"type": "str"},
    "container": {"type": "str"},
    "bin_dir": {"type": "str"},
    "tools_user": {"type": "str"},
    "work_dir": {"type": "str", "default": TEMPORARY},
}
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
