# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a maintenance, and the nginx that reads them. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx_maintenance as rules
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text, sync_folder, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._nginx import complaint
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import CANDIDATE_SUFFIX, LoadBalancer
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

ABSENT, PREPARED, ACTIVE, OVER = "absent", "prepared", "active", "over"
_WRAPPER = "events {{}}\nhttp {{ include {0}; server {{ listen 127.0.0.1:65001; include {1}; }} }}\n"
DRAIN_INTERVAL = 0.2


class MaintenanceSwitch(LoadBalancer):
    """The nginx of a Compose project, and the folder (``path``) of the files of its maintenance."""

    def __init__(self, client, project, service, path):
        self.folder = path.rstrip("/")
        super().__init__(client, project, service, os.path.join(self.folder, rules.SERVER))

    def place(self, name):
        return os.path.join(self.folder, name)

    # -- reading

    def files(self):
        """``{name: content}`` of http.conf and server.conf; None for one that is not there."""
        return {name: read_text(self.place(name)) for name in (rules.HTTP, rules.SERVER)}

    def closed(self):
        return os.path.exists(self.place(rules.SWITCH))

    def condition(self, now):
        """How it is: ``state``, ``mode``, ``ends_at``, ``seconds_left``, by the files alone."""
        files = self.files()
        known = rules.facts(files[rules.HTTP])
        if not known or files[rules.SERVER] is None:
            return {"state": ABSENT, "mode": None, "ends_at": None, "seconds_left": 0}
        left = max(0, int(known["ends_at"] - now))
        state = OVER if not left else ACTIVE if self.closed() else PREPARED
        return {"state": state, "mode": known["mode"], "ends_at": to_iso(known["ends_at"]), "seconds_left": left}

    def require_includes(self):
        """Raises OpsError with the two lines that nginx's configuration lacks, or with what nginx says of one that it refuses."""
        dump = self.accepted()
        lacking = [name for name in (rules.HTTP, rules.SERVER) if not rules.included(dump, self.inside(name))]
        if lacking:
            what = " and ".join(self.inside(name) for name in lacking)
            raise OpsError(
                "nginx in {0} does not include {1}, so it would not be in maintenance whatever lies there. Nothing was changed. Its "
                "configuration needs `include {2};` in http {{}}, and `include {3};` at the beginning of each server {{}} that is "
                "closed.".format(self.container.name, what, self.inside("http*.conf"), self.inside("server*.conf"))
            )

    # -- writing

    def make(self):
        """The folder, where nginx's workers may look into it."""
        if not os.path.isdir(self.folder):
            os.mkdir(self.folder)
            os.chmod(self.folder, 0o755)  # noqa: S103 - they are another user

    def test_rules(self, files):
        """Have nginx test the two files on their own. Raises OpsError with nginx's own words."""
        self.make()
        suffixed = {name: self.place(name + CANDIDATE_SUFFIX) for name in files}
        wrapper = self.place("main" + CANDIDATE_SUFFIX)
        inside = [self.inside(name + CANDIDATE_SUFFIX) for name in (rules.HTTP, rules.SERVER)]
        try:
            for name, content in files.items():
                write_atomically(suffixed[name], content, mode=0o644)
            write_atomically(wrapper, _WRAPPER.format(*inside), mode=0o644)
            code, output = self._run(["nginx", "-t", "-c", self.inside("main" + CANDIDATE_SUFFIX)])
            if code != 0:
                message = "nginx in {0} refuses the maintenance, so nothing was changed: {1}. Correct what it says."
                raise OpsError(message.format(self.container.name, complaint(output).rstrip(".")), nginx_output=output)
        finally:
            for leftover in [*suffixed.values(), wrapper]:
                _remove(leftover)

    def put(self, files):
        """The files as ``files`` says (None: not there), tested as a whole; as they were when nginx refuses that. Raises OpsError.

        server.conf needs http.conf, so it is the last to come and the first to go: whenever nginx is started, it takes what lies there.
        """
        former = self.files()
        self.begin()
        self._lay_files(files)
        try:
            self.test()
        except OpsError:
            self._lay_files(former)
            self.settled()
            raise

    def _lay_files(self, files):
        _remove(self.path)
        for name in (rules.HTTP, rules.SERVER):
            if files[name] is None:
                _remove(self.place(name))
            else:
                write_atomically(self.place(name), files[name], mode=0o644)

    def drain(self, module, former, patience):
        """Wait until the workers ``former`` have exited. -> how many have not"""
        return len(poll(lambda: self.leaving(former), lambda pids: not pids, patience, DRAIN_INTERVAL, module.heartbeat)[0])

    def close(self):
        """From here on it is done."""
        write_atomically(self.place(rules.SWITCH), "", mode=0o644)

    def open(self):
        """From here on it is not done any more."""
        _remove(self.place(rules.SWITCH))


def _remove(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        sync_folder(os.path.dirname(path))
