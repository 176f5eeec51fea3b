# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Silences that are found again: what is to be done so that there is one, or none. Private: other collections must not import it.

A silence is known by its matchers and its owner (createdBy). Pure but for :class:`Silencer`, which asks Alertmanager.
"""

from __future__ import annotations

import collections
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager, _matchers
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import span
from ansible_collections.astraldraft.ops.plugins.module_utils._freeze import STILL_LONG_ENOUGH
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import IN_DOUBT, failure
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso

#: ``ends`` is in seconds since the epoch; ``seconds`` is the time asked for, None where the end was.
Wanted = collections.namedtuple("Wanted", "matchers owner comment ends seconds id")
#: ``keep``: the silence that stays, as the API has it, or None; ``document``: what is sent to the API, None when it is well as it is;
#: ``expire``: those that are too many.
Plan = collections.namedtuple("Plan", "keep document expire")
#: Seconds by which an end may miss the one asked for: the API keeps milliseconds, and its clock is read to a second.
TOLERANCE = 1.5
MOST_ROUNDS = 12
PAUSE = 0.02  # seconds, longer each time: whoever else puts the same comes to its end meanwhile
MOST_TOLD = 10


# -- what is asked for


def wanted(options, now):
    """The Wanted of a module's options. Raises OpsError for an end that is over, or too far away."""
    matchers = _matchers.parse_all(options["matchers"])
    seconds = None
    try:
        if options["ends_at"]:
            moment = from_iso(options["ends_at"])
            if moment.tzinfo is None:
                raise ValueError("it has no time zone; write for example 2026-12-24T18:00:00Z")
            ends = moment.timestamp()
        else:
            seconds = duration_seconds(options["duration"])
            ends = now + seconds
        longest = duration_seconds(options["maximum_duration"])
    except ValueError as error:
        raise OpsError("The silence's end cannot be read: {0}. Nothing was changed.".format(error))
    if ends <= now:
        raise OpsError("The silence would be over at once: it ends at {0}. Nothing was changed. Give a later end.".format(to_iso(ends)))
    if ends - now > longest + TOLERANCE:
        raise OpsError(
            "The silence would last for {0}, longer than maximum_duration, {1}. Nothing was changed. Ask for less and extend it later, or "
            "raise the maximum.".format(span(ends - now), span(longest))
        )
    return Wanted(matchers, options["owner"], options["comment"], ends, seconds, options["id"])


def refuse_broad(matchers, way_past=", or allow it with allow_broad"):
    """Raise OpsError for matchers that may hide what nobody thought of. ``way_past``: how that can be allowed, in words."""
    why = _matchers.too_broad(matchers)
    if why:
        raise OpsError(
            "The matchers {0} are too broad: {1}. Nothing was changed. Add one that names the environment, the service or the instance"
            "{2}.".format(", ".join(map(str, matchers)) or "(none)", why, way_past)
        )


def refuse_share(hidden, firing, share, floor):
    """Raise OpsError when ``hidden`` alerts (as the API has them) are too many of the ``firing`` (a number)."""
    if len(hidden) <= floor or not firing or len(hidden) / firing <= share:
        return
    told = _alertmanager.names(hidden)
    more = ["and {0} more".format(len(told) - MOST_TOLD)] if len(told) > MOST_TOLD else []
    raise OpsError(
        "The silence would hide {0} of the {1} alerts that fire, more than maximum_share, {2:g} %: {3}. Nothing was changed. Narrow the "
        "matchers, or allow it with allow_broad.".format(len(told), firing, share * 100, "; ".join(told[:MOST_TOLD] + more))
    )


def refuse_never(matchers, never):
    """Raise OpsError unless the matchers name the alerts that they mean, and none of those in ``never`` (a list of names)."""
    named = [matcher for matcher in matchers if matcher.name == "alertname" and not matcher.says_little]
    shown = ", ".join(map(str, matchers))
    if not named:
        raise OpsError("The matchers {0} hide alerts of any name. Nothing was changed. Add one of alertname.".format(shown))
    hidden = [name for name in never if all(matcher.matches(name) for matcher in named)]
    if hidden:
        raise OpsError(
            "The matchers {0} would hide {1}, which an operation must never hide: they say whether it does harm. Nothing was changed. Name "
            "the alerts that its steps must raise, and no others.".format(shown, ", ".join(hidden))
        )


def refuse_old(version, matchers):
    """Raise OpsError where Alertmanager would take a negative matcher for its opposite: it knows them since 0.22."""
    parts = version.split(".")[:2]
    negative = [matcher for matcher in matchers if not matcher.is_equal]
    if negative and all(part.isdigit() for part in parts) and tuple(map(int, parts)) < (0, 22):
        raise OpsError(
            "Alertmanager {0} would take {1} for its opposite: it knows != and !~ since 0.22. Nothing was changed. Say it without, or "
            "update Alertmanager.".format(version, negative[0])
        )


# -- what is there, and what follows


def is_over(silence):
    return silence["status"]["state"] == "expired"


def matchers_of(silence):
    return [_matchers.of_api(item) for item in silence["matchers"]]


def own(known, matchers, owner):
    """The silences with just these matchers and this owner that are not over, the oldest first: of two, everybody keeps the same."""
    found = [item for item in known if not is_over(item) and item["createdBy"] == owner and set(matchers_of(item)) == set(matchers)]
    return sorted(found, key=lambda item: (from_iso(item["startsAt"]), item["id"]))


def of_owner(known, owner):
    """The silences of this owner that are not over, the oldest first."""
    return sorted((item for item in known if not is_over(item) and item["createdBy"] == owner), key=lambda item: item["startsAt"])


def named(known, silence_id, owner):
    """The silence with this id, None when it is over or forgotten. Raises OpsError when it is not ``owner``'s (None: anybody's)."""
    found = next((item for item in known if item["id"] == silence_id and not is_over(item)), None)
    if found and owner is not None and found["createdBy"] != owner:
        raise OpsError(
            "The silence {0} is {1}'s, not {2}'s. Nothing was changed. Leave it to its owner, or name the owner that it has.".format(
                silence_id, found["createdBy"], owner
            )
        )
    return found


def plan_present(known, asked, now):
    """The :class:`Plan` that makes one silence of ``asked`` (:class:`Wanted`), given all that are ``known``."""
    mine = own(known, asked.matchers, asked.owner)
    keep, expire = (mine[0] if mine else None), mine[1:]
    meant = named(known, asked.id, asked.owner) if asked.id else None
    if meant and meant not in mine:
        keep, expire = (meant, expire) if keep is None else (keep, expire + [meant])
    return Plan(keep, None if keep and _is_well(keep, asked, now) else _document(keep, asked, now), expire)


def _is_well(silence, asked, now):
    ends, comment = from_iso(silence["endsAt"]).timestamp(), silence.get("comment", "")
    if silence["status"]["state"] != "active" or comment != asked.comment or set(matchers_of(silence)) != set(asked.matchers):
        return False
    if asked.seconds is None:
        return abs(ends - asked.ends) <= TOLERANCE
    # Shorter than what is left is a wish, too: it is no longer than asked, but for what makes no difference.
    return STILL_LONG_ENOUGH * asked.seconds <= ends - now <= (2 - STILL_LONG_ENOUGH) * asked.seconds + TOLERANCE


def _document(keep, asked, now):
    """What is sent to the API. Only with the matchers in the order that it knows, and with the same start, a silence keeps its id."""
    document = {"createdBy": asked.owner, "comment": asked.comment, "startsAt": to_iso(now), "endsAt": to_iso(asked.ends)}
    document["matchers"] = [_matchers.to_api(matcher) for matcher in asked.matchers]
    if keep:
        document["id"] = keep["id"]
        if set(matchers_of(keep)) == set(asked.matchers):
            document["matchers"] = keep["matchers"]
            if keep["status"]["state"] == "active":
                document["startsAt"] = keep["startsAt"]
    return document


def keeps_its_id(plan):
    """Whether Alertmanager changes the silence in place."""
    return bool(plan.keep) and (not plan.document or plan.document["startsAt"] == plan.keep["startsAt"])


def foreseen(plan, now):
    """The record of the silence that a plan leads to, its id null where Alertmanager is yet to give one."""
    if not plan.document:
        return _alertmanager.silence_record(plan.keep, now)
    silence = dict(plan.document, id=plan.keep["id"] if keeps_its_id(plan) else None, status={"state": "active"})
    return _alertmanager.silence_record(silence, now)


# -- doing it


class Silencer:
    """One Alertmanager and what a module does there. ``fence()`` is called before each write; ``done``: whether one may have arrived."""

    def __init__(self, connection, fence):
        self.connection, self.fence, self.done = connection, fence, False
        self.known, self.now = [], 0.0

    def look(self):
        """Learn all silences, and the server's clock."""
        self.known, self.now = _alertmanager.silences(self.connection)

    def records(self, found):
        return [_alertmanager.silence_record(silence, self.now) for silence in found]

    def put(self, asked):
        """Do what ``plan_present`` says until there is nothing to do: another run may put the same at the same time.

        Returns ``(the silence, ids of those that were ended)``.
        """
        ended = []
        for number in range(MOST_ROUNDS):
            plan = plan_present(self.known, asked, self.now)
            if plan.keep and not plan.document and not plan.expire:
                return plan.keep, ended
            if plan.document:
                self._write(plan, asked)
            for silence in plan.expire:
                self.end(silence)
                ended.append(silence["id"])
            if plan.expire or number:  # else all that was done is a write, and that is looked at already
                time.sleep(PAUSE * number)
                self.look()
        raise OpsError(
            "The silence was put {0} times, and each time others changed it. See with amtool silence query who does, and run again.".format(
                MOST_ROUNDS
            )
        )

    def _write(self, plan, asked):
        try:
            made = self._change(_alertmanager.put_silence, plan.document)
        except ProbeError as error:
            if plan.keep and error.reason == "not_found":
                self.look()  # it was ended since: the next round knows
                return
            raise
        self.look()
        silence = next((item for item in self.known if item["id"] == made), None)
        if silence and not is_over(silence) and set(matchers_of(silence)) != set(asked.matchers):
            self.end(silence)
            raise OpsError(
                "Alertmanager made something else of the matchers: {0}. That silence was ended again. Its version knows less than these "
                "matchers ask for.".format(", ".join(map(str, matchers_of(silence))))
            )

    def end(self, silence):
        self._change(_alertmanager.expire_silence, silence["id"])

    def _change(self, write, what):
        self.fence()
        try:
            made = write(self.connection, what)
        except ProbeError as error:
            self.done = self.done or error.reason in IN_DOUBT
            raise
        self.done = True
        return made

    def still_there(self, silences):
        """Those that were to be ended and are not, by a look of its own."""
        self.look()
        meant = {silence["id"] for silence in silences}
        return [item["id"] for item in self.known if item["id"] in meant and not is_over(item)]


def explained(error, done):
    """The OpsError of a ProbeError on the way; ``done``: whether a write may have arrived before."""
    found = failure(error, "Silences may have been changed" if done else "No silence was changed")
    found.message += " Run it again: what is there is found." if done else ""
    return found
