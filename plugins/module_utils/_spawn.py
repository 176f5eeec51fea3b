# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program with open ends: read from and written to while it runs, which a module's own run_command cannot. Private: other collections
must not import it.
"""

from __future__ import annotations

import asyncio
import os
import time

PIPE = -1
POLL_SECONDS = 0.02


class Spawned:
    """A program that was started. ``stdin``, ``stdout`` and ``stderr`` are the files of its pipes; ``code`` is its exit code, once it has
    one.

    Each of the three is PIPE or the number of an open file. Nothing else that is open here is open there, and no terminal: what asks for a
    password gets no answer, instead of waiting for one.
    """

    def __init__(self, argv, environment=None, stdin=PIPE, stdout=PIPE, stderr=PIPE):
        ours: list = [None, None, None]
        files, theirs = [], []
        for number, wanted in enumerate((stdin, stdout, stderr)):
            if wanted == PIPE:
                reading, writing = os.pipe()
                wanted, own = (reading, writing) if number == 0 else (writing, reading)
                theirs.append(wanted)
                ours[number] = os.fdopen(own, "wb" if number == 0 else "rb")
            files.append(wanted)
        self._loop = asyncio.new_event_loop()
        start = asyncio.create_subprocess_exec(
            *argv, env=environment, stdin=files[0], stdout=files[1], stderr=files[2], start_new_session=True
        )
        try:
            self._process = self._loop.run_until_complete(start)
        except BaseException:
            self._loop.close()
            raise
        finally:
            for handle in theirs:
                os.close(handle)
        self.stdin, self.stdout, self.stderr = ours[0], ours[1], ours[2]
        self.code = None

    def poll(self):
        """-> the exit code, or None while it runs; minus the signal that ended it"""
        if self.code is None:
            self._loop.run_until_complete(asyncio.sleep(0))
            self.code = self._process.returncode
            if self.code is not None:
                self._loop.run_until_complete(self._process.wait())
                self._loop.close()
        return self.code

    def wait(self, seconds=None):
        """Wait for its end, so long at most. -> as poll()"""
        ends = None if seconds is None else time.monotonic() + seconds
        while self.poll() is None and (ends is None or time.monotonic() < ends):
            time.sleep(POLL_SECONDS)
        return self.code

    def kill(self):
        if self.poll() is None:
            self._process.kill()
