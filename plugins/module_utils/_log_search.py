# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searching, counting and grouping lines of logs in bounded memory. Private: other collections must not import it.

Pure: lines in (see _log_lines), a report out. What lines say is somebody else's text: what is shown of it is without secrets, without
control characters, and short.
"""

from __future__ import annotations

import calendar
import collections
import heapq
import json
import math
import re

from ansible_collections.astraldraft.ops.plugins.module_utils import _log_lines, _matchers
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._harmless import visible, without_sequences
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import MASK, is_secret, redact, redact_text
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso

MOST_SAMPLES, MOST_TOP, MOST_BUCKETS, MOST_FIELDS = 100, 200, 1500, 5
#: Groups that are kept when there are more than twice as many: the largest.
KEPT_GROUPS = 2000
LONGEST_VALUE, LONGEST_SAMPLE, LONGEST_RAW = 200, 500, 2000
USUAL_BUCKETS, LEAST_BUCKET = 60, 60  # seconds, the latter
#: Seconds by which a line may be ahead of the engine's clock.
AHEAD = 5
OWN = ("@service", "@replica", "@stream")
_DEEPEST = 8

#: The report of what could not be read.
NOTHING = {
    "lines": None, "count": None, "per_minute": None, "first_at": None, "last_at": None, "cut_lines": 0, "not_json": 0, "ahead": 0,
    "timeless": 0, "groups": [], "groups_total": 0, "groups_exact": True, "others": 0, "missed_at_most": 0, "buckets": [],
    "bucket_seconds": None, "samples": [],
}  # fmt: skip

#: ``since`` and ``until`` are seconds since the epoch; ``open``: whether the window ends now, so that what is later counts, too.
Window = collections.namedtuple("Window", "since until open")
#: ``tests``: of each matcher the field, a function of its value, and what that must say; ``group_by``: names, each with where its value is.
Query = collections.namedtuple("Query", "pattern tests group_by top samples bucket needs_json")


# -- what is asked for


def window(since, until, now):
    """The Window of two options, each a time (ISO 8601) or how long ago. Raises OpsError."""
    begins, ends = _moment("since", since, now), now if until is None else _moment("until", until, now)
    if begins >= ends:
        message = "The window is empty: since is {0}, {1} is {2}. Nothing was read. Give an earlier since, or a later until."
        raise OpsError(message.format(to_iso(begins), "now" if until is None else "until", to_iso(ends)))
    return Window(begins, ends, until is None)


def _moment(option, text, now):
    try:
        if "T" in text.upper():
            moment = from_iso(text)
            if moment.tzinfo is None:
                raise ValueError("it has no time zone; write for example 2026-12-24T18:00:00Z")
            return moment.timestamp()
        return now - duration_seconds(text)
    except (ValueError, OverflowError) as error:
        message = "{0} cannot be read: {1}. Nothing was read. Give a time such as 2026-12-24T18:00:00Z, or how long ago, such as 15m."
        raise OpsError(message.format(option, error))


def query(options):
    """The Query of a module's options. Raises OpsError."""
    try:
        pattern = re.compile(options["pattern"]) if options["pattern"] else None
    except (re.error, OverflowError, RecursionError) as error:
        raise OpsError("The pattern {0!r} is none: {1}. Nothing was read. Correct it.".format(options["pattern"], error))
    for option, most in (("samples", MOST_SAMPLES), ("top", MOST_TOP)):
        if not 0 <= options[option] <= most:
            raise OpsError("{0} is {1}. Nothing was read. Give a number from 0 to {2}.".format(option, options[option], most))
    if len(options["group_by"]) > MOST_FIELDS:
        raise OpsError("group_by has {0} names. Nothing was read. Give at most {1}.".format(len(options["group_by"]), MOST_FIELDS))
    matchers = _matchers.parse_all(options["where"])
    tests = [
        (matcher.name, _matchers.compiled(matcher).fullmatch if matcher.is_regex else matcher.value.__eq__, matcher.is_equal)
        for matcher in matchers
    ]
    group_by = [(name, _place(name, pattern)) for name in options["group_by"]]
    places = [place for _name, place in group_by] + [_place(matcher.name, None) for matcher in matchers]
    return Query(pattern, tests, group_by, options["top"], options["samples"], options["bucket"], "json" in places)


def _place(name, pattern):
    """Where the value of ``name`` is: own (of the line's source), group (of the pattern), json."""
    if name.startswith("@"):
        if name not in OWN:
            raise OpsError("There is no field {0}. Nothing was read. Those of the collection's own are {1}.".format(name, ", ".join(OWN)))
        return "own"
    if pattern and (name in pattern.groupindex or name.isdigit() and 0 < int(name) <= pattern.groups):
        return "group"
    if name.isdigit():
        raise OpsError("The pattern has no group {0}. Nothing was read. Write parentheses around what is to be grouped by.".format(name))
    return "json"


def bucket_seconds(text, frame):
    """The length of a bucket; by default such that there are about sixty, of whole minutes. Raises OpsError."""
    span = frame.until - frame.since
    if text is None:
        return LEAST_BUCKET * math.ceil(span / USUAL_BUCKETS / LEAST_BUCKET)
    try:
        seconds = duration_seconds(text)
    except ValueError as error:
        raise OpsError("bucket cannot be read: {0}. Nothing was read.".format(error))
    if seconds < 1 or span / seconds > MOST_BUCKETS:
        message = "A bucket of {0} s makes {1} of the window. Nothing was read. Give one that makes at most {2}."
        raise OpsError(message.format(seconds, "none" if seconds < 1 else int(span / seconds), MOST_BUCKETS))
    return seconds


# -- one line


def document_of(text):
    """The JSON object that a line is, else None."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def field(document, name):
    """The value of a field as text; one inside another by ``outer.inner``. Empty when there is none."""
    if name in document:
        return _as_text(document[name])
    found = document
    for part in name.split(".")[:_DEEPEST]:
        if not isinstance(found, dict) or part not in found:
            return ""
        found = found[part]
    return _as_text(found)


def _as_text(value):
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):
        return ""


def told(text, cut=False):
    """A line as it is shown: without secrets, harmless, short. A secret is hidden before anything is cut: half of one is one, too."""
    text = without_sequences(text)
    document = document_of(text)
    if document is not None:
        return _short(visible(json.dumps(redact(document), ensure_ascii=False)), LONGEST_SAMPLE)
    # With its end a line may have lost the quote that ends a secret.
    return _short(visible(redact_text(text + '"' if cut else text)), LONGEST_SAMPLE)


def _told_value(name, value):
    return MASK if is_secret(name, value) and value else _short(visible(redact_text(without_sequences(value))), LONGEST_VALUE)


def _short(text, longest):
    return text if len(text) <= longest else text[: longest - 3] + "..."


def iso(at):
    """The time of a line as it is returned, to a millisecond; None where there is none."""
    return at[:23].decode("ascii") + "Z" if at else None


# -- all of them


class Group:
    """``sample`` is the line as it is while that is short, since most groups of a flood are given up; ``raw`` says so."""

    __slots__ = ("count", "first", "last", "raw", "sample")

    def __init__(self, at, text, cut):
        self.count, self.first, self.last = 0, at, at
        self.raw = len(text) <= LONGEST_RAW
        self.sample = text if self.raw else told(text, cut)

    def told(self):
        return told(self.sample) if self.raw else self.sample


class Tally:
    """What was found. ``others``: lines of groups that were given up to keep memory bounded."""

    def __init__(self, asked, frame):
        self.query, self.window, self.bucket = asked, frame, bucket_seconds(asked.bucket, frame)
        self.lines = self.count = self.not_json = self.cut = self.ahead = self.timeless = 0
        self.first = self.last = b""
        self.groups, self.others, self.missed = {}, 0, 0
        self.buckets = [0] * math.ceil((frame.until - frame.since) / self.bucket)
        self._newest, self._second = [], (b"", 0.0)
        self._since, self._until = _log_lines.stamp(frame.since), _log_lines.stamp(frame.until)
        self._soon = _log_lines.stamp(frame.until + AHEAD)

    def feed(self, source, lines):
        """Count ``lines``. ``source`` is a dict with ``service`` and ``replica``; its ``lines`` and ``count`` are raised."""
        pattern, needs_json = self.query.pattern, self.query.needs_json
        for stream, at, raw, cut in lines:
            if at and (at < self._since or at > self._until and not self.window.open):
                continue
            self.lines += 1
            source["lines"] += 1
            self.cut += cut
            self.timeless += not at
            self.ahead += at > self._soon
            text = raw.decode("utf-8", "replace")
            match = pattern.search(text) if pattern else None
            if pattern and not match:
                continue
            document = document_of(text) if needs_json else None
            self.not_json += needs_json and document is None
            own = {"@service": source["service"], "@replica": source["replica"], "@stream": stream}
            if self._fulfils(own, document):
                source["count"] += 1
                self._found(own, at, text, cut, match, document or {})

    def _fulfils(self, own, document):
        if document is None and self.query.needs_json and any(name not in own for name, _test, _wanted in self.query.tests):
            return False
        for name, test, wanted in self.query.tests:
            if bool(test(own[name] if name in own else field(document or {}, name))) != wanted:
                return False
        return True

    def _found(self, own, at, text, cut, match, document):
        self.count += 1
        if at:
            self.first = min(self.first or at, at)
            self.last = max(self.last, at)
            self.buckets[self._bucket_of(at)] += 1
        if self.query.group_by:
            self._grouped(self._key(own, match, document), at, text, cut)
        if self.query.samples:
            kept = (at, -self.count, own, text, cut)
            if len(self._newest) < self.query.samples:
                heapq.heappush(self._newest, kept)
            elif at > self._newest[0][0]:
                heapq.heapreplace(self._newest, kept)

    def _bucket_of(self, at):
        if self._second[0] != at[:19]:  # lines of one second follow each other
            try:
                numbers = [int(at[start:end]) for start, end in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))]
                self._second = (at[:19], calendar.timegm(tuple(numbers)))
            except (ValueError, OverflowError):
                self._second = (at[:19], self.window.since)
        return min(max(0, int((self._second[1] - self.window.since) // self.bucket)), len(self.buckets) - 1)

    def _key(self, own, match, document):
        values = []
        for name, place in self.query.group_by:
            if place == "own":
                value = own[name]
            elif place == "group":
                value = match.group(int(name) if name.isdigit() else name) or ""
            else:
                value = field(document, name)
            values.append(value if len(value) <= LONGEST_VALUE else redact_text(value)[:LONGEST_VALUE])
        return tuple(values)

    def _grouped(self, key, at, text, cut):
        group = self.groups.get(key)
        if group is None:
            if len(self.groups) >= 2 * KEPT_GROUPS:
                self._give_up()
            group = self.groups[key] = Group(at, text, cut)
        group.count += 1
        if at:
            group.first = min(group.first or at, at)
            group.last = max(group.last, at)

    def _give_up(self):
        """Keep the largest groups: one of those given up that comes again lacks at most ``missed`` lines."""
        kept = heapq.nlargest(KEPT_GROUPS, self.groups.items(), key=lambda item: item[1].count)
        self.others += sum(group.count for group in self.groups.values()) - sum(group.count for _key, group in kept)
        names = {key for key, _group in kept}
        self.missed += max(group.count for key, group in self.groups.items() if key not in names)
        self.groups = dict(kept)

    # -- the report

    def report(self):
        minutes = (self.window.until - self.window.since) / 60.0
        return {
            "lines": self.lines,
            "count": self.count,
            "per_minute": round(self.count / minutes, 3),
            "first_at": iso(self.first),
            "last_at": iso(self.last),
            "cut_lines": self.cut,
            "not_json": self.not_json,
            "ahead": self.ahead,
            "timeless": self.timeless,
            "groups": self._groups(),
            "groups_total": len(self.groups),
            "groups_exact": not self.missed,
            "others": self._rest(),
            "missed_at_most": self.missed,
            "buckets": self._buckets(),
            "bucket_seconds": self.bucket,
            "samples": [
                {
                    "at": iso(at), "service": own["@service"], "replica": own["@replica"], "stream": own["@stream"],
                    "text": told(text, cut), "cut": cut,
                }
                for at, _number, own, text, cut in sorted(self._newest, key=lambda kept: (kept[0], -kept[1]))
            ],
        }  # fmt: skip

    def _top(self):
        return heapq.nsmallest(self.query.top, self.groups.items(), key=lambda item: (-item[1].count, item[0]))

    def _rest(self):
        return self.others + sum(group.count for group in self.groups.values()) - sum(group.count for _key, group in self._top())

    def _groups(self):
        names = [name for name, _place in self.query.group_by]
        return [
            {
                "by": {name: _told_value(name, value) for name, value in zip(names, key)},
                "count": group.count,
                "share": round(group.count / self.count, 4),
                "first_at": iso(group.first),
                "last_at": iso(group.last),
                "sample": group.told(),
            }
            for key, group in self._top()
        ]

    def _buckets(self):
        found = []
        for index, count in enumerate(self.buckets):
            starts = self.window.since + index * self.bucket
            seconds = min(self.bucket, self.window.until - starts)
            found.append({"starts_at": to_iso(starts), "count": count, "per_minute": round(count * 60.0 / seconds, 3)})
        return found
