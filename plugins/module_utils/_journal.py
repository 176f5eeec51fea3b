# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit trail: what an entry is, and how one is appended. Private: other collections must not import it.

One line of JSON an entry, keys sorted, without blanks, the hash last. The hash is taken over exactly the bytes of the line
without it (``,"hash":"..."``), and the line names the hash of the entry before it, so that nothing in it can be changed by
itself. With a key the hash is an HMAC, and nobody without the key can make another chain.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import hmac
import json
import os
import re
import stat
import uuid

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import (
    append_bytes,
    appending,
    is_torn,
    locked,
    write_atomically,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact, shorten
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

VERDICTS = ("pass", "fail", "inconclusive", "refused", "interrupted")
#: What an operation tells of itself, and what stands for it when it says nothing.
FACTS = {
    "id": "",
    "operation": "",
    "stack": "",
    "verdict": "",
    "changed": False,
    "operator": "",
    "host": "",
    "reason": "",
    "overrides": [],
    "arguments": {},
    "started_at": None,
    "ended_at": None,
    "duration": None,
    "before": {},
    "after": {},
    "summary": "",
    "incident": None,
    "token": None,
    "spooled": False,
    "truncated": False,
}
#: What makes it a link of the chain. ``damage`` is what the writer found after the entry before: ``{bytes, sha256}``, or None.
LINK = {"sequence": 0, "time": "", "keyed": False, "damage": None, "previous": None, "hash": ""}

#: A line is never longer. What is too long for it is cut, with a mark where.
MAX_BYTES = 16384
_LINK_BYTES = 512
#: How much is kept, first try first: characters of a text, items of a list or dict.
_MOST_READ = 100000
_SIZES = ((2000, 100), (500, 30), (100, 10))
SHORTEST_KEY = 16
MAX_SPOOL_BYTES = 16 * 1024 * 1024
#: An entry is looked for in so much of the journal's end, and no further.
MAX_DAMAGE_BYTES = 64 * 1024 * 1024
_BLOCK = 65536

_HASH = re.compile(rb',"hash":"([0-9a-f]{64})"\}$')
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_ID = re.compile(rb'"id":"([^"\\]{1,64})"')


def canonical(entry):
    """The bytes (UTF-8) over which the hash of ``entry`` (a dict without ``hash``) is taken."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")


def digest(body, key):
    """The hash (hex) of a line without it (bytes)."""
    if key:
        return hmac.new(key.encode("utf-8"), body, hashlib.sha256).hexdigest()
    return hashlib.sha256(body).hexdigest()


def check_key(key):
    """Raises OpsError when the key is so short that it can be guessed."""
    if key and len(key) < SHORTEST_KEY:
        raise OpsError(
            "The journal's key is too short: {0} characters, and anything under {1} can be guessed. Nothing was written. Make one with: "
            "openssl rand -hex 32".format(len(key), SHORTEST_KEY)
        )


def compose(facts, secrets=()):
    """What is recorded of an operation: its ``facts`` (see FACTS) without secrets, and no larger than MAX_BYTES as a line."""
    content = dict(FACTS, **{name: value for name, value in facts.items() if name in FACTS and value is not None})
    # Nobody waits for the secrets of what is left out in any case. What is cut here is cut again, so no half secret is left.
    content, endless = shorten(content, _MOST_READ, max(_SIZES[0][1], len(FACTS)))
    content = redact(content, secrets)
    content["id"] = _identifier(content["id"])
    content.update((name, _moment(content[name])) for name in ("started_at", "ended_at"))
    content["duration"] = _seconds(content) if content["duration"] is None else content["duration"]
    room = MAX_BYTES - _LINK_BYTES
    for longest, most in _SIZES:
        fitting, cut = shorten(content, longest, max(most, len(FACTS)))
        fitting["truncated"] = bool(cut or endless or content["truncated"])
        if len(canonical(fitting)) <= room:
            return fitting
    for name in sorted(("arguments", "before", "after", "overrides"), key=lambda name: -len(canonical({"": fitting[name]}))):
        size = len(canonical({"": content[name]}))
        fitting[name] = FACTS[name] if isinstance(FACTS[name], list) else {"...": "{0} bytes left out".format(size)}
        if len(canonical(fitting)) <= room:
            break
    return fitting


def waited(entry):
    """What is recorded of an entry that was spooled: the same, unless somebody made it larger than it may be."""
    content = {name: entry.get(name, default) for name, default in FACTS.items()}
    content.update(id=_identifier(content["id"]), spooled=True)
    try:
        fits = len(canonical(content)) <= MAX_BYTES - _LINK_BYTES
    except (ValueError, RecursionError):
        fits = False
    return content if fits else compose(content)


def _identifier(given):
    """The id that is kept: the one ``given``, one made of it when it is too long to be found again, or a new one."""
    if not given:
        return uuid.uuid4().hex
    data = str(given).encode("utf-8", "replace")
    return str(given) if _ID.fullmatch(b'"id":"' + data + b'"') else digest(data, None)


def _moment(text):
    """A time as the journal writes it; as it was given when it is none, or none of a known zone."""
    try:
        moment = from_iso(text)
    except (AttributeError, TypeError, ValueError):
        return text
    return to_iso(moment) if moment.tzinfo else text


def _seconds(content):
    """From the beginning to the end of the operation, or None when a time is missing or none."""
    try:
        return round((from_iso(content["ended_at"]) - from_iso(content["started_at"])).total_seconds(), 3)
    except (AttributeError, TypeError, ValueError):
        return None


def seal(content, head, now, key=None, damage=None):
    """The next link: ``content`` after the entry ``head`` (or None), at ``now`` (ISO 8601). Returns ``(entry, line)``."""
    entry = dict(content, sequence=(head["sequence"] if head else 0) + 1, previous=head["hash"] if head else None)
    entry.update(time=now, keyed=bool(key), damage=damage)
    body = canonical(entry)
    entry["hash"] = digest(body, key)
    return entry, body[:-1] + ',"hash":"{0}"}}\n'.format(entry["hash"]).encode("ascii")


def parse(line):
    """The entry (dict) that a line (bytes, without its newline) holds, or None when it holds none."""
    found = _HASH.search(line)
    if not found:
        return None
    try:
        entry = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    sequence = entry.get("sequence")
    if isinstance(sequence, bool) or not isinstance(sequence, int) or sequence < 1:
        return None
    entry["hash"] = found.group(1).decode("ascii")
    return entry


def is_authentic(line, entry, key):
    """Whether the hash of the line's entry fits its content; None when only the key could tell and there is none."""
    keyed = entry.get("keyed") is True
    if keyed and not key:
        return None
    body = line[: -len(',"hash":""}') - 64] + b"}"
    return hmac.compare_digest(digest(body, key if keyed else None), entry["hash"])


def public(entry):
    """An entry as modules return it: every field, whatever the line lacked."""
    return {name: entry.get(name, default) for name, default in list(LINK.items()) + list(FACTS.items())}


def anchor(entry):
    """What is kept elsewhere of an entry, so that nothing up to it can be changed unseen; None without an entry."""
    return {"sequence": entry["sequence"], "hash": entry["hash"]} if entry else None


def is_anchor(kept):
    """Whether a dict is one: ``sequence`` and ``hash`` of an entry."""
    sequence, value = kept.get("sequence"), kept.get("hash")
    return isinstance(sequence, int) and not isinstance(sequence, bool) and sequence > 0 and bool(_HEX.fullmatch(str(value)))


def check_hash(text):
    """The hash in lower case. Raises OpsError when it is none."""
    if not _HEX.fullmatch(text):
        raise OpsError("{0!r} is not the hash of an entry: it has 64 hexadecimal digits. Nothing was written.".format(text))
    return text.lower()


def damage_of(data):
    """What an entry notes of the bytes found where a line should end; None when there are none. A last newline is counted in."""
    if not data:
        return None
    data += b"" if data.endswith(b"\n") else b"\n"
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def find_head(handle):
    """The last entry of an open journal and the bytes after it that are none. Reads no more than its end, if that is whole."""
    size, window = os.fstat(handle).st_size, _BLOCK
    while True:
        start = max(0, size - window)
        data = _read(handle, start, size - start)
        # In front of the first newline there may be half a line.
        first = 0 if start == 0 else data.find(b"\n") + 1
        stop = len(data)
        while stop > first:
            begin = max(data.rfind(b"\n", first, stop - 1) + 1, first)
            entry = parse(data[begin:stop].rstrip(b"\n"))
            if entry:
                return entry, data[stop:]
            stop = begin
        if start == 0:
            return None, data
        if window >= MAX_DAMAGE_BYTES:
            raise OpsError(
                "The last {0} bytes hold no entry, so there is nothing to go on from. Look at the file, and move it aside to begin a new "
                "journal.".format(window)
            )
        window *= 8


def _read(handle, start, length):
    parts = []
    while length > 0:
        part = os.pread(handle, min(length, 1024 * 1024), start)
        if not part:
            break
        parts.append(part)
        start, length = start + len(part), length - len(part)
    return b"".join(parts)


def read_lines(stream):
    """The lines of a binary stream as ``(number, bytes, whole)``. One longer than any entry comes in pieces that are not whole."""
    number, begun = 0, False
    while True:
        line = stream.readline(_BLOCK)
        if not line:
            return
        number += 0 if begun else 1
        ended = line.endswith(b"\n")
        yield number, line, ended and not begun or not begun and len(line) < _BLOCK
        begun = not ended


class Journal:
    """A journal's file, as those who append to it see it."""

    def __init__(self, path, key=None):
        self.path, self._key = path, key

    def append(self, contents, now, spools=()):
        """Append what the ``spools`` (paths) hold and then the ``contents`` (see `compose`), synced; then empty the spools.

        Killed in between, the spooled entries are known by their ids the next time. Returns ``(entries, problems)``: the entries
        that were appended, oldest first, and a sentence for each line of a spool that stays there.
        """
        problems = []
        with appending(self.path) as handle, contextlib.ExitStack() as opened:
            head, rest = find_head(handle)
            damage = damage_of(rest)
            waiting = [opened.enter_context(Spool.open(path, self._key)) for path in self._existing(spools)]
            contents = [content for spool in waiting for content in spool.contents] + list(contents)
            known = _known(handle, {content["id"] for content in contents if content["spooled"]})
            lines, entries = [], []
            for content in contents:
                if content["id"] in known:
                    continue
                if content["spooled"]:
                    known.add(content["id"])
                head, line = seal(content, head, now, self._key, damage)
                damage = None
                entries.append(head)
                lines.append(line)
            if lines:
                append_bytes(handle, (b"\n" if is_torn(handle) else b"") + b"".join(lines))
            for spool in waiting:
                problems += spool.problems + spool.clear()
        return entries, problems

    def _existing(self, spools):
        """Those of the paths that are there, each once, and never the journal itself."""
        own = os.path.realpath(self.path)
        return [path for path in sorted({os.path.realpath(path) for path in spools}) if path != own and os.path.exists(path)]


def _known(handle, ids):
    """Those of ``ids`` (set of str) that entries of the open journal have."""
    known = set()
    if not ids:
        return known
    with os.fdopen(os.dup(handle), "rb") as stream:
        stream.seek(0)
        for _number, line, whole in read_lines(stream):
            if whole and any(found.decode("utf-8", "replace") in ids for found in _ID.findall(line)):
                known.add((parse(line.rstrip(b"\n")) or {}).get("id"))
    return known & ids


class Spool:
    """Entries that wait on a host for the journal to be within reach. The file is a journal of its own."""

    def __init__(self, path, handle, key, held=False):
        self._path, self._handle, self._held = path, handle, held
        self._lines, self.contents, self.problems = [], [], []
        size = os.fstat(handle).st_size
        if size > MAX_SPOOL_BYTES:
            self.problems.append(
                "The spool {0} of {1} bytes was left alone: no more than {2} are read.".format(path, size, MAX_SPOOL_BYTES)
            )
            return
        for number, line in enumerate(_read(handle, 0, size).split(b"\n"), start=1):
            entry = parse(line)
            if entry and is_authentic(line, entry, key) is not False:
                self.contents.append(waited(entry))
                self._lines.append((self.contents[-1]["id"], line))
            elif line:
                self._lines.append((None, line))
                self.problems.append("Line {0} of the spool {1} is not an entry as it was written, and stays there.".format(number, path))

    @classmethod
    @contextlib.contextmanager
    def open(cls, path, key=None):
        """The spool, while nobody else appends to it."""
        path = os.path.realpath(path)
        with appending(path) as handle:
            yield cls(path, handle, key, held=True)

    @classmethod
    @contextlib.contextmanager
    def look(cls, path, key=None):
        """The spool as it is, for check mode: nothing is made, and nothing can be removed."""
        handle = os.open(path, os.O_RDONLY)
        try:
            locked(handle, fcntl.LOCK_SH, path)
            yield cls(path, handle, key)
        finally:
            os.close(handle)

    def remove(self, ids):
        """Remove the entries with these ``ids`` (set of str), if there are any. Everything else stays. Returns how many there were.

        Once: what is left is a new file, to which others may append. OSError when the spool is not held.
        """
        kept = [line + b"\n" for identifier, line in self._lines if identifier is None or identifier not in ids]
        removed = len(self._lines) - len(kept)
        if removed:
            if not self._held:
                raise OSError(errno.EBADF, "the spool is not held", self._path)
            known = os.fstat(self._handle)
            write_atomically(self._path, b"".join(kept), stat.S_IMODE(known.st_mode), (known.st_uid, known.st_gid))
            self._held = False
        return removed

    def clear(self):
        """Remove what is in the journal by now. -> why not, in a sentence (list): it is known by its ids the next time."""
        try:
            self.remove({content["id"] for content in self.contents})
        except OSError as error:
            return ["The spool {0} could not be emptied: {1}. Its entries are in the journal; nothing is lost.".format(self._path, error)]
        return []
