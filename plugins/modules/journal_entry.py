#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_entry
short_description: Record an operation in the audit trail
version_added: 0.1.0
description:
  - Appends one entry to the journal, a file of JSON lines in which every line carries the hash of the one before it, so that nothing
    in it can be changed, removed or moved unseen. See M(astraldraft.ops.journal_info).
  - Any number of processes may append at the same time. The entry is on the disk when the module returns.
  - Secrets do not get into it. Values are hidden that go by a name such as C(password), C(secret), C(token) or C(api_key), wherever they
    are nested; passwords in URLs; C(name=value) pairs of such names in any text; private keys; and what O(redact) lists.
  - An entry takes at most 16 KiB. Texts and lists of a larger one are cut, with a mark where, and RV(entry.truncated) is set.
  - The entry is appended whether or not the operation still holds its lock, because that is worth recording, too.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: In check mode nothing is appended, and the entry has no sequence and no hash yet.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Two operations with the same facts are two operations. Every run appends an entry.
options:
  path:
    description: The journal's file. It is created when missing, with its folder.
    type: path
    required: true
  operation:
    description: The name of the operation.
    type: str
    required: true
  verdict:
    description: How it ended.
    type: str
    choices: [pass, fail, inconclusive, refused, interrupted]
    required: true
  operator:
    description: Who ran it.
    type: str
    required: true
  id:
    description:
      - What tells the entry from all others, at most 64 characters. By default it is made up.
      - An entry that is spooled because nobody knows whether it got into the journal needs the id of the first attempt.
    type: str
  changed:
    description: Whether it changed anything.
    type: bool
    default: false
  stack:
    description: The stack on which it was run.
    type: str
    default: ""
  host:
    description: The machine from which it was run.
    type: str
    default: ""
  reason:
    description: Why, in the operator's words.
    type: str
    default: ""
  overrides:
    description: The guards that were overridden, each with C(guard), its name, and C(message), what it would have said.
    type: list
    elements: dict
    default: []
  arguments:
    description: What it was run with.
    type: dict
    default: {}
  started_at:
    description: When it began (ISO 8601).
    type: str
  ended_at:
    description: When it ended (ISO 8601). By default now.
    type: str
  before:
    description: What was before it, in a few words and numbers.
    type: dict
    default: {}
  after:
    description: What was after it.
    type: dict
    default: {}
  summary:
    description: How it went, in a sentence.
    type: str
    default: ""
  token:
    description: The fencing token under which it ran.
    type: int
  incidents_path:
    description:
      - The folder of incidents, C(<id>/incident.json) in it. The most severe one that is not resolved is named in the entry, so that it
        gets into its timeline.
    type: path
  redact:
    description:
      - Secrets that must not get into the entry wherever they stand, for example those of a vault.
      - One of fewer than four characters is only hidden by the name it goes by.
    type: list
    elements: str
    default: []
  key:
    description:
      - A secret of at least 16 characters. With it the hashes are HMACs, and nobody without the key can make a chain that verifies.
      - Without it whoever can write the file can make the whole chain anew, which only an anchor (RV(anchor)) shows.
    type: str
  spool:
    description:
      - Files on this host into which entries were appended (with this module) while the journal was out of reach. They are appended in
        their order before this entry, as RV(entry.spooled), and removed from the file after that is on the disk.
      - An entry that is in the journal already, because the module was killed in between, is known by its id.
    type: list
    elements: path
    default: []
  waiting:
    description:
      - The same of other hosts, the entries that M(astraldraft.ops.journal_info) returned of a file there.
      - M(astraldraft.ops.journal_spool) removes them there afterwards.
    type: list
    elements: dict
    default: []
seealso:
  - module: astraldraft.ops.journal_info
  - module: astraldraft.ops.journal_anchor
  - module: astraldraft.ops.journal_spool
"""

EXAMPLES = r"""
- name: Record a deploy
  astraldraft.ops.journal_entry:
    path: /var/lib/astraldraft/astral-demo/journal.jsonl
    operation: deploy
    verdict: pass
    changed: true
    operator: ada
    stack: astral-demo
    reason: Release of week 47.
    arguments:
      release_version: v1.2.3
    started_at: "2026-11-23T18:47:05Z"
    before: {version: v1.2.2}
    after: {version: v1.2.3}
    summary: v1.2.3 is live on app-green.
    key: "{{ vault_journal_key }}"
  register: entry

- name: Keep its hash on another host
  astraldraft.ops.journal_anchor:
    path: /var/lib/astraldraft/anchors/astral-demo.jsonl
    sequence: "{{ entry.sequence }}"
    hash: "{{ entry.hash }}"
  delegate_to: backup1
"""

RETURN = r"""
sequence:
  description: The number of the entry, from 1 on. V(null) in check mode and when it was not appended.
  returned: always
  type: int
  sample: 42
hash:
  description: The hash of the entry. V(null) in check mode and when it was not appended.
  returned: always
  type: str
  sample: 4f1c2d...
anchor:
  description: What to keep elsewhere, so that nothing up to this entry can be changed unseen. V(null) as RV(hash).
  returned: always
  type: dict
  contains:
    sequence:
      description: As RV(sequence).
      type: int
    hash:
      description: As RV(hash).
      type: str
entry:
  description: The entry as it was recorded, or would be.
  returned: always
  type: dict
  contains:
    sequence:
      description: Its number. V(null) in check mode.
      type: int
    time:
      description: When it was appended (ISO 8601, UTC).
      type: str
    id:
      description: Its id, unique.
      type: str
    operation:
      description: The operation.
      type: str
    stack:
      description: The stack.
      type: str
    verdict:
      description: How it ended.
      type: str
    changed:
      description: Whether it changed anything.
      type: bool
    operator:
      description: Who.
      type: str
    host:
      description: From which machine.
      type: str
    reason:
      description: Why.
      type: str
    overrides:
      description: The guards that were overridden, each with C(guard) and C(message).
      type: list
      elements: dict
    arguments:
      description: What it was run with, without secrets.
      type: dict
    started_at:
      description: When it began (ISO 8601), or V(null).
      type: str
    ended_at:
      description: When it ended (ISO 8601).
      type: str
    duration:
      description: How long it took, in seconds, or V(null).
      type: float
    before:
      description: What was before it.
      type: dict
    after:
      description: What was after it.
      type: dict
    summary:
      description: How it went.
      type: str
    incident:
      description: The id of the incident that was open, or V(null).
      type: str
    token:
      description: The fencing token, or V(null).
      type: int
    spooled:
      description: Whether it waited on another host until the journal was within reach.
      type: bool
    truncated:
      description: Whether something was left out because it was too long.
      type: bool
    keyed:
      description: Whether its hash was made with the key.
      type: bool
    damage:
      description:
        - C(bytes) and C(sha256) of what stood after the entry before and was no entry, for example a line that a crash cut short.
        - V(null) when there was none.
      type: dict
    previous:
      description: The hash of the entry before, or V(null).
      type: str
    hash:
      description: Its hash. V(null) in check mode.
      type: str
imported:
  description: How many entries were appended before it that had waited.
  returned: always
  type: int
  sample: 0
problems:
  description: A sentence for everything in the spools that was left there.
  returned: always
  type: list
  elements: str
  sample: []
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _incidents, _journal
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import SHORTEST_SECRET
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now

# What may hold a secret is marked as no_log, so that neither Ansible nor the host's system log shows it before it is redacted.
SPEC = {
    "path": {"type": "path", "required": True},
    "operation": {"type": "str", "required": True},
    "verdict": {"type": "str", "choices": list(_journal.VERDICTS), "required": True},
    "operator": {"type": "str", "required": True},
    "id": {"type": "str"},
    "changed": {"type": "bool", "default": False},
    "stack": {"type": "str", "default": ""},
    "host": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": "", "no_log": True},
    "overrides": {"type": "list", "elements": "dict", "default": []},
    "arguments": {"type": "dict", "default": {}, "no_log": True},
    "started_at": {"type": "str"},
    "ended_at": {"type": "str"},
    "before": {"type": "dict", "default": {}, "no_log": True},
    "after": {"type": "dict", "default": {}, "no_log": True},
    "summary": {"type": "str", "default": "", "no_log": True},
    "token": {"type": "int", "no_log": False},
    "incidents_path": {"type": "path"},
    "redact": {"type": "list", "elements": "str", "default": [], "no_log": True},
    "key": {"type": "str", "no_log": True},
    "spool": {"type": "list", "elements": "path", "default": []},
    "waiting": {"type": "list", "elements": "dict", "default": []},
}
RESULT = {"sequence": None, "hash": None, "anchor": None, "entry": None, "imported": 0, "problems": []}


def work(module, result):
    params = module.params
    # Ansible replaces what is marked as no_log in every answer. From here on the entry is redacted, and only real secrets are left to
    # hide; one of a digit or two would spoil the hash.
    module.no_log_values.clear()
    module.no_log_values.update(secret for secret in params["redact"] + [params["key"] or ""] if len(secret) >= SHORTEST_SECRET)
    now = to_iso(utc_now())
    facts = dict(params, ended_at=params["ended_at"] or now)
    facts["incident"] = _incidents.foremost(_incidents.read(params["incidents_path"])[0]) if params["incidents_path"] else None
    content = _journal.compose(facts, params["redact"])
    # Where Ansible shows what a module was called with, it is this.
    params.update({name: content[name] for name in content if name in params}, redact=[])
    result.update(changed=True, entry=_journal.public(dict(content, time=now, sequence=None, hash=None)))
    _journal.check_key(params["key"])
    if module.check_mode:
        return
    try:
        waited = [_journal.waited(entry) for entry in params["waiting"]]
        entries, problems = _journal.Journal(params["path"], params["key"]).append(waited + [content], now, params["spool"])
    except OSError as error:
        raise OpsError(
            "The entry of {0} ({1}, by {2}) could not be written to the journal {3}: {4}. Nothing of it was written. Free space there or "
            "mend it, and record it again.".format(params["operation"], params["verdict"], params["operator"], params["path"], error)
        )
    last = entries[-1]
    result.update(_journal.anchor(last), anchor=_journal.anchor(last), entry=_journal.public(last))
    result.update(imported=len(entries) - 1, problems=problems)
    for problem in problems:
        module.warn(problem)


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
