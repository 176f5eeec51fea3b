#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_info
short_description: List, filter and verify the audit trail
version_added: 0.1.0
description:
  - Returns the newest entries that match, and with O(verify) whether the journal is as M(astraldraft.ops.journal_entry) wrote it, all
    of it, with the line and the reason of everything that is not.
  - An entry that was edited, removed, moved, inserted or replaced is found by the chain itself. A cut end, or a chain that somebody made
    anew from some entry on, is only found with O(anchors) of entries after it, or, the latter, with O(key).
  - It reads the journal once, line by line.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  path:
    description: The journal's file.
    type: path
    required: true
  since:
    description:
      - Only entries appended since then. A duration such as V(24h) or V(7d), or an ISO 8601 time or date, in UTC unless it says otherwise.
    type: str
    default: ""
  operation:
    description: Only entries of this operation.
    type: str
    default: ""
  operator:
    description: Only entries of this operator.
    type: str
    default: ""
  verdict:
    description: Only entries with this verdict.
    type: str
    choices: ["", pass, fail, inconclusive, refused, interrupted]
    default: ""
  limit:
    description: Return only that many of the newest.
    type: int
    default: 100
  verify:
    description: Verify the whole journal, whatever is listed.
    type: bool
    default: false
  key:
    description: The key with which the entries were hashed, if they were.
    type: str
  anchors:
    description: What was kept elsewhere of entries, each C(sequence) and C(hash), as M(astraldraft.ops.journal_anchor_info) returns it.
    type: list
    elements: dict
    default: []
  anchors_path:
    description: A file of anchors on this host, one JSON line each, as M(astraldraft.ops.journal_anchor) writes it. Added to O(anchors).
    type: path
seealso:
  - module: astraldraft.ops.journal_entry
  - module: astraldraft.ops.journal_anchor_info
"""

EXAMPLES = r"""
- name: Read what failed in the last week
  astraldraft.ops.journal_info:
    path: /var/lib/astraldraft/astral-demo/journal.jsonl
    since: 7d
    verdict: fail
  register: journal

- name: Verify it
  astraldraft.ops.journal_info:
    path: /var/lib/astraldraft/astral-demo/journal.jsonl
    limit: 0
    verify: true
    key: "{{ vault_journal_key }}"
    anchors:
      - sequence: 42
        hash: 4f1c2d0c6f0b6b0c8f5c0f1f0d9bb7a4a4f2d2e0c3a1e5b6978869504a3b2c1d
  register: journal
  failed_when: journal.verified is not true
"""

RETURN = r"""
entries:
  description:
    - The entries that match, the newest last.
    - Each has the fields of RV(astraldraft.ops.journal_entry#module:entry) and C(line), the number of its line.
  returned: always
  type: list
  elements: dict
matched:
  description: How many entries match, returned or not.
  returned: always
  type: int
count:
  description: How many entries there are.
  returned: always
  type: int
head:
  description: The last entry, as an anchor. V(null) when there is none.
  returned: always
  type: dict
  contains:
    sequence:
      description: Its number.
      type: int
    hash:
      description: Its hash.
      type: str
damaged:
  description:
    - Lines that are no entries, for example one whose writing was cut short by a crash. At most 100. They stay where they are.
    - One that the next entry took note of is explained, and does not make the journal unverified.
  returned: always
  type: list
  elements: dict
  contains:
    line:
      description: Its number.
      type: int
    noted_by:
      description: The sequence of the entry that took note of it, or V(null).
      type: int
    message:
      description: What is known of it, in a sentence.
      type: str
verified:
  description: Whether the journal is as it was written. V(null) when it was not asked for, or when nobody can tell.
  returned: always
  type: bool
  sample: true
findings:
  description: Everything that is not as it was written, by line. At most 100. Empty unless O(verify).
  returned: always
  type: list
  elements: dict
  contains:
    line:
      description: The number of the line, V(null) when it is about the whole.
      type: int
    sequence:
      description: The number of the entry, V(null) when it is not about one.
      type: int
    kind:
      description:
        - V(edited), V(replaced) (and hashed anew), V(removed), V(reordered), V(inserted).
        - V(unreadable) (overwritten, or no entry), V(torn) (the last line is not whole).
        - V(truncated) (the end was cut off), V(recomputed) (the chain was made anew), V(anchors_disagree).
        - V(unkeyed) (hashed without the key).
        - V(key_needed) and V(missing) (there is no journal), of which nothing follows.
      type: str
    message:
      description: The same in a sentence.
      type: str
  sample: []
finding_count:
  description: How many there are, returned or not.
  returned: always
  type: int
  sample: 0
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _journal, _journal_review
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

SPEC = {
    "path": {"type": "path", "required": True},
    "since": {"type": "str", "default": ""},
    "operation": {"type": "str", "default": ""},
    "operator": {"type": "str", "default": ""},
    "verdict": {"type": "str", "choices": [""] + list(_journal.VERDICTS), "default": ""},
    "limit": {"type": "int", "default": 100},
    "verify": {"type": "bool", "default": False},
    "key": {"type": "str", "no_log": True},
    "anchors": {"type": "list", "elements": "dict", "default": []},
    "anchors_path": {"type": "path"},
}
RESULT = {
    "entries": [],
    "matched": 0,
    "count": 0,
    "head": None,
    "damaged": [],
    "verified": None,
    "findings": [],
    "finding_count": 0,
}


def kept_anchors(params):
    """The anchors that the options name (list of dict). Raises OpsError for one that is none."""
    wrong = next((anchor for anchor in params["anchors"] if not _journal.is_anchor(anchor)), None)
    if wrong:
        raise OpsError("{0} is no anchor: it needs sequence (a number from 1 on) and hash (64 hexadecimal digits).".format(wrong))
    lines = read_lines(params["anchors_path"])[0] if params["anchors_path"] else []
    return params["anchors"] + [line for line in lines if _journal.is_anchor(line)]


def work(module, result):
    params = module.params
    since = _journal_review.since_when(params["since"], utc_now())

    def wanted(entry):
        return _journal_review.matches(entry, since, params["operation"], params["operator"], params["verdict"])

    try:
        found = _journal_review.read(params["path"], wanted, max(0, params["limit"]), params["verify"], params["key"], kept_anchors(params))
    except OSError as error:
        raise OpsError("The journal {0} cannot be read: {1}.".format(params["path"], error))
    result.update(
        entries=found.entries,
        matched=found.matched,
        count=found.count,
        head=_journal.anchor(found.head),
        damaged=found.damaged,
        verified=found.verified,
        findings=found.findings,
        finding_count=found.finding_count,
    )


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
