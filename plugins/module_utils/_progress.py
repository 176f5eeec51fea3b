# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a long module has come, for whoever waits for it. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import os
import time

SAY_SECONDS = 1.0


class Progress:
    """Renews the operation's lock at every tick, and keeps one line about how it stands in the file ``path``, if there is one."""

    def __init__(self, heartbeat=lambda: None, path=None):
        self._heartbeat, self._path = heartbeat, path
        self._phase, self._detail, self._said = "", None, 0.0

    def phase(self, text, detail=None):
        """What is being done now. ``detail()`` -> how far that is, or None."""
        self._phase, self._detail = text, detail
        self._say()

    def tick(self):
        self._heartbeat()
        if time.monotonic() - self._said >= SAY_SECONDS:
            self._say()

    def _say(self):
        self._said = time.monotonic()
        if not self._path:
            return
        detail = self._detail() if self._detail else None
        # Progress is a courtesy: a full disk must not end what it tells of.
        with contextlib.suppress(OSError):
            with open(self._path + ".new", "w", encoding="utf-8") as stream:
                stream.write("; ".join(filter(None, [self._phase, detail])) + "\n")
            os.replace(self._path + ".new", self._path)


@contextlib.contextmanager
def timed(parts, name):
    """Add the seconds that the block takes to ``parts[name]``."""
    started = time.monotonic()
    try:
        yield
    finally:
        parts[name] = round(parts.get(name, 0.0) + time.monotonic() - started, 3)
