# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When nothing new goes into production: windows that people set, weekly ones from the inventory, and open incidents.

Private: other collections must not import it. Windows are kept in one JSON file; times in it are ISO 8601, UTC. Everything that judges
takes the time as an argument (an aware datetime).
"""

from __future__ import annotations

import datetime
import json
import os
import re

from ansible_collections.astraldraft.ops.plugins.module_utils import _incidents
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import exclusive, read_text, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._operations import frozen
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso, zone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKLY_SPEC = {
    "starts": {"type": "str", "required": True},
    "ends": {"type": "str", "required": True},
    "timezone": {"type": "str", "default": "UTC"},
    "reason": {"type": "str", "default": ""},
}
#: What every module that judges freezes takes, beside the ``path`` of the lock.
SPEC = {
    "freezes_path": {"type": "path"},
    "incidents_path": {"type": "path"},
    "freeze_weekly": {"type": "list", "elements": "dict", "options": WEEKLY_SPEC, "default": []},
}
#: A freeze asked for again is only prolonged when less than this part of the asked time is left of it.
STILL_LONG_ENOUGH = 0.9

_WEEKLY = re.compile(r"({0}) ([01]\d|2[0-4]):([0-5]\d)".format("|".join(DAYS)))


# -- windows that people set


def moment(text, what):
    """The aware datetime that a person wrote. Raises OpsError that says how to write it."""
    try:
        found = from_iso(str(text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise OpsError("{0} is {1!r}: write a time with its zone, for example 2026-12-24T18:00:00Z.".format(what, text))
    return found


def active(window, now):
    """Whether a window is in force."""
    return from_iso(window["starts_at"]) <= now < from_iso(window["ends_at"])


def upcoming(window, now):
    """Whether a window will be in force."""
    return now < from_iso(window["starts_at"])


def in_force_or_upcoming(windows, now):
    """The windows that are not over, by their start."""
    return sorted((window for window in windows if now < from_iso(window["ends_at"])), key=lambda window: window["starts_at"])


def request(params, now):
    """What a person asks for, as :func:`plan_present` takes it: of ``starts_at``, ``ends_at`` or ``duration``, ``reason``, ``owner``."""
    starts_at = moment(params["starts_at"], "starts_at") if params["starts_at"] else None
    if params["ends_at"]:
        ends_at = moment(params["ends_at"], "ends_at")
    else:
        try:
            ends_at = (starts_at or now) + datetime.timedelta(seconds=duration_seconds(params["duration"]))
        except (ValueError, OverflowError) as error:
            raise OpsError("The duration of the freeze: {0}.".format(error))
    return {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "prolongs": not (params["starts_at"] or params["ends_at"]),
        "reason": params["reason"],
        "owner": params["owner"],
    }


def plan_present(known, request, now):
    """The freezes after one was asked for, and that one: ``(known, window)``. ``known`` is what :meth:`FreezeFile.read` gives.

    ``request``: ``starts_at`` and ``ends_at`` (aware datetimes; starts_at None is now), ``prolongs`` (whether the end is so and so long
    from now), ``reason``, ``owner``. A window is found again by its reason and its start; one that starts now by its reason and by being
    in force.
    """
    starts_at, ends_at = request["starts_at"] or now, request["ends_at"]
    if ends_at <= max(now, starts_at):
        raise OpsError(
            "A freeze from {0} until {1} would never be in force. Give an end that is later.".format(to_iso(starts_at), to_iso(ends_at))
        )
    windows = in_force_or_upcoming(known["freezes"], now)
    found = next((window for window in windows if window["reason"] == request["reason"] and _same(window, request["starts_at"], now)), None)
    if found and _long_enough(found, request, now):
        return dict(known, freezes=windows), found
    if found:
        window = dict(found, ends_at=to_iso(ends_at))
        return dict(known, freezes=[window if other is found else other for other in windows]), window
    window = {
        "id": known["last_id"] + 1,
        "starts_at": to_iso(starts_at),
        "ends_at": to_iso(ends_at),
        "reason": request["reason"],
        "owner": request["owner"],
    }
    return {"last_id": window["id"], "freezes": in_force_or_upcoming(windows + [window], now)}, window


def _same(window, starts_at, now):
    return active(window, now) if starts_at is None else window["starts_at"] == to_iso(starts_at)


def _long_enough(window, request, now):
    if not request["prolongs"]:
        return window["ends_at"] == to_iso(request["ends_at"])
    return from_iso(window["ends_at"]) - now >= (request["ends_at"] - now) * STILL_LONG_ENOUGH


def plan_absent(known, number, now):
    """The freezes after those in force, or the one with ``number``, are lifted: ``(known, windows lifted)``."""
    windows = in_force_or_upcoming(known["freezes"], now)
    lifted = [window for window in windows if (window["id"] == number if number else active(window, now))]
    return dict(known, freezes=[window for window in windows if window not in lifted]), lifted


class FreezeFile:
    """The file with the windows. Writers hold a kernel lock beside it."""

    #: What it holds, what each of them has beside its start and its end, and when it is not needed.
    name = "freezes"
    fields: tuple = (("id", int), ("reason", str), ("owner", str))
    needless = "if nothing is frozen"

    def __init__(self, path):
        self.path = path

    def read(self):
        """``last_id`` and the windows by their name. Raises OpsError when the file is not one of ours."""
        try:
            text = read_text(self.path)
            known: dict = {"last_id": 0, self.name: []} if text is None else json.loads(text)
            if not isinstance(known["last_id"], int):
                raise TypeError("last_id is {0!r}".format(known["last_id"]))
            for window in known[self.name]:
                from_iso(window["starts_at"]), from_iso(window["ends_at"])
                if not all(isinstance(window[name], kind) for name, kind in self.fields):
                    raise TypeError("one is {0!r}".format(window))
            return known
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OpsError(
                "The {0} in {1} cannot be read ({2}). Look at the file; {3}, delete it and try again.".format(
                    self.name, self.path, error, self.needless
                )
            )

    def change(self, plan, write=True):
        """Apply ``plan(known) -> (known, answer)`` under the kernel lock, and write what is different unless told not to.

        -> ``(known before, known after, answer)``
        """
        if not write:
            known = self.read()
            return (known,) + plan(known)
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        with exclusive(self.path + ".mutex"):
            known = self.read()
            after, answer = plan(known)
            if after != known:
                write_atomically(self.path, json.dumps(after, sort_keys=True, indent=1) + "\n")
            return known, after, answer


# -- windows of every week


def _minute_of_week(text, what):
    match = _WEEKLY.fullmatch(text)
    if not match or (match.group(2) == "24" and match.group(3) != "00"):
        raise OpsError("{0} of a weekly freeze is {1!r}: write a day and a time, for example fri 16:00.".format(what, text))
    return DAYS.index(match.group(1)) * 1440 + int(match.group(2)) * 60 + int(match.group(3))


def _zone(name):
    try:
        return zone(name)
    except ValueError as error:
        raise OpsError("The time zone {0!r} of a weekly freeze {1}.".format(name, error))


def weekly_end(window, now):
    """When a weekly window that is in force at ``now`` ends (an aware datetime), or None when it is not in force.

    The window includes its start and not its end; one whose end is not after its start goes over the weekend.
    """
    starts, ends = _minute_of_week(window["starts"], "starts"), _minute_of_week(window["ends"], "ends")
    local = now.astimezone(_zone(window["timezone"]))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    week = 7 * 1440
    if (minute - starts) % week >= ((ends - starts) % week or week):
        return None
    # By the calendar and the clock on the wall, not by adding hours: the night on which the clock changes has another number of them.
    left = (ends - minute) % week or week
    day, wall = divmod(minute % 1440 + left, 1440)
    return (local + datetime.timedelta(days=day)).replace(hour=wall // 60, minute=wall % 60, second=0, microsecond=0)


# -- the judge


def refusals(operation, now, windows, weekly, incidents, unreadable=()):
    """What holds a frozen ``operation`` back at ``now``: dicts of ``guard`` (freeze or incident), ``fact`` and ``remedy``."""
    found = []
    for window in windows:
        if active(window, now):
            source = "by {owner}, freeze {id}".format(**window)
            found.append(_frozen(operation, window["ends_at"], window["reason"], source))
    for window in weekly:
        ends_at = weekly_end(window, now)
        if ends_at:
            source = "every week from {starts} to {ends} {timezone}".format(**window)
            found.append(_frozen(operation, to_iso(ends_at), window["reason"], source))
    for incident in incidents:
        found.append(
            {
                "guard": "incident",
                "fact": "{severity} incident {id} is open ({title}; {status}): until it is resolved, {operation} is held back.".format(
                    operation=operation, **incident
                ),
                "remedy": "If it is the remedy, ops_override: [incident] with ops_reason passes.",
            }
        )
    for path in unreadable:
        found.append(
            {
                "guard": "incident",
                "fact": "The incident {0} cannot be read: whether it holds {1} back cannot be told.".format(path, operation),
                "remedy": "Look at the file; ops_override: [incident] with ops_reason passes.",
            }
        )
    return found


def _frozen(operation, ends_at, reason, source):
    return {
        "guard": "freeze",
        "fact": "{0} is frozen until {1} ({2}).".format(operation, ends_at, ", ".join(part for part in (reason, source) if part)),
        "remedy": "Wait until then; if it cannot wait, ops_override: [freeze] with ops_reason passes.",
    }


class Freezes:
    """Everything that may hold an operation back, as found on this host: read once, judged at a time."""

    def __init__(self, path, weekly, incidents_path):
        self.weekly = weekly
        found, self.unreadable = _incidents.read(incidents_path)
        self.incidents = _incidents.freezing(found)
        self.damage = None
        try:
            self.windows = FreezeFile(path).read()["freezes"]
        except OpsError as error:
            self.windows, self.damage = [], error.message

    @classmethod
    def of(cls, params):
        """By the options of SPEC. By default the files lie about the lock: ``lock/freezes.json``, and ``incidents/`` beside ``lock/``."""
        folder = os.path.dirname(params["path"])
        return cls(
            params["freezes_path"] or os.path.join(folder, "freezes.json"),
            params["freeze_weekly"],
            params["incidents_path"] or os.path.join(os.path.dirname(folder), "incidents"),
        )

    def refusals(self, operation, now):
        """What holds ``operation`` back at ``now``; nothing where it is none that a freeze holds back.

        A file of freezes that cannot be read holds back, too.
        """
        if not frozen(operation):
            return []
        found = refusals(operation, now, self.windows, self.weekly, self.incidents, self.unreadable)
        if self.damage:
            found.append({"guard": "freeze", "fact": self.damage, "remedy": "ops_override: [freeze] with ops_reason passes."})
        return found

    def public(self, now):
        """As modules return it."""
        ends = [weekly_end(window, now) for window in self.weekly]
        return {
            "freezes": [dict(window, active=active(window, now)) for window in in_force_or_upcoming(self.windows, now)],
            "weekly_freezes": [
                dict(window, active=end is not None, ends_at=to_iso(end) if end else None) for window, end in zip(self.weekly, ends)
            ],
            "incidents": self.incidents,
            "unreadable": ([self.damage] if self.damage else []) + self.unreadable,
        }

    def lines(self, now):
        """For people, one line each."""
        known = self.public(now)
        found = [
            "{0} from {starts_at} until {ends_at}: {1} (by {owner}, freeze {id})".format(
                "frozen" if window["active"] else "to be frozen", window["reason"] or "no reason was given", **window
            )
            for window in known["freezes"]
        ]
        found += [
            "{0} every week from {starts} to {ends} {timezone}: {1}".format(
                "frozen" if window["active"] else "to be frozen", window["reason"] or "no reason was given", **window
            )
            for window in known["weekly_freezes"]
        ]
        found += ["{severity} incident {id} is open ({status}): {title}".format(**incident) for incident in known["incidents"]]
        return found + ["cannot be read: {0}".format(what) for what in known["unreadable"]]
