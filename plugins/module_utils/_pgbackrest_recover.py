# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster as it was at a point in time, in a server that nobody else can reach. Private: other collections must not import it.

pgBackRest brings the files of a backup, PostgreSQL replays the archived log up to the target and stops there. All of it lies in a folder of
its own: the live cluster's files can only be read there, or are no part of it, and nothing is archived.
"""

from __future__ import annotations

import collections
import contextlib
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import literal
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

TIME, XID = "time", "xid"
#: The word of a recovery that came to its end without the target, and of one that began after it.
ENDED, TOO_LATE = "recovery ended before configured recovery target was reached", "is before consistent recovery point"
PAUSED = "pausing at the end of recovery"
STATE = "SELECT pg_get_wal_replay_pause_state(), pg_last_xact_replay_timestamp(), pg_last_wal_replay_lsn()::text"
_CONTROL = re.compile(r"([^:]+):\s*(.*)")
# What a standby must have at least as much of as its primary had, as pg_controldata names it.
_AT_LEAST = ("max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_xacts", "max_locks_per_xact")
_SETTING = {"max_prepared_xacts": "max_prepared_transactions", "max_locks_per_xact": "max_locks_per_transaction"}
# It is thrown away: nothing has to survive a crash.
_SETTINGS = {
    "listen_addresses": "", "archive_mode": "off", "archive_command": "", "fsync": "off", "synchronous_commit": "off", "autovacuum": "off",
    "shared_buffers": "128MB", "maintenance_work_mem": "128MB", "max_wal_size": "4GB", "checkpoint_timeout": "1h", "hot_standby": "on",
    "log_destination": "stderr", "logging_collector": "off", "ssl": "off", "port": "5432", "primary_conninfo": "", "primary_slot_name": "",
    "jit": "off", "synchronous_standby_names": "", "log_min_messages": "log", "recovery_target_action": "pause",
    "recovery_target_timeline": "latest",
}  # fmt: skip

#: ``kind`` is TIME or XID, ``value`` an aware datetime or the number of a transaction.
Target = collections.namedtuple("Target", "kind value")


def target_of(time_text, xid):
    """The Target that was asked for. Raises OpsError for what is none."""
    if xid is not None:
        if xid < 3:
            raise OpsError("{0} is no number of a transaction.".format(xid))
        return Target(XID, xid)
    try:
        moment = from_iso(time_text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise OpsError(
            "{0!r} is no moment: write it as ISO 8601 with its offset, such as 2026-11-24T13:05:00Z or "
            "2026-11-24T14:05:00.250+01:00.".format(time_text)
        )
    return Target(TIME, moment)


def describe(target):
    return "just before {0}".format(target.value.isoformat() if target.kind == TIME else "transaction {0}".format(target.value))


def refuse_future(target, now):
    """Raises OpsError for a moment that has not come. ``now``: seconds since 1970."""
    if target.kind == TIME and target.value.timestamp() > now:
        raise OpsError("{0} has not come yet (it is {1}): nothing can be recovered up to it.".format(to_iso(target.value), to_iso(now)))


def refuse_unknown(target, next_xid):
    """Raises OpsError for a transaction that has no number yet. ``next_xid``: one that the live server has just given (64 bits)."""
    if target.kind != XID:
        return
    whole = target.value if target.value >= 1 << 32 else next_xid - (next_xid - target.value) % (1 << 32)
    if whole >= next_xid or (target.value < 1 << 32 and next_xid - whole >= 1 << 31):
        raise OpsError("No transaction has the number {0} yet, says the server (it is at {1}).".format(target.value, next_xid))


def settings(target, control, socket_folder, restore_command, preload):
    """The server's configuration, as text. ``control``: what pg_controldata says (dict)."""
    found = dict(_SETTINGS, unix_socket_directories=socket_folder, restore_command=restore_command, shared_preload_libraries=preload)
    for name in _AT_LEAST:
        if control.get(name + " setting"):
            found[_SETTING.get(name, name)] = control[name + " setting"]
    found["recovery_target_" + target.kind] = target.value.isoformat(sep=" ") if target.kind == TIME else str(target.value)
    # Just before it: what was committed at that very moment is not wanted.
    found["recovery_target_inclusive"] = "off"
    return "".join("{0} = {1}\n".format(name, literal(value)) for name, value in sorted(found.items()))


def parse_control(text):
    """What pg_controldata says (dict)."""
    matches = (_CONTROL.fullmatch(line.strip()) for line in text.split("\n"))
    return {match.group(1): match.group(2) for match in matches if match}


def begins_after(control, xid):
    """Whether a backup with that ``control`` was begun after the transaction: then it can hold what that did already."""
    epoch, _colon, following = control.get("Latest checkpoint's NextXID", "").partition(":")
    if not following.isdigit():
        return False
    if xid >= 1 << 32:
        return xid < (int(epoch) << 32) + int(following)
    # Numbers go round; the nearer way is meant.
    return 0 < (int(following) - xid) % (1 << 32) < 1 << 31


class Recovery:
    """The search for the backup from which the target is reached, in a folder of the throw-away place."""

    def __init__(self, pgbackrest, target, folder, socket_folder, progress, parts):
        self._pgbackrest, self._place, self._target = pgbackrest, pgbackrest.place, target
        self._folder, self._socket, self._progress, self._parts = folder, socket_folder, progress, parts
        self._data = folder + "/data"

    @contextlib.contextmanager
    def server(self, sets, seconds, preload):
        """A server that has stopped at the target. ``sets``: the backups to begin with, the best first. -> Reached"""
        reasons = []
        for number, backup in enumerate(sets):
            self._restore(backup, again=number > 0)
            control = parse_control(self._must(["pg_controldata", "--pgdata=" + self._data]))
            if self._target.kind == XID and begins_after(control, self._target.value) and number + 1 < len(sets):
                reasons.append("{0} was taken after it".format(backup["label"]))
                continue
            running = self._start(control, preload)
            try:
                with timed(self._parts, "replay_seconds"):
                    why = self._replay(running, Deadline(seconds))
                if why is None:
                    yield Reached(self._place, backup, self._data, running, self._progress.tick)
                    return
            finally:
                running.end()
            reasons.append("from {0}: {1}".format(backup["label"], why))
            if TOO_LATE not in why:
                # Where the log ended before the target, it would from an older backup, too.
                break
        raise OpsError(
            "The cluster could not be recovered to {0}: {1}. {2}".format(describe(self._target), "; ".join(reasons), _advice(reasons[-1]))
        )

    def _must(self, argv):
        return self._place.must(argv, self._progress.tick).decode("utf-8", "replace")

    def _restore(self, backup, again):
        self._progress.phase("restoring {0}".format(backup["label"]))
        # Never to where the backup's own files would go: tablespaces and links included.
        options = [
            "--set=" + backup["label"], "--pg1-path=" + self._data, "--tablespace-map-all=" + self._folder + "/tablespaces",
            "--no-link-all", "--type=preserve", "--log-level-console=warn", *(["--delta"] if again else []),
        ]  # fmt: skip
        with timed(self._parts, "restore_seconds"):
            self._pgbackrest.run("restore", *options)

    def _start(self, control, preload):
        self._progress.phase("replaying the log up to {0}".format(describe(self._target)))
        command = self._pgbackrest.shell_words("archive-get", "--pg1-path=" + self._data)
        config = settings(self._target, control, self._socket, command + ' %f "%p"', preload)
        files = {
            "data/recovery.signal": "", "data/postgresql.auto.conf": "", "server.conf": config,
            "hba.conf": "local all all trust\n", "ident.conf": "",
        }  # fmt: skip
        self._place.put(self._folder, [(name, len(text.encode("utf-8")), [text.encode("utf-8")]) for name, text in files.items()])
        names = ("config_file=server.conf", "hba_file=hba.conf", "ident_file=ident.conf")
        own = [part for name in names for part in ("-c", name.replace("=", "=" + self._folder + "/"))]
        return self._place.start(["postgres", "-D", self._data, *own])

    def _replay(self, running, deadline):
        """Wait until it has stopped at the target. -> None, or why it did not"""
        while not running.ended:
            if PAUSED in running.heard:
                return None
            if deadline.passed:
                return "it was not reached within {0:g} s".format(deadline.seconds)
            self._progress.tick()
            running.wait(0.2)
        return _reason(running.finish().complaint)


class Reached:
    """A server that has stopped at the target, recovered from ``backup`` (dict)."""

    def __init__(self, place, backup, data, running, tick):
        self.backup, self._place, self._data, self._running, self._tick = backup, place, data, running, tick

    def facts(self, ask, target):
        """What the server itself says of where it stands (dict). Raises OpsError when that is not the target."""
        state, at, lsn = ask(STATE)[0]
        stopped = [line.partition("LOG:")[2].strip() for line in self._running.heard.split("\n") if "recovery stopping before" in line]
        beyond = target.kind == TIME and at is not None and at >= target.value
        if state != "paused" or not stopped or beyond:
            raise OpsError(
                "The recovered server does not stand at {0}: it is {1}, its last transaction is of {2}, its log says {3}. Nothing was "
                "taken from it.".format(describe(target), state, at, stopped[-1:] or "nothing of where it stopped")
            )
        # Between that commit and the target nothing was committed: what came next was seen.
        return {
            "stopped": stopped[-1], "lsn": lsn, "last_commit_at": at and to_iso(at),
            "as_of": target.value.timestamp() if target.kind == TIME else at.timestamp() if at else float(self.backup["ended"]),
        }  # fmt: skip

    def promote(self, seconds):
        """From here on it is a server of its own: of a standby not everything can be dumped."""
        self._place.must(["pg_ctl", "promote", "--pgdata=" + self._data, "--wait", "--timeout={0:d}".format(int(seconds))], self._tick)


def refuse_without_room(place, backup):
    """Raises OpsError with the numbers: the cluster, the log that is replayed and a dump have to fit."""
    needed, free = int(backup["database_bytes"] * 1.5), place.free_bytes(place.work_dir)
    if free < needed:
        raise OpsError(
            "To recover the cluster takes {0} MiB in {1} on {2}, which has {3} MiB free. Nothing was done. Make room, or name another "
            "folder as work_dir.".format(needed >> 20, place.work_dir, place.name, free >> 20)
        )


def _reason(log):
    """Why the server ended, of its log."""
    fatal = [line.partition("FATAL:")[2].strip() for line in log.split("\n") if "FATAL:" in line]
    return fatal[-1] if fatal else last_words(log)


def _advice(reason):
    if ENDED in reason:
        return (
            "The archived log ends before it, or does not hold it: see that the server archives (pgbackrest_stanza), and what can be "
            "reached (backup_list)."
        )
    return "Nothing of it was kept, and the live database is untouched."
