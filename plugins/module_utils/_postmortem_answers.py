# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people write into a post-mortem, which no run overwrites. Private: other collections must not import it.

Each question has a section between two marks in the Markdown. What stands there is theirs; everything else is written anew. A file in which
something else was changed, or a mark is lost, is known by that, and is left alone: nobody's words are thrown away.
"""

from __future__ import annotations

import hashlib
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

QUESTIONS = {
    "contributing_factors": (
        "What contributed to it?",
        "Conditions, not people: what had to come together for this, and why did nothing stop it earlier?",
    ),
    "went_well": ("What went well?", "What was seen early, what worked as it was meant to?"),
    "went_badly": ("What went badly, and where were we lucky?", "What was slow, missing or misleading, and what would have made it worse?"),
    "lessons": ("What do we learn from it?", "What do we do otherwise from now on, and which runbook or procedure changes?"),
}
UNANSWERED = "**To be answered.**"
_BEGIN = "<!-- answer {0}: what stands from here to the end mark is yours, and is kept -->"
_END = "<!-- end of answer {0} -->"
_SEAL = "<!-- written by incident_postmortem; sha256 {0} -->"
_BEGINS = re.compile(r"^<!-- answer (\w+):.*-->\s*$")
_ENDS = re.compile(r"^<!-- end of answer (\w+) -->\s*$")
_SEALED = re.compile(r"^<!-- written by incident_postmortem; sha256 ([0-9a-f]{64}) -->\s*$")


def section(name, answer):
    """The lines of an answer with its marks."""
    return [_BEGIN.format(name), "", answer or UNANSWERED, "", _END.format(name)]


def sealed(lines):
    """The lines of a whole document, as text, with what it is known by."""
    text = "\n".join(lines) + "\n"
    return text + _SEAL.format(_digest(_parts(text.split("\n"))[1])) + "\n"


def answers_in(text, path, overwrite=False):
    """``{name: answer}`` of a document as it lies there, those that say something; ``text`` is None without one.

    Raises OpsError when something else in it was changed, or a mark is lost; with ``overwrite`` only in the latter case.
    """
    if text is None:
        return {}
    lines = text.replace("\r\n", "\n").split("\n")
    try:
        answers, others = _parts(lines)
    except ValueError as error:
        message = "{0} is not overwritten: {1}. Put the mark back, or move the file away. Nothing was written."
        raise OpsError(message.format(path, error))
    stated = [match.group(1) for match in map(_SEALED.match, others) if match]
    if not overwrite and stated != [_digest(others)]:
        message = (
            "{0} was changed outside of the answers, or was not written by this. It is not overwritten. Move what is to stay into an "
            "answer and give overwrite, or move the file away. Nothing was written."
        )
        raise OpsError(message.format(path))
    return {name: answer for name, answer in answers.items() if answer and answer != UNANSWERED}


def _parts(lines):
    """``(answers by name, all other lines)``. Raises ValueError when marks do not go together."""
    answers, others, name, begun = {}, [], "", []
    for line in lines:
        begins, ends = _name(_BEGINS, line), _name(_ENDS, line)
        if begins and (name or begins in answers):
            raise ValueError("the mark of the answer {0} stands where it does not belong".format(begins))
        if ends and ends != name:
            raise ValueError("the answer {0} ends where it has not begun".format(ends))
        if ends:
            answers[name], name = "\n".join(begun).strip(), ""
        elif name:
            begun.append(line.rstrip())
            continue
        elif begins:
            name, begun = begins, []
        others.append(line)
    if name:
        raise ValueError("the answer {0} has no end mark".format(name))
    return answers, others


def _name(pattern, line):
    found = pattern.match(line)
    return found.group(1) if found else ""


def _digest(lines):
    """What the lines say that nobody but the module writes. An editor may end a file and its lines otherwise."""
    said = [line.rstrip() for line in lines if not _SEALED.match(line)]
    return hashlib.sha256("\n".join(said).strip().encode("utf-8")).hexdigest()
