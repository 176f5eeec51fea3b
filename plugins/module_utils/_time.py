# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as people and machines read them: ISO 8601, UTC. Private: other collections must not import it."""

from __future__ import annotations

import datetime
import re

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)
_FRACTION = re.compile(r"\.(\d+)", re.ASCII)


def utc_now():
    """The current time, aware, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc)


def to_iso(moment):
    """``2026-11-23T18:47:05.123Z`` of an aware datetime or of seconds since the epoch."""
    if isinstance(moment, (int, float)):
        moment = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    return moment.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text):
    """The aware datetime of an ISO 8601 string that ends in ``Z`` or an offset. Raises ValueError."""
    # Servers written in Go give nanoseconds without the zeros at their end; Python before 3.11 takes three digits or six.
    text = _FRACTION.sub(lambda match: "." + match.group(1)[:6].ljust(6, "0"), text, count=1)
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def zone(name):
    """The time zone ``name``, such as ``Europe/Berlin``. Raises ValueError that says what to do."""
    if name == "UTC":
        return datetime.timezone.utc
    try:
        import zoneinfo  # Python 3.9

        return zoneinfo.ZoneInfo(name)
    except (ImportError, ValueError, OSError, KeyError) as error:
        raise ValueError("is not known on this host ({0}). Write it like Europe/Berlin, install tzdata there, or use UTC".format(error))


def duration_seconds(text):
    """The whole seconds of a duration such as ``90``, ``30m``, ``24h``, ``7d`` or ``1h30m``. Raises ValueError."""
    match = _DURATION.fullmatch(str(text).strip())
    if not match or not any(match.groups()):
        raise ValueError("{0!r} is no duration; write for example 30m, 24h, 7d or 1h30m".format(text))
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
