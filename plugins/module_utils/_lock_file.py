# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the lock of a stack is kept: one JSON file a host (see `_lock`). Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import json
import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _lock
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import (
    exclusive,
    owner_of_folder,
    read_text,
    sync_folder,
    write_atomically,
)

#: What a holder's record holds: name to type. A whole number may stand where a float is meant.
HOLDER = {
    "token": int,
    "operation": str,
    "owner": str,
    "host": str,
    "reason": str,
    "acquired": float,
    "heartbeat": float,
    "expiry": float,
    "usual_expiry": float,
    "lease_hosts": list,
}
MANUAL = {"owner": str, "host": str, "reason": str, "since": float}
#: So many tokens that were declared dead are remembered: their holders may come back, and find no lease on a host.
MOST_DEAD = 100


def _check(record, fields):
    for name, kind in fields.items():
        if not isinstance(record[name], (int, float) if kind is float else kind):
            raise TypeError("{0} is {1!r}".format(name, record[name]))


class LockFile:
    """The lock's file. Every read-modify-write happens under a kernel lock beside it."""

    def __init__(self, path, clock=time.time):
        self.path = path
        self._clock = clock

    @contextlib.contextmanager
    def _mutex(self):
        """Raises FileNotFoundError when the lock's folder is not there: who only goes on does not make it."""
        try:
            with exclusive(self.path + ".mutex"):
                yield
        except TimeoutError as error:
            raise OpsError("The lock cannot be read: {0}. Find the process (fuser {1}.mutex) and end it.".format(error, self.path))

    def _make_folder(self):
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)

    def now(self):
        return self._clock()

    def read(self):
        """The lock: ``holders`` (list of records) and ``manual`` (a record or None). Raises OpsError when the file is not one of ours."""
        try:
            text = read_text(self.path)
            if text is None:
                return _lock.nobody()
            held = json.loads(text)
            for record in held["holders"]:
                _check(record, HOLDER)
            if held["manual"] is not None:
                _check(held["manual"], MANUAL)
            return held
        except (ValueError, KeyError, TypeError) as error:
            raise OpsError(
                "The lock {0} cannot be read ({1}). Look at it; if no operation is running, delete it and try again.".format(
                    self.path, error
                )
            )

    def _write(self, held):
        if held["holders"] or held["manual"]:
            write_atomically(self.path, json.dumps(held, sort_keys=True) + "\n", owner=owner_of_folder(self.path))
        elif os.path.exists(self.path):
            os.unlink(self.path)
            sync_folder(os.path.dirname(self.path))

    # What is to be remembered when nobody holds the lock: the highest token of each operation seen here, and the tokens declared dead.

    def _tokens(self):
        try:
            known = json.loads(read_text(self.path + ".tokens") or "{}")
            seen, dead = known.get("seen", {}), known.get("dead", [])
            if all(isinstance(token, int) for token in list(seen.values()) + dead):
                return {"seen": seen, "dead": dead}
        except (ValueError, AttributeError, TypeError):
            pass
        # Damaged: the holders at hand and the clock still say how far the tokens had come.
        return {"seen": {}, "dead": []}

    def _remember(self, known, operation=None, token=0, dead=()):
        if operation:
            known["seen"][operation] = max(token, known["seen"].get(operation, 0))
        known["dead"] = (known["dead"] + [number for number in dead if number not in known["dead"]])[-MOST_DEAD:]
        write_atomically(self.path + ".tokens", json.dumps(known, sort_keys=True) + "\n", owner=owner_of_folder(self.path))

    def acquire(self, request, seize=False, confirmed=(), bury=None, token=None):
        """Take the lock for ``request``, if :func:`_lock.plan` says that it may be taken.

        ``bury(tokens)`` is called before the holders that are replaced are removed: it ends what they left behind. -> Taken
        """
        self._make_folder()
        with self._mutex():
            held, known = self.read(), self._tokens()
            taken = _lock.plan(held, known, request, self.now(), seize, confirmed, token)
            record, gone = taken.record, [other["token"] for other in taken.replaced]
            if not record:
                return taken
            if gone and bury:
                bury(gone)
            record["heartbeat"] = self.now()
            if not _lock.mine(held, token):
                self._remember(known, request["operation"], record["token"], gone)
            others = [other for other in held["holders"] if other["token"] not in gone + [record["token"]]]
            self._write(dict(held, holders=others + [record]))
            return taken

    def look(self, request, seize=False, confirmed=(), token=None):
        """What :meth:`acquire` would do, without doing it. -> Taken"""
        return _lock.plan(self.read(), self._tokens(), request, self.now(), seize, confirmed, token)

    def renew(self, token, expiry=None):
        """Give a sign of life, and optionally another expiry (seconds) from now on. Returns the record.

        Raises OpsError when the lock is not ours any more.
        """
        folder = os.path.dirname(self.path)
        try:
            with self._mutex():
                return self._renewed(token, expiry)
        except FileNotFoundError:
            raise OpsError(
                "This operation no longer holds its lock: the folder {0} was removed while it ran. It stops here, before it changes "
                "anything else. Was the stack taken down? If not, find out who removed it, and start again.".format(folder)
            )

    def _renewed(self, token, expiry):
        now, held = self.now(), self.read()
        record = _lock.mine(held, token)
        if not record:
            others = "; ".join(_lock.describe(other, now) for other in held["holders"])
            raise OpsError(
                "This operation no longer holds the lock {0}: {1}. It stops here, before it changes anything else; "
                "look at what the other operation did and start again.".format(self.path, others or "it was released")
            )
        record["heartbeat"] = now
        if expiry:
            record["expiry"] = expiry
        self._write(held)
        return record

    def release(self, token):
        """Give the lock back. Returns the record that was released, or None when it was not ours."""
        with contextlib.suppress(FileNotFoundError), self._mutex():
            held = self.read()
            record = _lock.mine(held, token)
            if record:
                held["holders"].remove(record)
                self._write(held)
            return record
        return None

    def declare_dead(self, tokens, seize=False, bury=None):
        """Remove the leases of these tokens, and see to it that none of them gets one here again. -> the records removed.

        Raises OpsError when one of them is alive here, unless ``seize`` is set.
        """
        self._make_folder()
        with self._mutex():
            now, held = self.now(), self.read()
            found = [record for record in held["holders"] if record["token"] in tokens]
            _lock.refuse_alive([] if seize else found, now)
            if bury:
                bury(tokens)
            self._remember(self._tokens(), dead=tokens)
            held["holders"] = [record for record in held["holders"] if record not in found]
            self._write(held)
            return found

    def lock_by_hand(self, request):
        """Let a person (owner, host, reason) hold the lock until it is given back. -> ``(manual before, manual now)``

        Raises OpsError when somebody else has it. The same person may say something else.
        """
        self._make_folder()
        with self._mutex():
            held = self.read()
            before = held["manual"]
            plan = _lock.plan_manual(before, request, self.now())
            if plan != before:
                self._write(dict(held, manual=plan))
            return before, plan

    def unlock(self):
        """Give back what a person holds. -> the record, or None."""
        with contextlib.suppress(FileNotFoundError), self._mutex():
            held = self.read()
            if held["manual"]:
                self._write(dict(held, manual=None))
            return held["manual"]
        return None


class Lease:
    """A held lock, as a module of the running operation sees it."""

    def __init__(self, path, token):
        self._file, self._token = LockFile(path), token

    def renew(self):
        self._file.renew(self._token)
