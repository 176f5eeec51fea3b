# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeping a PostgreSQL server from taking writes, and letting it again. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import json
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _replica_build as build
from ansible_collections.astraldraft.ops.plugins.module_utils import _replication as replication
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import connect
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server import login_of
from ansible_collections.astraldraft.ops.plugins.module_utils._replication_ask import ask, peers
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

PAUSE = 0.2
# What has to be written at a shutdown is written before, while the server still serves.
CHECKPOINT_SECONDS = 300
COMMIT = b"desc: COMMIT"


class Fence:
    """Of one server. What is known and was done is in ``result`` at any time."""

    def __init__(self, psycopg2, server, params, module, result):
        self._psycopg2, self._server, self._params, self._module, self._result = psycopg2, server, params, module, result

    def _ask(self):
        """What the server says, or the ProbeError why it says nothing."""
        login = login_of(self._params, self._server)
        if not login["login_host"] or self._server.state != "running":
            return ProbeError("refused", "stopped", "{0} does not run".format(self._server.name))
        try:
            return ask(self._psycopg2, login, self._params["timeout"])
        except ProbeError as error:
            # Who does not let us in is not down.
            if error.reason == "our_credentials":
                raise OpsError("{0}. {1}".format(error.message, error.next))
            return error

    def _marked(self):
        """Whether both files are there. What the marker says is put into the result."""
        text = self._server.read(files.MARKER)
        self._result["marker"] = None
        if text is not None:
            # One that was torn or written by hand marks as well.
            with contextlib.suppress(ValueError):
                self._result["marker"] = json.loads(text.decode("utf-8", "replace"))
        return text is not None and self._server.read(files.SIGNAL) is not None

    def look(self):
        """Put into the result how it is."""
        answer, control = self._ask(), self._server.control()
        if control is None:
            raise OpsError("{0} has no data in {1}: nothing is there to be fenced.".format(self._server.name, self._server.data_path))
        marked = self._marked()
        if isinstance(answer, dict):
            role = replication.PRIMARY if not answer["in_recovery"] else replication.FENCED if marked else replication.REPLICA
            self._result.update(lsn=files.format_lsn(answer["lsn"]), timeline=answer["timeline"])
        else:
            # A standby by its files; whoever starts it gets a standby.
            standby = control.standby and self._server.read(files.SIGNAL) is not None
            role = replication.FENCED if marked else replication.REPLICA if standby else replication.DOWN
            self._result.update(lsn=files.format_lsn(self._end(control)), timeline=control.timeline)
        self._result.update(role=role, before=role, fenced=role == replication.FENCED, running=self._server.state == "running")
        self._answer = answer

    def _end(self, control):
        # The position of a record is replayed when that of a replica is beyond it.
        return control.checkpoint + 1 if control.clean else self._server.wal_end(control)

    # Fenced

    def close(self):
        starts = self._result["fenced"] and not self._result["running"] and self._starts(self._server.control())
        unsettled = self._result["fenced"] and self._result["running"] and not isinstance(self._answer, dict)
        if self._result["role"] == replication.REPLICA or self._result["fenced"] and not (starts or unsettled):
            return
        self._result["changed"] = True
        if self._module.check_mode:
            return
        # Before the stop, from which on nobody may write.
        with self._server.tools() as place:
            self._module.fence()
            self._mark(place)
        if not self._result["fenced"] or unsettled:
            self._stop()
        control = self._server.control()
        self._result.update(
            clean=control.clean, lsn=files.format_lsn(self._end(control)), fenced=True, running=False, role=replication.FENCED
        )
        if self._params["count_from"] and not control.clean:
            with self._server.tools() as place:
                self._result["transactions"] = self._count(place, control)
        if self._starts(control):
            self._start()

    def _starts(self, control):
        """Whether it is to be started: a replica may lack what was not sent at an orderly shutdown."""
        return self._params["start"] == "always" or self._params["start"] == "auto" and not control.clean

    def _mark(self, place):
        """Last the signal: who has the marker alone is the primary that it was, and is fenced by the next run."""
        text = (self._server.read(files.SETTINGS) or b"").decode("utf-8", "replace")
        if build.says_whom(text):
            # It was a replica once. A standby that follows nobody is what is known as fenced.
            self._server.write(place, files.SETTINGS, build.configured(text, {}))
        if self._server.read(files.MARKER) is None:
            found = {"fenced_at": to_iso(time.time()), "reason": self._params["reason"], "timeline": self._result["timeline"]}
            self._server.write(place, files.MARKER, json.dumps(found) + "\n")
        if self._server.read(files.SIGNAL) is None:
            self._server.write(place, files.SIGNAL, "")
        if not self._marked():
            raise OpsError("{0} could not be marked as fenced in {1}.".format(self._server.name, self._server.data_path))

    def _stop(self):
        if isinstance(self._answer, dict):
            self._checkpoint()
        self._module.fence()
        if isinstance(self._answer, dict):
            self._result["refused_since"] = to_iso(time.time())
        self._server.stop(self._params["stop_timeout"])

    def _checkpoint(self):
        login = login_of(self._params, self._server)
        try:
            connection = connect(self._psycopg2, login, self._params["timeout"], readonly=False)
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET statement_timeout = %s", (CHECKPOINT_SECONDS * 1000,))
                    cursor.execute("CHECKPOINT")
            finally:
                connection.close()
        except (OpsError, self._psycopg2.Error):
            # It makes the shutdown short, no more.
            return

    def _count(self, place, control):
        """How many transactions were committed beyond count_from."""
        counted, rest = [0], [b""]

        def sink(chunk):
            # A line may be in two chunks; what was counted is not kept.
            lines = rest[0] + chunk
            whole, _newline, rest[0] = lines.rpartition(b"\n")
            counted[0] += whole.count(COMMIT)

        folder = self._server.data_path + "/pg_wal"
        argv = ["pg_waldump", "--path=" + folder, "--timeline={0}".format(control.timeline), "--rmgr=Transaction"]
        done = place.run([*argv, "--start=" + self._params["count_from"]], self._module.heartbeat, sink=sink)
        # At the end of WAL it fails always, and says so.
        return counted[0] if "invalid" in done.complaint or "error in WAL record" in done.complaint or done.code == 0 else None

    def _start(self):
        self._module.fence()
        self._server.start()
        answer, up, _attempts = poll(
            self._ask, lambda answer: isinstance(answer, dict), self._params["start_timeout"], PAUSE, self._module.heartbeat
        )
        self._result["running"] = self._server.state == "running"
        if not up:
            self._result["complaint"] = "{0}. It said last: {1}".format(answer.message, self._server.last_words())
            return
        if not answer["in_recovery"]:
            raise OpsError(
                "{0} takes writes although it was fenced. Stop it, and look which data folder it uses.".format(self._server.name)
            )
        # All that there was of its own WAL is replayed before anybody else's is asked for, unless it goes on to grow.
        settled = poll(self._ask, self._still(), self._params["start_timeout"], PAUSE, self._module.heartbeat)[0]
        if isinstance(settled, dict):
            self._result.update(lsn=files.format_lsn(settled["lsn"]), timeline=settled["timeline"])

    @staticmethod
    def _still():
        """A predicate: the position is what it was when it was asked for last."""
        last = []

        def same(answer):
            last.append(answer["lsn"] if isinstance(answer, dict) else None)
            return len(last) > 2 and last[-1] is not None and last[-1] == last[-2] == last[-3]

        return same

    # Unfenced

    def open(self):
        if self._result["role"] == replication.PRIMARY:
            return
        # Also where it was interrupted half-way: the marker goes last.
        if self._server.read(files.MARKER) is None:
            raise OpsError(
                "{0} was not fenced by this module, it is {1}. Only what was fenced is let take writes again.".format(
                    self._server.name, {replication.REPLICA: "a replica"}.get(self._result["role"], "not answering")
                )
            )
        self._demand_standbys()
        self._result["changed"] = True
        if self._module.check_mode:
            return
        with self._server.tools() as place:
            self._module.fence()
            if self._server.state == "running":
                self._server.stop(self._params["stop_timeout"])
            self._demand_standbys()
            self._server.remove(place, [files.SIGNAL, files.MARKER])
        self._server.start()
        answer = poll(self._ask, lambda answer: isinstance(answer, dict), self._params["start_timeout"], PAUSE, self._module.heartbeat)[0]
        self._result.update(running=self._server.state == "running", fenced=False, marker=None)
        if not isinstance(answer, dict):
            raise OpsError("{0} was let take writes again, and does not answer: {1}. It said last: {2}".format(
                self._server.name, answer.message, self._server.last_words()))  # fmt: skip
        self._result.update(role=replication.role_of(answer), lsn=files.format_lsn(answer["lsn"]), timeline=answer["timeline"])

    def _demand_standbys(self):
        """Refuse while another server may take writes."""
        if not self._params["peers"]:
            raise OpsError(
                "Name the other servers of the cluster as peers: {0} may take writes only if none of them does.".format(self._server.name)
            )
        for name, answer in peers(self._psycopg2, self._params, self._module.heartbeat).items():
            if not isinstance(answer, dict):
                raise OpsError(
                    "{0} stays fenced: {1} may take writes, and does not answer: {2}.".format(self._server.name, name, answer.message)
                )
            if not answer["in_recovery"]:
                raise OpsError("{0} stays fenced: {1} is the primary. Make it a replica of that one (playbook replica_rebuild).".format(
                    self._server.name, name))  # fmt: skip
