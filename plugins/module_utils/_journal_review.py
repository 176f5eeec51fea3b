# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and verifying the audit trail, in one pass and in bounded memory. Private: other collections must not import it.

What `_journal` wrote must be there, as it was, in its order. Whatever is not is a finding that names its line.
"""

from __future__ import annotations

import collections
import datetime
import fcntl
import hashlib
import itertools
import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _journal
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import locked
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso

MOST_FINDINGS = 100
#: So many entries that are out of their place are followed up; further ones are reported as missing and as inserted.
_MOST_MOVED = 10000

#: What a finding can be. The first two say that nobody can tell, all others that the journal is not as it was written.
KEY_NEEDED, MISSING = "key_needed", "missing"
UNREADABLE, TORN, EDITED, REPLACED, REMOVED, REORDERED = "unreadable", "torn", "edited", "replaced", "removed", "reordered"
INSERTED, UNKEYED, TRUNCATED, RECOMPUTED, DISAGREEING = "inserted", "unkeyed", "truncated", "recomputed", "anchors_disagree"


def matches(entry, since="", operation="", operator="", verdict=""):
    """Whether an entry is asked for. ``since`` is a time as the journal writes it; an empty condition holds."""
    return (
        (not since or str(entry.get("time")) >= since)
        and (not operation or entry.get("operation") == operation)
        and (not operator or entry.get("operator") == operator)
        and (not verdict or entry.get("verdict") == verdict)
    )


def since_when(text, now):
    """The time (as the journal writes it) that ``text`` names: an ISO 8601 time or date, or a duration before ``now`` (aware).

    Raises OpsError.
    """
    if not text:
        return ""
    try:
        return to_iso(now - datetime.timedelta(seconds=duration_seconds(text)))
    except ValueError:
        pass
    try:
        moment = from_iso(text)
    except ValueError:
        raise OpsError("{0!r} is no time. Write a duration such as 24h or 7d, or a time such as 2026-11-23T18:00:00Z.".format(text))
    return to_iso(moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc))


def span(first, last):
    """``entry 4``, or ``entries 4 to 7``."""
    return "entry {0}".format(first) if first == last else "entries {0} to {1}".format(first, last)


class Findings:
    """The findings, in the order of their lines; only so many are kept, all are counted."""

    def __init__(self):
        self._kept, self._further = [], 0

    def add(self, kind, line, sequence, message):
        if len(self._kept) >= MOST_FINDINGS:
            self._further += 1
            return None
        self._kept.append({"line": line, "sequence": sequence, "kind": kind, "message": message})
        return self._kept[-1]

    def withdraw(self, finding):
        self._kept = [kept for kept in self._kept if kept is not finding]

    def of_kind(self, kind):
        return [kept for kept in self._kept if kept["kind"] == kind]

    def list(self):
        """Those kept, by line; those of no line last."""
        return sorted(self._kept, key=lambda finding: (finding["line"] is None, finding["line"] or 0))

    def count(self):
        return len(self._kept) + self._further


class Damage:
    """Lines in a row that are no entries. The next entry should have taken note of them."""

    def __init__(self):
        self.lines, self.count, self.last, self.ended = [], 0, 0, True
        self.bytes, self._hash = 0, hashlib.sha256()

    def add(self, number, data):
        if number != self.last:
            self.count += 1
            if len(self.lines) < MOST_FINDINGS:
                self.lines.append(number)
        self.last, self.ended = number, data.endswith(b"\n")
        self.bytes += len(data)
        self._hash.update(data)

    def note(self):
        """As an entry notes it (see `_journal.damage_of`), None when there is none."""
        return {"bytes": self.bytes, "sha256": self._hash.hexdigest()} if self.lines else None


class Chain:
    """The entries one after the other, as they should follow from each other."""

    def __init__(self, findings, key, anchors):
        self._findings, self._key = findings, key
        self._anchors = collections.defaultdict(set)
        for anchor in anchors:
            self._anchors[anchor["sequence"]].add(anchor["hash"].lower())
        self._highest_anchor = max(self._anchors, default=0)
        self._fitting_anchor, self._recomputed = 0, False
        self._gaps, self._ahead = [], {}
        # The last entry in its place: its line, sequence, hash, and whether its hash fits.
        self.line, self.sequence, self._hash, self._sound = 0, 0, None, True
        self.needs_key = False
        self._key_fits = self._key_fails = 0
        self._unkeyed = None
        self.damaged = []

    # -- one entry --------------------------------------------------------------------------------------------------------------

    def add(self, number, line, entry, damage, following):
        """Take in the entry of the line ``number``. ``damage`` (Damage) stood before it; ``following`` is the next entry or None."""
        sound = self._is_sound(number, line, entry)
        sequence, expected = entry["sequence"], self.sequence + 1
        if not sound and sequence != expected:
            # Its number may be what was edited: it is where it is.
            sequence = expected
        explained = self._account(number, entry, damage, sequence - expected)
        self._meet(number, sequence, entry["hash"])
        if sequence == expected:
            self._follow(number, entry, sound)
        elif sequence > expected:
            if self._is_next(following) and len(self._ahead) < _MOST_MOVED:
                self._ahead[sequence] = entry["hash"]
                message = "Line {0} holds entry {1}, whose place is after entry {2}.".format(number, sequence, sequence - 1)
                self._findings.add(REORDERED, number, sequence, message)
                return
            if not explained:
                self._miss(number, expected, sequence)
        else:
            self._step_back(number, sequence)
            return
        self.line, self.sequence, self._hash, self._sound = number, sequence, entry["hash"], sound
        while self._ahead and self.sequence + 1 in self._ahead:
            self.sequence += 1
            self._hash = self._ahead.pop(self.sequence)

    def _is_next(self, entry):
        return bool(entry) and entry["sequence"] == self.sequence + 1 and entry.get("previous") == self._hash

    def _is_sound(self, number, line, entry):
        """Whether the entry's hash fits its content, as far as anybody can tell."""
        fits = _journal.is_authentic(line, entry, self._key)
        if fits is None:
            self.needs_key = True
            return True
        if entry.get("keyed") is True:
            self._key_fits += fits
            self._key_fails += not fits
        elif self._key and entry["sequence"] > self._highest_anchor and self._unkeyed is None:
            message = "Line {0} (entry {1}), and maybe further ones, were hashed without the key: {2}.".format(
                number,
                entry["sequence"],
                "earlier ones have it, so somebody made them who does not"
                if self._key_fits
                else "before there was one, or by somebody who does not have it. An anchor of the last such entry would tell",
            )
            self._unkeyed = self._findings.add(UNKEYED, number, entry["sequence"], message)
        if not fits:
            message = "Line {0} (entry {1}) was edited: its hash does not fit it.".format(number, entry["sequence"])
            self._findings.add(EDITED, number, entry["sequence"], message)
        return fits

    def _account(self, number, entry, damage, gap):
        """Compare the ``damage`` found before an entry with what the entry notes of it. Returns whether it explains a ``gap``."""
        noted, found = entry.get("damage"), damage.note()
        if noted == found:
            for line in damage.lines:
                message = "Line {0} is no entry: its writing was cut short. Entry {1} took note of it.".format(line, entry["sequence"])
                self._note_damage(line, entry["sequence"], message)
            return False
        explains = gap > 0 and gap == damage.count
        self.report_damage(damage, self.sequence + 1 if explains else None)
        if noted and not found:
            message = "A damaged line was removed before line {0}: entry {1} took note of it.".format(number, entry["sequence"])
            self._findings.add(REMOVED, number, entry["sequence"], message)
        return explains

    def _note_damage(self, line, noted_by, message):
        if len(self.damaged) < MOST_FINDINGS:
            self.damaged.append({"line": line, "noted_by": noted_by, "message": message})

    def report_damage(self, damage, sequence=None, kind=UNREADABLE):
        """Findings of lines that no entry took note of. ``sequence`` is that of the entry that stood in the first of them."""
        for place, line in enumerate(damage.lines):
            missing = sequence + place if sequence else None
            if kind == TORN:
                message = "Line {0}, the last one, is no entry: its writing was cut short, or it was cut off afterwards."
            elif missing:
                message = "Line {0} was overwritten: it cannot be read, and entry {1} is missing."
            else:
                message = "Line {0} is no entry, and no entry took note of it: it was inserted or overwritten."
            self._findings.add(kind, line, missing, message.format(line, missing))
            self._note_damage(line, None, message.format(line, missing))

    def _follow(self, number, entry, sound):
        """The entry has the number that is next: does it name the entry before it? Nothing new where one of the two was edited."""
        if entry.get("previous") == self._hash or not (sound and self._sound):
            return
        if self.sequence == 0:
            message = "Line {0} calls itself the first entry, but names one before it.".format(number)
            self._findings.add(REPLACED, number, 1, message)
            return
        message = (
            "Line {0} (entry {1}) was replaced and hashed anew, maybe with lines before it: entry {2} in line {3} names another one."
        ).format(self.line, self.sequence, self.sequence + 1, number)
        self._findings.add(REPLACED, self.line, self.sequence, message)

    def _miss(self, number, expected, sequence):
        """There are numbers missing before this entry."""
        last = sequence - 1
        finding = self._findings.add(
            REMOVED,
            number,
            expected,
            "Before line {0}, which holds entry {1}, {2} {3} missing.".format(
                number, sequence, span(expected, last), "is" if expected == last else "are"
            ),
        )
        if len(self._gaps) < _MOST_MOVED:
            self._gaps.append([expected, last, finding, set()])

    def _step_back(self, number, sequence):
        """An entry with a number that is past: one that was missing, or one too many."""
        for gap in self._gaps:
            first, last, finding, filled = gap
            if first <= sequence <= last and sequence not in filled and len(filled) < _MOST_MOVED:
                filled.add(sequence)
                if len(filled) == last - first + 1:
                    self._findings.withdraw(finding)
                before = finding["line"] if finding else "it"
                message = "Line {0} holds entry {1}, whose place is before line {2}.".format(number, sequence, before)
                self._findings.add(REORDERED, number, sequence, message)
                return
        message = "Line {0} holds another entry {1}: it was inserted, or the other one was.".format(number, sequence)
        self._findings.add(INSERTED, number, sequence, message)

    # -- anchors and the end ----------------------------------------------------------------------------------------------------

    def _meet(self, number, sequence, digest):
        """Compare with what was kept elsewhere of the entry ``sequence``."""
        kept = self._anchors.pop(sequence, None)
        if not kept:
            return
        if len(kept) > 1:
            message = "There are {0} different anchors of entry {1}: the journal was begun anew, or made anew, between them."
            self._findings.add(DISAGREEING, number, sequence, message.format(len(kept), sequence))
        if digest in kept:
            self._fitting_anchor = sequence
        elif not self._recomputed:
            self._recomputed = True
            place = span(self._fitting_anchor + 1, sequence).replace("entries", "one of the entries")
            message = "Line {0} is not the entry {1} of which an anchor was kept: the chain was made anew from {2} on."
            self._findings.add(RECOMPUTED, number, sequence, message.format(number, sequence, place))

    def end(self, last_line):
        """What only the end shows: anchors of entries that are not there, and whether the key fits at all."""
        first = self.sequence + 1
        if self._highest_anchor >= first:
            message = "An anchor of entry {0} was kept, but the journal ends with entry {1}: {2} cut off.".format(
                self._highest_anchor,
                self.sequence,
                span(first, self._highest_anchor) + (" was" if self._highest_anchor == first else " were"),
            )
            self._findings.add(TRUNCATED, last_line + 1, first, message)
        if self._key_fails > 1 and not self._key_fits:
            edited = self._findings.of_kind(EDITED)
            for finding in edited:
                self._findings.withdraw(finding)
            self._findings.add(
                RECOMPUTED,
                edited[0]["line"] if edited else 1,
                edited[0]["sequence"] if edited else 1,
                "None of {0} entries fits the key: it is another key, or the chain was made anew without it.".format(self._key_fails),
            )
        if self.needs_key:
            self._findings.add(
                KEY_NEEDED, None, None, "Entries were hashed with a key. Without it nobody can tell whether they are as they were written."
            )


class Reading:
    """What one pass over a journal found."""

    def __init__(self):
        self.entries, self.count, self.matched = [], 0, 0
        self.head = None
        self.damaged, self.findings, self.finding_count, self.verified = [], [], 0, None


def read(path, wanted, limit, verify=False, key=None, anchors=()):
    """Read the journal ``path``: the newest ``limit`` entries for which ``wanted(entry)`` holds, and the findings if it is to ``verify``.

    Returns a Reading; its ``verified`` is True, False, or None when it was not asked for or nobody can tell.
    """
    reading, findings, newest = Reading(), Findings(), collections.deque(maxlen=limit)
    chain = Chain(findings, key, anchors)
    last_line = 0
    for number, line, entry, damage, following in _pairs(_entries(path)):
        last_line = number
        if entry is None:
            chain.report_damage(damage, kind=UNREADABLE if damage.ended or damage.count > 1 else TORN)
            continue
        reading.count += 1
        if wanted(entry):
            reading.matched += 1
            newest.append((number, entry))
        if reading.head is None or entry["sequence"] >= reading.head["sequence"]:
            reading.head = entry
        chain.add(number, line, entry, damage, following)
    if reading.count == 0 and last_line == 0:
        findings.add(MISSING, None, None, "There is no journal at {0}, or it is empty.".format(path))
    chain.end(last_line)
    reading.entries = [dict(_journal.public(entry), line=number) for number, entry in newest]
    reading.damaged = chain.damaged
    if verify:
        reading.findings, reading.finding_count = findings.list(), findings.count()
        undecided = len(findings.of_kind(KEY_NEEDED)) + len(findings.of_kind(MISSING))
        reading.verified = False if findings.count() > undecided else None if undecided else True
    return reading


def _entries(path):
    """``(number, line, entry, damage)`` of each entry, with the Damage before it; at last, if there is damage left, without an entry."""
    damage = Damage()
    if not os.path.exists(path):
        return
    with open(path, "rb") as stream:
        # What is being appended right now is none of this reading's.
        locked(stream.fileno(), fcntl.LOCK_SH, path)
        size = os.fstat(stream.fileno()).st_size
        fcntl.flock(stream.fileno(), fcntl.LOCK_UN)
        for number, line, whole in _journal.read_lines(stream):
            if size <= 0:
                break
            size -= len(line)
            content = line[:-1] if line.endswith(b"\n") else line
            entry = _journal.parse(content) if whole else None
            if entry:
                yield number, content, entry, damage
                damage = Damage()
            else:
                damage.add(number, line)
    if damage.lines:
        yield damage.last, b"", None, damage


def _pairs(entries):
    """Each with the entry after it, or None."""
    first, second = itertools.tee(entries)
    next(second, None)
    for (number, line, entry, damage), after in itertools.zip_longest(first, second):
        yield number, line, entry, damage, after[2] if after else None
