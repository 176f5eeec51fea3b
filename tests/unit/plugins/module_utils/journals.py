"""Journals for tests, without a disk in between."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _journal, _journal_review

TIME = "2026-11-24T12:00:00.000Z"
KEY = "0123456789abcdef" * 2


def facts(**changed):
    """What an operation tells of itself."""
    known = {
        "operation": "deploy",
        "verdict": "pass",
        "operator": "ada",
        "stack": "test",
        "changed": True,
        "arguments": {"release_version": "v1.2.3"},
        "started_at": "2026-11-24T11:59:00Z",
        "ended_at": TIME,
        "summary": "v1.2.3 is live on app-green.",
    }
    return dict(known, **changed)


def chain(count, key=None, head=None, **changed):
    """``count`` lines (bytes) that follow from each other, after the entry ``head``."""
    content, lines = _journal.compose(facts(**changed)), []
    for number in range(count):
        head, line = _journal.seal(dict(content, id="id-{0}".format(number), reason="reason {0}".format(number)), head, TIME, key)
        lines.append(line)
    return lines


def append(path, key=None, spools=(), **changed):
    """Append one entry. Returns it."""
    entries, _problems = _journal.Journal(str(path), key).append([_journal.compose(facts(**changed))], TIME, spools)
    return entries[-1]


def entry(line):
    found = _journal.parse(line.rstrip(b"\n"))
    assert found, line
    return found


def forge(lines, place, key=None, **changed):
    """The lines with the entry at ``place`` (from 0 on) changed, and everything from there on hashed anew."""
    head = entry(lines[place - 1]) if place else None
    forged = list(lines[:place])
    for line in lines[place:]:
        content = {name: entry(line)[name] for name in _journal.FACTS}
        head, line = _journal.seal(dict(content, **changed), head, TIME, key)
        changed = {}
        forged.append(line)
    return forged


def anchors(lines, *places):
    """The anchors of the entries at those places (from 0 on; all of them without any)."""
    return [_journal.anchor(entry(lines[place])) for place in places or range(len(lines))]


def anything(_entry):
    return True


def review(path, lines=None, key=None, kept=(), limit=100, wanted=anything):
    """Write the lines, and verify them."""
    if lines is not None:
        path.write_bytes(b"".join(lines))
    return _journal_review.read(str(path), wanted, limit, True, key, kept)


def found(reading):
    """The findings, each as ``(line, kind)``."""
    return [(finding["line"], finding["kind"]) for finding in reading.findings]
