# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where lines of logs come from: the engine, and the archives of containers that are gone. Private: other collections must not import it.

A source that cannot be read is said to be so: nothing of it was counted, which is not the same as nothing being there.
"""

from __future__ import annotations

import gzip
import http.client
import os
import re
import time
import zlib

from ansible_collections.astraldraft.ops.plugins.module_utils import _log_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

#: As _archive.folder_name has it.
_FOLDER = re.compile(r"(?P<service>.+)-(?P<number>\d+)-(?P<id>[0-9a-f]{12})")
LOG = "log.gz"
#: Seconds by which an archive may have been written before the window and is looked into all the same.
GRACE = 60
MOST_TOLD = 3


def source(service, replica, container, kind, **more):
    """What is returned about one log. ``verdict``: read to its end, cut short, or unreadable."""
    known = {
        "service": service, "replica": replica, "container": container, "kind": kind, "verdict": "read", "reason": "ok", "message": "",
        "next": "", "lines": 0, "count": 0, "bytes": 0,
    }  # fmt: skip
    return dict(known, **more)


def unreadable(service, kind, error):
    """The source that stands for a service of which nothing can be read. ``error``: a ProbeError."""
    return _failed(source(service, "", "", kind), error, "unreadable")


def _failed(found, error, verdict):
    found.update(verdict=verdict, reason=error.reason, message=error.message, next=error.next)
    if verdict == "unreadable":
        found.update(lines=None, count=None)
    return found


def read(found, lines, tally):
    """Have ``tally`` count the ``lines`` of one source (a dict of :func:`source`), which is told how that went."""
    try:
        tally.feed(found, lines)
    except ProbeError as error:
        return _failed(found, error, "cut" if found["bytes"] else "unreadable")
    return found


def measured(found, blocks, ends, heartbeat, clock=time.monotonic):
    """``blocks``, counted, until ``ends``. Raises ProbeError when there are more."""
    for block in blocks:
        if found["bytes"] and clock() > ends:
            message = "reading took as long as it may, and the log goes on"
            raise ProbeError("timed_out", "time_limit", message, "Raise timeout, or narrow the window.")
        found["bytes"] += len(block)
        yield block
        heartbeat()


def overall(sources):
    """read, partial, or unreadable when nothing at all was read."""
    found = {one["verdict"] for one in sources}
    if found <= {"unreadable"}:
        return "unreadable"
    return "read" if found == {"read"} else "partial"


def summary(result):
    """One sentence of a module's result."""
    bad = [one for one in result["sources"] if one["verdict"] != "read"]
    why = "; ".join(dict.fromkeys(one["message"] for one in bad[:MOST_TOLD]))
    if result["verdict"] == "unreadable":
        return "no log could be read, so nobody knows how many lines there are: {0}".format(why)
    read = len(result["sources"]) - sum(one["verdict"] == "unreadable" for one in bad)
    told = "{0} of {1} {2} of {3} {4} count, {5:g} a minute".format(
        result["count"], result["lines"], plural("line", result["lines"]), read, plural("log", read), round(result["per_minute"], 1)
    )
    return "at least {0}; {1} not read to the end: {2}".format(told, len(bad), why) if bad else told


# -- the engine


def engine_time(client):
    """Seconds since the epoch by the clock that the times of lines come from."""
    try:
        return from_iso(client.api.info()["SystemTime"]).timestamp()
    except (KeyError, ValueError):
        return time.time()


def of_engine(client, replica, frame, found, ends, heartbeat):
    """The lines of a container's log in a window."""
    url = "{0}/v{1}/containers/{2}/logs".format(client.api.base_url, client.api.api_version, replica.id)
    # In whole seconds: each line is compared again.
    asked = {"stdout": 1, "stderr": 1, "timestamps": 1, "since": int(frame.since)}
    if not frame.open:
        asked["until"] = int(frame.until) + 1
    seconds = max(0.1, ends - time.monotonic())
    try:
        response = client.api.get(url, params=asked, stream=True, timeout=seconds)
    except OSError as error:  # what requests raises is one
        message = "the engine did not begin the log of {0} within {1:.1f} s ({2})".format(replica.name, seconds, type(error).__name__)
        raise ProbeError("timed_out", "slow_engine", message, "See what keeps the engine busy, or raise timeout.")
    try:
        if response.status_code != 200:
            raise _refusal(replica, response)
        blocks = measured(found, _blocks_of(response.raw), ends, heartbeat)
        terminal = replica.inspection["Config"].get("Tty")
        yield from _log_lines.of_text(blocks) if terminal else _log_lines.of_frames(blocks)
    finally:
        response.close()


def _blocks_of(raw):
    errors = (load("urllib3").exceptions.HTTPError, http.client.HTTPException, OSError)
    while True:
        try:
            block = raw.read(_log_lines.BLOCK)
        except errors as error:
            message = "the engine broke off in the middle of the log ({0})".format(type(error).__name__)
            raise ProbeError("wrong_answer", "broke_off", message, "See what keeps the engine busy, then run it again.")
        if not block:
            return
        yield block


def _refusal(replica, response):
    try:
        said = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = response.text[:200]
    driver = ((replica.inspection.get("HostConfig") or {}).get("LogConfig") or {}).get("Type", "")
    if response.status_code == 404:
        return ProbeError(
            "wrong_answer", "gone", "{0} was removed meanwhile".format(replica.name), "Run it again: its archive may be there."
        )
    if "reading" in said or driver == "none":
        message = "the log of {0} cannot be read: its driver {1} keeps nothing that can be read".format(replica.name, driver)
        return ProbeError("wrong_answer", "no_reading", message, "Look where the driver sends it, or use json-file or local.")
    message = "the engine answered {0} for the log of {1}: {2}".format(response.status_code, replica.name, said)
    return ProbeError("wrong_answer", "refused", message, "Read the engine's log: journalctl -u docker")


# -- the archives


def archives(folder, services, since, there):
    """``(sources with their path, ProbeErrors by service)`` of the archives of services, the oldest first.

    Left out are those of containers that are still there (``there``: their ids), whose own log says the same, and those written before the
    window. A folder that does not exist has none yet.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return [], {}
    except OSError as error:
        return [], {service: _no_folder(folder, error) for service in services}
    short, found = {name[:12] for name in there}, []
    for name in names:
        match = _FOLDER.fullmatch(name)
        if not match or match.group("service") not in services or match.group("id") in short:
            continue
        path = os.path.join(folder, name, LOG)
        try:
            written = os.stat(path).st_mtime
        except OSError:
            written = since  # reading it says what is wrong
        if written >= since - GRACE:
            replica = "{0}-{1}".format(match.group("service"), match.group("number"))
            found.append((written, source(match.group("service"), replica, match.group("id"), "archived", path=path)))
    return [one for _written, one in sorted(found, key=lambda pair: (pair[0], pair[1]["path"]))], {}


def _no_folder(folder, error):
    message = "{0}: {1}".format(folder, error.strerror or error)
    return ProbeError("unreachable", "no_folder", message, "Correct archive_folder, or run it as a user who may read it.")


def of_archive(found, ends, heartbeat):
    """The lines of an archive, which is never held as a whole."""
    return _log_lines.of_text(measured(found, _blocks_in(found["path"]), ends, heartbeat))


def _blocks_in(path):
    try:
        with gzip.open(path, "rb") as stream:
            while True:
                block = stream.read(_log_lines.BLOCK)
                if not block:
                    return
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = "{0} is damaged or not whole: {1}".format(path, error)
        raise ProbeError("wrong_answer", "damaged", message, "What could be read was counted. Look at the file: gzip -t {0}".format(path))
    except OSError as error:
        message = "{0}: {1}".format(error.filename or path, error.strerror or error)
        raise ProbeError("unreachable", "no_file", message, "Was it removed, or may this user not read it?")
