# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the files of a PostgreSQL server say of it when it does not run. Private: other collections must not import it.

Bytes in, facts out. So a server that is down can be looked at by reading alone, without a program of its version.
"""

from __future__ import annotations

import collections
import re
import struct

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

#: Relative to the data folder. Who finds SIGNAL when it starts is a standby, which takes no write, whatever else its configuration says.
CONTROL, VERSION, SIGNAL = "global/pg_control", "PG_VERSION", "standby.signal"
#: By it a server is known that was fenced by this collection.
MARKER = "astraldraft.fenced"
SETTINGS = "postgresql.auto.conf"

#: ``clean``: it was shut down, not killed. ``standby``: it was in recovery last. ``checkpoint``: where its last one is (int).
Control = collections.namedtuple("Control", "system state clean standby checkpoint timeline")

_STATES = (
    "starting up", "shut down", "shut down in recovery", "shutting down", "in crash recovery", "in archive recovery", "in production",
)  # fmt: skip
_SHUT_DOWN, _STANDBY = ("shut down", "shut down in recovery"), ("shut down in recovery", "in archive recovery")
# From PostgreSQL 11 on (pg_control versions 1100 and later) its beginning has not changed.
_CONTROL = struct.Struct("<QIIIxxxxqQQI")
_OLDEST = 1100
#: The default of initdb. Another size is seen by the file's own.
SEGMENT, PAGE = 16 * 1024 * 1024, 8192
_PAGE = struct.Struct("<HHIQ")


def parse_lsn(text):
    """``16/B374D848`` as a number, None for None."""
    if text is None:
        return None
    high, _slash, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def demand_lsn(text, option):
    """The position that an option gives. Raises OpsError."""
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}", text):
        raise OpsError("{0} is {1!r}, which is no position such as 16/B374D848.".format(option, text))
    return parse_lsn(text)


def format_lsn(position):
    return None if position is None else "{0:X}/{1:X}".format(position >> 32, position & 0xFFFFFFFF)


def control(data):
    """The Control that the bytes of ``global/pg_control`` hold. Raises OpsError for what is none that we know."""
    try:
        system, version, _catalog, state, _time, checkpoint, _redo, timeline = _CONTROL.unpack_from(data)
        name = _STATES[state]
    except (struct.error, IndexError):
        raise OpsError("The file global/pg_control is damaged, or of a machine with another byte order.")
    if version < _OLDEST:
        raise OpsError("The server is older than PostgreSQL 11 (pg_control version {0}), which is not known here.".format(version))
    return Control(system, name, name in _SHUT_DOWN, name in _STANDBY, checkpoint, timeline)


def segment_name(timeline, position, size=SEGMENT):
    """The name of the file of pg_wal that holds a position."""
    number, per_id = position // size, 0x100000000 // size
    return "{0:08X}{1:08X}{2:08X}".format(timeline, number // per_id, number % per_id)


def written(data, start):
    """Up to where the WAL segment ``data`` that begins at ``start`` has been written, to a page: what follows is of an earlier use.

    Not less than where the last record ends.
    """
    end = start
    for offset in range(0, len(data) - _PAGE.size + 1, PAGE):
        magic, _info, _timeline, address = _PAGE.unpack_from(data, offset)
        if not magic or address != start + offset:
            break
        end = start + offset + PAGE
    return end


def wal_end(read, timeline, start, most=256):
    """Up to where WAL was written from ``start`` on, at most; None when the files do not tell. ``read(name)``: a file of pg_wal."""
    size, end = SEGMENT, None
    begin = start - start % size
    for _number in range(most):
        data = read(segment_name(timeline, begin, size))
        if not data:
            return end
        if len(data) != size:
            return None
        here = written(data, begin)
        end = max(here, end or start)
        if here < begin + size:
            return end
        begin += size
    return None
