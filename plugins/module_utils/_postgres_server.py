# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server as something that is started, stopped, and has files: in a container. Private: other collections must not import it.

Files are read through the engine alone, so that check mode can, and a server that is down. They are written by programs of the server's own
image, in a container beside it that has its volumes.
"""

from __future__ import annotations

import contextlib
import posixpath
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place_container import beside
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import container_of
from ansible_collections.astraldraft.ops.plugins.module_utils._tar import read_tar

#: Where a server is, beside DOCKER_SPEC and LOGIN_SPEC.
SERVER_SPEC = {
    "project": {"type": "str"},
    "service": {"type": "str"},
    "container": {"type": "str"},
    "data_path": {"type": "str"},
    "bin_dir": {"type": "str"},
    "tools_user": {"type": "str"},
}
SERVER_RULES = {"mutually_exclusive": [("service", "container")], "required_by": {"service": ("project",)}}
_PEER = {"login_host": {"type": "str", "required": True}, "login_port": {"type": "int", "default": 5432}}
PEERS_SPEC = {"peers": {"type": "list", "elements": "dict", "default": [], "options": _PEER}}
_MOST_FILE = 64 * 1024 * 1024
_ENGINE_SECONDS = 30
# Names are arguments, never text. What is written is on the disk before anything depends on it.
_WRITE = 'set -e; cat >"$1.new"; chmod 0600 "$1.new"; mv -f -- "$1.new" "$1"; sync -- "$1" "${1%/*}"'


class ContainerServer:
    """The server whose first process is that of the container ``model`` (Replica)."""

    def __init__(self, client, model, params, heartbeat):
        self.model, self.name, self._client, self._params, self._heartbeat = model, model.name, client, params, heartbeat
        environment = dict(entry.partition("=")[::2] for entry in model.inspection["Config"].get("Env") or [])
        self.data_path = (params["data_path"] or environment.get("PGDATA") or "").rstrip("/")
        if not self.data_path.startswith("/"):
            raise OpsError(
                "The container {0} does not say where its server's data is (PGDATA). Name the folder as data_path.".format(self.name)
            )

    @property
    def state(self):
        """Docker's word: running, exited, restarting ..."""
        return self._client.api.inspect_container(self.model.id)["State"]["Status"]

    @property
    def address(self):
        found = _docker.to_replica(self._client.api.inspect_container(self.model.id)).addresses
        return next(iter(found.values()), None)

    def read(self, relative):
        """The content of a file of the data folder, None when there is none."""
        import docker

        path = posixpath.join(self.data_path, relative)
        try:
            chunks, stat = self._client.api.get_archive(self.model.id, path)
        except docker.errors.NotFound:
            return None
        if stat["size"] > _MOST_FILE:
            raise OpsError("{0} in {1} has {2} bytes, which is no file of a server.".format(path, self.name, stat["size"]))
        return next((b"".join(content) for _name, _size, content in read_tar(chunks)), None)

    def control(self):
        """The Control of its data, None when there is no data."""
        data = self.read(files.CONTROL)
        return files.control(data) if data else None

    def wal_end(self, control):
        """Up to where it has written WAL, at most (int or None)."""
        return files.wal_end(lambda name: self.read("pg_wal/" + name), control.timeline, control.checkpoint)

    @property
    def major(self):
        text = self.read(files.VERSION)
        return text.decode("ascii").strip() if text else None

    @contextlib.contextmanager
    def tools(self, major=None, online=False):
        """A Place of programs that see the server's files. ``online``: and other servers, by the names that this one knows them by."""
        mounts = [mount["Destination"].rstrip("/") for mount in self.model.inspection.get("Mounts") or []]
        if not any(self.data_path == one or self.data_path.startswith(one + "/") for one in mounts):
            raise OpsError(
                "The data of {0} ({1}) is in the container itself, where nothing else can reach it and which goes with it. Put it into a "
                "volume.".format(self.name, self.data_path)
            )
        major = major or self.major
        if not major:
            raise OpsError("{0} has no data in {1}, and its version is not known. Is data_path right?".format(self.name, self.data_path))
        networks = list(self.model.inspection["NetworkSettings"]["Networks"] or ["bridge"])
        arguments = (networks[0] if online else "none", major, self._params["bin_dir"], self._params["tools_user"] or "postgres")
        with beside(self._client, self.model, *arguments, volumes=True) as place:
            yield place

    def mounted_itself(self):
        """Whether the data folder is where a volume is mounted, so that no other folder can take its place."""
        return self.data_path in [mount["Destination"].rstrip("/") for mount in self.model.inspection.get("Mounts") or []]

    def write(self, place, relative, text):
        """Write a file of the data folder, so that it stays."""
        path = posixpath.join(self.data_path, relative)
        with place.workspace("server") as folder:
            data = text.encode("utf-8")
            place.put(folder, [("content", len(data), [data])])
            script = 'exec <"$2"; ' + _WRITE
            place.must(["sh", "-c", script, "write", path, folder + "/content"], self._heartbeat, what="Writing " + path)

    def remove(self, place, relatives):
        paths = [posixpath.join(self.data_path, relative) for relative in relatives]
        place.must(["rm", "-f", "--", *paths], self._heartbeat)
        place.must(["sync", "--", self.data_path], self._heartbeat)

    def stop(self, seconds):
        """Stop it as its image says (PostgreSQL's fast shutdown), within so many seconds; else it is killed."""
        self._patiently(lambda: self._client.api.stop(self.model.id, timeout=max(1, int(seconds))), seconds + _ENGINE_SECONDS)
        deadline = time.monotonic() + _ENGINE_SECONDS
        while self.state not in ("exited", "created", "dead"):
            if time.monotonic() > deadline:
                raise OpsError("The container {0} was stopped, and is {1}. Look at: docker ps --all".format(self.name, self.state))
            time.sleep(0.1)

    def start(self):
        self._patiently(lambda: self._client.api.start(self.model.id), _ENGINE_SECONDS * 2)

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
        """What it said last."""
        said = self._client.api.logs(self.model.id, tail=3).decode("utf-8", "replace")
        return " ".join(said.split())[-400:] or "it said nothing"


@contextlib.contextmanager
def server(params, heartbeat=lambda: None):
    """The server that SERVER_SPEC and DOCKER_SPEC (dict) name, whether it runs or not."""
    if not (params["service"] or params["container"]):
        raise OpsError("Say where the server is: project and service, or container. Servers outside of containers are not supported yet.")
    with _docker.engine(params["docker_host"], timeout=120) as client:
        yield ContainerServer(client, container_of(client, params, running=False), params, heartbeat)


def login_of(params, found):
    """The options LOGIN_SPEC with a host: where none is given, the address of the container, or None while it has none."""
    return dict(params, login_host=params["login_host"] or found.address)
