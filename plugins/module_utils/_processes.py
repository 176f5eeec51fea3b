# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes that an operation started on this host. Private: other collections must not import it.

Every process that an operation starts on a host carries, in its environment, the stack's name and the operation's fencing token, and so do
its children. When the operation has died, that is how they are found. Processes of other users are seen by root only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import namedtuple

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

VARIABLE = "ASTRALDRAFT_OPERATION"
#: What is asked to end gets so long, and what is killed gets so long again.
GRACE_SECONDS, KILL_SECONDS, LOOK_SECONDS = 5.0, 5.0, 0.1

Process = namedtuple("Process", "pid command marker")


def marker(stack, token):
    """What stands in the environment of every process of an operation."""
    return "{0}/{1}".format(stack, token)


def read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:  # it has ended, or it is another user's
        return b""


def ancestors(pid, proc):
    """``pid`` and the processes that it descends from."""
    found = set()
    while pid and pid not in found:
        found.add(pid)
        # The name, in brackets, may hold anything: what follows the last bracket is the state and then the parent.
        fields = read(os.path.join(proc, str(pid), "stat")).rpartition(b")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return found


def find(markers, proc="/proc", own=None):
    """The processes that carry one of ``markers``, by number, without this one and those that it descends from."""
    wanted = {"{0}={1}".format(VARIABLE, text).encode("utf-8"): text for text in markers}
    spared = ancestors(own or os.getpid(), proc)
    found = []
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        folder = os.path.join(proc, str(pid))
        carried = [wanted[entry] for entry in read(os.path.join(folder, "environ")).split(b"\0") if entry in wanted]
        if carried and pid not in spared:
            # The bare name: arguments may hold secrets.
            found.append(Process(pid, read(os.path.join(folder, "comm")).decode("utf-8", "replace").strip(), carried[0]))
    return found


def end(markers, scan=find, kill=os.kill, sleep=time.sleep, clock=time.monotonic):
    """End what carries one of ``markers``: SIGTERM, and SIGKILL for what is still there 5 s later.

    Returns the processes that were ended. Raises OpsError when one cannot be.
    """
    ended, sent, started = {}, set(), clock()
    while True:
        # Looked at anew each time: children may have been born, and a number may belong to somebody else by now.
        left, elapsed = scan(markers), clock() - started
        if not left:
            return [ended[pid] for pid in sorted(ended)]
        if elapsed > GRACE_SECONDS + KILL_SECONDS:
            raise OpsError(
                "What a dead operation left behind on this host cannot be ended: {0}. Nothing was begun. Look at {1} (state D: waiting for "
                "a disk or a file server) and try again when it is gone.".format(
                    ", ".join("process {0} ({1})".format(process.pid, process.command) for process in left),
                    "it" if len(left) == 1 else "them",
                )
            )
        number = signal.SIGTERM if elapsed < GRACE_SECONDS else signal.SIGKILL
        for process in left:
            ended[process.pid] = process
            if (process.pid, number) not in sent:
                sent.add((process.pid, number))
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(process.pid, number)
        sleep(LOOK_SECONDS)


def public(processes):
    """The processes as modules return them."""
    return [{"pid": process.pid, "command": process.command, "marker": process.marker} for process in processes]
