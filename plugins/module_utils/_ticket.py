# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ticket is to be, and the steps that bring it there. Private: other collections must not import it.

A ticket is found again by a label, its key. What people wrote is plain text to a tracker: it calls nobody, and is no markup that acts.
"""

from __future__ import annotations

import hashlib
import json
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._json_service import JsonService
from ansible_collections.astraldraft.ops.plugins.module_utils._notification import harmless, one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact_text, shorten

OPEN, CLOSED = "open", "closed"
OPENED, REOPENED, CHANGED, COMMENTED = "opened", "reopened", "changed", "commented"
#: Of GitHub's 256 and Jira's 255, and of Jira's 32767, which is the lesser one; what is escaped gets longer.
LONGEST_TITLE, LONGEST_TEXT = 250, 30000
_LABEL = re.compile(r"[^\s,]{1,50}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
#: A GitHub login or team, a user name of Jira, an account id of Jira Cloud.
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")


class Tracker(JsonService):
    """What a tracker can do. A ticket is a dict of id, title, state, labels and url."""

    project = ""

    def find(self, key):
        """The tickets with this key, the oldest first."""
        raise NotImplementedError

    def get(self, identity):
        """The ticket with this number, key or address."""
        raise NotImplementedError

    def open(self, title, body, labels):
        """Open one; returns it."""
        raise NotImplementedError

    def change(self, ticket, title, labels):
        """Give it this title, and these labels besides."""
        raise NotImplementedError

    def set_state(self, ticket, state):
        raise NotImplementedError

    def comments(self, ticket):
        """The texts of its comments."""
        raise NotImplementedError

    def comment(self, ticket, text):
        raise NotImplementedError

    @staticmethod
    def text(text, people=()):
        """Plain text as the tracker shows it, and whom it calls."""
        raise NotImplementedError


def wanted_of(params):
    """What the options ask for, harmless and without secrets. Raises OpsError on what a tracker would refuse in a way that says less."""
    if not _KEY.fullmatch(params["key"]):
        message = "key is {0!r}. Give up to 50 letters, digits, dots, dashes and underscores: it becomes a label."
        raise OpsError(message.format(params["key"]))
    labels = list(dict.fromkeys(params["labels"]))
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise OpsError("The label {0!r} is none: give up to 50 characters without spaces and commas.".format(label))
    for person in params["people"]:
        if not _PERSON.fullmatch(person):
            raise OpsError("people has {0!r}, which is no user. Give the name by which the tracker knows them, without @.".format(person))
    return {
        "key": params["key"],
        "state": params["state"],
        "title": _short(one_line(redact_text(params["title"] or "")), LONGEST_TITLE),
        "body": _text(params["body"]),
        "labels": labels,
        "people": list(dict.fromkeys(params["people"])),
        "comment": _text(params["comment"]),
    }


def _short(text, longest):
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _text(text):
    return shorten(redact_text(harmless(text or "")).strip(), LONGEST_TEXT, 1)[0]


def plan(known, wanted, said):
    """``(after, steps)``: the ticket as it is to be, and what brings it there, in this order. ``said``: the texts of its comments.

    ``known`` is the ticket as it was found, or None. There may be nothing to close.
    """
    steps, after = [], known
    if known is None:
        if wanted["state"] != OPEN:
            return None, []
        if not wanted["title"]:
            raise OpsError("There is no ticket {0} yet, and title is missing. Give the title it shall have.".format(wanted["key"]))
        after = {"id": None, "title": wanted["title"], "state": OPEN, "labels": labels_of(wanted), "url": None}
        steps.append(OPENED)
    else:
        after = dict(known)
        if wanted["state"] == OPEN and known["state"] != OPEN:
            after["state"] = OPEN
            steps.append(REOPENED)
        after["title"] = wanted["title"] or known["title"]
        after["labels"] = sorted(set(known["labels"]) | set(labels_of(wanted)))
        if (after["title"], after["labels"]) != (known["title"], sorted(known["labels"])):
            steps.append(CHANGED)
    if wanted["comment"] and wanted["comment"] not in said:
        steps.append(COMMENTED)
    if wanted["state"] == CLOSED and after["state"] != CLOSED:
        after["state"] = CLOSED
        steps.append(CLOSED)
    return after, steps


def labels_of(wanted):
    return sorted({wanted["key"], *wanted["labels"]})


def same(text):
    """A text as it is compared: trackers change line ends, and what stands around it."""
    return "\n".join(line.rstrip() for line in (text or "").replace("\r\n", "\n").split("\n")).strip()


def event_of(wanted, now):
    """``(id, payload)`` of the message by which a webhook is told. Of the same words it is the same message, which is taken once."""
    data = {name: wanted[name] for name in ("key", "state", "title", "body", "people", "comment")}
    data["labels"] = labels_of(wanted)
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode("utf-8")).hexdigest()
    kind = {OPEN: "ticket.opened", CLOSED: "ticket.closed", None: "ticket.updated"}[wanted["state"]]
    return "{0}-{1}".format(wanted["key"], digest[:16]), {"type": kind, "timestamp": now, "data": data}
