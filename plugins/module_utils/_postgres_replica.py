# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making a PostgreSQL server a replica, whichever way is the shortest. Private: other collections must not import it."""

from __future__ import annotations

import posixpath
import re
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _replica_build as build
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN, connect
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server import login_of
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._replication_ask import ask
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

METHODS = AUTO, FOLLOW, REBUILD = "auto", "follow", "rebuild"
NONE = "none"
PAUSE, START_SECONDS = 0.2, 60
_NAME = re.compile(r"[a-z0-9_]{1,54}")
#: Of a slot that keeps what is written during the copy: the replica's own may be in use until it is stopped, and move on.
_MEANWHILE = "_rebuild"
# The history of a timeline says where each earlier one was left.
HISTORY = "SELECT pg_read_file('pg_wal/' || lpad(upper(to_hex(%s)), 8, '0') || '.history', 0, 1000000, true)"
SIZE = "SELECT sum(pg_database_size(oid))::bigint FROM pg_database"
SLOT = "SELECT pg_create_physical_replication_slot(%s, true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)"
UNFIT = """
SELECT slot_type FROM pg_replication_slots s
 WHERE slot_name = %s AND (slot_type <> 'physical' OR NOT active AND coalesce(to_jsonb(s) ->> 'wal_status', '') IN ('lost', 'unreserved'))
"""
COPIED = """
SELECT concat(backup_streamed / 1048576, ' of ', coalesce((backup_total / 1048576)::text, '?'), ' MiB')
  FROM pg_stat_progress_basebackup LIMIT 1
"""
DROP = """
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND slot_type = 'physical' AND NOT active
"""


def left_at(history, timeline):
    """Where, according to a history file (str), a timeline was left (int). None when it is not in it."""
    for line in history.splitlines():
        parts = line.split("\t")
        if len(parts) >= 2 and parts[0].strip() == str(timeline):
            return files.parse_lsn(parts[1].strip())
    return None


def unfollowable(own_timeline, own_position, timeline, left):
    """Why a server cannot follow a primary on ``timeline``, which left the server's own timeline at ``left``. Empty when it can."""
    if own_timeline is None or own_position is None:
        return "how far it has come is not known"
    if own_timeline == timeline:
        return ""
    if left is None:
        return "the primary's history does not know its timeline {0}".format(own_timeline)
    if own_position > left:
        return "it wrote {0} bytes beyond where the primary took over".format(own_position - left)
    return ""


class Replica:
    """A server that is to be a replica. What is known and was done is in ``result`` at any time."""

    def __init__(self, psycopg2, server, module, progress, result):
        self._psycopg2, self._server, self._module, self._progress, self._result = psycopg2, server, module, progress, result
        self._params = module.params
        if not _NAME.fullmatch(self._params["name"]):
            raise OpsError(
                "name is {0!r}. Give small letters, digits and underscores, 54 at most: it is a slot's name.".format(self._params["name"])
            )
        self._result["slot"] = self._params["name"]
        host, port = self._params["primary_login_host"], self._params["primary_login_port"]
        self._primary_login = dict({name: self._params[name] for name in LOGIN}, login_host=host, login_port=port)
        self._primary_name = where(host, port)

    def _ask(self):
        login = login_of(self._params, self._server)
        if not login["login_host"] or self._server.state != "running":
            return ProbeError("refused", "stopped", "{0} does not run".format(self._server.name))
        try:
            return ask(self._psycopg2, login, self._params["timeout"])
        except ProbeError as error:
            if error.reason == "our_credentials":
                raise OpsError("{0}. {1}".format(error.message, error.next))
            return error

    def _ask_primary(self):
        try:
            return ask(self._psycopg2, self._primary_login, self._params["timeout"])
        except ProbeError as error:
            raise OpsError("{0}. {1}".format(error.message, error.next))

    def _sql(self, login, statement, arguments=(), readonly=False):
        """The first row's first value of one statement, or None."""
        connection = connect(self._psycopg2, login, self._params["timeout"], readonly=readonly)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                row = cursor.fetchone() if cursor.description else None
                return row[0] if row else None
        except self._psycopg2.Error as error:
            raise OpsError("{0} refused: {1}".format(where(login["login_host"], login["login_port"]), one_line(str(error))))
        finally:
            connection.close()

    # What there is

    def look(self):
        """Put into the result what is to be done."""
        self._primary = primary = self._ask_primary()
        if primary["in_recovery"] and self._module.check_mode:
            # It may have become one when this is run.
            self._result["changed"] = True
            return
        if primary["in_recovery"]:
            raise OpsError(
                "{0} is no primary, it is a replica itself. Look who is one: postgres_replication_info.".format(self._primary_name)
            )
        self._result["timeline"] = primary["timeline"]
        answer, control = self._ask(), self._server.control()
        build.demand_same_cluster(control, primary["system"], self._server.name, self._server.data_path)
        self._refuse_primary(answer, control)
        if isinstance(answer, dict) and self._streams(answer) and self._params["method"] != REBUILD:
            # What a run left that was killed at its very end.
            left = self._server.read(posixpath.join("..", posixpath.basename(self._server.data_path) + build.PREVIOUS, files.VERSION))
            self._result.update(method=NONE, streaming=True, changed=left is not None)
            return
        why = "it is asked for" if self._params["method"] == REBUILD else self._unfollowable(answer, control)
        if why and self._params["method"] == FOLLOW:
            raise OpsError("{0} cannot follow {1}: {2}. Rebuild it.".format(self._server.name, self._primary_name, why))
        self._result.update(changed=True, method=REBUILD if why else FOLLOW, why=why)
        if why:
            self._result["bytes"] = self._sql(self._primary_login, SIZE, readonly=True)

    def _refuse_primary(self, answer, control):
        if isinstance(answer, dict):
            writes = not answer["in_recovery"]
        else:
            writes = control is not None and not control.standby and self._server.read(files.SIGNAL) is None
        if writes:
            raise OpsError(
                "{0} takes writes, or would when it is started: it may hold what exists nowhere else. If another server is the primary, "
                "fence it first (postgres_fence).".format(self._server.name)
            )

    def _streams(self, answer):
        """Whether it receives from the primary, by the slot that it should."""
        receiver, follows = answer["receiver"], answer["follows"] or {}
        there = (self._params["primary_host"], self._params["primary_port"])
        return bool(
            receiver and receiver["status"] == "streaming" and answer["timeline"] == self._primary["timeline"]
            and (follows.get("host"), follows.get("port")) == there and answer["marker"] is None
            and any(one["state"] == "streaming" and one["name"] == answer["application_name"] for one in self._primary["standbys"])
        )  # fmt: skip

    def _unfollowable(self, answer, control):
        if control is None:
            return "it has no data"
        if isinstance(answer, dict):
            timeline, position = answer["timeline"], max(answer["lsn"] or 0, answer["received"] or 0)
        else:
            # The record of the shutdown itself, which begins there, was sent to the replicas, too.
            timeline, position = control.timeline, control.checkpoint + 1 if control.clean else self._server.wal_end(control)
        if not isinstance(answer, dict) and self._server.read(files.SIGNAL) is None:
            return "it is no standby by its files"
        newer = self._primary["timeline"]
        history = "" if timeline == newer else self._sql(self._primary_login, HISTORY, [newer], readonly=True)
        return unfollowable(timeline, position, newer, left_at(history or "", timeline))

    # What is done

    def make(self):
        self._module.fence()
        if self._result["method"] == NONE:
            with self._server.tools() as place:
                folders = build.Folders(self._server, place, self._progress.tick)
                folders.remove(folders.previous)
            return
        self._slot(self._params["name"])
        if self._result["method"] == FOLLOW:
            self._follow()
        else:
            self._rebuild()
        with timed(self._result["parts"], "stream_seconds"):
            self._wait()
        self._drop_obsolete()

    def _slot(self, name):
        if self._sql(self._primary_login, UNFIT, [name]) is not None:
            self._sql(self._primary_login, DROP, [name])
        self._sql(self._primary_login, SLOT, [name, name])

    def _settings(self, folders):
        params = self._params
        passfile = folders.passfile(params["replication_password"]) if params["replication_password"] else None
        text = build.conninfo(
            params["primary_host"],
            params["primary_port"],
            params["replication_user"],
            params["name"],
            params["replication_ssl_mode"],
            passfile,
        )
        self._result["primary_conninfo"] = text
        return {"primary_conninfo": text, "primary_slot_name": params["name"]}

    def _follow(self):
        """Say whom it follows in its files, and start it anew: that works whether it runs or not, and whatever state it is in."""
        self._progress.phase("starting it as a replica of {0}".format(self._params["primary_host"]))
        with self._server.tools() as place:
            folders = build.Folders(self._server, place, self._progress.tick)
            settings = self._settings(folders)
            self._module.fence()
            # What it reads when it starts; until then it goes on as it is.
            text = (self._server.read(files.SETTINGS) or b"").decode("utf-8", "replace")
            self._server.write(place, files.SETTINGS, build.configured(text, settings))
            self._server.remove(place, [files.MARKER])
        if self._server.state == "running":
            self._server.stop(self._params["stop_timeout"])
        self._server.start()

    def _rebuild(self):
        parts = self._result["parts"]
        if self._server.mounted_itself():
            raise OpsError(
                "{0} is where a volume is mounted, so that no other folder can take its place. Have PGDATA be a folder in the "
                "volume.".format(self._server.data_path)
            )
        with self._server.tools(self._primary["version"].split(".")[0], online=True) as place:
            folders = build.Folders(self._server, place, self._progress.tick)
            folders.settle()
            needed = int(self._result["bytes"] * build.ROOM_FACTOR) + build.ROOM_BYTES
            refusal = build.room_refusal(folders.free_bytes(), needed)
            if refusal:
                raise OpsError(refusal)
            login = {
                "login_host": self._params["primary_host"], "login_port": self._params["primary_port"],
                "login_user": self._params["replication_user"], "login_password": self._params["replication_password"],
                "login_db": None, "ssl_mode": self._params["replication_ssl_mode"], "ca_cert": None,
            }  # fmt: skip
            meanwhile = self._params["name"] + _MEANWHILE
            self._sql(self._primary_login, DROP, [meanwhile])
            self._slot(meanwhile)
            build.copy(folders, login, meanwhile, self._settings(folders), self._progress, parts, self._copied)
            self._progress.phase("moving it in")
            away = time.monotonic()
            self._module.fence()
            if self._server.state == "running":
                self._server.stop(self._params["stop_timeout"])
            # Somebody may have made it the primary while it was copied.
            self._refuse_primary(ProbeError("refused", "stopped", "stopped"), self._server.control())
            if folders.exists(folders.data):
                folders.remove(folders.previous)
                folders.move(folders.data, folders.previous)
            folders.move(folders.ready, folders.data)
            self._server.start()
            parts["away_seconds"] = round(time.monotonic() - away, 3)
            self._progress.phase("waiting until it streams")
            self._wait()
            self._sql(self._primary_login, DROP, [meanwhile])
            if self._params["keep_previous"] and folders.exists(folders.previous):
                self._result["previous"] = folders.keep()
            folders.remove(folders.previous)

    def _copied(self):
        """How far the copy is, or None."""
        try:
            return self._sql(self._primary_login, COPIED, readonly=True)
        except OpsError:
            return None

    def _wait(self):
        def streams(_answer=None):
            answer = self._ask()
            self._primary = self._ask_primary()
            return answer, isinstance(answer, dict) and self._streams(answer)

        (answer, done), _done, _attempts = poll(streams, lambda two: two[1], self._params["wait_timeout"], PAUSE, self._progress.tick)
        self._result["streaming"] = done
        if not done:
            said = "it answers, and receives nothing" if isinstance(answer, dict) else answer.message
            raise OpsError(
                "{0} does not stream from {1} after {2:g} s: {3}. It said last: {4}. Mend that, and run it again.".format(
                    self._server.name, self._primary_name, self._params["wait_timeout"], said, self._server.last_words()
                )
            )

    def _drop_obsolete(self):
        for name in self._params["obsolete_slots"]:
            if self._sql(
                login_of(self._params, self._server), "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND NOT active", [name]
            ):
                self._sql(login_of(self._params, self._server), DROP, [name])
                self._result["dropped_slots"].append(name)
