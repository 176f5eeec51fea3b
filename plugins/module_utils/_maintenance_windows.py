# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows of planned maintenance: announced, started, ended, and who was told. Private: other collections must not import it.

They are kept in one JSON file on the state host; times in it are ISO 8601, UTC. Whether requests are refused is known by nginx alone: this
says what was meant, and since when. Everything that judges takes the time as an argument (an aware datetime).
"""

from __future__ import annotations

import datetime

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._freeze import STILL_LONG_ENOUGH, FreezeFile, moment
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso

#: How much before its start an announced window may be started.
EARLY = datetime.timedelta(hours=1)
KEPT = 100
BY_OPERATOR, BY_DEADLINE, WITHDRAWN = "operator", "deadline", "withdrawn"


class WindowFile(FreezeFile):
    name = "windows"
    fields = (("id", int), ("title", str), ("impact", str), ("owner", str), ("told", dict))
    needless = "if no maintenance is announced or in progress"


# -- judging


def is_open(window):
    """Whether it has not been said to be over."""
    return window["ended_at"] is None


def in_progress(window, now):
    return is_open(window) and window["started_at"] is not None and now < from_iso(window["ends_at"])


def overdue(window, now):
    """Whether it ended by itself, and nobody has said so yet."""
    return is_open(window) and window["started_at"] is not None and now >= from_iso(window["ends_at"])


def to_come(window, now):
    return is_open(window) and window["started_at"] is None and now < from_iso(window["ends_at"])


def lasted(window):
    """For how many seconds it lasted (int); None while it lasts."""
    if window["started_at"] is None or window["ended_at"] is None:
        return None
    return max(0, round((from_iso(window["ended_at"]) - from_iso(window["started_at"])).total_seconds()))


def public(windows, now):
    """Those that are to come or in progress, as `_status_page` takes them."""
    return [
        {"title": one["title"], "impact": one["impact"], "starts_at": one["started_at"] or one["starts_at"], "ends_at": one["ends_at"]}
        for one in windows
        if to_come(one, now) or in_progress(one, now)
    ]


# -- planning: ``(known, window)``; ``known`` is what WindowFile.read gives. ``request``: ``starts_at`` and ``ends_at``
# (aware datetimes or None), ``seconds`` (int or None), ``title``, ``impact``, ``owner``.


def request(params):
    """What a person asks for. Raises OpsError that says how to write it."""
    seconds = None
    if params["length"]:
        try:
            seconds = duration_seconds(params["length"])
        except ValueError as error:
            raise OpsError("length: {0}.".format(error))
        if seconds < 1:
            raise OpsError("length is {0}: a window lasts at least a second.".format(params["length"]))
    starts_at, ends_at = (moment(params[name], name) if params[name] else None for name in ("starts_at", "ends_at"))
    words = {name: params[name] or "" for name in ("title", "impact", "owner")}
    return dict(words, starts_at=starts_at, ends_at=ends_at, seconds=seconds)


def _after(moment_, seconds):
    try:
        return moment_ + datetime.timedelta(seconds=seconds)
    except OverflowError:
        raise OpsError("length is more than a calendar has.")


def _kept(known, window, now):
    """``known`` with ``window`` in it. What ended by itself is written down so, and what is old is forgotten."""
    others = [settled(one, now) for one in known["windows"] if one["id"] != window["id"]]
    windows = sorted([*others, window], key=lambda one: (one["starts_at"], one["id"]))
    return {"last_id": max(known["last_id"], window["id"]), "windows": windows[-KEPT:]}


def settled(window, now):
    return dict(window, ended_at=window["ends_at"], ended_by=BY_DEADLINE) if overdue(window, now) else window


def _new(known, wanted, starts_at, ends_at):
    return {
        "id": known["last_id"] + 1, "title": wanted["title"], "impact": wanted["impact"], "owner": wanted["owner"],
        "starts_at": to_iso(starts_at), "ends_at": to_iso(ends_at), "announced_at": None, "announced_until": None,
        "started_at": None, "ended_at": None, "ended_by": None, "told": {},
    }  # fmt: skip


def _words(window, wanted):
    """A window with the words that were given; those that were not stay."""
    return dict(window, title=wanted["title"] or window["title"], impact=wanted["impact"] or window["impact"])


def plan_announced(known, wanted, now):
    """One that is to come. It is found again by its start; when anything else differs, everybody is told anew."""
    if wanted["starts_at"] is None or wanted["seconds"] is None or not wanted["title"]:
        raise OpsError("An announcement says when it starts (starts_at), how long it lasts (length) and what is done (title).")
    starts_at, ends_at = wanted["starts_at"], _after(wanted["starts_at"], wanted["seconds"])
    if ends_at <= now:
        raise OpsError("The window from {0} until {1} is over. Announce one that is to come.".format(to_iso(starts_at), to_iso(ends_at)))
    found = next((one for one in known["windows"] if to_come(one, now) and one["starts_at"] == to_iso(starts_at)), None)
    clash = next((one for one in known["windows"] if one is not found and _clash(one, starts_at, ends_at, now)), None)
    if clash:
        raise OpsError(
            "Another maintenance is announced from {starts_at} until {ends_at} ({title}, window {id}). Announce one that does not meet "
            "it, or {0} that one first.".format("withdraw" if clash["started_at"] is None else "end", **clash)
        )
    if found is None:
        window = dict(_new(known, wanted, starts_at, ends_at), announced_at=to_iso(now), announced_until=to_iso(ends_at))
    else:
        window = dict(_words(found, wanted), ends_at=to_iso(ends_at), announced_until=to_iso(ends_at))
        if window != found:
            window = dict(window, told={}, announced_at=to_iso(now))
    return _kept(known, window, now), window


def _clash(window, starts_at, ends_at, now):
    there = to_come(window, now) or in_progress(window, now)
    return there and from_iso(window["starts_at"]) < ends_at and starts_at < from_iso(window["ends_at"])


def plan_started(known, wanted, now):
    """The one in progress, the announced one whose time it is, or a new one.

    Its end is put off or brought forward by ``seconds`` from now on, unless it is nearly that already, or is ``ends_at`` to the second.
    """
    running = next((one for one in known["windows"] if in_progress(one, now)), None)
    due = [one for one in known["windows"] if to_come(one, now) and from_iso(one["starts_at"]) - now <= EARLY]
    found = running or (due[0] if due else None)
    if found is None and (wanted["seconds"] is None or not wanted["title"]):
        raise OpsError(
            "No maintenance is announced for now, so say how long it lasts (length) and what is done (title). Nothing was started."
        )
    ends_at = _after(now, wanted["seconds"]) if wanted["seconds"] is not None else from_iso((found or {})["ends_at"])
    window = _words(found, wanted) if found else _new(known, wanted, now, ends_at)
    if wanted["ends_at"]:
        ends_at = wanted["ends_at"]
    elif running:
        left = (from_iso(running["ends_at"]) - now).total_seconds()
        asked = (ends_at - now).total_seconds()
        if asked * STILL_LONG_ENOUGH <= left <= asked * (2 - STILL_LONG_ENOUGH):
            ends_at = from_iso(running["ends_at"])
    window = dict(window, started_at=window["started_at"] or to_iso(now), ends_at=to_iso(ends_at))
    return _kept(known, window, now), window


def plan_ended(known, now):
    """The one in progress, or the last one that ended by itself; None when there is none."""
    found = next((one for one in reversed(known["windows"]) if in_progress(one, now) or overdue(one, now)), None)
    if found is None:
        return known, None
    window = settled(found, now)
    if is_open(window):
        window = dict(window, ended_at=to_iso(now), ended_by=BY_OPERATOR)
    return _kept(known, window, now), window


def plan_withdrawn(known, number, starts_at, now):
    """Window ``number`` has not begun after all: it is to come again as it was announced, or is over. Without a number, the one announced
    for ``starts_at`` is not to be. None when there is none. Raises OpsError for one that people have noticed already.
    """
    start = to_iso(starts_at) if number is None else None
    found = next((one for one in known["windows"] if is_open(one) and (one["id"] == number or one["starts_at"] == start)), None)
    if found is None:
        return known, None
    if number is None and found["started_at"]:
        raise OpsError("The maintenance from {starts_at} ({title}, window {id}) has begun. End it.".format(**found))
    if number is not None and not found["started_at"]:
        return known, found
    if number is not None and found["announced_at"]:
        window = dict(found, started_at=None, ends_at=found["announced_until"])
    else:
        window = dict(found, ended_at=to_iso(now), ended_by=WITHDRAWN)
    return _kept(known, window, now), window


def plan_told(known, number, told, now):
    """Who has heard what: ``told`` is a dict of message to list of channels. Raises OpsError for a window that is not there."""
    found = next((one for one in known["windows"] if one["id"] == number), None)
    if found is None:
        raise OpsError("There is no window {0}. Read the file.".format(number))
    heard = dict(found["told"])
    for message, channels in told.items():
        heard[message] = sorted(set(heard.get(message, [])) | set(channels))
    window = dict(found, told=heard)
    return _kept(known, window, now), window
