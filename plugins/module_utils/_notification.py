# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a message must say before it is sent, and what must not get into it. Private: other collections must not import it.

A message is of a kind, and has that kind's fields. None of them is empty, and none is what somebody meant to fill in later: a message with
``[Brief description]`` in it tells everybody that nobody looked at it.
"""

from __future__ import annotations

import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

#: The fields of each kind: those that are needed, and those that may be empty.
KINDS = {
    "incident_initial": (
        ("severity", "service", "status", "impact", "started_at", "description", "next_update_at"),
        ("eta", "status_page"),
    ),
    "incident_update": (("severity", "status", "details"), ("cause", "actions_taken", "next_update_at", "status_page")),
    "incident_escalation": (
        ("severity", "incident", "title", "name", "why"),
        ("mention", "status", "impact", "cause", "due_at", "status_page"),
    ),
    "incident_resolved": (("severity", "service", "duration", "resolution"), ("cause", "status_page")),
    "maintenance_notice": (("service", "starts_at", "ends_at", "timezone", "duration", "impact", "description"), ("contact",)),
    "maintenance_started": (("service", "expected_end_at", "status"), ()),
    "maintenance_completed": (("service", "duration"), ()),
}
#: Whoever is to come is called whatever words somebody forgot in the title.
UNCONDITIONAL = ("incident_escalation",)
LONGEST = 20000
#: Left to be filled in: brackets with words in them, as the runbook has them, and marks of templates; not ``[SEV-1]`` or ``[OPS-12]``.
_UNFILLED = re.compile(r"\[(?![A-Z]+-\d+\])(?:[A-Z]|[a-z]+ )[^\]\n]{0,80}\](?!\()|\{\{|\}\}|\{%|%\}|\bX{3,}\b|\b(TODO|TBD|FIXME)\b")
# All control characters but tabs and line ends, those that turn the direction of text, and those that nobody sees: they hide what a
# terminal or a reader shows. Those by which scripts and pictures are joined stay.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2061-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]|[\ud800-\udfff]"
)
_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?")


def harmless(text):
    """``text`` without what a terminal would act on, and what no document may hold."""
    return _HARMFUL.sub("", _ESCAPE.sub("", str(text).replace("\r\n", "\n")))


def one_line(text):
    """The same in one line, for subjects and titles."""
    return " ".join(harmless(text).split())


def unfilled(text):
    """The first words in a text that somebody meant to replace; empty when there are none."""
    found = _UNFILLED.search(text)
    return found.group() if found else ""


def fields_of(kind, given):
    """The fields of a message, without what is harmful; all of them are there. Raises OpsError that names what is missing."""
    if kind not in KINDS:
        raise OpsError("There is no message {0!r}. Known are {1}.".format(kind, ", ".join(KINDS)))
    needed, optional = KINDS[kind]
    unknown = sorted(set(given) - set(needed) - set(optional))
    if unknown:
        message = "The message {0} has no field {1}; it has {2}. Correct the name."
        raise OpsError(message.format(kind, ", ".join(unknown), ", ".join(needed + optional)))
    fields = {name: harmless("" if given.get(name) is None else given[name]).strip() for name in needed + optional}
    empty = [name for name in needed if not fields[name]]
    left = {} if kind in UNCONDITIONAL else {name: unfilled(value) for name, value in fields.items() if unfilled(value)}
    if empty or left:
        parts = ["{0} {1} empty".format(", ".join(empty), "is" if len(empty) == 1 else "are")] if empty else []
        parts += ["{0} still says {1!r}".format(name, words) for name, words in left.items()]
        raise OpsError("The message {0} is not sent: {1}. Fill in what is missing.".format(kind, "; ".join(parts)))
    return fields


def text_of(rendered, what="message"):
    """A message as its template made it: harmless, without blank lines in excess. Raises OpsError when it says nothing, or is unfilled."""
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in harmless(rendered).split("\n"))).strip()
    if not text:
        raise OpsError("The {0} is not sent: its template says nothing.".format(what))
    left = _UNFILLED.search(text)
    if left and what not in UNCONDITIONAL:
        raise OpsError(
            "The {0} is not sent: {1!r} in it was never filled in. Correct the template, or the fields.".format(what, left.group())
        )
    if len(text) > LONGEST:
        raise OpsError("The {0} is not sent: it has {1} characters, and at most {2} are. Shorten it.".format(what, len(text), LONGEST))
    return text


def chat_text(text):
    """What people wrote, as chat services show it: without the marks by which they would call everybody, or make links of it."""
    escaped = harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Services without Slack's escapes call everybody by a name.
    return re.sub(r"@(?=(channel|here|all|everyone)\b)", "@\u2060", escaped, flags=re.IGNORECASE)
