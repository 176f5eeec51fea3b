# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs, run in a container of their own, of the image of another one. Private: other collections must not import it.

Never in the container of a server: its first process is the server itself, which becomes the parent of whatever is left an orphan there,
and takes its end for a crash of its own. So what is run gets a container beside it, in the same network, with memory of its own. That one
hangs on a lifeline, too: it ends, and is removed, when the module ends in whatever way.
"""

from __future__ import annotations

import contextlib
import posixpath
import socket
import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._place import (
    GO,
    GRACE_SECONDS,
    LIFELINE,
    POSTGRESQL,
    TEMPORARY,
    Place,
    Running,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._tar import read_tar, write_tar

LABEL = "org.astraldraft.tools"
#: A folder of the host, in such a container: what a server without a network puts its socket into.
SHARED = "/run/astraldraft"


class _ContainerRunning(Running):
    def __init__(self, client, container, argv, environment, user, sink):
        super().__init__(sink)
        self._api = client.api
        self._id = self._api.exec_create(container, argv, stdin=True, environment=environment, user=user)["Id"]
        self._socket = self._api.exec_start(self._id, socket=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._socket._sock.sendall(GO)

    def _read(self):
        from docker.utils.socket import STDOUT, frames_iter

        with contextlib.suppress(OSError, ValueError):
            for stream, chunk in frames_iter(self._socket, tty=False):
                (self._take if stream == STDOUT else self._hear)(chunk)

    @property
    def ended(self):
        if self._reader.is_alive():
            return False
        if self.code is None:
            found = self._api.exec_inspect(self._id)
            self.code = None if found["Running"] else found["ExitCode"]
        return self.code is not None

    def wait(self, seconds):
        self._reader.join(seconds)
        deadline = time.monotonic() + 1.0
        while not self._reader.is_alive() and not self.ended and time.monotonic() < deadline:
            time.sleep(0.02)

    def end(self):
        if self._reader.is_alive():
            # Half of the connection: the program's standard input. What it still says is heard.
            with contextlib.suppress(OSError):
                self._socket._sock.shutdown(socket.SHUT_WR)
            self.wait(GRACE_SECONDS + 1)
        # By way of the response: closing the socket alone leaves it a file that it cannot flush.
        with contextlib.suppress(OSError):
            self._socket._response.close()


class Container(Place):
    """The programs in the container ``container_id``, which is nobody else's, as ``user``."""

    direct = False

    def __init__(self, client, container_id, model, network, major, bin_dir, user, work_dir, writable=None, suite=POSTGRESQL):
        super().__init__(major, bin_dir, work_dir, suite)
        self.name = "a container of {0}'s image".format(model.name)
        self._client, self._id, self._model, self._network, self._user = client, container_id, model, network, user
        self._ids, self._writable = None, writable

    def start(self, argv, environment=None, sink=None):
        argv = ["sh", "-c", LIFELINE, "lifeline", *argv]
        return _ContainerRunning(self._client, self._id, argv, self._environment(environment), self._user, sink)

    def _quick(self, argv):
        return self.must(argv, lambda: None).decode("utf-8", "replace")

    def make(self, folder):
        self._quick(["mkdir", "-p", "--", folder])

    def put(self, folder, members):
        if self._ids is None:
            self._ids = [int(number) for number in self._quick(["sh", "-c", "id -u; id -g"]).split()]
        self._client.api.put_archive(self._id, folder, write_tar(members, *self._ids))

    def replace(self, path, data):
        parent, name = posixpath.split(path)
        self.make(parent)
        self.put(parent, [(name + ".new", len(data), [data])])
        self._quick(["mv", "-f", "--", path + ".new", path])

    def get(self, folder):
        chunks, _stat = self._client.api.get_archive(self._id, folder)
        # Names begin with that of the folder itself.
        for name, size, content in read_tar(chunks):
            yield name.partition("/")[2], size, content

    def free_bytes(self, folder):
        blocks, size = self._quick(["stat", "-f", "-c", "%a %S", "--", folder]).split()
        return int(blocks) * int(size)

    def leftovers(self, _label):
        """None: the container goes, and all that is in it."""
        return []

    def remove(self, folders):
        self._quick(["rm", "-rf", "--", *folders])

    @contextlib.contextmanager
    def sibling(self, outside=None):
        """The same without a network, in which a server can be started that is nobody else's. ``outside``: a folder of the engine's host,
        which is SHARED in it."""
        if self._network == "none" and not outside:
            yield self
        else:
            own = {"writable": None if self._writable is None else [], "outside": outside, "suite": self.suite}
            options = (self.major, self._bin, self._user, self.work_dir)
            with beside(self._client, self._model, "none", *options, **own) as place:
                yield place


def volumes_of(model, writable):
    """What a container (Replica) has mounted, as another one is told: to be read only, but for what holds one of the paths ``writable``."""
    found = []
    # The engine names them in no certain order.
    for mount in sorted(model.inspection.get("Mounts") or [], key=lambda mount: mount["Destination"]):
        if mount["Type"] in ("volume", "bind"):
            target = mount["Destination"].rstrip("/")
            free = any(path == target or path.startswith(target + "/") for path in writable)
            found.append("{0}:{1}:{2}".format(mount.get("Name") or mount["Source"], target, "rw" if free else "ro"))
    return found


@contextlib.contextmanager
def beside(client, model, network, major, bin_dir=None, user=None, work_dir=TEMPORARY, volumes=False, writable=None, outside=None,
           suite=POSTGRESQL):  # fmt: skip
    """A fresh container of the image of ``model`` (Replica). ``network``: none, ``container:<id>``, or its name. -> Container

    ``volumes``: with those of ``model``. ``writable`` (list of paths): with those, too, of which these alone may be written.
    ``outside``: see sibling().
    """
    api = client.api
    binds = [] if writable is None else volumes_of(model, writable)
    binds += ["{0}:{1}:rw".format(outside, SHARED)] if outside else []
    of_whom = [model.id] if volumes else None
    settings = api.create_host_config(auto_remove=True, network_mode=network, shm_size="1g", volumes_from=of_whom, binds=binds)
    # Those by which somebody counts or removes what is his; not Compose's, to which it does not belong.
    labels = {key: text for key, text in (model.inspection["Config"].get("Labels") or {}).items() if not key.startswith("com.docker.")}
    created = api.create_container(
        model.image_id,
        entrypoint=["sh", "-c"],
        command=["read -r _"],
        stdin_open=True,
        host_config=settings,
        labels=dict(labels, **{LABEL: model.name}),
        healthcheck={"test": ["NONE"]},
    )["Id"]
    try:
        lifeline = api.attach_socket(created, params={"stdin": 1, "stream": 1})
        api.start(created)
        try:
            yield Container(client, created, model, network, major, bin_dir, user or suite.user, work_dir, writable, suite)
        finally:
            lifeline._response.close()
    finally:
        # It removes itself, too.
        with contextlib.suppress(Exception):
            api.remove_container(created, force=True, v=True)
