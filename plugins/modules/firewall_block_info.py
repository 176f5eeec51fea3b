#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall_block_info
short_description: List the addresses that are blocked, until when, and what was dropped of them
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Tells what M(astraldraft.ops.firewall_block) has blocked, and whether that is in force, as the kernel or nginx itself says.
  - What cannot be read is a verdict of its own, and never reads as nothing being blocked. The task does not fail for it.
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
  - astraldraft.ops._firewall
options:
  addresses:
    description: Only the blocks that these addresses and networks touch. By default all.
    type: list
    elements: str
    default: []
seealso:
  - module: astraldraft.ops.firewall_block
"""

EXAMPLES = r"""
- name: What is blocked on this host?
  astraldraft.ops.firewall_block_info:
  become: true
  register: blocked

- name: Is this address blocked?
  astraldraft.ops.firewall_block_info:
    addresses: [203.0.113.7]
  become: true
"""

RETURN = r"""
verdict:
  description:
    - V(in_force) when something is blocked and all is as it should be, V(none) when nothing is, V(broken) when the table or file is not as
      it should be, V(unknown) when it cannot be read.
  returned: always
  type: str
blocks:
  description: The blocks, IPv4 first.
  returned: always
  type: list
  elements: dict
  contains:
    address:
      description: The address or network.
      type: str
    family:
      description: V(ipv4) or V(ipv6).
      type: str
    expires_at:
      description: When the block ends (ISO 8601, UTC). V(null) for one without an end, which somebody made by hand.
      type: str
    seconds_left:
      description: The seconds until then. V(null) likewise.
      type: int
    comment:
      description: Who blocked it and why.
      type: str
    packets:
      description: How many packets were dropped since it was blocked, or for longer. V(null) with O(backend=nginx).
      type: int
    bytes:
      description: How many bytes they had. V(null) with O(backend=nginx).
      type: int
over:
  description: What nginx still refuses although its time is over. M(astraldraft.ops.firewall_block) removes it whenever it runs.
  returned: always
  type: list
  elements: str
problems:
  description: Why it is not as it should be, each a sentence.
  returned: always
  type: list
  elements: str
real_address_from:
  description: From whom nginx believes what it is told of a client's address. V(null) with O(backend=nftables), and when it cannot be read.
  returned: always
  type: list
  elements: str
table:
  description: The blocks for people, a line each, with the address, until when, what was dropped, and the comment.
  returned: always
  type: list
  elements: str
reason:
  description: Why it cannot be read, and what to do. Empty when it can.
  returned: always
  type: str
summary:
  description: One sentence about all of it.
  returned: always
  type: str
  sample: "2 are blocked; 118 packets of theirs were dropped."
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses, _docker, _firewall
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall_backend import BACKEND_RULES, BACKEND_SPEC, backend
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = dict(BACKEND_SPEC, addresses={"type": "list", "elements": "str", "default": []})
RESULT = {"verdict": "unknown", "blocks": [], "over": [], "problems": [], "real_address_from": None, "table": [], "reason": "",
          "summary": ""}  # fmt: skip


def work(module, result):
    asked, now = _addresses.networks(module.params["addresses"]), time.time()
    try:
        with backend(module) as own:
            state = own.read(now)
            result["real_address_from"] = own.real_addresses()
    except OpsError as error:
        result["reason"] = error.message
        result["verdict"], result["summary"] = _firewall.summary([], [], False, error.message)
        return
    over = [block for block in state.blocks if block.expires_at is not None and block.expires_at <= now]
    meant = [block for block in state.blocks if not asked or any(_addresses.overlap(block.network, one) for one in asked)]
    alive = _firewall.ordered([block for block in meant if block not in over])
    result["blocks"] = [_firewall.as_dict(block, now) for block in alive]
    result["table"] = _firewall.table(alive, now)
    result["over"] = [_addresses.told(block.network) for block in over if block in meant]
    result["problems"] = state.problems
    result["verdict"], result["summary"] = _firewall.summary(alive, state.problems, state.ready)


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), dict(RESULT), supports_check_mode=True, required_if=BACKEND_RULES)


if __name__ == "__main__":
    main()
