# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a stack: a lease with a heartbeat and a fencing token. Private: other collections must not import it.

One JSON file says who holds it. Whoever holds it renews the heartbeat; whoever finds the heartbeat expired may take it
over, and gets a higher token, so that the former holder is refused at its next step.
Times are seconds since the epoch, of the host on which the file lies.
"""

from __future__ import annotations

import json
import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import exclusive, read_text, sync_folder, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

FREE, HELD, EXPIRED, MINE = "free", "held", "expired", "mine"
#: What the file holds: name to type. A whole number may stand where a float is meant.
FIELDS = {"token": int, "operation": str, "owner": str, "host": str, "reason": str, "acquired": float, "heartbeat": float, "expiry": float}


def judge(record, token, now):
    """The state of a lock as ``token`` sees it at ``now``: one of free, held, expired, mine."""
    if not record:
        return FREE
    if token and record["token"] == token:
        return MINE
    return EXPIRED if now >= record["heartbeat"] + record["expiry"] else HELD


def describe(record, now):
    """One phrase for people: who holds it, for what, since when, and when it last gave a sign of life."""
    return "{operation} by {owner} on {host}, since {since}, last sign of life {age:.0f} s ago (expires after {expiry:.0f} s)".format(
        operation=record["operation"],
        owner=record["owner"],
        host=record["host"],
        since=to_iso(record["acquired"]),
        age=max(0.0, now - record["heartbeat"]),
        expiry=record["expiry"],
    )


def public(record):
    """The record as modules return it: ISO 8601 times, seconds. None stays None."""
    if not record:
        return None
    return {
        "token": record["token"],
        "operation": record["operation"],
        "owner": record["owner"],
        "host": record["host"],
        "reason": record["reason"],
        "acquired_at": to_iso(record["acquired"]),
        "heartbeat_at": to_iso(record["heartbeat"]),
        "expires_at": to_iso(record["heartbeat"] + record["expiry"]),
    }


class LockFile:
    """The lock's file. Every read-modify-write happens under a kernel lock beside it."""

    def __init__(self, path, clock=time.time):
        self.path = path
        self._clock = clock

    def _mutex(self):
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        return exclusive(self.path + ".mutex")

    def now(self):
        return self._clock()

    def read(self):
        """The holder's record (dict), or None. Raises OpsError when the file is not one of ours."""
        try:
            text = read_text(self.path)
            if text is None:
                return None
            record = json.loads(text)
            for name, kind in FIELDS.items():
                if not isinstance(record[name], (int, float) if kind is float else kind):
                    raise TypeError("{0} is {1!r}".format(name, record[name]))
            return record
        except (ValueError, KeyError, TypeError) as error:
            raise OpsError(
                "The lock {0} cannot be read ({1}). Look at it; if no operation is running, delete it and try again.".format(
                    self.path, error
                )
            )

    def _write(self, record):
        write_atomically(self.path, json.dumps(record, sort_keys=True) + "\n")

    def acquire(self, request, seize=False):
        """Take the lock for ``request`` (operation, owner, host, reason, expiry) if it is free, expired, or ``seize`` is set.

        Returns ``(record, previous)``: the new record, or None when somebody holds it, and the record found before.
        """
        with self._mutex():
            now, current = self.now(), self.read()
            if judge(current, None, now) == HELD and not seize:
                return None, current
            record = dict(request, token=self._next_token(current), acquired=now, heartbeat=now)
            self._write(record)
            return record, current

    def _next_token(self, current):
        path = self.path + ".token"
        try:
            known = int(read_text(path) or 0)
        except ValueError:  # damaged: the record at hand still says how far the tokens had come
            known = 0
        token = max(known, current["token"] if current else 0) + 1
        write_atomically(path, "{0}\n".format(token))
        return token

    def renew(self, token, expiry=None):
        """Give a sign of life, and optionally another expiry (seconds) from now on. Returns the record.

        Raises OpsError when the lock is not ours any more.
        """
        with self._mutex():
            now, current = self.now(), self.read()
            if judge(current, token, now) != MINE:
                raise OpsError(
                    "This operation no longer holds the lock {0}: {1}. It stops here, before it changes anything else; "
                    "look at what the other operation did and start again.".format(
                        self.path, describe(current, now) if current else "it was released"
                    )
                )
            current["heartbeat"] = now
            if expiry:
                current["expiry"] = expiry
            self._write(current)
            return current

    def release(self, token):
        """Give the lock back. Returns the record that was released, or None when it was not ours."""
        with self._mutex():
            current = self.read()
            if judge(current, token, self.now()) != MINE:
                return None
            os.unlink(self.path)
            sync_folder(os.path.dirname(self.path))
            return current


class Lease:
    """A held lock, as a module of the running operation sees it."""

    def __init__(self, path, token):
        self._file, self._token = LockFile(path), token

    def renew(self):
        self._file.renew(self._token)
