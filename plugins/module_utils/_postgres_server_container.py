# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server in a container. Private: other collections must not import it.

Files are read through the engine alone, so that check mode can, and a server that is down. They are written by programs of the server's own
image, in a container beside it that has its volumes.
"""

from __future__ import annotations

import contextlib
import posixpath
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place_container import beside
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server_base import GRACE_SECONDS, PostgresServer
from ansible_collections.astraldraft.ops.plugins.module_utils._tar import read_tar


class ContainerServer(PostgresServer):
    """The server whose first process is that of the container ``model`` (Replica)."""

    def __init__(self, client, model, params, heartbeat):
        super().__init__(heartbeat)
        self.model, self.name, self._client, self._params = model, model.name, client, params
        environment = dict(entry.partition("=")[::2] for entry in model.inspection["Config"].get("Env") or [])
        self.data_path = (params["data_path"] or environment.get("PGDATA") or "").rstrip("/")
        if not self.data_path.startswith("/"):
            raise OpsError(
                "The container {0} does not say where its server's data is (PGDATA). Name the folder as data_path.".format(self.name)
            )

    @property
    def state(self):
        return self._client.api.inspect_container(self.model.id)["State"]["Status"]

    @property
    def address(self):
        found = _docker.to_replica(self._client.api.inspect_container(self.model.id)).addresses
        return next(iter(found.values()), None)

    def read(self, relative):
        import docker

        path = posixpath.join(self.data_path, relative)
        try:
            chunks, stat = self._client.api.get_archive(self.model.id, path)
        except docker.errors.NotFound:
            return None
        self.demand_small(path, stat["size"])
        return next((b"".join(content) for _name, _size, content in read_tar(chunks)), None)

    @contextlib.contextmanager
    def tools(self, major=None, online=False):
        mounts = [mount["Destination"].rstrip("/") for mount in self.model.inspection.get("Mounts") or []]
        if not any(self.data_path == one or self.data_path.startswith(one + "/") for one in mounts):
            raise OpsError(
                "The data of {0} ({1}) is in the container itself, where nothing else can reach it and which goes with it. Put it into a "
                "volume.".format(self.name, self.data_path)
            )
        major = major or self.demand_major()
        networks = list(self.model.inspection["NetworkSettings"]["Networks"] or ["bridge"])
        arguments = (networks[0] if online else "none", major, self._params["bin_dir"], self._params["tools_user"] or "postgres")
        with beside(self._client, self.model, *arguments, volumes=True) as place:
            yield place

    def mounted_itself(self):
        return self.data_path in [mount["Destination"].rstrip("/") for mount in self.model.inspection.get("Mounts") or []]

    def stop(self, seconds):
        # The engine stops it as its image says: PostgreSQL's fast shutdown.
        self._patiently(lambda: self._client.api.stop(self.model.id, timeout=max(1, int(seconds))), seconds + GRACE_SECONDS)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.state not in ("exited", "created", "dead"):
            if time.monotonic() > deadline:
                raise OpsError("The container {0} was stopped, and is {1}. Look at: docker ps --all".format(self.name, self.state))
            time.sleep(0.1)

    def start(self):
        self._patiently(lambda: self._client.api.start(self.model.id), GRACE_SECONDS * 2)

    def _patiently(self, request, seconds):
        self._demand_done(in_parallel([(lambda: request() or True, seconds)], self._heartbeat)[0], seconds)

    def _demand_done(self, answer, seconds):
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            raise OpsError(
                "The engine did not do it within {0:g} s with the container {1}. Is the machine overloaded?".format(seconds, self.name)
            )

    def last_words(self):
        said = self._client.api.logs(self.model.id, tail=3).decode("utf-8", "replace")
        return " ".join(said.split())[-400:] or "it said nothing"
