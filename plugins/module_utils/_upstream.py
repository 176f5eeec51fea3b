# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file of an nginx that runs in a container, most often an upstream: read, switched, drained. Private: other collections must not
import it.
"""

from __future__ import annotations

import os
import posixpath
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker, _nginx
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text, sync_folder, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

UPSTREAM_SPEC = {
    "project": {"type": "str", "required": True},
    "service": {"type": "str", "default": "nginx"},
    "path": {"type": "path", "required": True},
}
PENDING_SUFFIX = ".pending"
CANDIDATE_SUFFIX = ".candidate"
WORKER_INTERVAL = 0.05


class LoadBalancer:
    """The nginx of a Compose project, and the folder of upstream files that host and container share.

    ``path`` is the upstream's file on the host. Raises OpsError when nginx is not running or does not see that folder.
    """

    #: A whole configuration around a file by itself, for its test. A file that is included in server {} has another one.
    around = "events {{}}\nhttp {{ include {0}; }}\n"

    def __init__(self, client, project, service, path):
        self._client, self.path = client, path
        running = [replica for replica in _docker.replicas(client, project, service) if replica.state == "running"]
        if not running:
            raise OpsError(
                "The load balancer (service {0} of Compose project {1}) is not running, so no traffic can be switched. "
                "Look at: docker ps --all --filter label={2}={1}".format(service, project, _docker.PROJECT_LABEL)
            )
        self.container = running[0]
        self._folder = self._folder_inside()

    def _folder_inside(self):
        folder = os.path.realpath(os.path.dirname(self.path))
        for mount in self.container.inspection.get("Mounts", []):
            source = os.path.realpath(mount.get("Source") or "/nonexistent")
            if folder == source or folder.startswith(source + os.sep):
                return posixpath.join(mount["Destination"], os.path.relpath(folder, source)).rstrip("/.")
        raise OpsError(
            "The load balancer {0} does not see the folder {1}: none of its mounts holds it. "
            "Mount it where nginx.conf includes upstreams from.".format(self.container.name, folder)
        )

    # -- reading

    def servers(self):
        """The servers that the file on the host names (list of Server)."""
        return _nginx.parse(read_text(self.path))

    def pending(self):
        """Whether a switch was begun and not seen through: the file may be newer than what nginx has loaded."""
        return os.path.exists(self.path + PENDING_SUFFIX)

    def workers(self):
        """``(active, draining)`` process ids of nginx's workers."""
        top = self._client.api.top(self.container.id, ps_args="-eo pid,args")
        return _nginx.workers(top["Titles"], top["Processes"])

    def leaving(self, former):
        """The process ids (set) of workers that still finish connections under a former configuration.

        ``former`` are those that served before this switch: nginx takes a moment to mark them as shutting down.
        """
        active, draining = self.workers()
        return set(draining) | (set(active) & set(former))

    def version(self):
        """nginx's version as a tuple, or None."""
        return _nginx.version(self._run(["nginx", "-v"])[1])

    def configuration(self):
        """``(whether nginx takes it, text)``: the whole configuration as it lies there, or nginx's complaint."""
        code, output = self._run(["nginx", "-T"])
        return code == 0, output

    # -- writing

    def _run(self, argv):
        return _docker.execute(self._client, self.container.id, argv)

    def test(self):
        """Have nginx test the configuration as it lies there. Raises OpsError with nginx's own words."""
        code, output = self._run(["nginx", "-t"])
        if code != 0:
            raise self._refused(output)

    def accepted(self):
        """The whole configuration as it lies there. Raises OpsError with nginx's own words where it takes none of it."""
        taken, text = self.configuration()
        if not taken:
            raise self._refused(text)
        return text

    def _refused(self, output):
        return OpsError(
            "nginx in {0} refuses its configuration, so nothing was switched: {1} Mend it, check with: docker exec {0} nginx -t".format(
                self.container.name, output.strip().splitlines()[0] if output.strip() else "it says nothing."
            ),
            nginx_output=output,
        )

    def inside(self, *parts):
        """The path that something in the shared folder has inside the container."""
        return posixpath.join(self._folder, *parts)

    def test_candidate(self, content, what="the new upstream"):
        """Have nginx test ``content`` on its own, before it takes anyone's place. Raises OpsError."""
        candidate, wrapper = self.path + CANDIDATE_SUFFIX, self.path + CANDIDATE_SUFFIX + "-main"
        inside = self.inside(os.path.basename(candidate))
        try:
            write_atomically(candidate, content, mode=0o644)
            write_atomically(wrapper, self.around.format(inside), mode=0o644)
            code, output = self._run(["nginx", "-t", "-c", inside + "-main"])
            if code != 0:
                raise OpsError("nginx refuses {0}, so nothing was switched: {1}".format(what, output.strip()), nginx_output=output)
        finally:
            for leftover in (candidate, wrapper):
                if os.path.exists(leftover):
                    os.unlink(leftover)

    def install(self, content, what="the new upstream"):
        """Put ``content`` in place by one rename (None: the file away); what was there comes back when nginx refuses the whole. Raises
        OpsError.
        """
        if content is not None:
            self.test_candidate(content, what)
        previous = read_text(self.path)
        self.begin()
        self._lay(content)
        try:
            self.test()
        except OpsError:
            self._lay(previous)
            self.settled()
            raise

    def _lay(self, content):
        if content is not None:
            write_atomically(self.path, content, mode=0o644)
        elif os.path.exists(self.path):
            os.unlink(self.path)
            sync_folder(os.path.dirname(self.path))

    def replace(self, module, content, what="the new upstream"):
        """Have nginx serve by ``content`` (None: without the file), or as before when it does not take it.

        Returns what ``load`` does. Raises OpsError.
        """
        module.fence()
        former = read_text(self.path)
        if content != former:
            self.install(content, what)
        else:
            self.test()
        try:
            return self.load(module)
        except OpsError as error:
            if content != former:
                self.install(former, what)
            raise OpsError(error.message + " The former file is back, and traffic is where it was.", **error.evidence)

    def load(self, module, settle=True):
        """Have nginx load what lies there. -> the process ids that served before, the seconds that it took. Raises OpsError.

        Without ``settle`` the mark of a switch stays: it is not seen through yet.
        """
        former, started = self.workers()[0], time.monotonic()
        limit = module.params["wait_timeout"]
        self.reload()
        seen = self.loaded if settle else self.renewed
        if not poll(lambda: seen(former), bool, limit, WORKER_INTERVAL, module.heartbeat)[1]:
            raise OpsError(
                "nginx in {0} did not load the new configuration within {1:.0f} s. nginx says: {2}".format(
                    self.container.name, limit, self.last_words() or "nothing"
                )
            )
        return former, round(time.monotonic() - started, 3)

    def begin(self):
        """Mark a switch as begun: whoever finds the mark sees it through."""
        write_atomically(self.path + PENDING_SUFFIX, "", mode=0o600)

    def reload(self):
        """Tell nginx to load what lies there, without waiting."""
        self._client.api.kill(self.container.id, signal="HUP")

    def settled(self):
        """Take the mark of a switch away: what lies there is what nginx has loaded."""
        if self.pending():
            os.unlink(self.path + PENDING_SUFFIX)

    def loaded(self, before):
        """Whether workers other than ``before`` (process ids) serve now; marks the switch as seen through when so."""
        if self.renewed(before):
            self.settled()
            return True
        return False

    def renewed(self, before):
        """Whether workers other than ``before`` (process ids) serve now."""
        active, _draining = self.workers()
        return bool(set(active) - set(before))

    def last_words(self, lines=5):
        """The last lines of nginx's log, for a failure message."""
        return self._client.api.logs(self.container.id, tail=lines, stdout=False, stderr=True).decode("utf-8", "replace").strip()

    def log_lines(self, since):
        """The lines of nginx's log, the access log among them, since a moment (seconds since the epoch)."""
        text = self._client.api.logs(self.container.id, since=float(since))
        return text.decode("utf-8", "replace").splitlines()
